//! Where the shared things of a subscription are. The routine and the scenarios meet at them.

use crate::catalog::Region;
use crate::estate::Subscription;

impl Subscription {
    /// Path of the subscription itself.
    pub(crate) fn whole(&self) -> String {
        format!("/subscriptions/{}", self.id)
    }

    /// Path of something that belongs to the subscription as a whole, such as a budget.
    pub(crate) fn of_whole(&self, type_and_name: &str) -> String {
        format!("/subscriptions/{}/providers/{type_and_name}", self.id)
    }

    /// Path of a resource group.
    pub(crate) fn group(&self, name: &str) -> String {
        format!("/subscriptions/{}/resourceGroups/{name}", self.id)
    }

    /// The resource group of what the subscription is for.
    pub(crate) fn main_group(&self) -> String {
        format!("rg-{}-prod", self.workload.code())
    }

    /// One of the services that everybody works with; the numbers are one to six.
    pub(crate) fn service(&self, resource_type: &str, number: usize) -> String {
        let name = format!("{}{number:02}", self.workload.code());
        self.resource(&self.main_group(), resource_type, &name)
    }

    /// The domain of the customer's people.
    pub(crate) fn domain(&self) -> &str {
        self.operators[0].caller.split_once('@').map_or("customer.example", |(_, domain)| domain)
    }

    /// The host of the customer's own images and packages.
    pub(crate) fn registry(&self) -> String {
        format!("registry.{}", self.domain())
    }

    /// Where its logs go.
    pub(crate) fn log_workspace(&self) -> String {
        let name = format!("law-{}", self.workload.code());
        self.resource("rg-monitoring", "Microsoft.OperationalInsights/workspaces", &name)
    }

    /// Group and name of the account of Azure Batch that its pipeline uses.
    pub(crate) fn batch_account(&self) -> (String, String) {
        let code = self.workload.code();
        (format!("rg-{code}-batch"), format!("{code}batch{}", &self.id[..4]))
    }

    /// Group and name of the workspace of those who train models.
    pub(crate) fn learning_workspace(&self) -> (String, String) {
        let code = self.workload.code();
        (format!("rg-{code}-ml"), format!("mlw-{code}"))
    }

    /// The account whose runbooks keep it in order.
    pub(crate) fn automation_account(&self) -> String {
        let name = format!("aa-{}", self.workload.code());
        self.resource("rg-automation", "Microsoft.Automation/automationAccounts", &name)
    }

    /// The rules of its network in a region.
    pub(crate) fn security_group(&self, region: &Region) -> String {
        let name = format!("nsg-{}", region.id);
        self.resource("rg-network", "Microsoft.Network/networkSecurityGroups", &name)
    }
}
