//! The outer members of a JSON record of any kind, and what they say of its kind.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::loose::{Names, Nested, Text, loose};
use super::scan::LIST_NAMES;
use crate::activity::Identity;
use crate::dns;

loose! {
    /// Every outer member that any of the kinds needs. Which of them are there tells the kind.
    struct Envelope {
        // Wrappers of Event Hubs, REST and Resource Graph that came as one record.
        records: Option<&'a RawValue> = "records",
        value: Option<&'a RawValue> = "value",
        data: Option<&'a RawValue> = "data",
        // Activity log in the export shape, and all that shares its wrapper.
        time: Text<'a> = "time",
        resource_id: Text<'a> = "resourceid",
        operation_name: Text<'a> = "operationname",
        category: Text<'a> = "category",
        result_type: Text<'a> = "resulttype",
        result_signature: Text<'a> = "resultsignature",
        caller_ip_address: Text<'a> = "calleripaddress",
        correlation_id: Text<'a> = "correlationid",
        identity: Nested<'a, Identity<'a>> = "identity",
        level: Text<'a> = "level",
        properties: Option<&'a RawValue> = "properties",
        tenant_id: Text<'a> = "tenantid",
        location: Text<'a> = "location",
        // Activity log in the REST shape.
        event_timestamp: Text<'a> = "eventtimestamp",
        authorization: Option<&'a RawValue> = "authorization",
        caller: Text<'a> = "caller",
        claims: Option<&'a RawValue> = "claims",
        resource_group_name: Text<'a> = "resourcegroupname",
        resource_type: Text<'a> = "resourcetype",
        status: Text<'a> = "status",
        sub_status: Text<'a> = "substatus",
        subscription_id: Text<'a> = "subscriptionid",
        http_request: Option<&'a RawValue> = "httprequest",
        // Flow logs.
        flow_records: Option<&'a RawValue> = "flowrecords",
        mac_address: Text<'a> = "macaddress",
        target_resource_id: Text<'a> = "targetresourceid",
        flow_log_resource_id: Text<'a> = "flowlogresourceid",
        // Marks of Entra's logs, as Graph and Log Analytics show them.
        activity_date_time: Text<'a> = "activitydatetime",
        activity_display_name: Text<'a> = "activitydisplayname",
        created_date_time: Text<'a> = "createddatetime",
        user_principal_name: Text<'a> = "userprincipalname",
        service_principal_id: Text<'a> = "serviceprincipalid",
        // Marks of Partner Center's daily-rated usage, and of manifests of exports.
        billing_pre_tax_total: Option<&'a RawValue> = "billingpretaxtotal",
        entitlement_id: Option<&'a RawValue> = "entitlementid",
        usage_date: Option<&'a RawValue> = "usagedate",
        blobs: Option<&'a RawValue> = "blobs",
        run_info: Option<&'a RawValue> = "runinfo",
        data_format: Option<&'a RawValue> = "dataformat",
        // Resources of REST and Resource Graph; in Log Analytics `Type` is the table.
        id: Text<'a> = "id",
        type_name: Text<'a> = "type",
        // Alerts of Defender for Cloud.
        system_alert_id: Text<'a> = "systemalertid",
        // Log Analytics, where `TenantId` is the workspace and not a tenant.
        time_generated: Text<'a> = "timegenerated",
        aad_tenant_id: Text<'a> = "aadtenantid",
        // Its table AzureActivity; columns without `Value` and `_d` are older, and empty or localised.
        operation_name_value: Text<'a> = "operationnamevalue",
        activity_status_value: Text<'a> = "activitystatusvalue",
        activity_substatus_value: Text<'a> = "activitysubstatusvalue",
        category_value: Text<'a> = "categoryvalue",
        own_resource_id: Text<'a> = "_resourceid",
        own_subscription_id: Text<'a> = "_subscriptionid",
        resource_group: Text<'a> = "resourcegroup",
        authorization_d: Option<&'a RawValue> = "authorization_d",
        claims_d: Option<&'a RawValue> = "claims_d",
        properties_d: Option<&'a RawValue> = "properties_d",
    }
}

/// What a JSON record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Activity log: export, REST, or table of Log Analytics.
    Activity,
    /// Flow log of a network security group, version 1 or 2.
    NsgFlow,
    /// Flow log of a virtual network, version 4.
    VnetFlow,
    /// Entra sign-in log, of any of its categories and shapes.
    SignIn,
    /// Entra audit log.
    Audit,
    /// Partner Center's daily-rated usage.
    Usage,
    /// The list of the files of an export: no record.
    Manifest,
    /// DNS or firewall log, of this source.
    Dns(dns::Source),
    /// Resource of the inventory.
    Inventory,
    /// Service Health: a record of the activity log, or an event.
    Advisory,
    /// Alert of Defender for Cloud, of any of its shapes.
    SecurityAlert,
    /// A list of records in an object.
    Wrapper,
    /// Something of Azure's that is not read yet; the reason to give.
    NotReadYet(&'static str),
    /// Nothing that is known.
    Unknown,
}

/// What a category says of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Category {
    Activity,
    ServiceHealth,
    NsgFlow,
    VnetFlow,
    SignIn,
    Audit,
    OtherEntra,
    Dns(dns::Source),
}

/// The categories, as exports write them and as documented; those of the activity log also as the verbs
/// that they are documented to be.
static CATEGORIES: Names<Category> = Names::new(&[
    ("administrative", Category::Activity),
    ("policy", Category::Activity),
    ("security", Category::Activity),
    ("resourcehealth", Category::Activity),
    ("alert", Category::Activity),
    ("autoscale", Category::Activity),
    ("recommendation", Category::Activity),
    ("write", Category::Activity),
    ("delete", Category::Activity),
    ("action", Category::Activity),
    ("servicehealth", Category::ServiceHealth),
    ("networksecuritygroupflowevent", Category::NsgFlow),
    ("flowlogflowevent", Category::VnetFlow),
    ("signinlogs", Category::SignIn),
    ("noninteractiveusersigninlogs", Category::SignIn),
    ("serviceprincipalsigninlogs", Category::SignIn),
    ("managedidentitysigninlogs", Category::SignIn),
    ("adfssigninlogs", Category::SignIn),
    ("auditlogs", Category::Audit),
    ("riskyusers", Category::OtherEntra),
    ("userriskevents", Category::OtherEntra),
    ("riskyserviceprincipals", Category::OtherEntra),
    ("serviceprincipalriskevents", Category::OtherEntra),
    ("provisioninglogs", Category::OtherEntra),
    ("microsoftgraphactivitylogs", Category::OtherEntra),
    ("dnsresponse", Category::Dns(dns::Source::Policy)),
    ("dnsquerylogs", Category::Dns(dns::Source::Policy)),
    ("azfwdnsquery", Category::Dns(dns::Source::Dns)),
    ("azurefirewalldnsproxy", Category::Dns(dns::Source::Dns)),
    ("azfwapplicationrule", Category::Dns(dns::Source::Application)),
    ("azurefirewallapplicationrule", Category::Dns(dns::Source::Application)),
    ("azfwnetworkrule", Category::Dns(dns::Source::Network)),
    ("azurefirewallnetworkrule", Category::Dns(dns::Source::Network)),
    ("azfwnatrule", Category::Dns(dns::Source::Nat)),
    ("azfwthreatintel", Category::Dns(dns::Source::ThreatIntel)),
    ("azfwidpssignature", Category::Dns(dns::Source::Idps)),
    ("azfwfqdnresolvefailure", Category::Dns(dns::Source::FqdnFailure)),
    ("azfwinternalfqdnresolutionfailure", Category::Dns(dns::Source::FqdnFailure)),
]);

const OTHER_ENTRA: &str =
    "an Entra record that is neither a sign-in nor an audit record; this kind is not read yet";
const RESOURCE_LOG: &str = "a resource log (its category and operation are none of the activity log's); this kind is \
                            not read yet";

const IMPACTED: &str =
    "a list of the resources that an event of Service Health is about; this kind is not read yet";

fn ends_with(text: &str, end: &str) -> bool {
    let start = text.len().checked_sub(end.len());
    start.and_then(|start| text.get(start..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

fn is_table(json: &str) -> bool {
    json.starts_with('{') && json.contains("\"rows\"")
}

/// The lists and tables in a wrapper, in their order; a name that stands twice has two.
pub(crate) fn lists(wrapper: &str) -> Vec<&RawValue> {
    struct Lists;

    impl<'de> Visitor<'de> for Lists {
        type Value = Vec<&'de RawValue>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut lists = Vec::new();
            while let Some((name, value)) = map.next_entry::<Cow<'de, str>, &RawValue>()? {
                let is_list = value.get().starts_with('[') || is_table(value.get());
                if is_list && LIST_NAMES.iter().any(|known| name.eq_ignore_ascii_case(known)) {
                    lists.push(value);
                }
            }
            Ok(lists)
        }
    }

    serde_json::Deserializer::from_str(wrapper).deserialize_map(Lists).unwrap_or_default()
}

/// Whether the outer members before a list say that it stands in a record, and is not what a wrapper wraps;
/// `start` is the text up to and with the bracket of the list.
pub(crate) fn begins_record(start: &[u8]) -> bool {
    let closed = [start, b"]}"].concat();
    let envelope = serde_json::from_slice::<Envelope<'_>>(&closed);
    envelope.is_ok_and(|envelope| !matches!(envelope.shape(), Shape::Wrapper | Shape::Unknown))
}

impl Envelope<'_> {
    /// Tells what the record is.
    pub(crate) fn shape(&self) -> Shape {
        let category = self.category.get().and_then(|name| CATEGORIES.find(name));
        if self.flow_records.is_some() || category == Some(Category::VnetFlow) {
            return Shape::VnetFlow;
        }
        if category == Some(Category::NsgFlow) {
            return Shape::NsgFlow;
        }
        if let Some(shape) = self.shape_of_type().or_else(|| self.entra_shape(category)) {
            return shape;
        }
        if let Some(Category::Dns(source)) = category {
            return Shape::Dns(source);
        }
        let of_table = || self.category_value.get().and_then(|name| CATEGORIES.find(name));
        if category.or_else(of_table) == Some(Category::ServiceHealth) {
            return Shape::Advisory;
        }
        if self.operation_name_value.get().is_some() {
            return Shape::Activity;
        }
        if let Some(shape) = self.cost_shape() {
            return shape;
        }
        let is_of_activity = category == Some(Category::Activity);
        let Some(operation) = self.operation_name.get() else {
            return self.shape_without_operation(is_of_activity);
        };
        // `Microsoft.Compute/virtualMachines/write`; resource logs have words such as `GetBlob`.
        let is_activity =
            if self.category.get().is_none() { operation.contains('/') } else { is_of_activity };
        if is_activity {
            Shape::Activity
        } else if self.properties.is_some() || self.resource_id.get().is_some() {
            Shape::NotReadYet(RESOURCE_LOG)
        } else {
            Shape::Unknown
        }
    }

    fn cost_shape(&self) -> Option<Shape> {
        let marks = [self.billing_pre_tax_total, self.entitlement_id, self.usage_date];
        let lists_blobs = self.blobs.is_some_and(|raw| raw.get().starts_with('['));
        if marks.iter().flatten().count() >= 2 {
            Some(Shape::Usage)
        } else if lists_blobs && (self.run_info.is_some() || self.data_format.is_some()) {
            Some(Shape::Manifest)
        } else {
            None
        }
    }

    fn shape_without_operation(&self, has_activity_category: bool) -> Shape {
        let holds_list = |member: Option<&RawValue>| member.is_some_and(|raw| raw.get().starts_with('['));
        let is_activity = has_activity_category && self.resource_id.get().is_some();
        if is_activity {
            // Reading it will say what is missing.
            Shape::Activity
        } else if self.is_resource() {
            Shape::Inventory
        } else if [self.records, self.value, self.data].into_iter().any(holds_list) || self.holds_table() {
            Shape::Wrapper
        } else {
            Shape::Unknown
        }
    }

    /// What the record is by the type of resource, or the table, that it says to be of.
    fn shape_of_type(&self) -> Option<Shape> {
        let Some(name) = self.type_name.get() else {
            return self.system_alert_id.get().map(|_| Shape::SecurityAlert);
        };
        let is_type = |end: &str| ends_with(name, end);
        if self.system_alert_id.get().is_some()
            || ["microsoft.security/locations/alerts", "microsoft.security/alerts"].into_iter().any(is_type)
        {
            Some(Shape::SecurityAlert)
        } else if is_type("microsoft.resourcehealth/events") {
            Some(Shape::Advisory)
        } else if is_type("microsoft.resourcehealth/events/impactedresources") {
            Some(Shape::NotReadYet(IMPACTED))
        } else {
            // A table of Log Analytics has the name of the category.
            match CATEGORIES.find(name) {
                Some(Category::Dns(source)) => Some(Shape::Dns(source)),
                _ => None,
            }
        }
    }

    /// Whether it is a row of Resource Graph. Types of resources have a provider before them.
    fn is_resource(&self) -> bool {
        let owner = self.tenant_id.get().or(self.subscription_id.get());
        self.id.get().is_some()
            && owner.is_some()
            && self.type_name.get().is_some_and(|name| name.contains('/'))
    }

    /// Whether it is a reply of Resource Graph in the older form of a table.
    fn holds_table(&self) -> bool {
        self.data.is_some_and(|raw| is_table(raw.get()))
    }

    fn entra_shape(&self, category: Option<Category>) -> Option<Shape> {
        let resource_id = self.resource_id.get().unwrap_or_default();
        let is_of_tenant = resource_id.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("/tenants/"));
        let is_named_sign_in =
            self.operation_name.get().is_some_and(|name| name.eq_ignore_ascii_case("sign-in activity"));
        let is_graph_sign_in = self.created_date_time.get().is_some()
            && (self.user_principal_name.get().is_some() || self.service_principal_id.get().is_some());
        let is_graph_audit =
            self.activity_date_time.get().is_some() || self.activity_display_name.get().is_some();
        if category == Some(Category::OtherEntra) {
            Some(Shape::NotReadYet(OTHER_ENTRA))
        } else if category == Some(Category::SignIn) || is_graph_sign_in || (is_of_tenant && is_named_sign_in)
        {
            Some(Shape::SignIn)
        } else if category == Some(Category::Audit) || is_graph_audit || is_of_tenant {
            Some(Shape::Audit)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart() {
        let check = |json: &str, expected: Shape| {
            let envelope: Envelope<'_> = serde_json::from_str(json).unwrap();
            assert_eq!(envelope.shape(), expected, "{json}");
        };
        check(r#"{"operationName":"Microsoft.Compute/virtualMachines/write"}"#, Shape::Activity);
        check(r#"{"OPERATIONNAME":{"value":"A/b"},"category":{"value":"Policy"}}"#, Shape::Activity);
        check(r#"{"category":"Administrative","resourceId":"/subscriptions/s"}"#, Shape::Activity);
        check(r#"{"category":"FlowLogFlowEvent"}"#, Shape::VnetFlow);
        check(r#"{"flowRecords":{}}"#, Shape::VnetFlow);
        check(r#"{"category":"NetworkSecurityGroupFlowEvent"}"#, Shape::NsgFlow);
        check(r#"{"category":"SignInLogs","operationName":"Sign-in activity"}"#, Shape::SignIn);
        check(r#"{"resourceId":"/TENANTS/t/x","operationName":"Sign-in activity"}"#, Shape::SignIn);
        check(r#"{"createdDateTime":"x","userPrincipalName":"ann"}"#, Shape::SignIn);
        check(r#"{"createdDateTime":"x","servicePrincipalId":"s"}"#, Shape::SignIn);
        check(r#"{"resourceId":"/tenants/t/x","operationName":"x","category":"Policy"}"#, Shape::Audit);
        check(r#"{"activityDisplayName":"Add member to role"}"#, Shape::Audit);
        check(r#"{"category":"AuditLogs","resourceId":"/subscriptions/s"}"#, Shape::Audit);
        check(r#"{"category":"RiskyUsers","resourceId":"/tenants/t/x"}"#, Shape::NotReadYet(OTHER_ENTRA));
        check(
            r#"{"category":"StorageRead","operationName":"GetBlob","properties":{}}"#,
            Shape::NotReadYet(RESOURCE_LOG),
        );
        check(r#"{"OperationNameValue":"A/B","TimeGenerated":"x"}"#, Shape::Activity);
        check(r#"{"EntitlementId":"e","UsageDate":"x"}"#, Shape::Usage);
        check(r#"{"usageDate":"","billingPreTaxTotal":0}"#, Shape::Usage);
        check(r#"{"usageDate":"x"}"#, Shape::Unknown);
        check(r#"{"blobs":[{}],"runInfo":{}}"#, Shape::Manifest);
        check(r#"{"blobs":[],"dataFormat":"compressedJSONLines"}"#, Shape::Manifest);
        check(r#"{"blobs":[]}"#, Shape::Unknown);
        check(r#"{"count":1,"value":[{}]}"#, Shape::Wrapper);
        check(r#"{"count":1,"data":[{}]}"#, Shape::Wrapper);
        check(r#"{"count":1,"data":{"columns":[],"rows":[]}}"#, Shape::Wrapper);
        check(r#"{"data":{"x":[]}}"#, Shape::Unknown);
        check(
            r#"{"category":"DnsResponse","operationName":"RESPONSE_SUCCESS"}"#,
            Shape::Dns(dns::Source::Policy),
        );
        check(r#"{"Category":"AzureFirewallNetworkRule"}"#, Shape::Dns(dns::Source::Network));
        check(r#"{"Type":"AZFWIdpsSignature","Category":"x"}"#, Shape::Dns(dns::Source::Idps));
        check(
            r#"{"category":"AZFWFatFlow","operationName":"x","properties":{}}"#,
            Shape::NotReadYet(RESOURCE_LOG),
        );
        check(r#"{"id":"/a","type":"microsoft.compute/disks","tenantId":"t"}"#, Shape::Inventory);
        check(r#"{"id":"/a","type":"microsoft.compute/disks","subscriptionId":"s"}"#, Shape::Inventory);
        check(r#"{"id":"/a","type":"microsoft.compute/disks"}"#, Shape::Unknown);
        check(r#"{"id":"/a","type":"SigninLogs","TenantId":"t"}"#, Shape::Unknown);
        check(r#"{"id":"/a","type":"Microsoft.Security/Locations/alerts"}"#, Shape::SecurityAlert);
        check(r#"{"SystemAlertId":"a"}"#, Shape::SecurityAlert);
        check(r#"{"type":"/providers/Microsoft.ResourceHealth/events"}"#, Shape::Advisory);
        check(r#"{"category":{"value":"ServiceHealth"},"operationName":"a/b"}"#, Shape::Advisory);
        check(r#"{"CategoryValue":"ServiceHealth","OperationNameValue":"a/b"}"#, Shape::Advisory);
        check(r#"{"category":"ResourceHealth","operationName":"a/b"}"#, Shape::Activity);
        check(
            r#"{"id":"/a","tenantId":"t","type":"microsoft.resourcehealth/events/impactedresources"}"#,
            Shape::NotReadYet(IMPACTED),
        );
        check(r#"{"scenario":"x","kind":"y"}"#, Shape::Unknown);
        check("7", Shape::Unknown);
        check("[]", Shape::Unknown);
    }
}
