//! DNS and firewall logs, inventory, Service Health, alerts: one normalised row of each shape, and that shapes of
//! one record agree.

#![expect(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

mod rows;

use ingest::schema::Kind;
use rows::{Outcome, read};
use serde_json::{Value, json};

fn only(outcome: &Outcome, kind: Kind) -> Value {
    assert_eq!(outcome.reasons(), Vec::<String>::new());
    let mut rows = outcome.rows(kind);
    assert_eq!((rows.len() as u64, outcome.summary.read), (1, 1));
    rows.remove(0)
}

fn row(record: &Value, kind: Kind) -> Value {
    only(&read(record.to_string().as_bytes()), kind)
}

/// The row without some of its columns.
fn without(mut row: Value, columns: &[&str]) -> Value {
    for column in columns {
        row.as_object_mut().unwrap().remove(*column);
    }
    row
}

const FIREWALL: &str = "/SUBSCRIPTIONS/0F0E0D0C-0000-4000-8000-000000000001/RESOURCEGROUPS/RG-A/PROVIDERS/MICROSOFT.NETWORK/AZUREFIREWALLS/FW";

fn firewall(category: &str, properties: &Value) -> Value {
    json!({"time": "2031-02-03T04:05:06.7890123Z", "resourceId": FIREWALL, "category": category,
        "operationName": "x", "properties": properties})
}

fn dns_policy() -> Value {
    json!({
        "time": "2031-02-03T04:05:06.7890123Z", "category": "DnsResponse", "operationName": "RESPONSE_SUCCESS",
        "resourceId": "/SUBSCRIPTIONS/0F0E0D0C-0000-4000-8000-000000000001/RESOURCEGROUPS/RG-A/PROVIDERS/MICROSOFT.NETWORK/DNSRESOLVERPOLICIES/P",
        "location": "westeurope",
        "properties": {
            "version": "1.0", "sub_id": "0f0e0d0c-0000-4000-8000-000000000001", "region": "westeurope",
            "vnet_id": "/subscriptions/0f0e0d0c-0000-4000-8000-000000000001/resourceGroups/rg-a/providers/Microsoft.Network/virtualNetworks/V",
            "query_name": "Pool.Mining.Example.", "query_type": "A", "query_class": "IN", "response_code": "NOERROR",
            "srcipaddr": "10.0.0.4", "srcport": "50112", "dstipaddr": "168.63.129.16", "dstport": "53",
            "transport": "UDP", "query_response_time": 12, "resolution_path": "PublicDnsResolution",
            "resolverpolicy_id": "p-1", "resolverpolicy_rule_action": "Alert",
            "answer": [{"Type": "CNAME", "RData": "b.example."}, {"Type": "A", "RData": "198.51.100.7"}],
        },
    })
}

#[test]
fn dns_of_a_security_policy() {
    insta::assert_json_snapshot!(row(&dns_policy(), Kind::Dns));
}

/// The table of Log Analytics names its columns otherwise; the workspace is no tenant.
#[test]
fn dns_policy_export_and_table_agree() {
    let export = dns_policy();
    let own = &export["properties"];
    let table = json!({
        "TenantId": "the-workspace", "TimeGenerated": export["time"], "Type": "DNSQueryLogs",
        "OperationName": "RESPONSE_SUCCESS", "_ResourceId": export["resourceId"],
        "VirtualNetworkId": own["vnet_id"], "QueryName": own["query_name"], "QueryType": "A", "ResponseCode": 0,
        "SourceIpAddress": "10.0.0.4", "SourcePort": 50112, "DestinationIpAddress": "168.63.129.16",
        "DestinationPort": 53, "Transport": "UDP", "ResolverPolicyId": "p-1", "ResolverPolicyRuleAction": "Alert",
        "Answer": own["answer"].to_string(),
    });
    let told = |record| without(row(record, Kind::Dns), &["properties"]);
    assert_eq!(told(&table), told(&export));
    let other = export.to_string().replace("50112", "50113");
    assert_ne!(
        read(other.as_bytes()).column(Kind::Dns, "event_id"),
        [told(&export)["event_id"].as_str().unwrap()]
    );
}

#[test]
fn firewall_logs() {
    let records = [
        firewall(
            "AZFWApplicationRule",
            &json!({"Protocol": "HTTPS", "SourceIp": "10.0.0.4", "SourcePort": 50112,
            "DestinationPort": 443, "Fqdn": "Pool.Example", "TargetUrl": "https://Pool.Example/x", "Action": "Deny",
            "ActionReason": "Default Action", "Policy": "p", "RuleCollectionGroup": "g", "RuleCollection": "c",
            "Rule": "r", "WebCategory": "CryptocurrencyMining", "IsTlsInspected": true}),
        ),
        firewall(
            "AZFWNetworkRule",
            &json!({"Protocol": "TCP", "SourceIp": "10.0.0.4", "SourcePort": 50112,
            "DestinationIp": "198.51.100.7", "DestinationPort": 3333, "Action": "Allow", "Rule": "r"}),
        ),
        firewall(
            "AZFWDnsQuery",
            &json!({"SourceIp": "10.0.0.4", "SourcePort": 50112, "QueryId": 10433,
            "QueryType": "A", "QueryClass": "IN", "QueryName": "pool.example.", "Protocol": "udp",
            "ResponseCode": "NXDOMAIN", "ErrorNumber": 0, "ErrorMessage": ""}),
        ),
        firewall(
            "AZFWThreatIntel",
            &json!({"Protocol": "TCP", "SourceIp": "10.0.0.4", "SourcePort": 50112,
            "Fqdn": "pool.example", "Action": "Alert", "ThreatDescription": "Mining pool"}),
        ),
        firewall(
            "AZFWNatRule",
            &json!({"Protocol": "TCP", "SourceIp": "203.0.113.9", "SourcePort": 1,
            "DestinationIp": "198.51.100.9", "DestinationPort": 3389, "TranslatedIp": "10.0.0.4", "Rule": "rdp"}),
        ),
        firewall(
            "AZFWIdpsSignature",
            &json!({"Protocol": "TCP", "SourceIp": "10.0.0.4", "SourcePort": 1,
            "DestinationIp": "198.51.100.7", "DestinationPort": 80, "Action": "alert", "SignatureId": "2024792",
            "Category": "COINMINER", "Description": "Coin miner login", "Severity": 1}),
        ),
        firewall(
            "AZFWFqdnResolveFailure",
            &json!({"Fqdn": "pool.example", "Error": "no such host", "Rule": "r"}),
        ),
        firewall(
            "AzureFirewallApplicationRule",
            &json!({"msg": "HTTPS request from 10.0.0.4:50112 to pool.example:443. Action: Deny. Rule Collection: c. Rule: r"}),
        ),
        firewall(
            "AzureFirewallNetworkRule",
            &json!({"msg": "TCP request from 10.0.0.4:50112 to 198.51.100.7:3333. Action: Allow."}),
        ),
        firewall(
            "AzureFirewallDnsProxy",
            &json!({"msg": "DNS Request: 10.0.0.4:48197 - 15676 AAAA IN pool.example. udp 55 false 512 NOERROR qr,rd 108 0.0003s"}),
        ),
    ];
    let told = |record| {
        let place = [
            "day",
            "event_at",
            "arrived_at",
            "partner_tenant_id",
            "subscription_id",
            "resource_id",
            "resource_group",
            "event_id",
        ];
        without(row(record, Kind::Dns), &place)
    };
    insta::assert_json_snapshot!(records.iter().map(told).collect::<Vec<_>>());
}

/// The tables that have a category of their own, and the one that all older logs share.
#[test]
fn firewall_export_and_tables_agree() {
    let own = json!({"Protocol": "TCP", "SourceIp": "10.0.0.4", "SourcePort": 1, "DestinationIp": "198.51.100.7",
        "DestinationPort": 80, "Action": "alert", "SignatureId": "2024792", "Category": "COINMINER",
        "Description": "Coin miner login"});
    let export = firewall("AZFWIdpsSignature", &own);
    let mut table = own.clone();
    table["TimeGenerated"] = export["time"].clone();
    table["Type"] = "AZFWIdpsSignature".into();
    table["_ResourceId"] = FIREWALL.to_lowercase().into();
    let told = |record| without(row(record, Kind::Dns), &["properties"]);
    assert_eq!(told(&table), told(&export));

    let message = "TCP request from 10.0.0.4:1 to 198.51.100.7:80. Action: Deny. Rule: r";
    let export = firewall("AzureFirewallNetworkRule", &json!({ "msg": message }));
    let table = json!({"TimeGenerated": export["time"], "Type": "AzureDiagnostics", "ResourceId": FIREWALL,
        "Category": "AzureFirewallNetworkRule", "OperationName": "AzureFirewallNetworkRuleLog", "msg_s": message,
        "SubscriptionId": "0f0e0d0c-0000-4000-8000-000000000001", "ResourceGroup": "RG-A"});
    assert_eq!(told(&table), told(&export));
}

fn machine() -> Value {
    json!({
        "id": "/subscriptions/0f0e0d0c-0000-4000-8000-000000000001/resourceGroups/RG-A/providers/Microsoft.Compute/virtualMachines/VM07",
        "name": "VM07", "type": "microsoft.compute/virtualmachines",
        "tenantId": "0f0e0d0c-5555-4000-8000-00000000000e", "kind": "", "location": "Brazil South",
        "resourceGroup": "rg-a", "subscriptionId": "0f0e0d0c-0000-4000-8000-000000000001", "managedBy": null,
        "sku": null, "plan": null, "tags": {"env": "prod"}, "zones": ["1"],
        "identity": {"type": "SystemAssigned", "principalId": "0F0E0D0C-3333-4000-8000-00000000000C"},
        "properties": {"hardwareProfile": {"vmSize": "Standard_NC24ads_A100_v4"}, "priority": "Spot",
            "provisioningState": "Succeeded"},
    })
}

fn other_resource(kind: &str, properties: &Value) -> Value {
    json!({"id": format!("/subscriptions/s-1/resourceGroups/rg/providers/{kind}/x"), "name": "x", "type": kind,
        "subscriptionId": "s-1", "location": "westeurope", "properties": properties})
}

#[test]
fn inventory_of_machines() {
    insta::assert_json_snapshot!(row(&machine(), Kind::Inventory));
    let mut scale_set = other_resource(
        "microsoft.compute/virtualmachinescalesets",
        &json!({"virtualMachineProfile": {"priority": "Spot"}}),
    );
    scale_set["sku"] = json!({"name": "Standard_F72s_v2", "tier": "Standard", "capacity": 40});
    let row = row(&scale_set, Kind::Inventory);
    assert_eq!(
        json!([row["vm_size"], row["sku_name"], row["sku_tier"], row["sku_capacity"], row["priority"]]),
        json!(["standard_f72s_v2", "standard_f72s_v2", "standard", 40, "spot"])
    );
}

/// What leads from an address or an interface to a machine, and what runs where.
#[test]
fn inventory_of_networks_and_containers() {
    let check = |kind: &str, properties: Value, expected: Value| {
        let row = row(&other_resource(kind, &properties), Kind::Inventory);
        for (column, value) in expected.as_object().unwrap() {
            assert_eq!(row[column], *value, "{kind} {column}");
        }
    };
    check(
        "microsoft.network/networkinterfaces",
        json!({"macAddress": "00-0D-3A-F8-78-56", "virtualMachine": {"id": "/subscriptions/s-1/VM07"},
            "ipConfigurations": [{"properties": {"privateIPAddress": "10.0.0.4"}}, {"properties": {"privateIPAddress": "10.0.0.5"}}, {}]}),
        json!({"mac": "000D3AF87856", "machine_id": "/subscriptions/s-1/vm07", "private_ips": "10.0.0.4,10.0.0.5"}),
    );
    check(
        "microsoft.network/publicipaddresses",
        json!({"ipAddress": "203.0.113.9"}),
        json!({"public_ip": "203.0.113.9"}),
    );
    check(
        "microsoft.containerinstance/containergroups",
        json!({"containers": [{"name": "a", "properties": {"image": "miner/XMRig:6"}}, {"properties": {"image": "b"}}],
            "ipAddress": {"ip": "203.0.113.9", "type": "Public"}, "priority": "Regular"}),
        json!({"images": "miner/XMRig:6,b", "public_ip": "203.0.113.9", "priority": "regular", "private_ips": null}),
    );
    check(
        "microsoft.containerinstance/containergroups",
        json!({"ipAddress": {"ip": "10.0.0.9", "type": "Private"}}),
        json!({"private_ips": "10.0.0.9", "public_ip": null}),
    );
    check(
        "microsoft.app/containerapps",
        json!({"template": {"containers": [{"image": "a"}]}}),
        json!({"images": "a"}),
    );
    check(
        "microsoft.machinelearningservices/workspaces/computes",
        json!({"computeType": "AmlCompute", "properties": {"vmSize": "STANDARD_NC6", "vmPriority": "LowPriority"}}),
        json!({"vm_size": "standard_nc6", "priority": "lowpriority"}),
    );
    check(
        "microsoft.batch/batchaccounts/pools",
        json!({"vmSize": "STANDARD_D2"}),
        json!({"vm_size": "standard_d2"}),
    );
    let pools = |second: &str| json!({"agentPoolProfiles": [{"vmSize": "Standard_D2"}, {"vmSize": second}]});
    let clusters = "microsoft.containerservice/managedclusters";
    check(clusters, pools("Standard_D2"), json!({"vm_size": "standard_d2"}));
    check(clusters, pools("Standard_D4"), json!({"vm_size": null}));
    let odd = json!({"containers": 7, "ipConfigurations": {"a": [1]}, "agentPoolProfiles": null, "macAddress": "m"});
    check("microsoft.network/networkinterfaces", odd, json!({"mac": "M", "images": null}));
}

/// The reply of a query in both its forms, a list, lines; what did not change has the same id, whenever it comes.
#[test]
fn inventory_agrees_in_all_its_shapes() {
    let object = machine();
    let members = object.as_object().unwrap();
    let columns: Vec<Value> =
        members.keys().rev().map(|name| json!({"name": name, "type": "string"})).collect();
    let values: Vec<&Value> = members.values().rev().collect();
    let shapes = [
        json!({"totalRecords": 1, "count": 1, "data": [object], "facets": [], "resultTruncated": "false"}),
        json!({"count": 1, "data": {"columns": columns, "rows": [values]}}),
        json!({"value": [object]}),
        json!([object]),
        without(object.clone(), &["plan", "managedBy", "kind"]),
    ];
    let expected = without(row(&object, Kind::Inventory), &["properties"]);
    for shape in &shapes {
        assert_eq!(without(row(shape, Kind::Inventory), &["properties"]), expected, "{shape}");
    }
    let pretty = serde_json::to_string_pretty(&shapes[0]).unwrap();
    assert_eq!(
        read(pretty.as_bytes()).column(Kind::Inventory, "event_id"),
        [expected["event_id"].as_str().unwrap()]
    );
    let mut changed = object.clone();
    changed["properties"]["provisioningState"] = "Failed".into();
    assert_ne!(row(&changed, Kind::Inventory)["event_id"], expected["event_id"]);
    assert_eq!(expected["event_at"], expected["arrived_at"]);
}

#[test]
fn a_table_whose_rows_do_not_fit_is_refused() {
    let table = json!({"data": {"columns": [{"name": "id"}], "rows": [["a", "b"]]}});
    let outcome = read(table.to_string().as_bytes());
    assert_eq!((outcome.summary.stored(), outcome.summary.rejected), (0, 1));
}

fn advisory() -> Value {
    json!({
        "channels": "Admin", "correlationId": "0F0E0D0C-1111-4000-8000-00000000000A",
        "category": {"value": "ServiceHealth", "localizedValue": "Service Health"},
        "eventTimestamp": "2031-02-03T04:05:06.7890123Z", "level": "Warning",
        "operationName": {"value": "Microsoft.ServiceHealth/security/action", "localizedValue": "x"},
        "resourceId": "/subscriptions/0f0e0d0c-0000-4000-8000-000000000001",
        "status": {"value": "Active", "localizedValue": "Active"},
        "subscriptionId": "0f0e0d0c-0000-4000-8000-000000000001",
        "tenantId": "0f0e0d0c-5555-4000-8000-00000000000e",
        "properties": {
            "title": "Verdächtige Nutzung", "defaultLanguageTitle": "Unusual usage in your subscription",
            "service": "Virtual Machines", "region": "UK South", "incidentType": "Security", "trackingId": "0NIH-U2O",
            "communication": "x", "stage": "Active", "communicationId": "11000001466525", "version": "0.1.1",
            "defaultLanguageContent": "<p>We saw <b>mining</b>&nbsp;in your subscription.</p><p>Look at it &amp; act.</p>",
            "impactStartTime": "2031-02-02T21:40:00.0000000Z", "impactMitigationTime": "0001-01-01T00:00:00",
            "impactedServices": "[{\"ImpactedRegions\":[{\"RegionName\":\"UK South\"},{\"RegionName\":\"Global\"}],\"ServiceName\":\"Virtual Machines\"},{\"ImpactedRegions\":[{\"RegionName\":\"UK South\"}],\"ServiceName\":\"Batch\"}]",
        },
    })
}

#[test]
fn advisory_of_the_activity_log() {
    insta::assert_json_snapshot!(row(&advisory(), Kind::Advisory));
}

#[test]
fn advisories_of_the_activity_log_agree_in_all_its_shapes() {
    let rest = advisory();
    let expected = without(row(&rest, Kind::Advisory), &["properties"]);
    let export = json!({"time": rest["eventTimestamp"], "resourceId": "/SUBSCRIPTIONS/0F0E0D0C-0000-4000-8000-000000000001",
        "operationName": "Microsoft.ServiceHealth/security/action", "category": "ServiceHealth",
        "correlationId": rest["correlationId"], "level": "Warning", "resultType": "Active",
        "tenantId": rest["tenantId"], "properties": {"eventCategory": "ServiceHealth", "eventProperties": rest["properties"]}});
    assert_eq!(without(row(&export, Kind::Advisory), &["properties"]), expected);
    let table = json!({"TimeGenerated": rest["eventTimestamp"], "OperationNameValue": "Microsoft.ServiceHealth/security/action",
        "CategoryValue": "ServiceHealth", "ActivityStatusValue": "Active", "Level": "Warning", "TenantId": "the-workspace",
        "CorrelationId": rest["correlationId"], "_ResourceId": rest["resourceId"],
        "SubscriptionId": rest["subscriptionId"], "Properties_d": rest["properties"], "Type": "AzureActivity"});
    let tenant = ["properties", "customer_tenant_id"];
    assert_eq!(without(row(&table, Kind::Advisory), &tenant), without(expected, &tenant));
}

/// REST and Resource Graph, which writes times as ticks and its members in Pascal case.
#[test]
fn advisories_of_the_health_interfaces_agree() {
    let id = "/subscriptions/0f0e0d0c-0000-4000-8000-000000000001/providers/Microsoft.ResourceHealth/events/0NIH-U2O";
    let rest = json!({"id": id, "name": "0NIH-U2O", "type": "/providers/Microsoft.ResourceHealth/events",
        "properties": {"eventType": "SecurityAdvisory", "eventSource": "ServiceHealth", "status": "Active",
            "title": "Unusual usage", "summary": "<p>We saw mining.</p>", "level": "Critical", "eventLevel": "Warning",
            "impactStartTime": "2031-02-02T21:40:00Z", "lastUpdateTime": "2031-02-03T04:05:06.5Z",
            "impact": [{"impactedService": "Batch", "impactedRegions": [{"impactedRegion": "UK South"}]}]}});
    let graph = json!({"id": id.to_lowercase(), "name": "0NIH-U2O", "type": "microsoft.resourcehealth/events",
        "subscriptionId": "0f0e0d0c-0000-4000-8000-000000000001", "tenantId": "",
        "properties": {"EventType": "SecurityAdvisory", "Status": "Active", "Title": "Unusual usage", "TrackingId": "0NIH-U2O",
            "Summary": "We saw mining.", "EventLevel": "Warning", "ImpactStartTime": "640634316000000000",
            "LastUpdateTime": "640634547065000000",
            "Impact": [{"ImpactedService": "Batch", "ImpactedRegions": [{"ImpactedRegion": "UK South"}]}]}});
    let found = row(&rest, Kind::Advisory);
    let told = |row| without(row, &["properties"]);
    assert_eq!(told(row(&graph, Kind::Advisory)), told(found.clone()));
    assert_eq!(told(row(&json!({"value": [rest]}), Kind::Advisory)), told(found.clone()));
    insta::assert_json_snapshot!(found);
}

#[test]
fn health_of_a_resource_stays_in_the_activity_log() {
    let record = advisory().to_string().replace("ServiceHealth", "ResourceHealth");
    assert_eq!(read(record.as_bytes()).summary.rows(Kind::Activity), 1);
}

fn alert() -> Value {
    json!({
        "id": "/subscriptions/0f0e0d0c-0000-4000-8000-000000000001/resourceGroups/RG-A/providers/Microsoft.Security/locations/westeurope/alerts/2518_A",
        "name": "2518_A", "type": "Microsoft.Security/Locations/alerts",
        "properties": {
            "version": "2022-01-01", "alertType": "VM_DigitalCurrencyMining", "systemAlertId": "2518_A",
            "productName": "Microsoft Defender for Cloud", "productComponentName": "Servers", "vendorName": "Microsoft",
            "alertDisplayName": "Digital currency mining", "description": "A process was seen.", "severity": "High",
            "intent": "Execution, Impact", "techniques": ["T1496", "T1059"], "status": "Active",
            "startTimeUtc": "2031-02-03T04:00:00Z", "endTimeUtc": "2031-02-03T04:05:00.5Z",
            "timeGeneratedUtc": "2031-02-03T04:05:06.7890123Z", "processingEndTimeUtc": "2031-02-03T04:06:00Z",
            "compromisedEntity": "VM07", "alertUri": "https://portal.example/alert/2518_A",
            "remediationSteps": ["Stop the machine.", "Change its passwords."],
            "entities": [{"$id": "1", "type": "host", "hostName": "vm07"},
                {"$id": "2", "address": "198.51.100.7", "type": "ip"}, {"address": "198.51.100.7"}],
            "resourceIdentifiers": [{"$id": "3", "type": "AzureResource",
                "azureResourceId": "/subscriptions/0f0e0d0c-0000-4000-8000-000000000001/resourceGroups/RG-A/providers/Microsoft.Compute/virtualMachines/VM07"},
                {"type": "AAD", "aadTenantId": "0F0E0D0C-5555-4000-8000-00000000000E"}],
            "extendedProperties": {"Process": "xmrig"},
        },
    })
}

#[test]
fn security_alert() {
    insta::assert_json_snapshot!(row(&alert(), Kind::SecurityAlert));
}

#[test]
fn security_alerts_agree_in_all_their_shapes() {
    let rest = alert();
    let own = &rest["properties"];
    let expected = without(row(&rest, Kind::SecurityAlert), &["properties"]);
    assert_eq!(without(row(&json!({"value": [rest]}), Kind::SecurityAlert), &["properties"]), expected);
    // The continuous export: Pascal case, bare.
    let pascal = |name: &String| format!("{}{}", name[..1].to_uppercase(), &name[1..]);
    let exported: serde_json::Map<_, _> =
        own.as_object().unwrap().iter().map(|(name, value)| (pascal(name), value.clone())).collect();
    let mut exported = Value::Object(exported);
    exported["TimeGenerated"] = exported["TimeGeneratedUtc"].take();
    exported["Status"] = "New".into();
    assert_eq!(without(row(&exported, Kind::SecurityAlert), &["properties"]), expected);
    // Log Analytics.
    let table = json!({"TenantId": "the-workspace", "Type": "SecurityAlert", "TimeGenerated": own["timeGeneratedUtc"],
        "DisplayName": own["alertDisplayName"], "AlertName": own["alertDisplayName"], "AlertSeverity": "High",
        "Description": own["description"], "ProviderName": "Azure Security Center", "VendorName": "Microsoft",
        "SystemAlertId": "2518_a", "AlertType": own["alertType"], "StartTime": own["startTimeUtc"],
        "EndTime": own["endTimeUtc"], "Status": "New", "CompromisedEntity": "VM07", "Tactics": "Execution, Impact",
        "Techniques": "[\"T1496\",\"T1059\"]", "RemediationSteps": own["remediationSteps"].to_string(),
        "ResourceId": own["resourceIdentifiers"][0]["azureResourceId"], "AlertLink": own["alertUri"],
        "Entities": own["entities"].to_string(), "ProductName": own["productName"]});
    let tenant = ["properties", "customer_tenant_id"];
    assert_eq!(without(row(&table, Kind::SecurityAlert), &tenant), without(expected.clone(), &tenant));
    let mut dismissed = alert();
    dismissed["properties"]["status"] = "Dismissed".into();
    let dismissed = row(&dismissed, Kind::SecurityAlert);
    assert_eq!(dismissed["alert_id"], expected["alert_id"]);
    assert_ne!(dismissed["event_id"], expected["event_id"]);
}

#[test]
fn an_advisory_that_says_little_is_kept() {
    let bare = read(without(advisory(), &["properties"]).to_string().as_bytes());
    assert_eq!((bare.summary.rows(Kind::Advisory), bare.reasons()), (1, vec![]));
}

#[test]
fn what_lacks_its_heart_is_refused() {
    let mut shown = String::new();
    let mut show = |record: Value| {
        let outcome = read(record.to_string().as_bytes());
        assert_eq!((outcome.summary.stored(), outcome.summary.rejected), (0, 1), "{record}");
        let kind = outcome.rejected[0].kind.map_or("?", Kind::name);
        shown.push_str(&format!("{kind}: {}\n", outcome.rejected[0].reason));
    };
    show(firewall("AZFWNetworkRule", &json!({"Action": "Deny"})));
    show(firewall("AzureFirewallNetworkRule", &json!({"msg": "once upon a time"})));
    show(without(firewall("AZFWNetworkRule", &json!({"SourceIp": "10.0.0.4"})), &["time"]));
    show(firewall("AZFWFatFlow", &json!({"SourceIp": "10.0.0.4", "FlowRate": 1})));
    show(without(advisory(), &["eventTimestamp"]));
    show(json!({"SystemAlertId": "a"}));
    show(
        json!({"type": "Microsoft.Security/Locations/alerts", "properties": {"startTimeUtc": "2031-02-03T04:05:06Z"}}),
    );
    show(
        json!({"id": "/a", "subscriptionId": "s", "type": "microsoft.resourcehealth/events/impactedresources"}),
    );
    insta::assert_snapshot!(shown);
}

/// What no column holds is in `properties`, also what stands beside them.
#[test]
fn unknown_members_are_kept() {
    let check = |mut record: Value, kind: Kind| {
        record["aNewMember"] = json!({"x": [1]});
        record["properties"]["another"] = "y".into();
        let properties: Value =
            serde_json::from_str(row(&record, kind)["properties"].as_str().unwrap()).unwrap();
        assert_eq!(properties["_record"]["aNewMember"], record["aNewMember"], "{}", kind.name());
        assert_eq!(properties["another"], "y");
    };
    check(dns_policy(), Kind::Dns);
    check(machine(), Kind::Inventory);
    check(advisory(), Kind::Advisory);
    check(alert(), Kind::SecurityAlert);
}
