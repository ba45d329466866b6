//! Costs: one normalised row of each dataset and form, and what ties files of a run together.

#![expect(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

mod rows;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow_array::{
    ArrayRef, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use flate2::Compression;
use flate2::write::GzEncoder;
use ingest::schema::Kind;
use ingest::{InputFile, Item, Reading, Statement, read_bytes, read_file};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use rows::{Outcome, arrival, read};
use serde_json::{Value, json};

const AZURE: &str = "0f0e0d0c-0000-4000-8000-000000000001";
const CUSTOMER: &str = "0f0e0d0c-5555-4000-8000-00000000000e";
const MACHINE: &str = "/subscriptions/0f0e0d0c-0000-4000-8000-000000000001/resourceGroups/RG-A/providers/Microsoft.Compute/virtualMachines/VM07";
const INFO: &str = r#"{"ServiceType":"Standard_NC24ads_A100_v4","VMName":"VM07"}"#;

/// A CSV of one line from names and values.
fn csv(fields: &[(&str, &str)]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(fields.iter().map(|(name, _)| name)).unwrap();
    writer.write_record(fields.iter().map(|(_, value)| value)).unwrap();
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

/// Enterprise agreement before 2019: spaces in names, a numeric subscription, month first.
fn old_ea() -> Vec<(&'static str, &'static str)> {
    vec![
        ("AccountOwnerId", "ann@contoso.example"),
        ("SubscriptionId", "4711"),
        ("SubscriptionGuid", AZURE),
        ("Subscription Name", "Production"),
        ("Date", "02/03/2031"),
        ("Product", "Virtual Machines NCads A100 v4 Series - NC24ads A100 v4 - BR South"),
        ("Meter ID", "M-1"),
        ("Meter Category", "Virtual Machines"),
        ("Meter Sub-Category", "NCads A100 v4 Series"),
        ("Meter Region", "BR South"),
        ("Meter Name", "NC24ads A100 v4"),
        ("Consumed Quantity", "24"),
        ("ResourceRate", "3.673"),
        ("ExtendedCost", "88.152"),
        ("Resource Location", "Unassigned"),
        ("Consumed Service", "Microsoft.Compute"),
        ("Instance ID", MACHINE),
        ("AdditionalInfo", INFO),
        ("Tags", ""),
        ("Unit Of Measure", "10 Hours"),
        ("Resource Group", "RG-A"),
    ]
}

/// Enterprise agreement: month first, `AdditionalInfo` without its braces.
fn ea() -> Vec<(&'static str, &'static str)> {
    vec![
        ("SubscriptionId", AZURE),
        ("SubscriptionName", "Production"),
        ("Date", "02/03/2031"),
        ("BillingPeriodEndDate", "02/28/2031"),
        ("MeterId", "M-1"),
        ("MeterCategory", "Virtual Machines"),
        ("MeterSubCategory", "NCads A100 v4 Series"),
        ("MeterRegion", "BR South"),
        ("MeterName", "NC24ads, A100 v4"),
        ("Quantity", "24"),
        ("EffectivePrice", "3.673"),
        ("Cost", "88.152"),
        ("UnitPrice", "36.73"),
        ("BillingCurrency", "eur"),
        ("ResourceLocation", "BR South"),
        ("ConsumedService", "Microsoft.Compute"),
        ("ResourceId", MACHINE),
        ("AdditionalInfo", r#""ServiceType":"Standard_M8-2ms""#),
        ("Tags", "{\"note\":\"two\nlines\"}"),
        ("UnitOfMeasure", "10 Hours"),
        ("ResourceGroup", "RG-A"),
        ("ChargeType", "Usage"),
        ("PublisherType", "Azure"),
    ]
}

/// Customer agreement: costs in several currencies.
fn mca() -> Vec<(&'static str, &'static str)> {
    vec![
        ("invoiceId", ""),
        ("SubscriptionId", AZURE),
        ("subscriptionName", "Production"),
        ("date", "02/03/2031"),
        ("billingPeriodEndDate", "02/28/2031"),
        ("meterId", "m-1"),
        ("meterName", "Hot LRS Write Operations"),
        ("quantity", "250000"),
        ("unitOfMeasure", "10K"),
        ("effectivePrice", "0.000005"),
        ("costInBillingCurrency", "1.15"),
        ("costInPricingCurrency", "1.25"),
        ("costInUsd", "1.25"),
        ("billingCurrency", "EUR"),
        ("pricingCurrency", "USD"),
        ("resourceLocation", "westeurope"),
        ("consumedService", "Microsoft.Storage"),
        ("ResourceId", ""),
        ("resourceGroupName", "rg-a"),
        ("chargeType", "Usage"),
        ("publisherType", "Microsoft"),
    ]
}

/// CSP partner: who the customer and the reseller are, ISO dates.
fn csp() -> Vec<(&'static str, &'static str)> {
    let of_partner = [
        ("partnerName", "Fabrikam"),
        ("resellerName", "Proseware"),
        ("resellerMpnId", "4711"),
        ("customerTenantId", "0F0E0D0C-5555-4000-8000-00000000000E"),
        ("customerName", "Contoso"),
    ];
    let mut fields = [&of_partner[..], &mca()[..]].concat();
    fields.retain(|(name, _)| *name != "date" && *name != "billingPeriodEndDate");
    fields.push(("date", "2031-02-03"));
    fields
}

/// FOCUS 1.0 with Microsoft's own columns.
fn focus() -> Vec<(&'static str, &'static str)> {
    vec![
        ("BilledCost", "88.152"),
        ("BillingCurrency", "EUR"),
        ("BillingPeriodEnd", "2031-03-01T00:00:00Z"),
        ("ChargeCategory", "Usage"),
        ("ChargeDescription", "NC24ads A100 v4"),
        ("ChargePeriodStart", "2031-02-03T04:00:00Z"),
        ("ChargePeriodEnd", "2031-02-03T05:00:00Z"),
        ("ConsumedQuantity", "24"),
        ("ConsumedUnit", "Hours"),
        ("EffectiveCost", "80.5"),
        ("PricingQuantity", "2.4"),
        ("PricingUnit", "Hours"),
        ("RegionId", "brazilsouth"),
        ("RegionName", "Brazil South"),
        ("ResourceId", MACHINE),
        ("ServiceCategory", "Compute"),
        ("SubAccountId", "/subscriptions/0F0E0D0C-0000-4000-8000-000000000001"),
        ("SubAccountName", "Production"),
        ("Tags", r#"{"env":"prod"}"#),
        ("x_BilledCostInUsd", "95.5"),
        ("x_BilledUnitPrice", "36.73"),
        ("x_CustomerId", CUSTOMER),
        ("x_CustomerName", "Contoso"),
        ("x_PricingBlockSize", "10"),
        ("x_PricingCurrency", "USD"),
        ("x_PricingUnitDescription", "10 Hours"),
        ("x_PublisherCategory", "Cloud Provider"),
        ("x_ResellerId", "4711"),
        ("x_ResourceGroupName", "RG-A"),
        ("x_SkuDetails", INFO),
        ("x_SkuMeterCategory", "Virtual Machines"),
        ("x_SkuMeterId", "M-1"),
        ("x_SkuMeterName", "NC24ads A100 v4"),
        ("x_SkuRegion", "BR South"),
    ]
}

/// FOCUS 1.2 as the specification has it, without columns of a provider's own, and with those that came after 1.0:
/// FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec, specification/columns.
fn focus_1_2() -> Vec<(&'static str, &'static str)> {
    vec![
        ("BilledCost", "88.152"),
        ("BillingAccountId", "1"),
        ("BillingAccountType", "Billing Profile"),
        ("BillingCurrency", "EUR"),
        ("BillingPeriodEnd", "2031-03-01T00:00:00Z"),
        ("BillingPeriodStart", "2031-02-01T00:00:00Z"),
        ("CapacityReservationId", "NULL"),
        ("CapacityReservationStatus", "NULL"),
        ("ChargeCategory", "Usage"),
        ("ChargeDescription", "NC24ads A100 v4"),
        ("ChargePeriodEnd", "2031-02-03T05:00:00Z"),
        ("ChargePeriodStart", "2031-02-03T04:00:00Z"),
        ("CommitmentDiscountQuantity", "0"),
        ("CommitmentDiscountUnit", "NULL"),
        ("ConsumedQuantity", "24"),
        ("ConsumedUnit", "Hours"),
        ("ContractedUnitPrice", "3.673"),
        ("EffectiveCost", "80.5"),
        ("InvoiceId", "G1"),
        ("PricingCurrency", "usd"),
        ("PricingCurrencyContractedUnitPrice", "3.98"),
        ("PricingCurrencyEffectiveCost", "87.2"),
        ("PricingCurrencyListUnitPrice", "4.1"),
        ("PricingQuantity", "24"),
        ("PricingUnit", "Hours"),
        ("RegionId", "brazilsouth"),
        ("ResourceId", MACHINE),
        ("ServiceCategory", "Compute"),
        ("ServiceSubcategory", "Virtual Machines"),
        ("SkuId", "S-1"),
        ("SkuMeter", "NC24ads A100 v4"),
        ("SkuPriceDetails", r#"{"CoreCount":24,"InstanceType":"Standard_NC24ads_A100_v4"}"#),
        ("SkuPriceId", "P-1"),
        ("SubAccountId", AZURE),
        ("SubAccountName", "Production"),
        ("SubAccountType", "Subscription"),
        ("Tags", r#"{"env":"prod"}"#),
    ]
}

/// Partner Center's daily-rated usage.
fn usage() -> Value {
    json!({
        "PartnerId": "0f0e0d0c-bbbb-4000-8000-00000000000b", "PartnerName": "Fabrikam", "CustomerId": CUSTOMER,
        "CustomerName": "Contoso", "CustomerDomainName": "contoso.example", "CustomerCountry": "NO",
        "MpnId": "1", "Tier2MpnId": "4711", "InvoiceNumber": "", "SkuName": "x",
        "SubscriptionDescription": "Azure plan", "SubscriptionId": "0f0e0d0c-9999-4000-8000-000000000009",
        "ChargeStartDate": "2031-02-01T00:00:00Z", "ChargeEndDate": "2031-02-28T00:00:00Z",
        "UsageDate": "2031-02-03T00:00:00Z", "MeterCategory": "Virtual Machines", "MeterId": "m-1",
        "MeterSubCategory": "NCads A100 v4 Series", "MeterName": "NC24ads A100 v4", "MeterRegion": "BR South",
        "Unit": "1 Hour", "ResourceLocation": "BRSOUTH", "ConsumedService": "Microsoft.Compute",
        "ResourceGroup": "RG-A", "ResourceURI": MACHINE, "ChargeType": "new", "UnitPrice": 3.673,
        "Quantity": "24", "UnitType": "1 Hour", "BillingPreTaxTotal": 88.152, "BillingCurrency": "NOK",
        "PricingPreTaxTotal": "8.25", "PricingCurrency": "USD", "Tags": "", "AdditionalInfo": INFO,
        "EffectiveUnitPrice": 3.5, "PCToBCExchangeRate": 10.7, "EntitlementId": AZURE,
        "EntitlementDescription": "Production", "PartnerEarnedCreditPercentage": 15,
    })
}

fn only(outcome: &Outcome) -> Value {
    assert_eq!(outcome.reasons(), Vec::<String>::new());
    let mut rows = outcome.rows(Kind::Cost);
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

#[test]
fn headers_of_every_agreement() {
    for (name, fields) in [
        ("old_ea", old_ea()),
        ("ea", ea()),
        ("mca", mca()),
        ("csp", csp()),
        ("focus", focus()),
        ("focus_1_2", focus_1_2()),
    ] {
        insta::assert_json_snapshot!(name, only(&read(csv(&fields).as_bytes())));
    }
}

#[test]
fn usage_of_partner_center() {
    insta::assert_json_snapshot!(only(&read(usage().to_string().as_bytes())));
}

/// Names come in any case, values as texts or numbers, files as gzip; the portal gives CSV.
#[test]
fn usage_is_one_in_every_form() {
    let told = |outcome: &Outcome| {
        let mut row = only(outcome);
        for of_file in ["event_id", "statement_id"] {
            row.as_object_mut().unwrap().remove(of_file);
        }
        row
    };
    let expected = told(&read(usage().to_string().as_bytes()));
    let camel: serde_json::Map<String, Value> = usage()
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name[..1].to_lowercase() + &name[1..], value.clone()))
        .collect();
    let line = Value::Object(camel).to_string();
    assert_eq!(told(&read(line.as_bytes())), expected);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(line.as_bytes()).unwrap();
    assert_eq!(told(&read(&gzip.finish().unwrap())), expected);
    let fields: Vec<(String, String)> = usage()
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect();
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(told(&read(csv(&fields).as_bytes())), expected);
}

#[test]
fn datasets_are_told_apart() {
    let dataset = |text: &str| read(text.as_bytes()).column(Kind::Cost, "dataset");
    let changed = |mut fields: Vec<(&'static str, &'static str)>,
                   changes: &[(&'static str, &'static str)]| {
        fields.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        csv(&[&fields[..], changes].concat())
    };
    assert_eq!(dataset(&csv(&ea())), ["actual"]);
    assert_eq!(dataset(&csv(&focus())), ["focus"]);
    assert_eq!(dataset(&changed(ea(), &[("ReservationId", "r-1")])), ["amortized"]);
    assert_eq!(dataset(&changed(ea(), &[("ReservationId", "r-1"), ("Cost", "0")])), ["actual"]);
    assert_eq!(dataset(&changed(ea(), &[("ReservationId", "r-1"), ("ChargeType", "Purchase")])), ["actual"]);
    assert_eq!(dataset(&changed(ea(), &[("ChargeType", "UnusedReservation")])), ["amortized"]);
    let billed = usage().to_string().replace("\"InvoiceNumber\":\"\"", "\"InvoiceNumber\":\"G1\"");
    assert_eq!(dataset(&format!("{}\n{billed}", usage())), ["unbilled", "billed"]);

    let amortized = read(changed(ea(), &[("ChargeType", "UnusedReservation")]).as_bytes());
    assert_eq!(amortized.column(Kind::Cost, "effective_cost"), ["88.152"]);
}

#[test]
fn quantities_are_in_units() {
    let check = |fields: &[(&str, &str)], quantity: &str, unit: &str| {
        let outcome = read(csv(fields).as_bytes());
        assert_eq!(outcome.column(Kind::Cost, "usage_quantity"), [quantity], "{fields:?}");
        assert_eq!(outcome.column(Kind::Cost, "usage_unit"), [unit], "{fields:?}");
    };
    // Cost Management counts units, whatever block they are priced in.
    let base = [("Date", "2031-02-03"), ("SubscriptionId", "s-1"), ("Quantity", "24")];
    check(&[&base[..], &[("UnitOfMeasure", "100 Hours")]].concat(), "24.0", "Hours");
    let base = [("ChargePeriodStart", "2031-02-03"), ("BilledCost", "1"), ("SubAccountId", "s-1")];
    let priced =
        [("PricingQuantity", "2.4"), ("PricingUnit", "Hours"), ("x_PricingUnitDescription", "10 Hours")];
    check(&[&base[..], &priced].concat(), "24.0", "Hours");
    check(&[&base[..], &priced, &[("x_PricingBlockSize", "100")]].concat(), "240.0", "Hours");
    check(
        &[&base[..], &priced, &[("ConsumedQuantity", "7"), ("ConsumedUnit", "Days")]].concat(),
        "7.0",
        "Days",
    );
}

/// The only cost is in the currency of the prices.
#[test]
fn a_cost_keeps_its_currency() {
    let mut fields = mca();
    fields.retain(|(name, _)| !matches!(*name, "costInBillingCurrency" | "billingCurrency"));
    let row = only(&read(csv(&fields).as_bytes()));
    assert_eq!((&row["cost"], &row["currency"]), (&json!(1.25), &json!("USD")));
}

/// A file of Parquet from columns.
fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    let properties = WriterProperties::builder()
        .set_compression(parquet::basic::Compression::SNAPPY)
        .set_max_row_group_row_count(Some(2))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn texts(fields: &[(&'static str, &'static str)]) -> Vec<(&'static str, ArrayRef)> {
    let column = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec![value])) };
    fields.iter().map(|(name, value)| (*name, column(value))).collect()
}

#[test]
fn parquet_and_csv_agree() {
    for fields in [ea(), mca(), csp(), focus()] {
        let told = |outcome: &Outcome| {
            let mut row = only(outcome);
            for of_file in ["event_id", "statement_id"] {
                row.as_object_mut().unwrap().remove(of_file);
            }
            row
        };
        let expected = told(&read(csv(&fields).as_bytes()));
        assert_eq!(told(&read(&parquet(texts(&fields)))), expected, "all as text");

        let mut columns = texts(&fields);
        for (name, array) in &mut columns {
            let typed: Option<ArrayRef> = match *name {
                "Quantity" | "ConsumedQuantity" => Some(Arc::new(Int64Array::from(vec![24]))),
                "quantity" => Some(Arc::new(Float64Array::from(vec![250_000.0]))),
                "BilledCost" | "Cost" => Some(Arc::new(
                    Decimal128Array::from(vec![88_152_000]).with_precision_and_scale(38, 6).unwrap(),
                )),
                "ChargePeriodStart" => Some(Arc::new(
                    TimestampMillisecondArray::from(vec![1_927_857_600_000]).with_timezone("UTC"),
                )),
                _ => None,
            };
            if let Some(typed) = typed {
                *array = typed;
            }
        }
        assert_eq!(told(&read(&parquet(columns))), expected, "typed");
    }
}

#[test]
fn rows_of_parquet_are_rejected_one_by_one() {
    let bytes = parquet(vec![
        (
            "Date",
            Arc::new(StringArray::from(vec![
                Some("2031-02-03"),
                None,
                Some("odd"),
                Some("2031-02-04"),
                Some("2031-02-05"),
            ])),
        ),
        ("SubscriptionId", Arc::new(StringArray::from(vec!["s-1"; 5]))),
        ("Quantity", Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0, f64::NAN, 5.0]))),
    ]);
    let outcome = read(&bytes);
    insta::assert_snapshot!(outcome.reasons().join("\n"), @r"
    2: no date, so the line belongs to no day; fill its date column
    3: unusable date `odd`: YYYY-MM-DD or MM/DD/YYYY, as elsewhere in this file, is expected
    4: `NaN` in the Quantity column is no number that can be counted
    ");
    assert_eq!(outcome.column(Kind::Cost, "quantity"), ["1.0", "5.0"]);
    assert!(outcome.rejected.iter().all(|rejected| !rejected.is_complete));
    assert_eq!(outcome.rejected[1].record, r#"{"date":"odd","entitlementid":"s-1","quantity":"3"}"#);
}

#[test]
fn other_files_of_parquet_are_refused() {
    let mut shown = String::new();
    let mut show = |name: &str, bytes: &[u8]| {
        let reasons = read(bytes).reasons();
        shown.push_str(&format!("{name}: {}\n", reasons.join("; ")));
    };
    let sound = parquet(texts(&ea()));
    show("other columns", &parquet(texts(&[("name", "apple"), ("price", "3")])));
    show("cut", &sound[..sound.len() - 20]);
    show("magic alone", b"PAR1");
    let mut encrypted = sound.clone();
    let end = encrypted.len();
    encrypted[end - 1] = b'E';
    show("encrypted", &encrypted);
    let mut long = sound.clone();
    long[end - 8..end - 4].copy_from_slice(&u32::MAX.to_le_bytes());
    show("long footer", &long);
    insta::assert_snapshot!(shown, @r"
    other columns: 1: not a known kind: a Parquet file without the columns of a cost export (a date, and a cost or a quantity)
    cut: 1: the Parquet file cannot be read from row 1 on: it has no footer, as if it were cut; copy it again
    magic alone: 1: the Parquet file cannot be read from row 1 on: it is too short; copy it again
    encrypted: 1: this Parquet file is encrypted; export it without
    long footer: 1: the Parquet file cannot be read from row 1 on: its footer has an impossible length; copy it again
    ");
}

fn part(bytes: &[u8], statement: Statement) -> Vec<(String, String)> {
    let partner = "partner-1".parse().unwrap();
    let reading = Reading { statement: Some(statement), ..Reading::new(&partner, arrival(), 100) };
    let mut outcome = Vec::new();
    let mut sink = |item| {
        if let Item::Batch(batch) = item {
            outcome.push(batch);
        }
        Ok(())
    };
    let summary = read_bytes("part", bytes, &reading, &mut sink).unwrap();
    let outcome = Outcome { summary, batches: outcome, rejected: Vec::new() };
    let column = |name: &str| outcome.column(Kind::Cost, name);
    column("event_id").into_iter().zip(column("statement_id")).collect()
}

/// Amounts go from A to B and back to A, and lines vanish: each statement is whole, with ids of its own.
#[test]
fn statements_replace_each_other() {
    let first = csv(&ea());
    let line = first.split_once('\n').unwrap().1;
    let second = first.replace("88.152", "91.5") + line;
    let statement = |run: &str, hours: i64| {
        Statement::of_run(run, "part_0", 1, arrival() + chrono::Duration::hours(hours))
    };
    let stated = [
        part(first.as_bytes(), statement("run-1", 0)),
        part(second.as_bytes(), statement("run-2", 1)),
        part(first.as_bytes(), statement("run-3", 2)),
    ];
    let mut events: Vec<&String> = stated.iter().flatten().map(|(event, _)| event).collect();
    events.sort();
    events.dedup();
    assert_eq!(
        events.len(),
        4,
        "no line of a statement is taken for one of another, nor equal lines for one"
    );
    assert_eq!(stated[1][0].1, stated[1][1].1);
    assert_ne!(stated[0][0].1, stated[2][0].1);
    assert_eq!(part(first.as_bytes(), statement("run-1", 0)), stated[0], "the same file again is the same");
}

/// A manifest that the caller has says more than names and lines do.
#[test]
fn the_caller_may_know_the_dataset() {
    let partner = "partner-1".parse().unwrap();
    let text = csv(&ea());
    let dataset = |name: &str, is_amortized| {
        let reading = Reading { is_amortized, ..Reading::new(&partner, arrival(), 100) };
        let mut outcome = Outcome { summary: Default::default(), batches: Vec::new(), rejected: Vec::new() };
        let mut sink = |item| {
            if let Item::Batch(batch) = item {
                outcome.batches.push(batch);
            }
            Ok(())
        };
        read_bytes(name, text.as_bytes(), &reading, &mut sink).unwrap();
        outcome.column(Kind::Cost, "dataset")
    };
    assert_eq!(dataset("part_0_0001.csv", None), ["actual"]);
    assert_eq!(dataset("part_0_0001.csv", Some(true)), ["amortized"]);
    assert_eq!(dataset("amortized/part_0_0001.csv", None), ["amortized"]);
    assert_eq!(dataset("amortized/part_0_0001.csv", Some(false)), ["actual"]);
}

/// A line that is mended leaves the ids of the others as they are.
#[test]
fn rejected_lines_have_a_place_too() {
    let text = csv(&ea());
    let line = text.split_once('\n').unwrap().1;
    let statement = Statement::of_run("run", "part", 1, arrival());
    let damaged = format!("{text}{}{line}", line.replace("02/03/2031", "soon"));
    let sound = format!("{text}{line}{line}");
    let (damaged, sound) = (part(damaged.as_bytes(), statement), part(sound.as_bytes(), statement));
    assert_eq!(damaged, [sound[0].clone(), sound[2].clone()]);
    let first = u128::from_str_radix(&sound[0].0, 16).unwrap();
    assert_eq!(first, u128::from_be_bytes(statement.part));
}

fn read_folder(folder: &Path) -> (Vec<Value>, u64) {
    let partner = "partner-1".parse().unwrap();
    let reading = Reading::new(&partner, arrival(), 100);
    let (mut rows, mut empty) = (Vec::new(), 0);
    for file in ingest::discover(&[folder.to_owned()]).unwrap() {
        let InputFile { size_bytes, .. } = file;
        let progress = AtomicU64::new(0);
        let mut batches = Vec::new();
        let mut sink = |item| {
            match item {
                Item::Batch(batch) => batches.push(batch),
                Item::Rejected(rejected) => panic!("{rejected:?}"),
            }
            Ok(())
        };
        let summary = read_file(&file, &reading, &progress, &mut sink).unwrap();
        assert_eq!(progress.into_inner(), size_bytes);
        empty += summary.empty;
        rows.extend(Outcome { summary, batches, rejected: Vec::new() }.rows(Kind::Cost));
    }
    (rows, empty)
}

#[test]
fn files_of_a_run_are_one_statement() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = json!({
        "manifestVersion": "2024-04-01", "blobCount": 2,
        "exportConfig": {"exportName": "daily", "type": "AmortizedCost"},
        "runInfo": {"runId": "0f0e0d0c-aaaa-4000-8000-00000000000a", "submittedTime": "2031-02-04T05:06:07.1234567Z"},
        "blobs": [{"blobName": "x/run/part_0.csv"}, {"blobName": "x/run/part_1.parquet"}],
    });
    fs::write(folder.path().join("manifest.json"), serde_json::to_string_pretty(&manifest).unwrap()).unwrap();
    fs::write(folder.path().join("part_0.csv"), csv(&ea())).unwrap();
    fs::write(folder.path().join("part_1.parquet"), parquet(texts(&ea()))).unwrap();
    fs::write(folder.path().join("stray.csv"), csv(&mca())).unwrap();
    let (rows, empty) = read_folder(folder.path());
    assert_eq!((rows.len(), empty), (3, 1), "a manifest is no record");
    let column = |name: &str| rows.iter().map(|row| row[name].clone()).collect::<Vec<_>>();
    let statements = column("statement_id");
    assert_eq!(statements[0], statements[1]);
    assert_ne!(statements[0], statements[2]);
    assert_eq!(column("stated_at")[..2], ["2031-02-04T05:06:07.123456+00:00"; 2]);
    assert_eq!(column("dataset"), ["amortized", "amortized", "actual"]);
    assert_eq!(read_folder(folder.path()).0, rows, "and the same when read again");
}

#[test]
fn the_public_sample_of_focus_is_read_whole() {
    let folder = std::env::var_os("TENANTWATCH_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        std::path::PathBuf::from,
    );
    let Ok(bytes) = fs::read(folder.join("cost/focus_1.0_sample_dev.csv")) else { return };
    let outcome = read(&bytes);
    assert_eq!((outcome.summary.rows(Kind::Cost), outcome.reasons()), (682, vec![]));
    assert!(outcome.column(Kind::Cost, "dataset").iter().all(|dataset| dataset == "focus"));
    assert!(outcome.rows(Kind::Cost).iter().any(|row| row["consumed_service"] == "microsoft.storage"));
}

#[test]
fn every_public_unit_is_known() {
    let folder = std::env::var_os("TENANTWATCH_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        std::path::PathBuf::from,
    );
    let Ok(mut units) = csv::Reader::from_path(folder.join("azure-facts/pricing_units.csv")) else { return };
    for record in units.records() {
        let record = record.unwrap();
        let (unit, block, name) = (&record[0], &record[2], &record[3]);
        let outcome = read(
            csv(&[
                ("ChargePeriodStart", "2031-02-03"),
                ("BilledCost", "1"),
                ("SubAccountId", "s-1"),
                ("PricingQuantity", "1"),
                ("PricingUnit", unit),
            ])
            .as_bytes(),
        );
        let found: f64 = outcome.column(Kind::Cost, "usage_quantity")[0].parse().unwrap();
        assert_eq!(found, block.parse::<f64>().unwrap(), "{unit}");
        let found = &outcome.column(Kind::Cost, "usage_unit")[0];
        assert!(found.eq_ignore_ascii_case(name), "{unit}: {found}, not {name}");
    }
}
