//! The outer members of a JSON record of any kind, and what they say of its kind.

use serde_json::value::RawValue;

use super::loose::{Text, loose};

loose! {
    /// Every outer member that any of the kinds needs. Which of them are there tells the kind.
    struct Envelope {
        // Event Hubs, REST and list wrappers that came as one record.
        records: Option<&'a RawValue> = "records",
        value: Option<&'a RawValue> = "value",
        // Activity log in the export shape, and all that shares its wrapper.
        time: Text<'a> = "time",
        resource_id: Text<'a> = "resourceid",
        operation_name: Text<'a> = "operationname",
        category: Text<'a> = "category",
        result_type: Text<'a> = "resulttype",
        result_signature: Text<'a> = "resultsignature",
        caller_ip_address: Text<'a> = "calleripaddress",
        correlation_id: Text<'a> = "correlationid",
        identity: Option<&'a RawValue> = "identity",
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
        // Log Analytics, where `TenantId` is the workspace and not a tenant.
        time_generated: Text<'a> = "timegenerated",
        aad_tenant_id: Text<'a> = "aadtenantid",
        // Its table AzureActivity; columns without `Value` and `_d` are older, and empty or localised.
        operation_name_value: Text<'a> = "operationnamevalue",
        activity_status_value: Text<'a> = "activitystatusvalue",
        activity_substatus_value: Text<'a> = "activitysubstatusvalue",
        category_value: Text<'a> = "categoryvalue",
        own_resource_id: Text<'a> = "_resourceid",
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
    /// A list of records in an object.
    Wrapper,
    /// Something of Azure's that is not read yet; the reason to give.
    NotReadYet(&'static str),
    /// Nothing that is known.
    Unknown,
}

/// The categories of the activity log, as exports write them and as documented.
const ACTIVITY_CATEGORIES: &[&str] = &[
    "administrative",
    "policy",
    "security",
    "servicehealth",
    "resourcehealth",
    "alert",
    "autoscale",
    "recommendation",
    "write",
    "delete",
    "action",
];

/// Categories of Entra's sign-in logs.
const SIGN_IN_CATEGORIES: &[&str] = &[
    "signinlogs",
    "noninteractiveusersigninlogs",
    "serviceprincipalsigninlogs",
    "managedidentitysigninlogs",
    "adfssigninlogs",
];

/// Categories of Entra's other logs.
const OTHER_ENTRA_CATEGORIES: &[&str] = &[
    "riskyusers",
    "userriskevents",
    "riskyserviceprincipals",
    "serviceprincipalriskevents",
    "provisioninglogs",
    "microsoftgraphactivitylogs",
];

const OTHER_ENTRA: &str =
    "an Entra record that is neither a sign-in nor an audit record; this kind is not read yet";
const RESOURCE_LOG: &str = "a resource log (its category and operation are none of the activity log's); this kind is \
                            not read yet";

impl Envelope<'_> {
    /// Tells what the record is.
    pub(crate) fn shape(&self) -> Shape {
        let category = self.category.get().unwrap_or_default();
        let has_category = |names: &[&str]| names.iter().any(|name| category.eq_ignore_ascii_case(name));
        if self.flow_records.is_some() || has_category(&["flowlogflowevent"]) {
            return Shape::VnetFlow;
        }
        if has_category(&["networksecuritygroupflowevent"]) {
            return Shape::NsgFlow;
        }
        if let Some(shape) = self.entra_shape(&has_category) {
            return shape;
        }
        if self.operation_name_value.get().is_some() {
            return Shape::Activity;
        }
        if let Some(shape) = self.cost_shape() {
            return shape;
        }
        let Some(operation) = self.operation_name.get() else {
            return self.shape_without_operation(has_category(ACTIVITY_CATEGORIES));
        };
        // `Microsoft.Compute/virtualMachines/write`; resource logs have words such as `GetBlob`.
        let names_provider = operation.contains('/');
        let is_activity =
            if category.is_empty() { names_provider } else { has_category(ACTIVITY_CATEGORIES) };
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
        } else if holds_list(self.records) || holds_list(self.value) {
            Shape::Wrapper
        } else {
            Shape::Unknown
        }
    }

    fn entra_shape(&self, has_category: &dyn Fn(&[&str]) -> bool) -> Option<Shape> {
        let resource_id = self.resource_id.get().unwrap_or_default();
        let is_of_tenant = resource_id.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("/tenants/"));
        let is_named_sign_in =
            self.operation_name.get().is_some_and(|name| name.eq_ignore_ascii_case("sign-in activity"));
        let is_graph_sign_in = self.created_date_time.get().is_some()
            && (self.user_principal_name.get().is_some() || self.service_principal_id.get().is_some());
        let is_graph_audit =
            self.activity_date_time.get().is_some() || self.activity_display_name.get().is_some();
        if has_category(OTHER_ENTRA_CATEGORIES) {
            Some(Shape::NotReadYet(OTHER_ENTRA))
        } else if has_category(SIGN_IN_CATEGORIES) || is_graph_sign_in || (is_of_tenant && is_named_sign_in) {
            Some(Shape::SignIn)
        } else if has_category(&["auditlogs"]) || is_graph_audit || is_of_tenant {
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
        check(r#"{"scenario":"x","kind":"y"}"#, Shape::Unknown);
        check("7", Shape::Unknown);
        check("[]", Shape::Unknown);
    }
}
