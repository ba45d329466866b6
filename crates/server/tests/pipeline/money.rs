//! What an incident costs, from the files of Azure to the figures.

use alerts::AlertId;
use alerts::money::{MoneyAtRisk, State};
use server::app::money::{money_as_json, rate_card, settle};
use store::{MoneyQuery, PriceQuery};

use super::*;

const NOON: &str = "2031-03-10T12:00:00Z";

/// Machines made by one caller, as an alert tells it.
const MADE: &str = "
select
  subscription_id,
  coalesce(caller_id, caller) as caller_id,
  min(event_at) as first_observed_at,
  max(event_at) as last_observed_at,
  array_agg(distinct resource_id order by resource_id) as resources,
  'machines made' as description
from activity
where operation = 'microsoft.compute/virtualmachines/write'
  and status = 'accepted'
group by subscription_id, coalesce(caller_id, caller)
";

fn path(machine: &str) -> String {
    format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/{machine}"
    )
}

/// A record about a machine, of 10 March.
fn record(time: &str, operation: &str, machine: &str, body: Option<serde_json::Value>) -> String {
    let path = path(machine).to_uppercase();
    let mut record = serde_json::json!({
        "time": format!("2031-03-10T{time}:00Z"),
        "resourceId": path,
        "operationName": format!("Microsoft.Compute/virtualMachines/{operation}").to_uppercase(),
        "category": "Administrative",
        "resultType": "Accept",
        "resultSignature": "Accepted.Created",
        "callerIpAddress": "203.0.113.9",
        "correlationId": format!("{machine}-{operation}"),
        "tenantId": CUSTOMER,
        "identity": {"claims": {"appid": "evil"}},
    });
    if let Some(body) = body {
        record["properties"] = serde_json::json!({"requestbody": body.to_string()});
    }
    record.to_string()
}

fn made(time: &str, machine: &str, size: &str, priority: &str) -> String {
    let properties = serde_json::json!({"hardwareProfile": {"vmSize": size}, "priority": priority});
    record(
        time,
        "write",
        machine,
        Some(serde_json::json!({"location": "westeurope", "properties": properties})),
    )
}

/// A bill of each day from 20 February to 9 March: an old machine, all day, and one of spare capacity.
fn bills() -> Vec<String> {
    let header = "SubscriptionId,Date,ResourceId,MeterCategory,MeterName,ResourceLocation,UnitOfMeasure,Quantity,\
                  EffectivePrice,CostInBillingCurrency,CostInUsd,BillingCurrency,AdditionalInfo,ChargeType";
    let day = |offset: i64| (at("2031-02-20T00:00:00Z") + TimeDelta::days(offset)).date_naive();
    let line = |day: chrono::NaiveDate, machine: &str, meter: &str, cost: f64| {
        format!(
            "{SUBSCRIPTION},{day},{},Virtual Machines,{meter},westeurope,1 Hour,24,{},{cost},{},EUR,\
             \"{{\"\"ServiceType\"\":\"\"Standard_D4s_v5\"\"}}\",Usage",
            path(machine),
            cost / 24.0,
            cost * 1.25
        )
    };
    let lines = (0..18).flat_map(|offset| {
        [line(day(offset), "old", "D4s v5", 4.8), line(day(offset), "batch", "D4s v5 Spot", 1.2)]
    });
    std::iter::once(header.to_owned()).chain(lines).collect()
}

async fn money(here: &Installation, id: &AlertId) -> MoneyAtRisk {
    here.instance.store.money_at_risk(&here.instance.scope(), id).await.unwrap().unwrap()
}

fn figures(money: &MoneyAtRisk) -> Vec<String> {
    let total = |total: &alerts::money::Total| {
        format!("{} {} billed {} hourly {}", total.currency, total.so_far, total.billed, total.per_hour)
    };
    money.totals.iter().map(total).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_priced_by_the_bills_and_the_rate_card() {
    let here = Installation::new(&[("deployments", MADE)]).await;
    let costs = here.write("cost.csv", &bills());
    here.take_in(&costs).await;
    let log = here.write(
        "activity.json",
        &[
            made("07:00", "vm1", "Standard_D4s_v5", "Regular"),
            made("07:00", "vm2", "Standard_D4s_v5", "Spot"),
            made("08:00", "vm3", "Standard_D16s_v5", "Regular"),
            made("08:00", "vm4", "Standard_ND96isr_H100_v5", "Regular"),
            record("10:00", "deallocate/action", "vm1", None),
            record("10:30", "start/action", "vm1", None),
            record("11:00", "delete", "vm3", None),
        ],
    );
    here.take_in(&log).await;
    let now = at(NOON);
    let raised = here.detect(now).await.raised;
    let alert = raised.iter().find(|alert| alert.body.alert_type == "Test_Deletions").unwrap();
    let id = alert.body.id.clone();

    assert!(settle(&here.instance, TimeDelta::zero(), now).await.unwrap() >= 1);
    assert_eq!(settle(&here.instance, TimeDelta::zero(), now).await.unwrap(), 0, "all is reckoned");
    let prices = here.instance.store.prices(&here.instance.scope(), &PriceQuery::default()).await.unwrap();
    let prices: Vec<String> = prices
        .iter()
        .map(|of| format!("{} {} {} {}", of.size, of.priority.as_str(), of.per_hour.micros(), of.lines))
        .collect();
    assert_eq!(prices, ["standard_d4s_v5 regular 200000 18", "standard_d4s_v5 spot 50000 18"]);
    // vm1 4.5 h at 0.20, vm2 5 h at 0.05, vm3 3 h at four times 0.20.
    let first = money(&here, &id).await;
    assert_eq!(figures(&first), ["EUR 3.55 billed 0.00 hourly 0.25"]);
    assert_eq!(first.unpriced(), 1, "of the large one nothing is known");
    let states: Vec<_> = first.parts.iter().map(|part| (part.machines.as_str(), part.state)).collect();
    assert_eq!(
        states,
        [
            ("1 × standard_nd96isr_h100_v5", State::Running),
            ("1 × standard_d4s_v5", State::Running),
            ("1 × standard_d4s_v5 (spot)", State::Running),
            ("1 × standard_d16s_v5", State::Ended),
        ]
    );

    // A rate card says what the large one costs, in a currency of its own.
    let card = r#"[{"armSkuName": "Standard_ND96isr_H100_v5", "armRegionName": "westeurope", "retailPrice": 100.0,
        "currencyCode": "USD", "unitOfMeasure": "1 Hour"}]"#;
    let card = rate_card::read(card).unwrap();
    here.instance.store.import_prices(&here.instance.scope(), &card.prices, now).await.unwrap();
    let later = now + TimeDelta::hours(1);
    settle(&here.instance, TimeDelta::zero(), later).await.unwrap();
    let second = money(&here, &id).await;
    assert_eq!(
        figures(&second),
        ["EUR 3.80 billed 0.00 hourly 0.25", "USD 500.00 billed 0.00 hourly 100.00"],
        "an hour more, and nothing else"
    );
    let list = here.instance.store.list_money(&here.instance.scope(), &MoneyQuery::default()).await.unwrap();
    let order: Vec<&str> =
        list.iter().filter(|entry| entry.money == second).map(|entry| entry.currency.as_str()).collect();
    assert_eq!(order, ["USD", "EUR"]);
    insta::assert_json_snapshot!(money_as_json("ALERT", Some(&second)));

    // The machines are deleted, and the alert is resolved.
    let gone = here.write(
        "gone.json",
        &[record("12:30", "delete", "vm4", None), record("12:30", "delete", "vm1", None)],
    );
    here.take_in(&gone).await;
    let (store, scope) = (&here.instance.store, here.instance.scope());
    let change = StatusChange { to: Status::Resolved, reason: Some(ResolvedReason::Fraud) };
    let any = store::ExpectedVersion::Any;
    let resolved_at = now + TimeDelta::hours(2);
    store.change_status(&scope, &id, change, &any, "ann", resolved_at).await.unwrap();
    settle(&here.instance, TimeDelta::zero(), now + TimeDelta::hours(5)).await.unwrap();
    let last = money(&here, &id).await;
    assert_eq!(
        figures(&last),
        ["EUR 3.75 billed 0.00 hourly 0.05", "USD 450.00 billed 0.00 hourly 0.00"],
        "as it was when the alert was resolved"
    );
    assert_eq!(last.as_of, resolved_at);
    assert_eq!(settle(&here.instance, TimeDelta::zero(), now + TimeDelta::hours(9)).await.unwrap(), 0);
}
