//! A flow is joined to the machine that it belongs to: records as Azure writes them, read as they are read, and the
//! query that `detectors/README.md` shows.
#![expect(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

use std::collections::BTreeMap;
use std::sync::Arc;

use alerts::{Finding, PartnerTenantId};
use arrow_array::RecordBatch;
use chrono::{DateTime, Utc};
use datafusion::arrow::compute::cast;
use datafusion::datasource::MemTable;
use detect::{Catalogue, Detector, Limits, Window, session};
use ingest::schema::Kind;
use ingest::{EventBatch, Item, Reading, read_bytes};

const MANIFEST: &str = r#"
id = "machines"
version = 1
alert_type = "Machines"
title = "Traffic of a machine"
severity = "low"
confidence = "medium"
inputs = ["flow", "inventory"]
lookback = "2d"
schedule = "1h"
overlap = "0s"
grouping = ["machine"]
meaning = "It talked."
response = ["Look."]
mitre = []
source = "The test of a join."
"#;

/// Around the join of the README: sizes come from the machine's own row.
const AFTER_THE_JOIN: &str = "
select
  flow.subscription_id,
  min(flow.event_at) as first_observed_at,
  max(flow.event_at) as last_observed_at,
  machines.machine_id as machine,
  max(machine.vm_size) as vm_size,
  sum(flow.bytes_sent) as bytes_sent,
  'traffic' as description
from flow
join machines on machines.mac = flow.mac and machines.place = 1
left join (select resource_id, max(vm_size) as vm_size from inventory group by resource_id) as machine
  on machine.resource_id = machines.machine_id
where flow.event_at >= $since and flow.event_at < $until
group by flow.subscription_id, machines.machine_id";

/// Two network interfaces, one of which was moved from an older machine to another, and the machines.
const INVENTORY: &str = r#"{"totalRecords":4,"count":4,"resultTruncated":"false","data":[
{"id":"/subscriptions/0f0e0d0c-0000-4000-8000-000000000001/resourceGroups/RG-A/providers/Microsoft.Network/networkInterfaces/vm07-nic","name":"vm07-nic","type":"microsoft.network/networkinterfaces","tenantId":"0f0e0d0c-3333-4000-8000-00000000000c","subscriptionId":"0f0e0d0c-0000-4000-8000-000000000001","resourceGroup":"rg-a","location":"brazilsouth","properties":{"macAddress":"00-0D-3A-F8-78-56","primary":true,"ipConfigurations":[{"name":"ipconfig1","properties":{"privateIPAddress":"10.0.0.4","primary":true}}],"virtualMachine":{"id":"/subscriptions/0f0e0d0c-0000-4000-8000-000000000001/resourceGroups/RG-A/providers/Microsoft.Compute/virtualMachines/VM07"}}},
{"id":"/subscriptions/0f0e0d0c-0000-4000-8000-000000000001/resourceGroups/RG-A/providers/Microsoft.Compute/virtualMachines/VM07","name":"VM07","type":"microsoft.compute/virtualmachines","tenantId":"0f0e0d0c-3333-4000-8000-00000000000c","subscriptionId":"0f0e0d0c-0000-4000-8000-000000000001","resourceGroup":"rg-a","location":"brazilsouth","properties":{"hardwareProfile":{"vmSize":"Standard_NC24ads_A100_v4"}}},
{"id":"/subscriptions/0f0e0d0c-0000-4000-8000-000000000001/resourceGroups/RG-A/providers/Microsoft.Network/networkInterfaces/web-nic","name":"web-nic","type":"microsoft.network/networkinterfaces","tenantId":"0f0e0d0c-3333-4000-8000-00000000000c","subscriptionId":"0f0e0d0c-0000-4000-8000-000000000001","resourceGroup":"rg-a","location":"westeurope","properties":{"macAddress":"60-45-BD-00-11-22","virtualMachine":{"id":"/subscriptions/0f0e0d0c-0000-4000-8000-000000000001/resourceGroups/rg-a/providers/Microsoft.Compute/virtualMachines/web"}}},
{"id":"/subscriptions/0f0e0d0c-0000-4000-8000-000000000001/resourceGroups/RG-A/providers/Microsoft.Network/networkInterfaces/spare-nic","name":"spare-nic","type":"microsoft.network/networkinterfaces","tenantId":"0f0e0d0c-3333-4000-8000-00000000000c","subscriptionId":"0f0e0d0c-0000-4000-8000-000000000001","resourceGroup":"rg-a","location":"westeurope","properties":{"macAddress":"60-45-BD-99-99-99"}}
]}"#;

/// A VNet flow log of the first interface and of one that no inventory knows; 2031-01-23T07:06:40.
const FLOWS: &str = r#"{"records":[
{"time":"2031-01-23T07:07:00.7890123Z","flowLogVersion":4,"flowLogGUID":"0f0e0d0c-4444-4000-8000-00000000000d","macAddress":"000D3AF87856","category":"FlowLogFlowEvent","flowLogResourceID":"/SUBSCRIPTIONS/0F0E0D0C-0000-4000-8000-000000000001/RESOURCEGROUPS/NETWORKWATCHERRG/PROVIDERS/MICROSOFT.NETWORK/NETWORKWATCHERS/NETWORKWATCHER_BRAZILSOUTH/FLOWLOGS/VNET","targetResourceID":"/subscriptions/0f0e0d0c-0000-4000-8000-000000000001/resourceGroups/RG-A/providers/Microsoft.Network/virtualNetworks/vnet","operationName":"FlowLogFlowEvent","flowRecords":{"flows":[{"aclID":"a","flowGroups":[{"rule":"DefaultRule_AllowInternetOutBound","flowTuples":["1926918400123,10.0.0.4,198.51.100.7,50112,3333,6,O,C,NX,40,5200,38,6100","1926918460123,10.0.0.4,198.51.100.7,50112,3333,6,O,E,NX,4,520,3,610"]}]}]}},
{"time":"2031-01-23T07:07:00.7890123Z","flowLogVersion":4,"flowLogGUID":"0f0e0d0c-4444-4000-8000-00000000000d","macAddress":"000D3AFFFFFF","category":"FlowLogFlowEvent","flowLogResourceID":"/SUBSCRIPTIONS/0F0E0D0C-0000-4000-8000-000000000001/RESOURCEGROUPS/NETWORKWATCHERRG/PROVIDERS/MICROSOFT.NETWORK/NETWORKWATCHERS/NETWORKWATCHER_BRAZILSOUTH/FLOWLOGS/VNET","targetResourceID":"/subscriptions/0f0e0d0c-0000-4000-8000-000000000001/resourceGroups/RG-A/providers/Microsoft.Network/virtualNetworks/vnet","operationName":"FlowLogFlowEvent","flowRecords":{"flows":[{"aclID":"a","flowGroups":[{"rule":"DefaultRule_AllowInternetOutBound","flowTuples":["1926918400123,10.0.0.9,198.51.100.7,50112,3333,6,O,C,NX,40,9999,38,6100"]}]}]}}
]}"#;

fn partner() -> PartnerTenantId {
    "partner-1".parse().unwrap()
}

/// The query: what the README shows up to its own select, and what is done with it here.
fn query() -> String {
    let readme = include_str!("../../../detectors/README.md");
    let (_, from) = readme.split_once("```sql\n").unwrap();
    let (join, _) = from.split_once("\nselect flow.").unwrap();
    let (_, rest) = from.split_once("from flow\n").unwrap();
    let (on, _) = rest.split_once("\n```").unwrap();
    assert!(AFTER_THE_JOIN.contains(on), "the README joins by {on}");
    format!("{join}{AFTER_THE_JOIN}")
}

fn detector() -> Detector {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("machines");
    std::fs::create_dir(&own).unwrap();
    std::fs::write(own.join("detector.toml"), MANIFEST).unwrap();
    std::fs::write(own.join("query.sql"), query()).unwrap();
    Catalogue::builtin().with_folder(folder.path()).unwrap().get("machines").unwrap().clone()
}

/// The events of texts, each with the time at which it came in.
fn events(texts: &[(&str, &str)]) -> BTreeMap<Kind, Vec<RecordBatch>> {
    let partner = partner();
    let mut tables: BTreeMap<Kind, Vec<RecordBatch>> = BTreeMap::new();
    for (arrived_at, text) in texts {
        let arrived_at: DateTime<Utc> = arrived_at.parse().unwrap();
        let reading = Reading::new(&partner, arrived_at, 100);
        read_bytes("test", text.as_bytes(), &reading, &mut |item| {
            match item {
                Item::Batch(batch) => tables.entry(batch.kind).or_default().push(stored(&batch)),
                Item::Rejected(rejected) => panic!("{rejected:?}"),
            }
            Ok(())
        })
        .unwrap();
    }
    tables
}

/// A batch as its table has it, with texts that are plain.
fn stored(batch: &EventBatch) -> RecordBatch {
    let schema = batch.kind.schema();
    let columns = batch.rows.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| cast(column, field.data_type()).unwrap()).collect();
    RecordBatch::try_new(schema, columns).unwrap()
}

async fn run(texts: &[(&str, &str)]) -> Vec<Finding> {
    let session = session(Limits::default()).unwrap();
    let mut events = events(texts);
    for kind in Kind::ALL {
        let table = MemTable::try_new(kind.schema(), vec![events.remove(&kind).unwrap_or_default()]).unwrap();
        session.register_table(kind.name(), Arc::new(table)).unwrap();
    }
    let at = |text: &str| text.parse().unwrap();
    let window = Window::new(at("2031-01-23T07:00:00Z"), at("2031-01-23T08:00:00Z"));
    detector().run(&session, &window, &partner()).await.unwrap()
}

#[tokio::test]
async fn a_flow_finds_its_machine_by_the_address_of_its_network_interface() {
    let findings = run(&[("2031-01-22T12:00:00Z", INVENTORY), ("2031-01-23T07:10:00Z", FLOWS)]).await;
    assert_eq!(findings.len(), 1, "{findings:?}");
    let machine = "machine=/subscriptions/0f0e0d0c-0000-4000-8000-000000000001/resourcegroups/rg-a/providers/\
                   microsoft.compute/virtualmachines/vm07";
    assert_eq!(findings[0].grouping_key, machine);
    assert_eq!(findings[0].details["BytesSent"], "5720", "increments of one flow add up");
    assert_eq!(findings[0].details["VmSize"], "standard_nc24ads_a100_v4");
}

#[tokio::test]
async fn an_interface_that_moved_belongs_to_the_machine_that_has_it_last() {
    let before = INVENTORY.replace("virtualMachines/VM07\"}}}", "virtualMachines/old\"}}}");
    assert_ne!(before, INVENTORY);
    let findings = run(&[
        ("2031-01-21T12:00:00Z", &before),
        ("2031-01-22T12:00:00Z", INVENTORY),
        ("2031-01-23T07:10:00Z", FLOWS),
    ])
    .await;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].grouping_key.ends_with("/vm07"), "{findings:?}");
    assert_eq!(findings[0].details["BytesSent"], "5720");
}
