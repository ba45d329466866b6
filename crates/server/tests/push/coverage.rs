//! Which customers are covered, and what of theirs was rejected.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use chrono::Utc;
use datafusion::arrow::array::AsArray as _;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::prelude::SessionContext;
use graph::auth::READ;
use serde_json::Value;
use server::app::{customers, ingestion, keys};
use server::config::{DEFAULT_PARTNER_TENANT, Settings};
use store::CoverageQuery;

use super::{CUSTOMER, Here, OTHER, activity, json_of};

/// What the coverage says was rejected: kind, customer, count.
async fn rejected(here: &Here) -> Vec<(String, String, u64)> {
    let query = CoverageQuery::default();
    let coverage = here.instance.store.coverage(&here.instance.scope(), &query).await.unwrap();
    coverage
        .into_iter()
        .filter(|entry| entry.rejected > 0)
        .map(|entry| {
            let customer = entry.customer_tenant_id.map(|id| id.to_string()).unwrap_or_default();
            (entry.kind, customer, entry.rejected)
        })
        .collect()
}

fn count(kind: &str, customer: &str, rejected: u64) -> (String, String, u64) {
    (kind.to_owned(), customer.to_owned(), rejected)
}

/// A flow record of a network security group that nobody's tenant is named in; `odd` is a tuple that is none.
fn flows(subscription: &str, odd: bool) -> String {
    let second = if odd { r#","odd""# } else { "" };
    format!(
        r#"{{"time":"2031-02-03T04:05:06Z","category":"NetworkSecurityGroupFlowEvent","resourceId":"/SUBSCRIPTIONS/{subscription}/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/NSG","operationName":"NetworkSecurityGroupFlowEvents","properties":{{"Version":2,"flows":[{{"rule":"r","flows":[{{"mac":"000D3AF87856","flowTuples":["1927000000,10.0.0.4,198.51.100.7,50112,3333,T,O,A,C,40,5200,38,6100"{second}]}}]}}]}}}}"#
    )
}

/// A file of one good record and of rejected ones of three sorts.
fn mixed(machine: &str) -> String {
    [
        activity(1, machine, Some(CUSTOMER)),
        activity(1, "vm9", None).replace("2031-02-03T04:05:06Z", "never"),
        flows("s-1", true),
        "{\"time\":\"never\"".to_owned(),
    ]
    .join("\n")
}

async fn ingest(here: &Here, text: &str) {
    let file = here.instance.data_dir.root().join("one-off.json");
    fs::write(&file, text).unwrap();
    let files = ingest::discover(&[file]).unwrap();
    ingestion::ingest(here.instance.clone(), files, Utc::now(), Arc::new(AtomicU64::new(0))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_records_count_for_their_kind_whichever_way_they_came() {
    let exports = tempfile::tempdir().unwrap();
    let here = Here::new(super::sources::following(exports.path())).await;
    let all = |activity, flow, unknown| {
        [count("activity", "", activity), count("flow", "", flow), count("unknown", "", unknown)]
    };
    here.push("any", mixed("vm1")).await;
    assert_eq!(rejected(&here).await, all(1, 1, 1), "pushed");
    ingest(&here, &mixed("vm2")).await;
    assert_eq!(rejected(&here).await, all(2, 2, 2), "taken in from a file");
    fs::write(exports.path().join("PT1H.json"), mixed("vm3")).unwrap();
    let mut followed = Vec::new();
    for _ in 0..600 {
        followed = rejected(&here).await;
        if followed == all(3, 3, 3) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(followed, all(3, 3, 3), "from a folder that is followed");
    let metrics = here.client.get(format!("{}metrics", here.url)).bearer_auth(here.token(READ, None));
    let metrics = String::from_utf8(metrics.send().await.unwrap().bytes().await.unwrap().to_vec()).unwrap();
    assert!(metrics.contains("tenantwatch_records_rejected_total{kind=\"flow\"} 3"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_customers_key_sends_and_cannot_be_read_is_the_customers() {
    let here = Here::new(Settings::default()).await;
    let (customer, now) = (CUSTOMER.parse().unwrap(), Utc::now());
    let (key, secret) = keys::new_key(&here.instance.partner, customer, &[], None, now, None);
    here.instance.store.add_ingest_key(&here.instance.scope(), &key, &keys::hash(&secret)).await.unwrap();
    // Of what is sent as of a kind, also that counts which does not tell its kind.
    let body = activity(1, "vm1", None) + "\n{\"time\":\"never\"\n";
    assert_eq!(json_of(here.post(&secret, "activity", body).await).await["quarantined"], 1);
    assert_eq!(rejected(&here).await, [count("activity", CUSTOMER, 1)]);
}

async fn get(here: &Here, path: &str, customer: Option<&str>) -> Value {
    let request = here.client.get(format!("{}{path}", here.url)).bearer_auth(here.token(READ, customer));
    json_of(request.send().await.unwrap()).await
}

async fn import(here: &Here, csv: &str) {
    let list = customers::read(csv).unwrap();
    assert_eq!(list.rejected, []);
    let (store, scope) = (&here.instance.store, here.instance.scope());
    store.import_customers(&scope, &list.customers, &list.subscriptions, Utc::now()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn imported_customers_that_never_sent_anything_are_found() {
    let here = Here::new(Settings::default()).await;
    import(&here, &format!("customerTenantId,name\n{CUSTOMER},Contoso\n{OTHER},Fabrikam\n")).await;
    here.push("activity", activity(1, "vm1", Some(CUSTOMER))).await;
    let unseen = async |path: &str, customer: Option<&str>| {
        let reply = get(&here, path, customer).await;
        let names = reply["value"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap());
        (names.collect::<Vec<_>>().join(" "), reply["nextLink"].as_str().unwrap_or_default().to_owned())
    };
    let all = "tenantwatch/v1/customers";
    assert_eq!(unseen(all, None).await.0, "Contoso Fabrikam");
    assert_eq!(unseen(&format!("{all}?seen=false"), None).await.0, "Fabrikam");
    assert_eq!(unseen(&format!("{all}?seen=true"), None).await.0, "Contoso");
    assert_eq!(unseen(&format!("{all}?seen=false"), Some(CUSTOMER)).await.0, "");
    // By pages, of one kind.
    let (first, next) = unseen(&format!("{all}?seen=false&kind=cost&top=1"), None).await;
    let (second, _) = unseen(next.trim_start_matches('/'), None).await;
    assert_eq!((first.as_str(), second.as_str()), ("Contoso", "Fabrikam"));
    let entry = get(&here, all, None).await["value"][0].clone();
    assert_eq!((&entry["seen"], &entry["subscriptions"]), (&true.into(), &1.into()));
    assert!(entry["importedDateTime"].is_string(), "{entry}");
    let wrong = get(&here, &format!("{all}?sen=false"), None).await;
    assert!(wrong["error"]["message"].as_str().unwrap().contains("The options are seen"), "{wrong}");
}

/// A column of a table, in order.
async fn column(here: &Here, query: &str) -> Vec<String> {
    let session = SessionContext::new();
    here.instance.lake.register(&session).await.unwrap();
    let mut found = Vec::new();
    for batch in session.sql(query).await.unwrap().collect().await.unwrap() {
        let texts = cast(batch.column(0), &DataType::Utf8).unwrap();
        found.extend(texts.as_string::<i32>().iter().map(|text| text.unwrap_or("-").to_owned()));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_name_no_customer_find_it_by_an_imported_subscription() {
    let here = Here::new(Settings::default()).await;
    import(&here, &format!("customerTenantId,subscriptionId,subscriptionName\n{CUSTOMER},s-1,Dev\n")).await;
    here.push("flow", flows("S-1", false)).await;
    ingest(&here, &flows("S-2", false)).await;
    let query = "select customer_tenant_id from flow order by subscription_id";
    assert_eq!(column(&here, query).await, [CUSTOMER, "-"]);
    // A record that says otherwise is kept as it is, and takes the subscription from nobody.
    here.push("activity", activity(1, "vm1", Some(OTHER))).await;
    here.push("flow", flows("S-1", false).replace("1927000000", "1927000060")).await;
    let query = "select distinct customer_tenant_id from flow where subscription_id = 's-1'";
    assert_eq!(column(&here, query).await, [CUSTOMER]);
    let query = "select customer_tenant_id from activity";
    assert_eq!(column(&here, query).await, [OTHER]);
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_are_told_apart_once_the_directory_knows_whose_subscription_it_is() {
    let here = Here::new(Settings::default()).await;
    let other_reseller = "r-2";
    let list = format!(
        "customerTenantId,resellerTenantId,subscriptionId\n{CUSTOMER},r-1,s-1\n{OTHER},{other_reseller},s-2\n"
    );
    import(&here, &list).await;
    let call = |machine: &str, caller: &str, tenant: Option<&str>| {
        let claims = format!(r#"{{"identity":{{"claims":{{"tid":"{caller}"}}}},"#);
        activity(1, machine, tenant).replacen('{', &claims, 1)
    };
    let records = [
        // Nothing but the directory tells whose subscription it is.
        call("vm1", CUSTOMER, None),
        call("vm2", "x", None),
        call("vm3", "r-1", None),
        call("vm4", other_reseller, None),
        call("vm5", DEFAULT_PARTNER_TENANT, None),
        // The record tells it.
        call("vm6", CUSTOMER, Some(CUSTOMER)),
        call("vm7", "x", Some(CUSTOMER)),
        call("vm8", "r-1", Some(CUSTOMER)),
    ];
    here.push("activity", records.join("\n")).await;
    let query = "select caller_origin from activity order by resource_id";
    let expected =
        ["customer", "foreign", "reseller", "foreign", "partner", "customer", "foreign", "reseller"];
    assert_eq!(column(&here, query).await, expected);

    // What a customer's key sends is that customer's.
    let token = here.token(graph::auth::INGEST, Some("c-9"));
    let record = call("vm9", "c-9", None).replace("/s-1/", "/s-9/");
    assert_eq!(json_of(here.post(&token, "activity", record).await).await["stored"], 1);
    let query = "select caller_origin from activity where subscription_id = 's-9'";
    assert_eq!(column(&here, query).await, ["customer"]);
}
