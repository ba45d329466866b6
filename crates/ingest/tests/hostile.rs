//! Damaged input: whatever bytes come, nothing panics and nothing vanishes. The checks themselves are
//! in [`rows::read`].

#![expect(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

mod rows;

use std::io::Write;
use std::sync::{Arc, LazyLock};

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use bytes::Bytes;
use ingest::Extent;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;
use rows::{read, read_as};
use serde_json::Value;

const ACTIVITY: &str = r#"{"time":"2031-02-03T04:05:06.7890123Z","resourceId":"/SUBSCRIPTIONS/S-1/RESOURCEGROUPS/RG","operationName":"A/B/WRITE","category":"Administrative","resultType":"Start","identity":"{\"claims\":{\"appid\":\"a\"}}","properties":{"requestbody":"{\"location\":\"uksouth\"}"}}
{"records":[{"time":"2031-02-03T04:05:07Z","operationName":{"value":"A/B/write"},"category":{"value":"Policy"},"status":{"value":"Failed"}}]}
{
  "eventTimestamp": "2031-02-03T04:05:08Z",
  "operationName": "C/D/action",
  "claims": {"appid": "b"}
}
"#;

const COST: &str = "SubscriptionId,Date,MeterId,Quantity,Cost,Tags\ns-1,02/03/2031,m-1,1,2.5,\"{\"\"a\"\":\"\"b\nc\"\"}\"\ns-1,02/04/2031,m-1,1,2.5,\ns-2,2031-02-04,m-1,,1e3,\n";

const FLOW: &str = r#"{"records":[{"time":"2031-02-03T04:05:06Z","macAddress":"000D3AF87856","category":"NetworkSecurityGroupFlowEvent","resourceId":"/SUBSCRIPTIONS/S","properties":{"flows":[{"rule":"r","flows":[{"mac":"m","flowTuples":["1927000000,10.0.0.4,198.51.100.7,50112,3333,T,O,A,C,40,5200,38,6100","1927000000,10.0.0.4,::1,1,2,U,I,D"]}]}]}},
{"time":"2031-02-03T04:05:06Z","category":"FlowLogFlowEvent","targetResourceID":"/subscriptions/s","flowRecords":{"flows":[{"flowGroups":[{"rule":"r","flowTuples":["1927000000123,10.0.0.4,198.51.100.7,50112,3333,6,O,E,NX,40,5200,38,6100"]}]}]}}]}"#;

const ENTRA: &str = r#"{"time":"2031-02-03T04:05:06Z","resourceId":"/tenants/t-1/providers/Microsoft.aadiam","operationName":"Sign-in activity","category":"SignInLogs","tenantId":"t-1","resultType":"50126","location":"NO","properties":{"id":"s-1","createdDateTime":"2031-02-03T04:05:06Z","userId":"u-1","ipAddress":"203.0.113.9","status":"{\"errorCode\":50126}","location":{"countryOrRegion":"NO","geoCoordinates":{"latitude":59.9,"longitude":10.7}}}}
{"value":[{"id":"a-1","activityDateTime":"2031-02-03T04:05:07Z","activityDisplayName":"Add member to role","result":"success","initiatedBy":{"app":{"appId":"x","displayName":"y"}},"targetResources":[{"id":"u-2","modifiedProperties":[{"displayName":"Role.DisplayName","newValue":"\"Reader\""}]}]}]}
{"createdDateTime":"2031-02-03T04:05:08Z","servicePrincipalId":"p-1","status":{"errorCode":0}}
"#;

const DNS: &str = r#"{"records":[{"time":"2031-02-03T04:05:06Z","resourceId":"/SUBSCRIPTIONS/S-1/RESOURCEGROUPS/RG","category":"DnsResponse","properties":{"query_name":"pool.example.","response_code":0,"srcipaddr":"10.0.0.4","srcport":"1","answer":"[{\"RData\":\"198.51.100.7\"}]","resolverpolicy_rule_action":"Block"}}]}
{"time":"2031-02-03T04:05:06Z","category":"AzureFirewallApplicationRule","properties":{"msg":"HTTPS request from 10.0.0.4:5 to pool.example:443. Action: Deny. Policy: p. Rule: r. Web Category: x"},"more":1}
{"time":"2031-02-03T04:05:06Z","category":"AzureFirewallDnsProxy","properties":"{\"msg\":\"DNS Request: 10.0.0.4:4 - 1 A IN pool.example. udp 55 false 512 NOERROR qr 1 0.1s\"}"}
{"TimeGenerated":"2031-02-03T04:05:06Z","Type":"AZFWNetworkRule","SourceIp":"10.0.0.4","DestinationIp":"::1","Action":"Allow"}
"#;

const INVENTORY: &str = r#"{"count":2,"data":[{"id":"/subscriptions/s-1/resourceGroups/rg/providers/a/b/c","type":"a/b","subscriptionId":"s-1","sku":{"capacity":4},"tags":{"a":"b"},"zones":["1"],"properties":{"macAddress":"00-0D-3A","ipConfigurations":[{"properties":{"privateIPAddress":"10.0.0.4"}}],"containers":[{"properties":{"image":"x"}}]}},
{"id":"/b","type":"a/b","tenantId":"t-1","identity":"{\"type\":\"x\"}","properties":"{\"ipAddress\":{\"ip\":\"10.0.0.4\"}}"}]}
{"data":{"columns":[{"name":"id"},{"name":"type"},{"name":"tenantId"}],"rows":[["/a","a/b","t-1"],["/b","a/b","t-1"]]}}
"#;

const ADVISORY: &str = r#"{"time":"2031-02-03T04:05:06Z","category":"ServiceHealth","operationName":"Microsoft.ServiceHealth/incident/action","properties":{"eventProperties":{"trackingId":"T","title":"<b>a</b> &lt;","impactedServices":"[{\"ImpactedRegions\":[{\"RegionName\":\"UK South\"}],\"ServiceName\":\"x\"}]"}}}
{"value":[{"id":"/subscriptions/s-1","name":"T","type":"/providers/Microsoft.ResourceHealth/events","properties":{"lastUpdateTime":"640634316000000000","impactMitigationTime":"2031-02-03T04:05:06Z","summary":"a<!-- b -->&#x41;"}}]}
"#;

const SECURITY_ALERT: &str = r#"{"id":"/subscriptions/s-1/x","name":"a","type":"Microsoft.Security/Locations/alerts","properties":{"timeGeneratedUtc":"2031-02-03T04:05:06Z","intent":"A, B","techniques":["T1"],"entities":[{"address":"10.0.0.4","x":[{"Address":"::1"}]}],"remediationSteps":["a","b"],"resourceIdentifiers":[{"azureResourceId":"/subscriptions/s-1"}]}}
{"SystemAlertId":"b","StartTime":"2031-02-03T04:05:06Z","Techniques":"[\"T1\"]","Entities":"[{\"Address\":\"10.0.0.4\"}]","RemediationSteps":"x"}
"#;
const FOCUS: &str = "BilledCost,BillingCurrency,ChargePeriodStart,ChargeCategory,ConsumedQuantity,PricingQuantity,PricingUnit,RegionId,SubAccountId,Tags,x_SkuDetails\n1.5,EUR,2031-02-03T04:00:00Z,Usage,24,2.4,10 Hours,brazilsouth,/subscriptions/s-1,\"{\"\"a\"\":1}\",\"{\"\"ServiceType\"\":\"\"Standard_M8-2ms\"\"}\"\n0,EUR,2031-02-03 05:00:00,Purchase,NULL,1,1 Year,NULL,s-1,NULL,NULL\n-1,EUR,2031-02-03,Credit,,,,,s-2,,\n";

const USAGE: &str = r#"{"PartnerId":"p","CustomerId":"c-1","InvoiceNumber":"G1","SubscriptionId":"plan","EntitlementId":"s-1","UsageDate":"2031-02-02T00:00:00Z","MeterRegion":"BR South","ResourceURI":"/subscriptions/s-1/x","Quantity":24,"UnitType":"1 Hour","BillingPreTaxTotal":"88.1","BillingCurrency":"NOK","Tags":{"a":[1]},"AdditionalInfo":"{\"ServiceType\":\"Standard_NC24ads_A100_v4\"}"}
{"customerId":"c-1","entitlementId":"","usageDate":"02/03/2031","quantity":"1e3","billingPreTaxTotal":0,"unitType":null}
{"usageDate":"2031-02-02","billingPreTaxTotal":1,"x":[{"y":"z"}]}
{"blobs":[{"name":"part-0.json.gz"}],"dataFormat":"compressedJSONLines"}
"#;

/// Several row groups and pages, compressed, with a dictionary, nulls and statistics.
static PARQUET: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let texts = |values: Vec<Option<&str>>| Arc::new(StringArray::from(values)) as ArrayRef;
    let at = TimestampMicrosecondArray::from(vec![1_927_857_600_000_000; 3]).with_timezone("UTC");
    let columns: [(&str, ArrayRef); 5] = [
        ("ChargePeriodStart", Arc::new(at)),
        ("SubAccountId", texts(vec![Some("s-1"), Some("s-1"), Some("s-2")])),
        ("BilledCost", Arc::new(Float64Array::from(vec![Some(1.5), None, Some(2.5)]))),
        ("PricingQuantity", Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0]))),
        ("Tags", texts(vec![None, Some("{}"), None])),
    ];
    let columns = columns.map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(2))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
});

/// Lines of a stream: how many records each stores, rejects, and how often it holds none.
const LINES: [(&str, u64, u64, u64); 13] = [
    (r#"{"time":"2031-02-03T04:05:06Z","operationName":"A/B/write","category":"Administrative"}"#, 1, 0, 0),
    (r#"{"time":"never","operationName":"A/B/write","category":"Administrative"}"#, 0, 1, 0),
    (r#"{"unknown":1}"#, 0, 1, 0),
    (r#"{"records":[{"unknown":1},{"time":"2031-02-03T04:05:06Z","operationName":"A/B/write"}]}"#, 1, 1, 0),
    (r#"{"count":2,"value":[{"unknown":1}],"data":[{"unknown":2}],"VALUE":[3]}"#, 0, 3, 0),
    (r#"{"value":[]}"#, 0, 0, 1),
    (r#"{"value":[],"nextLink":"x","data":[{"unknown":1}]}"#, 0, 1, 0),
    (
        r#"{"time":"2031-02-03T04:05:06Z","operationName":"A/B/write","category":"Administrative","data":[1,2]}"#,
        1,
        0,
        0,
    ),
    (r#"{"blobs":[{"name":"part-0.json.gz"}],"dataFormat":"compressedJSONLines"}"#, 0, 0, 1),
    (
        r#"{"time":"2031-02-03T04:05:06Z","category":"FlowLogFlowEvent","flowRecords":{"flows":[{"flowGroups":[{"rule":"r","flowTuples":["1927000000123,10.0.0.4,198.51.100.7,50112,3333,6,O,B,NX,0,0,0,0","odd"]}]}]}}"#,
        1,
        1,
        0,
    ),
    (r#"{"category":"FlowLogFlowEvent","flowRecords":{"flows":[]}}"#, 0, 0, 1),
    (
        r#"{"category":"FlowLogFlowEvent","flowRecords":{"flows":[{"groups":[{"flowTuples":["odd"]}]}]}}"#,
        0,
        1,
        0,
    ),
    ("", 0, 0, 0),
];

static ZSTD: LazyLock<Vec<u8>> =
    LazyLock::new(|| zstd::encode_all(ACTIVITY.repeat(20).as_bytes(), 3).unwrap());

static GZIP: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(ACTIVITY.repeat(20).as_bytes()).unwrap();
    encoder.finish().unwrap()
});

/// One change to some bytes; the place is taken modulo their length.
#[derive(Debug, Clone)]
enum Change {
    Replace(usize, u8),
    Remove(usize, usize),
    Insert(usize, u8),
    Repeat(usize, usize),
    Cut(usize),
}

fn change() -> impl Strategy<Value = Change> {
    // Bytes that mean something to the formats are tried more often than others.
    let meaningful = prop::sample::select(b"{}[]\",:\\\n\r \x00\xff/-.0T".to_vec());
    let byte = prop_oneof![3 => meaningful, 1 => any::<u8>()];
    prop_oneof![
        (any::<usize>(), byte.clone()).prop_map(|(at, byte)| Change::Replace(at, byte)),
        (any::<usize>(), 1..40usize).prop_map(|(at, count)| Change::Remove(at, count)),
        (any::<usize>(), byte).prop_map(|(at, byte)| Change::Insert(at, byte)),
        (any::<usize>(), 1..80usize).prop_map(|(at, count)| Change::Repeat(at, count)),
        any::<usize>().prop_map(Change::Cut),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    if bytes.is_empty() {
        return;
    }
    let size = bytes.len();
    let end = |at: usize, count: usize| (at + count).min(size);
    match *change {
        Change::Replace(at, byte) => bytes[at % size] = byte,
        Change::Remove(at, count) => drop(bytes.drain(at % size..end(at % size, count))),
        Change::Insert(at, byte) => bytes.insert(at % size, byte),
        Change::Repeat(at, count) => {
            let part = bytes[at % size..end(at % size, count)].to_vec();
            bytes.splice(at % size..at % size, part);
        }
        Change::Cut(at) => bytes.truncate(at % size),
    }
}

fn check(sample: impl AsRef<[u8]>, changes: &[Change]) {
    let mut bytes = sample.as_ref().to_vec();
    for change in changes {
        apply(&mut bytes, change);
    }
    let first = read(&bytes);
    let second = read(&bytes);
    assert_eq!(first.summary, second.summary, "reading is repeatable");
    // Of a piece of a stream nothing is passed over that a file gives.
    let piece = read_as(Extent::Piece, &bytes);
    assert!(piece.summary.stored() >= first.summary.stored());
    if let Some(records) = records_by_line(&bytes) {
        assert_eq!(piece.summary.read + piece.summary.empty, records, "counted without the reader");
    }
}

/// How many records an input has whose lines are objects of JSON that neither wrap records nor hold flows: as many as
/// lines. `None` for other inputs.
fn records_by_line(bytes: &[u8]) -> Option<u64> {
    const OTHERS: [&str; 4] = ["records", "value", "data", "flowrecords"];
    let text = std::str::from_utf8(bytes).ok()?;
    let mut records = 0;
    for line in text.split('\n').filter(|line| !line.trim_ascii().is_empty()) {
        let members = match serde_json::from_str(line).ok()? {
            Value::Object(members) => members,
            _ => return None,
        };
        let is_other = |name: &String| OTHERS.iter().any(|other| name.eq_ignore_ascii_case(other));
        // `category` says that it holds flows.
        if members.keys().any(is_other) || line.to_ascii_lowercase().contains("flow") {
            return None;
        }
        records += 1;
    }
    Some(records)
}

#[test]
fn the_samples_are_sound() {
    for (sample, stored) in [
        (ACTIVITY, 3),
        (COST, 3),
        (FLOW, 3),
        (ENTRA, 3),
        (FOCUS, 3),
        (USAGE, 3),
        (DNS, 4),
        (INVENTORY, 4),
        (ADVISORY, 2),
        (SECURITY_ALERT, 2),
    ] {
        let outcome = read(sample.as_bytes());
        assert_eq!((outcome.summary.stored(), outcome.reasons()), (stored, vec![]));
    }
    let outcome = read(&PARQUET);
    assert_eq!((outcome.summary.stored(), outcome.reasons()), (3, vec![]));
    for compressed in [&ZSTD, &GZIP] {
        assert_eq!(read(compressed).summary.stored(), 60);
    }
}

/// What grows beyond all measure takes the memory of a record, not its own.
#[test]
fn what_was_compressed_a_thousandfold_is_bounded() {
    let blank = vec![b' '; 32 << 20];
    let bomb = [b"{\"a\":\"".to_vec(), blank].concat();
    let outcome = read_as(Extent::Piece, &zstd::encode_all(&bomb[..], 3).unwrap());
    assert_eq!(outcome.summary.rejected, 1);
    assert!(outcome.rejected[0].record.len() <= ingest::KEPT_BYTES_MAX + 4);
}

#[test]
fn records_of_tables_are_counted_by_row() {
    let rows = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(PARQUET.clone())).unwrap();
    let rows = rows.metadata().file_metadata().num_rows();
    assert_eq!(read(&PARQUET).summary.read, u64::try_from(rows).unwrap());
    for sample in [COST, FOCUS] {
        let lines = csv::Reader::from_reader(sample.as_bytes()).records().count();
        assert_eq!(read(sample.as_bytes()).summary.read, lines as u64);
    }
    // The wrapper has a list of two, the other a table of two rows.
    assert_eq!(read(INVENTORY.as_bytes()).summary.read, 4);
}

#[test]
fn every_cut_of_every_sample_is_survived() {
    let samples = [ACTIVITY, COST, FLOW, ENTRA, FOCUS, USAGE, DNS, INVENTORY, ADVISORY, SECURITY_ALERT];
    for sample in samples.map(str::as_bytes).into_iter().chain([PARQUET.as_slice()]) {
        for end in 0..sample.len() {
            read(&sample[..end]);
            read_as(Extent::Piece, &sample[..end]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_activity_logs(changes in prop::collection::vec(change(), 1..6)) {
        check(ACTIVITY, &changes);
    }

    #[test]
    fn changed_cost_exports(changes in prop::collection::vec(change(), 1..6)) {
        check(COST, &changes);
    }

    #[test]
    fn changed_flow_logs(changes in prop::collection::vec(change(), 1..6)) {
        check(FLOW, &changes);
    }

    #[test]
    fn changed_entra_logs(changes in prop::collection::vec(change(), 1..6)) {
        check(ENTRA, &changes);
    }

    #[test]
    fn changed_dns_logs(changes in prop::collection::vec(change(), 1..6)) {
        check(DNS, &changes);
    }

    #[test]
    fn changed_inventories(changes in prop::collection::vec(change(), 1..6)) {
        check(INVENTORY, &changes);
    }

    #[test]
    fn changed_advisories(changes in prop::collection::vec(change(), 1..6)) {
        check(ADVISORY, &changes);
    }

    #[test]
    fn changed_security_alerts(changes in prop::collection::vec(change(), 1..6)) {
        check(SECURITY_ALERT, &changes);
    }

    #[test]
    fn changed_focus_exports(changes in prop::collection::vec(change(), 1..6)) {
        check(FOCUS, &changes);
    }

    #[test]
    fn changed_usage_records(changes in prop::collection::vec(change(), 1..6)) {
        check(USAGE, &changes);
    }

    #[test]
    fn changed_parquet(changes in prop::collection::vec(change(), 1..6)) {
        check(PARQUET.as_slice(), &changes);
    }

    /// Most changes of any size end in the footer; those of one byte also get past it.
    #[test]
    fn parquet_with_one_other_byte(at in any::<usize>(), byte in any::<u8>()) {
        check(PARQUET.as_slice(), &[Change::Replace(at, byte)]);
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check(bytes, &[]);
    }

    #[test]
    fn changed_zstd(changes in prop::collection::vec(change(), 1..6)) {
        check(ZSTD.as_slice(), &changes);
    }

    #[test]
    fn changed_gzip(changes in prop::collection::vec(change(), 1..6)) {
        check(GZIP.as_slice(), &changes);
    }

    /// Any lines after each other are read as each by itself, whatever stands before them.
    #[test]
    fn lines_of_a_piece_do_not_hide_each_other(lines in prop::collection::vec(0..LINES.len(), 0..60)) {
        let text: String = lines.iter().map(|line| format!("{}\n", LINES[*line].0)).collect();
        let outcome = read_as(Extent::Piece, text.as_bytes());
        let summary = outcome.summary;
        let expected = lines.iter().fold([0; 3], |sums, line| {
            let (_, stored, rejected, empty) = LINES[*line];
            [sums[0] + stored, sums[1] + rejected, sums[2] + empty]
        });
        prop_assert_eq!([summary.stored(), summary.rejected, summary.empty], expected, "{}", text);
        prop_assert_eq!(summary.read, expected[0] + expected[1]);
    }
}
