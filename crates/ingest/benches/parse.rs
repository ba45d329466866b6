//! How fast each kind of input becomes record batches, on one thread, in memory.
//!
//! Beside each JSON kind stands `serde_json::Value` over the same bytes, record by record: the yardstick
//! that the ingest targets are measured against. Run with `cargo bench -p ingest`.

use std::fmt::Write as _;
use std::hint::black_box;

use alerts::PartnerTenantId;
use chrono::DateTime;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ingest::{Item, Reading, Statement, read_bytes};

/// The allocator of the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ACTIVITY_RECORDS: u64 = 20_000;
const COST_LINES: u64 = 40_000;
const FLOW_RECORDS: u64 = 400;
const TUPLES_PER_RECORD: u64 = 200;

fn activity() -> String {
    let mut text = String::new();
    for n in 0..ACTIVITY_RECORDS {
        let body = format!(
            r#"{{\"location\":\"westeurope\",\"properties\":{{\"hardwareProfile\":{{\"vmSize\":\"Standard_D{}s_v5\"}},\"provisioningState\":\"Creating\"}}}}"#,
            n % 64
        );
        let _ = writeln!(
            text,
            r#"{{"time":"2031-02-03T04:{:02}:{:02}.{:07}Z","resourceId":"/SUBSCRIPTIONS/0F0E0D0C-0000-4000-8000-{:012}/RESOURCEGROUPS/RG-{}/PROVIDERS/MICROSOFT.COMPUTE/VIRTUALMACHINES/VM{n}","operationName":"MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE","category":"Administrative","resultType":"Accept","resultSignature":"Accepted.Created","durationMs":0,"callerIpAddress":"203.0.113.{}","correlationId":"0f0e0d0c-1111-4000-8000-{n:012}","identity":{{"authorization":{{"scope":"/subscriptions/s","action":"Microsoft.Compute/virtualMachines/write","evidence":{{"role":"Contributor","principalId":"0f0e0d0c333340008000000000000001","principalType":"User"}}}},"claims":{{"aud":"https://management.core.windows.net/","iss":"https://sts.windows.net/0f0e0d0c-4444-4000-8000-000000000001/","appid":"0f0e0d0c-2222-4000-8000-00000000000b","http://schemas.microsoft.com/identity/claims/objectidentifier":"0f0e0d0c-3333-4000-8000-000000000001","http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn":"ann@contoso.example","http://schemas.microsoft.com/claims/authnmethodsreferences":"pwd,mfa"}}}},"level":"Information","properties":{{"statusCode":"Created","serviceRequestId":"0f0e0d0c-5555-4000-8000-{n:012}","eventCategory":"Administrative","responseBody":"{body}"}}}}"#,
            n / 60 % 60,
            n % 60,
            n % 10_000_000,
            n % 50,
            n % 7,
            n % 250
        );
    }
    text
}

fn cost() -> String {
    let mut text = String::from(
        "InvoiceSectionName,AccountName,SubscriptionId,SubscriptionName,Date,BillingPeriodEndDate,Product,PartNumber,\
         MeterId,ServiceFamily,MeterCategory,MeterSubCategory,MeterRegion,MeterName,Quantity,EffectivePrice,Cost,\
         UnitPrice,BillingCurrency,ResourceLocation,ConsumedService,ResourceId,ResourceName,ServiceInfo1,\
         AdditionalInfo,Tags,UnitOfMeasure,ResourceGroup,ChargeType,Frequency,PublisherType\n",
    );
    for n in 0..COST_LINES {
        let _ = writeln!(
            text,
            "Section,Account,0f0e0d0c-0000-4000-8000-{:012},Production {},02/{:02}/2031,02/28/2031,Virtual Machines Dsv5,\
             AAF-{:05},0f0e0d0c-6666-4000-8000-{:012},Compute,Virtual Machines,Dsv5 Series,EU West,D4s v5,{}.5,0.192,{}.25,\
             0.192,EUR,EU West,Microsoft.Compute,/subscriptions/0f0e0d0c-0000-4000-8000-{:012}/resourceGroups/rg-{}/providers/Microsoft.Compute/virtualMachines/vm{n},\
             vm{n},,\"{{\"\"ServiceType\"\":\"\"Standard_D4s_v5\"\",\"\"UsageType\"\":\"\"ComputeHR\"\"}}\",\
             \"{{\"\"env\"\":\"\"prod\"\"}}\",1 Hour,rg-{},Usage,UsageBased,Azure",
            n % 50,
            n % 50,
            n % 28 + 1,
            n % 90,
            n % 40,
            n % 24,
            n % 90,
            n % 50,
            n % 7,
            n % 7
        );
    }
    text
}

fn flow() -> String {
    let mut text = String::from(r#"{"records":["#);
    for record in 0..FLOW_RECORDS {
        if record > 0 {
            text.push(',');
        }
        let _ = write!(
            text,
            r#"{{"time":"2031-02-03T04:05:06.7890123Z","flowLogVersion":4,"flowLogGUID":"0f0e0d0c-7777-4000-8000-000000000001","macAddress":"000D3AF8{record:04X}","category":"FlowLogFlowEvent","flowLogResourceID":"/SUBSCRIPTIONS/S/RESOURCEGROUPS/NW/PROVIDERS/MICROSOFT.NETWORK/NETWORKWATCHERS/NW/FLOWLOGS/F","targetResourceID":"/subscriptions/0f0e0d0c-0000-4000-8000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v","operationName":"FlowLogFlowEvent","flowRecords":{{"flows":[{{"aclID":"0f0e0d0c-8888-4000-8000-000000000001","flowGroups":[{{"rule":"DefaultRule_AllowInternetOutBound","flowTuples":["#
        );
        for n in 0..TUPLES_PER_RECORD {
            let comma = if n > 0 { "," } else { "" };
            let _ = write!(
                text,
                r#"{comma}"19270000{:05},10.0.{}.{},198.51.100.{},{},3333,6,O,C,NX,{},{},{},{}""#,
                record * 150 + n,
                record % 250,
                n % 250,
                n % 250,
                50_000 + n,
                n + 40,
                n * 130 + 5200,
                n + 38,
                n * 150 + 6100
            );
        }
        text.push_str("]}]}]}}");
    }
    text.push_str("]}");
    text
}

fn into_batches(bytes: &[u8]) -> u64 {
    let partner: PartnerTenantId = "partner".parse().expect("a word");
    // Of bytes it would be a hash of them all; files have it from their path.
    let statement = Statement::of_run("run", "part", 1, DateTime::UNIX_EPOCH);
    let reading = Reading {
        partner_tenant_id: &partner,
        arrived_at: DateTime::UNIX_EPOCH,
        rows_per_batch: 16_384,
        statement: Some(statement),
    };
    let mut sink = |item: Item| {
        black_box(&item);
        Ok(())
    };
    let summary = read_bytes("bench", bytes, &reading, &mut sink).expect("the sink takes all");
    assert_eq!(summary.rejected, 0);
    summary.read
}

fn into_values(text: &str) -> u64 {
    let values = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>();
    values.map(|value| u64::from(black_box(value).is_ok())).sum()
}

/// What the CSV library alone takes: lines cut into fields, and nothing made of them.
fn into_lines(text: &str) -> u64 {
    let mut csv = csv::ReaderBuilder::new().buffer_capacity(64 * 1024).from_reader(text.as_bytes());
    let mut record = csv::ByteRecord::new();
    let mut lines = 0;
    while csv.read_byte_record(&mut record).expect("it is CSV") {
        black_box(&record);
        lines += 1;
    }
    lines
}

fn parse(criterion: &mut Criterion) {
    for (kind, text) in [("activity", activity()), ("cost", cost()), ("flow", flow())] {
        let records = into_batches(text.as_bytes());
        let mut group = criterion.benchmark_group(kind);
        group.sample_size(10);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::new("bytes", records), &text, |bencher, text| {
            bencher.iter(|| into_batches(text.as_bytes()));
        });
        group.throughput(Throughput::Elements(records));
        group.bench_with_input(BenchmarkId::new("records", records), &text, |bencher, text| {
            bencher.iter(|| into_batches(text.as_bytes()));
        });
        if kind == "cost" {
            group.bench_with_input(BenchmarkId::new("csv_lines", records), &text, |bencher, text| {
                bencher.iter(|| into_lines(text));
            });
        } else {
            group.throughput(Throughput::Bytes(text.len() as u64));
            group.bench_with_input(BenchmarkId::new("serde_json_value", records), &text, |bencher, text| {
                bencher.iter(|| into_values(text));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, parse);
criterion_main!(benches);
