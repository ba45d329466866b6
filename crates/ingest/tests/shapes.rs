//! One normalised row of each shape, and the odd shapes that real files come in.

#![expect(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

mod rows;

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use ingest::schema::Kind;
use rows::{Outcome, read};

/// Activity log as exported: upper case, body as text, 7 fractional digits.
const EXPORT: &str = r#"{"time":"2031-02-03T04:05:06.7890123Z","resourceId":"/SUBSCRIPTIONS/0F0E0D0C-0000-4000-8000-000000000001/RESOURCEGROUPS/RG-A/PROVIDERS/MICROSOFT.COMPUTE/VIRTUALMACHINES/VM07","operationName":"MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE","category":"Administrative","resultType":"Accept","resultSignature":"Accepted.Created","callerIpAddress":"203.0.113.9:51022","correlationId":"0F0E0D0C-1111-4000-8000-00000000000A","identity":{"claims":{"appid":"0f0e0d0c-2222-4000-8000-00000000000b","http://schemas.microsoft.com/identity/claims/objectidentifier":"0f0e0d0c-3333-4000-8000-00000000000c","http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn":"Ann@contoso.example","http://schemas.microsoft.com/claims/authnmethodsreferences":"pwd,mfa","iss":"https://sts.windows.net/0f0e0d0c-4444-4000-8000-00000000000d/"}},"level":"Information","location":"global","tenantId":"0F0E0D0C-5555-4000-8000-00000000000E","properties":{"statusCode":"Created","responseBody":"{\"location\":\"brazilsouth\",\"properties\":{\"hardwareProfile\":{\"vmSize\":\"Standard_NC24ads_A100_v4\"}}}"}}"#;

/// The same event as the REST interface shows it.
const REST: &str = r#"{
  "authorization": {"action": "Microsoft.Compute/virtualMachines/write", "scope": "/subscriptions/x"},
  "caller": "ann@contoso.example",
  "channels": "Operation",
  "claims": {
    "appid": "0f0e0d0c-2222-4000-8000-00000000000b",
    "http://schemas.microsoft.com/identity/claims/objectidentifier": "0f0e0d0c-3333-4000-8000-00000000000c",
    "http://schemas.microsoft.com/claims/authnmethodsreferences": "pwd,mfa",
    "http://schemas.microsoft.com/identity/claims/tenantid": "0f0e0d0c-4444-4000-8000-00000000000d"
  },
  "correlationId": "0f0e0d0c-1111-4000-8000-00000000000a",
  "eventDataId": "0f0e0d0c-6666-4000-8000-00000000000f",
  "eventName": {"value": "EndRequest", "localizedValue": "Anfrage beenden"},
  "category": {"value": "Administrative", "localizedValue": "Verwaltung"},
  "eventTimestamp": "2031-02-03T04:05:06.7890123Z",
  "level": "Informational",
  "operationName": {"value": "Microsoft.Compute/virtualMachines/write", "localizedValue": "Create"},
  "resourceGroupName": "rg-a",
  "resourceType": {"value": "Microsoft.Compute/virtualMachines", "localizedValue": "x"},
  "resourceId": "/subscriptions/0f0e0d0c-0000-4000-8000-000000000001/resourceGroups/rg-a/providers/Microsoft.Compute/virtualMachines/vm07",
  "status": {"value": "Accepted", "localizedValue": "Angenommen"},
  "subStatus": {"value": "Created", "localizedValue": "Erstellt"},
  "submissionTimestamp": "2031-02-03T04:08:06.1Z",
  "subscriptionId": "0f0e0d0c-0000-4000-8000-000000000001",
  "tenantId": "0f0e0d0c-5555-4000-8000-00000000000e",
  "httpRequest": {"clientIpAddress": "203.0.113.9", "method": "PUT"},
  "properties": {
    "statusCode": "Created",
    "responseBody": "{\"location\":\"brazilsouth\",\"properties\":{\"hardwareProfile\":{\"vmSize\":\"Standard_NC24ads_A100_v4\"}}}"
  }
}"#;

const NSG: &str = r#"{"time":"2031-02-03T04:05:06.7890123Z","systemId":"s","macAddress":"000D3AF87856","category":"NetworkSecurityGroupFlowEvent","resourceId":"/SUBSCRIPTIONS/0F0E0D0C-0000-4000-8000-000000000001/RESOURCEGROUPS/RG-A/PROVIDERS/MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/NSG","operationName":"NetworkSecurityGroupFlowEvents","properties":{"Version":2,"flows":[{"rule":"UserRule_out","flows":[{"mac":"00-0d-3a-f8-78-56","flowTuples":["1927000000,10.0.0.4,198.51.100.7,50112,3333,T,O,A,B,,,,","1927000060,10.0.0.4,198.51.100.7,50112,3333,T,O,A,C,40,5200,38,6100"]}]}]}}"#;

const VNET: &str = r#"{"time":"2031-02-03T04:05:06.7890123Z","flowLogVersion":4,"macAddress":"000D3AF87856","category":"FlowLogFlowEvent","flowLogResourceID":"/SUBSCRIPTIONS/S-1/RESOURCEGROUPS/NW/PROVIDERS/MICROSOFT.NETWORK/NETWORKWATCHERS/N/FLOWLOGS/F","targetResourceID":"/subscriptions/s-1/resourceGroups/RG/providers/Microsoft.Network/virtualNetworks/v","operationName":"FlowLogFlowEvent","flowRecords":{"flows":[{"aclID":"a","flowGroups":[{"rule":"DefaultRule","flowTuples":["1927000000123,10.0.0.4,2001:DB8::07,50112,3333,6,O,C,NX,40,5200,38,6100","1927000000123,10.0.0.4,198.51.100.7,50112,22,6,I,D,NX,0,0,0,0"]}]}]}}"#;

/// Enterprise agreement: month first.
const EA: &str = "SubscriptionId,SubscriptionName,Date,BillingPeriodEndDate,MeterId,MeterCategory,MeterName,Quantity,EffectivePrice,Cost,BillingCurrency,ResourceLocation,ConsumedService,ResourceId,AdditionalInfo,Tags,UnitOfMeasure,ResourceGroup,ChargeType,PublisherType\n\
0F0E0D0C-0000-4000-8000-000000000001,Production,02/03/2031,02/28/2031,M-1,Virtual Machines,\"NC24ads, A100 v4\",24,3.673,88.152,eur,BR South,Microsoft.Compute,/subscriptions/0f0e0d0c-0000-4000-8000-000000000001/resourceGroups/RG-A/providers/Microsoft.Compute/virtualMachines/VM07,\"{\"\"ServiceType\"\":\"\"Standard_NC24ads_A100_v4\"\"}\",\"{\"\"note\"\":\"\"two\nlines\"\"}\",1 Hour,RG-A,Usage,Azure\n";

/// CSP partner: other names, ISO dates, and who the customer is.
const CSP: &str = "\u{feff}customerTenantId,customerName,resellerMpnId,SubscriptionId,subscriptionName,date,meterId,meterCategory,meterName,quantity,effectivePrice,costInBillingCurrency,costInPricingCurrency,billingCurrency,resourceLocation,consumedService,ResourceId,additionalInfo,tags,unitOfMeasure,resourceGroupName,chargeType,publisherType\r\n\
0F0E0D0C-5555-4000-8000-00000000000E,Contoso,4711,0f0e0d0c-0000-4000-8000-000000000001,Production,2031-02-03,m-1,Virtual Machines,NC24ads A100 v4,24,3.673,88.152,95,EUR,brazilsouth,Microsoft.Compute,/subscriptions/0f0e0d0c-0000-4000-8000-000000000001/resourceGroups/rg-a/providers/Microsoft.Compute/virtualMachines/vm07,\"\"\"ServiceType\"\":\"\"Standard_NC24ads_A100_v4\"\"\",,1 Hour,rg-a,Usage,Azure\r\n";

/// A sign-in as exported: Graph's object, in a wrapper.
const SIGN_IN: &str = r#"{"time":"2031-02-03T04:07:00.1Z","resourceId":"/tenants/0F0E0D0C-5555-4000-8000-00000000000E/providers/Microsoft.aadiam","operationName":"Sign-in activity","operationVersion":"1.0","category":"NonInteractiveUserSignInLogs","tenantId":"0f0e0d0c-5555-4000-8000-00000000000e","resultType":"50126","resultSignature":"FAILURE","resultDescription":"Invalid username or password.","durationMs":0,"callerIpAddress":"203.0.113.9","correlationId":"0f0e0d0c-1111-4000-8000-00000000000a","identity":"Ann Other","Level":4,"location":"NO","properties":{"id":"0F0E0D0C-7777-4000-8000-00000000000A","createdDateTime":"2031-02-03T04:05:06.7890123+00:00","userDisplayName":"Ann Other","userPrincipalName":"Ann@contoso.example","userId":"0f0e0d0c-3333-4000-8000-00000000000c","appId":"04b07795-0000-4000-8000-000000000001","appDisplayName":"Command Line","ipAddress":"203.0.113.9","status":{"errorCode":50126,"failureReason":"Invalid username or password."},"clientAppUsed":"Mobile Apps and Desktop clients","userAgent":"azure-cli/2.60","deviceDetail":{"deviceId":"","operatingSystem":"Linux","browser":""},"location":{"city":"Oslo","state":"Oslo","countryOrRegion":"NO","geoCoordinates":{"latitude":59.91,"longitude":10.75}},"correlationId":"0f0e0d0c-1111-4000-8000-00000000000a","conditionalAccessStatus":"notApplied","isInteractive":false,"resourceDisplayName":"Resource Manager","resourceId":"797f4846-0000-4000-8000-000000000002","authenticationRequirement":"singleFactorAuthentication","authenticationProtocol":"deviceCode","riskLevelDuringSignIn":"hidden","riskState":"none","autonomousSystemNumber":64500,"homeTenantId":"0f0e0d0c-4444-4000-8000-00000000000d","resourceTenantId":"0f0e0d0c-5555-4000-8000-00000000000e","crossTenantAccessType":"serviceProvider","uniqueTokenIdentifier":"dG9rZW4","sessionId":"0f0e0d0c-8888-4000-8000-00000000000b"}}"#;

/// A role granted, as Graph shows it.
const AUDIT: &str = r##"{"@odata.type":"#microsoft.graph.directoryAudit","id":"Directory_0f0e0d0c_1","category":"RoleManagement","correlationId":"0f0e0d0c-1111-4000-8000-00000000000a","result":"success","resultReason":"","activityDisplayName":"Add member to role","activityDateTime":"2031-02-03T04:05:06.7890123Z","loggedByService":"Core Directory","operationType":"Assign","initiatedBy":{"app":null,"user":{"id":"0f0e0d0c-3333-4000-8000-00000000000c","displayName":null,"userPrincipalName":"Ann@contoso.example","ipAddress":"203.0.113.9:443"}},"targetResources":[{"id":"0f0e0d0c-9999-4000-8000-00000000000c","displayName":null,"type":"User","userPrincipalName":"Guest@contoso.example","groupType":null,"modifiedProperties":[{"displayName":"Role.ObjectID","oldValue":null,"newValue":"\"x\""},{"displayName":"Role.DisplayName","oldValue":null,"newValue":"\"Global Administrator\""}]}],"additionalDetails":[]}"##;

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn only(outcome: &Outcome, kind: Kind) -> serde_json::Value {
    assert_eq!(outcome.reasons(), Vec::<String>::new());
    outcome.rows(kind).remove(0)
}

#[test]
fn activity_export() {
    insta::assert_json_snapshot!(only(&read(EXPORT.as_bytes()), Kind::Activity));
}

/// The table of Log Analytics shows what REST shows, in columns of its own; the workspace is no tenant.
#[test]
fn activity_rest_and_the_table_of_log_analytics_agree() {
    let rest: serde_json::Value = serde_json::from_str(REST).unwrap();
    let row = serde_json::json!({
        "TenantId": "the-workspace", "SourceSystem": "Azure", "TimeGenerated": rest["eventTimestamp"],
        "OperationName": "", "OperationNameValue": "MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE",
        "Category": "", "CategoryValue": "Administrative", "Level": rest["level"],
        "ActivityStatus": "", "ActivityStatusValue": "Accept", "ActivitySubstatusValue": "Created",
        "Caller": rest["caller"], "CallerIpAddress": "203.0.113.9", "CorrelationId": rest["correlationId"],
        "Claims": "", "Claims_d": rest["claims"], "Authorization_d": rest["authorization"].to_string(),
        "Properties": "", "Properties_d": rest["properties"], "ResourceGroup": "RG-A",
        "SubscriptionId": rest["subscriptionId"], "_ResourceId": rest["resourceId"],
        "ResourceProviderValue": "MICROSOFT.COMPUTE", "Type": "AzureActivity",
    });
    let mut expected = only(&read(REST.as_bytes()), Kind::Activity);
    for column in ["customer_tenant_id", "caller_origin"] {
        expected.as_object_mut().unwrap().remove(column);
    }
    assert_eq!(only(&read(row.to_string().as_bytes()), Kind::Activity), expected);
}

#[test]
fn entra_sign_in() {
    insta::assert_json_snapshot!(only(&read(SIGN_IN.as_bytes()), Kind::SignIn));
}

#[test]
fn entra_audit() {
    insta::assert_json_snapshot!(only(&read(AUDIT.as_bytes()), Kind::Audit));
}

/// The wrapper, Graph and Log Analytics show one record, so it is stored once.
#[test]
fn entra_records_agree_in_all_their_shapes() {
    let export: serde_json::Value = serde_json::from_str(SIGN_IN).unwrap();
    let object = &export["properties"];
    let mut columns = object.clone();
    for nested in ["status", "location", "deviceDetail"] {
        columns[nested] = object[nested].to_string().into();
    }
    columns["TimeGenerated"] = "2031-02-03T04:05:06.7890123Z".into();
    columns["TenantId"] = "the-workspace".into();
    columns["AADTenantId"] = object["resourceTenantId"].clone();
    columns["Category"] = "NonInteractiveUserSignInLogs".into();
    columns["LocationDetails"] = columns["location"].take();
    columns["Location"] = "NO".into();
    let list = serde_json::json!({"@odata.context": "x", "value": [object]});

    let told = |row: serde_json::Value| {
        let mut row = row.as_object().unwrap().clone();
        row.remove("properties");
        row
    };
    let expected = told(only(&read(SIGN_IN.as_bytes()), Kind::SignIn));
    for shape in [list, columns] {
        assert_eq!(told(only(&read(shape.to_string().as_bytes()), Kind::SignIn)), expected, "{shape}");
    }

    let audit: serde_json::Value = serde_json::from_str(AUDIT).unwrap();
    let wrapped = serde_json::json!({
        "time": "2031-02-03T04:06:00Z", "category": "AuditLogs", "operationName": "Add member to role",
        "resourceId": "/tenants/t-1/providers/Microsoft.aadiam", "properties": audit.to_string(),
    });
    let row = only(&read(wrapped.to_string().as_bytes()), Kind::Audit);
    assert_eq!(row["customer_tenant_id"], "t-1");
    assert_eq!(row["event_id"], only(&read(AUDIT.as_bytes()), Kind::Audit)["event_id"]);
}

/// Who signed in, and how, when the record says it in one of its many ways.
#[test]
fn kinds_of_sign_in_and_of_actor() {
    let check = |members: &str, column: &str, expected: &str| {
        let record = format!("{{\"createdDateTime\":\"2031-02-03T04:05:06Z\",{members}}}");
        assert_eq!(read(record.as_bytes()).column(Kind::SignIn, column), [expected], "{members}");
    };
    check(r#""userPrincipalName":"a""#, "sign_in_type", "interactive");
    check(r#""userPrincipalName":"a","isInteractive":false"#, "sign_in_type", "non_interactive");
    check(
        r#""userPrincipalName":"a","signInEventTypes":["nonInteractiveUser"]"#,
        "sign_in_type",
        "non_interactive",
    );
    check(r#""servicePrincipalId":"a""#, "sign_in_type", "service_principal");
    check(
        r#""servicePrincipalId":"a","signInEventTypes":["managedIdentity"]"#,
        "sign_in_type",
        "managed_identity",
    );
    check(r#""userPrincipalName":"a","category":"SignInLogs","resultType":0"#, "error_code", "0");
    check(r#""userPrincipalName":"a","ipAddress":"2001:DB8::1""#, "ip", "2001:db8::1");

    let check = |members: &str, column: &str, expected: &str| {
        let record = format!(
            "{{\"activityDateTime\":\"2031-02-03T04:05:06Z\",\"activityDisplayName\":\"Do\",{members}}}"
        );
        assert_eq!(read(record.as_bytes()).column(Kind::Audit, column), [expected], "{members}");
    };
    check(r#""initiatedBy":{"app":{"displayName":"PIM"}}"#, "actor", "PIM");
    check(r#""initiatedBy":"{\"user\":{\"id\":\"U\"}}""#, "actor_id", "u");
    check(r#""identity":"Directory sync""#, "actor", "Directory sync");
    let gone = r#""targetResources":[{"modifiedProperties":[{"displayName":"Role.DisplayName","oldValue":"\"Reader\"","newValue":null}]}]"#;
    check(gone, "role", "Reader");
}

#[test]
fn activity_rest() {
    insta::assert_json_snapshot!(only(&read(REST.as_bytes()), Kind::Activity));
}

#[test]
fn flow_nsg() {
    insta::assert_json_snapshot!(read(NSG.as_bytes()).rows(Kind::Flow));
}

#[test]
fn flow_vnet() {
    insta::assert_json_snapshot!(read(VNET.as_bytes()).rows(Kind::Flow));
}

#[test]
fn subscriptions_are_seen_with_their_names() {
    let outcome = read(CSP.as_bytes());
    let seen = &outcome.batches[0].subscriptions[0];
    assert_eq!(seen.subscription_id.as_str(), "0f0e0d0c-0000-4000-8000-000000000001");
    assert_eq!(seen.name.as_deref(), Some("Production"));
    assert_eq!(seen.customer_name.as_deref(), Some("Contoso"));
    let tenant = seen.customer_tenant_id.as_ref().map(alerts::CustomerTenantId::as_str);
    assert_eq!(tenant, Some("0f0e0d0c-5555-4000-8000-00000000000e"));
}

#[test]
fn an_event_has_one_id_in_every_wrapper() {
    let id = |bytes: &[u8]| {
        let outcome = read(bytes);
        assert_eq!((outcome.summary.rows(Kind::Activity), outcome.summary.rejected), (1, 0));
        outcome.column(Kind::Activity, "event_id").remove(0)
    };
    let expected = id(EXPORT.as_bytes());
    let value: serde_json::Value = serde_json::from_str(EXPORT).unwrap();
    let wrappers = [
        format!("{{\"records\":[{EXPORT}]}}"),
        format!("{{\"records\": [\n{EXPORT}\n]}}\n"),
        format!("[{EXPORT}]"),
        format!("\u{feff}{EXPORT}\r\n\r\n"),
        serde_json::to_string_pretty(&value).unwrap(),
        REST.to_owned(),
        format!("{{\"value\":[{REST}],\"nextLink\":\"https://management.example/next\"}}"),
        format!("{{\"nextLink\":null,\"value\":[{REST}]}}"),
        serde_json::to_string(&serde_json::from_str::<serde_json::Value>(REST).unwrap()).unwrap(),
        EXPORT.replace("\"operationName\"", "\"OPERATIONNAME\"").replace("RG-A", "Rg-a"),
        EXPORT.replace("T04:05:06.7890123Z", " 04:05:06.7890123"),
    ];
    for wrapper in wrappers {
        assert_eq!(id(wrapper.as_bytes()), expected, "{wrapper}");
        assert_eq!(id(&gzip(&wrapper)), expected, "{wrapper} in gzip");
    }
    let others = [
        EXPORT.replace("\"Accept\"", "\"Start\""),
        EXPORT.replace("\"Accept\"", "\"Success\""),
        EXPORT.replace("7890123Z", "7890124Z"),
        EXPORT.replace("VM07", "VM08"),
        EXPORT.replace("\"statusCode\":\"Created\"", "\"statusCode\":\"OK\""),
    ];
    let mut ids: Vec<String> = others.iter().map(|other| id(other.as_bytes())).collect();
    ids.push(expected);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), others.len() + 1, "what differs has another id");
}

#[test]
fn equal_tuples_in_a_record_are_separate_and_a_rewritten_record_is_not() {
    let tuple = "\"1927000060,10.0.0.4,198.51.100.7,50112,3333,T,O,A,C,40,5200,38,6100\"";
    let doubled = NSG.replace(tuple, &format!("{tuple},{tuple}"));
    let ids = |text: &str| read(text.as_bytes()).column(Kind::Flow, "event_id");
    let found = ids(&doubled);
    assert_eq!(found.len(), 3);
    assert!(found[1] != found[2]);
    assert_eq!(ids(&format!("{{\"records\":[{NSG},\n{NSG}]}}")), [ids(NSG), ids(NSG)].concat());
    assert_eq!(ids(NSG), found[..2]);
}

#[test]
fn day_first_dates_are_told_by_the_billing_period() {
    let day_first = EA.replace("02/28/2031", "28/02/2031");
    assert_eq!(read(day_first.as_bytes()).column(Kind::Cost, "day"), ["2031-03-02"]);
    assert_eq!(read(EA.as_bytes()).column(Kind::Cost, "day"), ["2031-02-03"]);
}

#[test]
fn a_file_of_several_kinds_is_read_record_by_record() {
    let sign_in =
        r#"{"time":"2031-02-03T04:05:06Z","category":"SignInLogs","operationName":"Sign-in activity"}"#;
    let junk = r#"{"hello":"world"}"#;
    let text = [junk, EXPORT, sign_in, "{\"cut\":", NSG, &format!("{{\"records\":[{VNET}]}}")].join("\n");
    let outcome = read(text.as_bytes());
    assert_eq!(
        (outcome.summary.rows(Kind::Activity), outcome.summary.rows(Kind::Flow), outcome.summary.rejected),
        (1, 4, 3)
    );
    insta::assert_snapshot!(outcome.reasons().join("\n"), @r"
    1: not a known kind: neither activity log, flow log, Entra log, DNS or firewall log, inventory, Service Health, alert nor cost export
    3: neither a user nor an application is named; export the record again with its `properties`
    4: it is not closed: the line ends within it (line 4)
    ");
}

#[test]
fn reasons_say_what_where_and_how_to_mend() {
    let mut shown = String::new();
    let mut show = |name: &str, bytes: &[u8]| {
        let outcome = read(bytes);
        shown.push_str(&format!("== {name}: {} stored\n", outcome.summary.stored()));
        for rejected in &outcome.rejected {
            let kind = rejected.kind.map_or("?", Kind::name);
            shown.push_str(&format!("{} {kind}: {}\n", rejected.line, rejected.reason));
        }
    };
    show("no time", EXPORT.replace("\"time\"", "\"tim\"").as_bytes());
    show("odd time", EXPORT.replace("2031-02-03T", "0001-01-01T").as_bytes());
    show("no operation", EXPORT.replace("\"operationName\"", "\"op\"").as_bytes());
    show("sign-in of nobody", SIGN_IN.replace("ser", "x").replace("app", "x").as_bytes());
    show("audit of nothing", AUDIT.replace("activityDisplayName", "x").as_bytes());
    show("other log of Entra", br#"{"category":"RiskyUsers","time":"2031-02-03T04:05:06Z"}"#);
    show("labels", br#"[{"scenario":"a","kind":"b","malicious":true},{"scenario":"c"}]"#);
    show("cut line", format!("{EXPORT}\n{}", &EXPORT[..300]).as_bytes());
    show("cut wrapper", format!("{{\"records\":[{EXPORT},{}", &EXPORT[..300]).as_bytes());
    show("not UTF-8", &[EXPORT.as_bytes(), b"\n{\"time\":\"\xff\"}\n"].concat());
    show("scalars", format!("[1,null,{EXPORT},\"x\"]").as_bytes());
    show("no flows", br#"{"category":"FlowLogFlowEvent","time":"x"}"#);
    show("odd flows", br#"{"category":"FlowLogFlowEvent","flowRecords":{"flows":7}}"#);
    show("odd tuple", VNET.replace("198.51.100.7", "host").as_bytes());
    show("text", b"once upon a time\nthere was no record\n");
    show("other table", b"name,price\napple,3\n");
    show("cost without date", EA.replace("02/03/2031", "").as_bytes());
    show("cost with odd date", EA.replace("02/03/2031", "13/13/2031").as_bytes());
    show("cost with odd amount", EA.replace("88.152", "\"88,152\"").as_bytes());
    show("cost without amounts", EA.replace("88.152", "").replace(",24,", ",,").as_bytes());
    show("short line", format!("{EA}a,b\n").as_bytes());
    show("open quote", format!("{EA}\"{}", "x\n".repeat(700_000)).as_bytes());
    show("zip", b"PK\x03\x04");
    let zipped = gzip(&[EXPORT, "\n"].concat().repeat(2000));
    let outcome = read(&zipped[..zipped.len() / 2]);
    assert!(outcome.summary.rows(Kind::Activity) > 0, "what came before the cut is kept");
    assert_eq!(outcome.summary.rejected, 1);
    assert!(outcome.rejected[0].reason.contains("damaged here"), "{:?}", outcome.reasons());
    insta::assert_snapshot!(shown);
}

#[test]
fn csv_oddities() {
    let check = |text: &str, stored: u64| {
        let outcome = read(text.as_bytes());
        assert_eq!((outcome.summary.rows(Kind::Cost), outcome.reasons()), (stored, vec![]), "{text}");
    };
    check(&EA.replace("\r\n", "\n").replace('\n', "\r\n"), 1);
    check(&format!("\u{feff}{EA}"), 1);
    check(&format!("Usage Data Extract,\n\n{EA}"), 1);
    check(&format!("{EA}\n\n,,,,,,,,,,,,,,,,,,,\n"), 1);
    check(EA.lines().next().unwrap(), 0);
    let refund = EA.replace("88.152", "-88.152E-1").replace("Usage", "Refund");
    check(&refund, 1);
    assert_eq!(read(refund.as_bytes()).column(Kind::Cost, "cost"), ["-8.8152"]);
    assert_eq!(read(refund.as_bytes()).column(Kind::Cost, "charge_type"), ["refund"]);
}

/// Found by fuzzing: what was rejected and says nothing by itself is not complete, or a retry would lose it.
#[test]
fn what_says_nothing_by_itself_is_not_complete() {
    for junk in ["[[]]", "[ [ ] ,1]", "{\"a\":1}}\n\n}\n", "\u{feff}\n\u{feff}\n{}"] {
        let outcome = read(format!("{EXPORT}\n{junk}\n").as_bytes());
        assert!(outcome.summary.rejected > 0, "{junk}");
        for rejected in &outcome.rejected {
            assert_eq!(rejected.is_complete, rejected.record.contains(['{', '}', '1']), "{rejected:?}");
        }
    }
}

#[test]
fn nothing_is_read_of_nothing() {
    for text in ["", " \n\t", "[]", "\u{feff}"] {
        assert_eq!(read(text.as_bytes()).summary, ingest::FileSummary::default(), "{text:?}");
    }
    let empty = read(b"{\"records\":[]}").summary;
    assert_eq!(empty, ingest::FileSummary { empty: 1, ..ingest::FileSummary::default() });
    assert_eq!(read(&gzip("")).summary, ingest::FileSummary::default());
    let empty = VNET.replace("\"flowGroups\":[{", "\"flowGroups\":[],\"x\":[{");
    assert_eq!((read(empty.as_bytes()).summary.read, read(empty.as_bytes()).summary.empty), (0, 1));
}

#[test]
fn wrappers_larger_than_any_buffer_are_read_through() {
    let many = vec![EXPORT; 3000].join(",\n  ");
    let outcome = read(format!("{{\"records\": [\n  {many}\n]}}").as_bytes());
    assert_eq!((outcome.summary.rows(Kind::Activity), outcome.summary.rejected), (3000, 0));
    let one_line = format!("{{\"records\":[{}]}}", vec![NSG; 3000].join(","));
    let outcome = read(one_line.as_bytes());
    assert_eq!((outcome.summary.rows(Kind::Flow), outcome.summary.rejected), (6000, 0));
}

#[test]
fn a_sink_that_stops_ends_the_reading() {
    let partner = "partner-1".parse().unwrap();
    let reading = ingest::Reading::new(&partner, rows::arrival(), 1);
    let mut taken = 0;
    let mut sink = |_| {
        taken += 1;
        Err(ingest::Stop("the disk is full".into()))
    };
    let error = ingest::read_bytes("input", NSG.as_bytes(), &reading, &mut sink).unwrap_err();
    assert!(matches!(error, ingest::IngestError::Stopped(cause) if cause.to_string() == "the disk is full"));
    assert_eq!(taken, 1);
}
