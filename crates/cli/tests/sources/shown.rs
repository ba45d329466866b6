//! What `sources status` shows of each customer and kind.

use std::fs;

use serde_json::Value;

use super::{Here, record};

const CUSTOMER: &str = "0f0e0d0c-3333-4000-8000-00000000000c";

#[test]
fn freshness_is_shown_for_each_customer_and_kind() {
    let here = Here::new();
    let file = here.folder.path().join("PT1H.json");
    let of_customer = record("VM1").replacen('{', &format!("{{\"tenantId\":\"{CUSTOMER}\","), 1);
    let bad = "{\"time\":\"soon\",\"operationName\":\"a/b/write\",\"resourceId\":\"/subscriptions/s\"}";
    fs::write(&file, format!("{of_customer}\n{bad}\n")).unwrap();
    let cost = here.folder.path().join("cost.csv");
    fs::write(
        &cost,
        "SubscriptionId,Date,MeterCategory,Quantity,CostInBillingCurrency,BillingCurrencyCode,ChargeType,CustomerTenantId\n\
         0f0e0d0c-0000-4000-8000-000000000001,2031-02-03,Storage,1,2,EUR,Usage,0f0e0d0c-3333-4000-8000-00000000000c\n",
    )
    .unwrap();
    here.ok(&["ingest", file.to_str().unwrap(), cost.to_str().unwrap()]);

    let status = here.status();
    let lines = status["coverage"].as_array().unwrap();
    let line = |kind: &str| {
        let is_meant = |line: &&Value| line["kind"] == kind && line["customerTenantId"] == CUSTOMER;
        lines.iter().find(is_meant).unwrap_or_else(|| panic!("{kind}: {status:#}")).clone()
    };
    for kind in ["activity", "cost"] {
        let line = line(kind);
        assert_eq!(line["stored"], 1, "{line}");
        let at = |name: &str| line[name].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        assert_eq!(at("lastEventDateTime").date_naive().to_string(), "2031-02-03");
        assert!(at("lastArrivalDateTime") <= chrono::Utc::now());
        let lag = (chrono::Utc::now() - at("lastEventDateTime")).num_seconds();
        assert!((lag - line["lagSeconds"].as_i64().unwrap()).abs() < 600, "{line}");
        for (name, is_right) in [
            ("eventsPerDay", line["eventsPerDay"].is_number()),
            ("rejected", line["rejected"].is_u64()),
            ("silent", line["silent"].is_boolean()),
        ] {
            assert!(is_right, "{name}: {line}");
        }
    }
    let rejected: u64 = lines.iter().map(|line| line["rejected"].as_u64().unwrap()).sum();
    assert!(rejected <= 1, "{status:#}");

    let table = here.ok(&["sources", "status"]);
    let heads: Vec<&str> =
        table.lines().next().unwrap().split("  ").map(str::trim).filter(|head| !head.is_empty()).collect();
    assert_eq!(
        heads,
        ["customer", "kind", "last event", "last arrival", "lag", "per day", "stored", "rejected", "state"]
    );
    let row = table.lines().find(|line| line.contains(CUSTOMER) && line.contains("cost")).unwrap();
    assert!(row.contains("2031-02-03 00:00Z"), "{row}");
    let only_cost = here.ok(&["sources", "status", "--kind", "cost", "--subscriptions"]);
    assert!(only_cost.contains("0f0e0d0c-0000-4000-8000-000000000001") && !only_cost.contains("activity"));
}
