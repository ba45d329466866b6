//! How fast each kind of input becomes record batches, on one thread, in memory.
//!
//! Beside each JSON kind stands `serde_json::Value` over the same bytes, record by record: the yardstick
//! that the ingest targets are measured against; beside costs, the CSV library alone. Run with `cargo bench -p ingest`.

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

use alerts::PartnerTenantId;
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use chrono::DateTime;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ingest::{Item, Reading, Statement, read_bytes};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

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
    let reading =
        Reading { statement: Some(statement), ..Reading::new(&partner, DateTime::UNIX_EPOCH, 16_384) };
    let mut sink = |item: Item| {
        if let Item::Rejected(rejected) = &item {
            panic!("{rejected:?}");
        }
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

/// The same charges as FOCUS exports have them; the names of columns, and the lines.
fn focus_lines() -> (Vec<&'static str>, Vec<Vec<String>>) {
    let names = vec![
        "BilledCost",
        "BillingAccountId",
        "BillingCurrency",
        "BillingPeriodEnd",
        "BillingPeriodStart",
        "ChargeCategory",
        "ChargeDescription",
        "ChargePeriodEnd",
        "ChargePeriodStart",
        "ConsumedQuantity",
        "ConsumedUnit",
        "EffectiveCost",
        "PricingQuantity",
        "PricingUnit",
        "ProviderName",
        "RegionId",
        "ResourceId",
        "ServiceCategory",
        "SubAccountId",
        "SubAccountName",
        "Tags",
        "x_CustomerId",
        "x_PricingBlockSize",
        "x_ResourceGroupName",
        "x_SkuDetails",
        "x_SkuMeterCategory",
        "x_SkuMeterId",
    ];
    let line = |n: u64| {
        let subscription = format!("/subscriptions/0f0e0d0c-0000-4000-8000-{:012}", n % 50);
        let group = format!("rg-{}", n % 7);
        let day = n % 28 + 1;
        vec![
            format!("{}.25", n % 90),
            "/providers/Microsoft.Billing/billingAccounts/4711".to_owned(),
            "EUR".to_owned(),
            "2031-03-01T00:00:00Z".to_owned(),
            "2031-02-01T00:00:00Z".to_owned(),
            "Usage".to_owned(),
            "Virtual Machines Dsv5 Series - D4s v5".to_owned(),
            format!("2031-02-{day:02}T01:00:00Z"),
            format!("2031-02-{day:02}T00:00:00Z"),
            format!("{}.5", n % 24),
            "Hours".to_owned(),
            format!("{}.25", n % 90),
            format!("{}.5", n % 24),
            "Hours".to_owned(),
            "Microsoft".to_owned(),
            "westeurope".to_owned(),
            format!(
                "{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/vm{n}"
            ),
            "Compute".to_owned(),
            subscription,
            format!("Production {}", n % 50),
            r#"{"env":"prod"}"#.to_owned(),
            format!("0f0e0d0c-5555-4000-8000-{:012}", n % 20),
            "1".to_owned(),
            group,
            r#"{"ServiceType":"Standard_D4s_v5"}"#.to_owned(),
            "Virtual Machines".to_owned(),
            format!("0f0e0d0c-6666-4000-8000-{:012}", n % 40),
        ]
    };
    (names, (0..COST_LINES).map(line).collect())
}

fn focus() -> String {
    let (names, lines) = focus_lines();
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(&names).expect("in memory");
    lines.iter().for_each(|line| csv.write_record(line).expect("in memory"));
    String::from_utf8(csv.into_inner().expect("in memory")).expect("text")
}

fn parquet() -> Vec<u8> {
    let (names, lines) = focus_lines();
    let column = |(at, name): (usize, &&'static str)| -> (&'static str, ArrayRef) {
        let texts = lines.iter().map(|line| line[at].as_str());
        if name.ends_with("Cost") || name.ends_with("Quantity") {
            let numbers = texts.map(|text| text.parse().expect("a number"));
            (*name, Arc::new(numbers.collect::<Vec<f64>>().into_iter().collect::<Float64Array>()))
        } else {
            (*name, Arc::new(texts.map(Some).collect::<StringArray>()))
        }
    };
    let batch = RecordBatch::try_from_iter(names.iter().enumerate().map(column)).expect("one length");
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).expect("in memory");
    writer.write(&batch).expect("in memory");
    writer.into_inner().expect("in memory")
}

/// Partner Center's daily-rated usage.
fn usage() -> String {
    let mut text = String::new();
    for n in 0..COST_LINES {
        let _ = writeln!(
            text,
            r#"{{"PartnerId":"0f0e0d0c-bbbb-4000-8000-000000000001","PartnerName":"Fabrikam","CustomerId":"0f0e0d0c-5555-4000-8000-{:012}","CustomerName":"Contoso","CustomerDomainName":"contoso.example","CustomerCountry":"NO","MpnId":"4711","Tier2MpnId":"","InvoiceNumber":"","ProductId":"DZH318Z0BPS6","SkuId":"0001","SkuName":"Azure plan","ProductName":"Azure plan","PublisherName":"Microsoft","SubscriptionDescription":"Azure plan","SubscriptionId":"0f0e0d0c-9999-4000-8000-000000000001","ChargeStartDate":"2031-02-01T00:00:00Z","ChargeEndDate":"2031-02-28T00:00:00Z","UsageDate":"2031-02-{:02}T00:00:00Z","MeterType":"1 Compute Hour","MeterCategory":"Virtual Machines","MeterId":"0f0e0d0c-6666-4000-8000-{:012}","MeterSubCategory":"Dsv5 Series","MeterName":"D4s v5","MeterRegion":"EU West","Unit":"1 Hour","ResourceLocation":"EUWEST","ConsumedService":"Microsoft.Compute","ResourceGroup":"rg-{}","ResourceURI":"/subscriptions/0f0e0d0c-0000-4000-8000-{:012}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm{n}","ChargeType":"new","UnitPrice":0.192,"Quantity":{}.5,"UnitType":"1 Hour","BillingPreTaxTotal":{}.25,"BillingCurrency":"EUR","PricingPreTaxTotal":{}.25,"PricingCurrency":"USD","Tags":"{{\"env\":\"prod\"}}","AdditionalInfo":"{{\"ServiceType\":\"Standard_D4s_v5\"}}","EffectiveUnitPrice":0.192,"PCToBCExchangeRate":0.9,"EntitlementId":"0f0e0d0c-0000-4000-8000-{:012}","EntitlementDescription":"Production"}}"#,
            n % 20,
            n % 28 + 1,
            n % 40,
            n % 7,
            n % 50,
            n % 24,
            n % 90,
            n % 90,
            n % 50
        );
    }
    text
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

/// Costs in their other forms, by the record.
fn costs(criterion: &mut Criterion) {
    let forms = [
        ("cost_focus_csv", focus().into_bytes()),
        ("cost_focus_parquet", parquet()),
        ("cost_usage_json", usage().into_bytes()),
    ];
    for (form, bytes) in forms {
        let records = into_batches(&bytes);
        let mut group = criterion.benchmark_group(form);
        group.sample_size(10);
        group.throughput(Throughput::Elements(records));
        group.bench_with_input(BenchmarkId::new("records", records), &bytes, |bencher, bytes| {
            bencher.iter(|| into_batches(bytes));
        });
        group.finish();
    }
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

criterion_group!(benches, parse, costs);
criterion_main!(benches);
