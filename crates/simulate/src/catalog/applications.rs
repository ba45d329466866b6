//! Microsoft's own applications, which people sign in with and to. Their ids are the same in every tenant.

/// An application that people sign in with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// Its application id.
    pub(crate) id: &'static str,
    /// Its display name.
    pub(crate) name: &'static str,
    /// As what sign-ins with it are counted.
    pub(crate) client_app: &'static str,
}

/// An application that people sign in to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    /// Its application id.
    pub(crate) id: &'static str,
    /// Its display name.
    pub(crate) name: &'static str,
}

const fn web(id: &'static str, name: &'static str) -> Client {
    Client { id, name, client_app: "Browser" }
}

const fn installed(id: &'static str, name: &'static str) -> Client {
    Client { id, name, client_app: "Mobile Apps and Desktop clients" }
}

const fn resource(id: &'static str, name: &'static str) -> Resource {
    Resource { id, name }
}

/// The portal of Azure.
pub(crate) static PORTAL: Client = web("c44b4083-3bb0-49c1-b47d-974e53cbdf3c", "Azure Portal");
/// The command line of Azure.
pub(crate) static COMMAND_LINE: Client =
    installed("04b07795-8ddb-461a-bbee-02f9e1bf7b46", "Microsoft Azure CLI");
/// The start page of Microsoft 365.
pub(crate) static OFFICE_HOME: Client = web("4765445b-32c6-49b0-83e6-1d93765276ca", "OfficeHome");
/// The desktop programs of Office.
pub(crate) static OFFICE: Client = installed("d3590ed6-52b3-4102-aeff-aad2292ab01c", "Microsoft Office");
/// Chat and meetings.
pub(crate) static TEAMS: Client = installed("1fec8e78-bce4-4aaf-ab1b-5451cc387264", "Microsoft Teams");
/// Mail on a telephone.
pub(crate) static OUTLOOK_MOBILE: Client =
    installed("27922004-5251-4030-b22d-91ecd9a37ea4", "Outlook Mobile");

/// Azure Resource Manager, of which everything in the activity log was asked.
pub(crate) static RESOURCE_MANAGER: Resource =
    resource("797f4846-ba00-4fd7-ba43-dac1f8f63013", "Windows Azure Service Management API");
/// Microsoft Graph, of which everything in the audit log was asked.
pub(crate) static GRAPH: Resource = resource("00000003-0000-0000-c000-000000000000", "Microsoft Graph");
/// Mail.
pub(crate) static EXCHANGE: Resource =
    resource("00000002-0000-0ff1-ce00-000000000000", "Office 365 Exchange Online");
/// Files.
pub(crate) static SHAREPOINT: Resource =
    resource("00000003-0000-0ff1-ce00-000000000000", "Office 365 SharePoint Online");
