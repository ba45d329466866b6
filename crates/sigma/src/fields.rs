//! Which column, or which member of the record, a field of a rule means.
//!
//! Rules name fields by the members of Azure's records, by the columns of Log Analytics, or by the words of a page of
//! Microsoft's; in any letter case. Our names are those of `docs/records.md`. A field that is not found here is told as
//! unknown: guessing would make a detector that never fires.

use crate::matching::{Form, Source};

/// The logs that rules can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Log {
    /// The activity log of subscriptions.
    Activity,
    /// Sign-ins to Entra.
    SignIn,
    /// Changes of the directory.
    Audit,
    /// Risks that Entra found, as far as sign-ins carry them.
    Risk,
}

/// What a field means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) source: Source,
    pub(crate) reading: Reading,
    /// What to tell whoever imports the rule.
    pub(crate) note: Option<&'static str>,
}

/// How the values of a field are to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// As they are.
    Plain,
    /// The provider of a resource: of `resource_type` what stands before the first slash.
    Provider,
    /// Azure's words for one status become ours.
    ActivityStatus,
    /// `Success` and `Failure` are those of the error code; other words are looked for in the status.
    SignInStatus,
    /// A word of the result, or the reason of it.
    AuditStatus,
    /// The name of a log of sign-ins.
    SignInLog,
    /// How a sign-in was authenticated.
    Protocol,
    /// Names that records write without spaces.
    NoSpaces,
    /// A type of risk that sign-ins carry.
    RiskType,
}

impl Log {
    /// The table that holds its events.
    pub(crate) fn table(self) -> &'static str {
        match self {
            Self::Activity => "activity",
            Self::SignIn | Self::Risk => "sign_in",
            Self::Audit => "audit",
        }
    }

    /// One of its events, in words.
    pub(crate) fn record(self) -> &'static str {
        match self {
            Self::Activity => "an activity record",
            Self::SignIn | Self::Risk => "a sign-in",
            Self::Audit => "an audit record",
        }
    }

    /// What a word without a field is looked for in, beside `properties`.
    pub(crate) fn texts(self) -> &'static [(&'static str, Form)] {
        use Form::{AsWritten, Lower};
        match self {
            Self::Activity => {
                &[("operation", Lower), ("resource_id", Lower), ("caller", Lower), ("properties", AsWritten)]
            }
            Self::SignIn | Self::Risk => &[
                ("user_principal_name", Lower),
                ("app_name", AsWritten),
                ("failure_reason", AsWritten),
                ("properties", AsWritten),
            ],
            Self::Audit => &[
                ("operation", Lower),
                ("actor", AsWritten),
                ("target", AsWritten),
                ("result_reason", AsWritten),
                ("properties", AsWritten),
            ],
        }
    }

    /// What a field of a rule means, if that is known.
    pub(crate) fn field(self, name: &str) -> Option<Field> {
        let path: Vec<String> = name.split('.').map(|part| part.trim().to_lowercase()).collect();
        if path.iter().any(String::is_empty) {
            return None;
        }
        // Of Entra's records `properties` is the record itself, of activity records a member among others.
        let within = path.strip_prefix(&["properties".to_owned()]).filter(|rest| !rest.is_empty());
        let path = match (self, within) {
            (Self::Activity, Some(rest)) => return Some(Field::plain(Source::Json(rest.to_vec()))),
            (_, Some(rest)) => rest.to_vec(),
            (_, None) => path,
        };
        let key = path.join(".").replace('_', "");
        let known = self.columns().iter().find(|column| column.names.contains(&key.as_str()));
        if let Some(known) = known {
            let source = Source::Column(known.column, known.form);
            return Some(Field { source, reading: known.reading, note: known.note });
        }
        self.special(&key).or_else(|| self.member(path))
    }

    /// Fields that are no column and no plain member.
    fn special(self, key: &str) -> Option<Field> {
        let json = |path: &[&str]| Source::Json(path.iter().map(|part| (*part).to_owned()).collect());
        match (self, key) {
            (Self::SignIn, "status") => {
                Some(Field { source: json(&["status"]), reading: Reading::SignInStatus, note: None })
            }
            (Self::Audit, "useragent") => Some(Field::plain(json(&["additionaldetails", "user-agent"]))),
            (Self::Audit, "targetresources.type") => Some(Field {
                source: json(&["targetresources", "type"]),
                reading: Reading::NoSpaces,
                note: None,
            }),
            (Self::Audit, key) => {
                let consent = key.strip_prefix("consentcontext.").filter(|rest| !rest.is_empty())?;
                let property = format!("consentcontext.{consent}");
                Some(Field::plain(json(&["targetresources", "modifiedproperties", &property])))
            }
            (Self::Risk, "riskeventtype" | "risktype" | "riskeventtypesv2" | "riskeventtypes") => {
                Some(Field {
                    source: json(&["riskeventtypes_v2"]),
                    reading: Reading::RiskType,
                    note: Some(
                        "risk detections are no log of their own here; the rule reads the types of risk that sign-ins carry, \
                     so it misses what Entra finds only later",
                    ),
                })
            }
            _ => None,
        }
    }

    /// A member of Graph's object, or something within it.
    fn member(self, path: Vec<String>) -> Option<Field> {
        let known = match self {
            Self::Activity => return None,
            Self::SignIn | Self::Risk => SIGN_IN_MEMBERS,
            Self::Audit => AUDIT_MEMBERS,
        };
        known.contains(&path.first()?.as_str()).then(|| Field::plain(Source::Json(path)))
    }

    fn columns(self) -> &'static [Column] {
        match self {
            Self::Activity => ACTIVITY,
            Self::SignIn | Self::Risk => SIGN_IN,
            Self::Audit => AUDIT,
        }
    }
}

impl Field {
    fn plain(source: Source) -> Self {
        Self { source, reading: Reading::Plain, note: None }
    }
}

/// A column and the names that rules have for it: lower case, without underscores.
struct Column {
    column: &'static str,
    form: Form,
    reading: Reading,
    names: &'static [&'static str],
    note: Option<&'static str>,
}

const fn lower(column: &'static str, names: &'static [&'static str]) -> Column {
    Column { column, form: Form::Lower, reading: Reading::Plain, names, note: None }
}

const fn as_written(column: &'static str, names: &'static [&'static str]) -> Column {
    Column { column, form: Form::AsWritten, reading: Reading::Plain, names, note: None }
}

const fn number(column: &'static str, names: &'static [&'static str]) -> Column {
    Column { column, form: Form::Number, reading: Reading::Plain, names, note: None }
}

const fn read_as(column: Column, reading: Reading) -> Column {
    Column { reading, ..column }
}

const fn noted(column: Column, note: &'static str) -> Column {
    Column { note: Some(note), ..column }
}

const ACTIVITY: &[Column] = &[
    lower("operation", &["operation", "operationname", "operationnamevalue", "operationname.value"]),
    lower("category", &["category", "categoryvalue", "category.value"]),
    read_as(
        lower(
            "status",
            &["status", "status.value", "activitystatus", "activitystatusvalue", "resulttype", "result"],
        ),
        Reading::ActivityStatus,
    ),
    lower(
        "sub_status",
        &["substatus", "substatus.value", "activitysubstatus", "activitysubstatusvalue", "resultsignature"],
    ),
    lower("level", &["level"]),
    lower("resource_id", &["resourceid", "resourceuri", "resource"]),
    lower("resource_group", &["resourcegroup", "resourcegroupname"]),
    lower("resource_type", &["resourcetype", "resourcetype.value"]),
    read_as(
        lower(
            "resource_type",
            &[
                "resourceprovider",
                "resourceprovidername",
                "resourceprovidervalue",
                "resourceprovidername.value",
            ],
        ),
        Reading::Provider,
    ),
    lower("subscription_id", &["subscriptionid"]),
    lower("caller", &["caller", "identity", "claims.upn", "identity.claims.upn"]),
    lower("caller_id", &["callerid", "claims.oid", "claims.objectidentifier"]),
    lower("caller_app_id", &["callerappid", "claims.appid", "identity.claims.appid"]),
    lower("caller_tenant_id", &["callertenantid", "claims.tid", "claims.tenantid"]),
    lower("caller_type", &["callertype"]),
    lower("caller_ip", &["callerip", "calleripaddress", "httprequest.clientipaddress", "ipaddress"]),
    lower("correlation_id", &["correlationid"]),
    lower("resource_region", &["resourceregion"]),
    lower("vm_size", &["vmsize"]),
];

const SIGN_IN: &[Column] = &[
    number("error_code", &["resulttype", "errorcode", "status.errorcode"]),
    as_written("failure_reason", &["resultdescription", "failurereason", "status.failurereason"]),
    lower("user_id", &["userid"]),
    lower("user_principal_name", &["userprincipalname", "alternatesigninname"]),
    lower("service_principal_id", &["serviceprincipalid"]),
    lower("app_id", &["appid", "applicationid"]),
    as_written("app_name", &["appdisplayname", "appname", "application", "serviceprincipalname"]),
    as_written("target_name", &["resourcedisplayname", "targetname"]),
    lower("target_id", &["resourceidentity", "resourceid", "targetid"]),
    lower("conditional_access", &["conditionalaccessstatus", "conditionalaccess"]),
    lower("authentication_requirement", &["authenticationrequirement"]),
    lower("authentication_protocol", &["authenticationprotocol"]),
    noted(
        read_as(lower("authentication_protocol", &["message"]), Reading::Protocol),
        "sign-ins have no `message`; the value is read as the authentication protocol",
    ),
    lower("client_app", &["clientappused", "clientapp"]),
    as_written("user_agent", &["useragent"]),
    lower("ip", &["ip", "ipaddress", "calleripaddress"]),
    number("autonomous_system", &["autonomoussystemnumber", "autonomoussystem"]),
    as_written(
        "country",
        &[
            "country",
            "location",
            "location.countryorregion",
            "locationdetails.countryorregion",
            "countryorregion",
        ],
    ),
    as_written("city", &["city", "location.city", "locationdetails.city"]),
    lower("device_id", &["deviceid", "devicedetail.deviceid"]),
    as_written("operating_system", &["operatingsystem", "devicedetail.operatingsystem"]),
    lower("risk_level", &["risklevel", "risklevelduringsignin"]),
    lower("risk_state", &["riskstate"]),
    lower("home_tenant_id", &["hometenantid"]),
    lower("customer_tenant_id", &["resourcetenantid", "tenantid", "aadtenantid"]),
    lower("cross_tenant_access", &["crosstenantaccesstype", "crosstenantaccess"]),
    lower("session_id", &["sessionid"]),
    as_written("token_id", &["uniquetokenidentifier", "tokenid"]),
    lower("correlation_id", &["correlationid"]),
    read_as(lower("sign_in_type", &["category", "signintype"]), Reading::SignInLog),
];

const AUDIT: &[Column] = &[
    lower("operation", &["operation", "operationname", "activitydisplayname"]),
    noted(
        lower("operation", &["message", "activitytype", "activity"]),
        "audit records have no such member; the value is read as the name of the activity",
    ),
    lower("category", &["category"]),
    lower("operation_type", &["operationtype", "aadoperationtype"]),
    read_as(lower("result", &["status", "result", "resulttype"]), Reading::AuditStatus),
    as_written("result_reason", &["resultreason", "resultdescription"]),
    noted(
        as_written("result_reason", &["failurestatusreason"]),
        "audit records have no such member; the value is read as the reason of the result",
    ),
    lower("logged_by", &["loggedbyservice", "loggedby"]),
    as_written("actor", &["actor", "identity"]),
    lower("actor_id", &["actorid", "initiatedby.user.id"]),
    lower("actor_app_id", &["actorappid", "initiatedby.app.appid"]),
    lower("actor_ip", &["actorip", "calleripaddress", "ipaddress", "initiatedby.user.ipaddress"]),
    lower("correlation_id", &["correlationid"]),
    as_written("role", &["role"]),
    lower("customer_tenant_id", &["tenantid", "aadtenantid"]),
];

/// Members of Graph's `signIn`, in lower case, which sign-ins keep in `properties`. Those that are columns are above.
const SIGN_IN_MEMBERS: &[&str] = &[
    "agent",
    "appliedconditionalaccesspolicies",
    "appliedeventlisteners",
    "appownertenantid",
    "authenticationappdevicedetails",
    "authenticationapppolicyevaluationdetails",
    "authenticationcontextclassreferences",
    "authenticationdetails",
    "authenticationmethodsused",
    "authenticationprocessingdetails",
    "authenticationrequirementpolicies",
    "azureresourceid",
    "clientcredentialtype",
    "conditionalaccessaudiences",
    "conditionalaccesspolicies",
    "createddatetime",
    "devicedetail",
    "federatedcredentialid",
    "flaggedforreview",
    "globalsecureaccessipaddress",
    "hometenantname",
    "id",
    "incomingtokentype",
    "ipaddressfromresourceprovider",
    "isinteractive",
    "istenantrestricted",
    "isthroughglobalsecureaccess",
    "location",
    "locationdetails",
    "managedserviceidentity",
    "mfadetail",
    "networklocationdetails",
    "originalrequestid",
    "originaltransfermethod",
    "privatelinkdetails",
    "processingtimeinmilliseconds",
    "resourceownertenantid",
    "resourceserviceprincipalid",
    "riskdetail",
    "riskeventtypes",
    "riskeventtypes_v2",
    "risklevelaggregated",
    "serviceprincipalcredentialkeyid",
    "serviceprincipalcredentialthumbprint",
    "sessionlifetimepolicies",
    "signineventtypes",
    "signinidentifier",
    "signinidentifiertype",
    "signintokenprotectionstatus",
    "status",
    "tokenissuername",
    "tokenissuertype",
    "tokenprotectionstatusdetails",
    "userdisplayname",
    "usertype",
];

/// Members of Graph's `directoryAudit`, in lower case.
const AUDIT_MEMBERS: &[&str] =
    &["activitydatetime", "additionaldetails", "id", "initiatedby", "targetresources", "usertype"];

/// The types of risk that Graph documents for `riskEventTypes_v2` of a sign-in, in lower case.
pub(crate) const RISK_TYPES: &[&str] = &[
    "anonymizedipaddress",
    "generic",
    "investigationsthreatintelligence",
    "leakedcredentials",
    "maliciousipaddress",
    "malwareinfectedipaddress",
    "suspiciousipaddress",
    "unfamiliarfeatures",
    "unlikelytravel",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_under_their_many_names() {
        let check = |log: Log, name: &str, expected: Option<Source>| {
            assert_eq!(log.field(name).map(|field| field.source), expected, "{name}");
        };
        let json = |path: &[&str]| Some(Source::Json(path.iter().map(|part| (*part).to_owned()).collect()));
        let operation = Some(Source::Column("operation", Form::Lower));
        check(Log::Activity, "operationName", operation.clone());
        check(Log::Activity, "OperationNameValue", operation.clone());
        check(Log::Activity, "operation_name", operation.clone());
        check(Log::Activity, "properties.message", json(&["message"]));
        check(Log::Activity, "properties.requestBody.sku.name", json(&["requestbody", "sku", "name"]));
        check(Log::Activity, "properties.", None);
        check(Log::Activity, "message", None);
        check(Log::SignIn, "ResultType", Some(Source::Column("error_code", Form::Number)));
        check(Log::SignIn, "properties.appId", Some(Source::Column("app_id", Form::Lower)));
        check(Log::SignIn, "DeviceDetail.trusttype", json(&["devicedetail", "trusttype"]));
        check(Log::SignIn, "DeviceDetail.deviceId", Some(Source::Column("device_id", Form::Lower)));
        check(Log::SignIn, "riskEventTypes_v2", json(&["riskeventtypes_v2"]));
        check(Log::SignIn, "ActivityDetails", None);
        check(Log::Audit, "properties.message", operation);
        check(Log::Audit, "properties.targetResources", json(&["targetresources"]));
        check(
            Log::Audit,
            "ConsentContext.IsAdminConsent",
            json(&["targetresources", "modifiedproperties", "consentcontext.isadminconsent"]),
        );
        check(Log::Audit, "Initiatied.By", None);
        check(Log::Risk, "riskEventType", json(&["riskeventtypes_v2"]));
        check(Log::Risk, "", None);
    }

    #[test]
    fn columns_are_those_of_our_tables() {
        for (log, kind) in [
            (Log::Activity, ingest::schema::Kind::Activity),
            (Log::SignIn, ingest::schema::Kind::SignIn),
            (Log::Audit, ingest::schema::Kind::Audit),
        ] {
            assert_eq!(log.table(), kind.name());
            let schema = kind.schema();
            let texts = log.texts().iter().copied();
            for (column, form) in log.columns().iter().map(|known| (known.column, known.form)).chain(texts) {
                let field = schema.field_with_name(column).unwrap_or_else(|_| panic!("{column} of {log:?}"));
                assert_eq!(field.data_type().is_integer(), form == Form::Number, "{column}");
            }
            let mut names: Vec<&str> =
                log.columns().iter().flat_map(|column| column.names).copied().collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "a name of {log:?} stands there twice");
        }
    }
}
