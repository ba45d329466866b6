//! What holds of PostgreSQL alone, and the shared suite run on it.

mod connect;
mod plans;
mod tls;
mod together;

use ::alerts::Scope;
use odata::checked::Comparison;
use tokio::runtime::Runtime;

use crate::AlertStore;
use crate::session::Session;
use crate::sql::dialect::{Dialect, Postgres};
use crate::testing::postgres::temporary_postgres;
use crate::testing::{compare, finding, paging, properties, term, time};

crate::store_suite!(temporary_postgres().await);

/// PostgreSQL's text and JSON hold no NUL, which a record of a source can spell. Its finding is not lost.
#[tokio::test]
async fn a_finding_with_a_nul_is_served_and_filtered_like_any_other() {
    let (_database, store) = temporary_postgres().await;
    let scope = Scope::Partner("p".parse().unwrap());
    let mut odd = finding("p", "pool", "2031-02-03T04:00:00Z");
    odd.description = "a\0b".to_owned();
    odd.details = [("Odd", "x\0y"), ("Plain", r"\u0000")]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let now = time("2031-02-03T04:30:00Z");
    let recorded = store.record_findings(&scope, std::slice::from_ref(&odd), now).await.unwrap();
    let again = store.record_findings(&scope, std::slice::from_ref(&odd), now).await.unwrap();
    assert_eq!(again.unchanged, 1);
    let alert = &recorded.raised[0].body;
    let served = store.alert(&scope, &alert.id).await.unwrap().unwrap();
    assert_eq!(served.json, serde_json::to_string(alert).unwrap());
    // No filter may hold a NUL; to the others it reads as what stands in its place.
    for (property, value) in [
        ("description", "a\u{fffd}b"),
        ("additionalDetails/Odd", "x\u{fffd}y"),
        ("additionalDetails/Plain", r"\u0000"),
    ] {
        let filter = compare(property, Comparison::Eq, value);
        assert_eq!(store.count_alerts(&scope, Some(&filter), None).await.unwrap(), 1, "{property}");
    }
    assert_eq!(store.count_alerts(&scope, None, Some(&term("x"))).await.unwrap(), 1);
}

/// Each column of the model is in the table, as an alert is written to all of them by name.
#[tokio::test]
async fn every_column_of_the_model_is_there() {
    let (_database, store) = temporary_postgres().await;
    let columns = "select column_name::text from information_schema.columns where table_name = 'alert'";
    let mut session = store.reading().await.unwrap();
    let rows = session.rows(Postgres.text(columns, Vec::new())).await.unwrap();
    let columns: Vec<String> = rows.into_iter().map(|mut row| row.text(0).unwrap()).collect();
    for property in crate::alert_model().properties {
        if let Some(crate::model::Stored::Column(name)) = crate::model::stored(property.name) {
            assert!(columns.iter().any(|column| column == name), "{}", property.name);
        }
    }
}

#[test]
fn the_database_and_the_specification_agree_on_filters() {
    let runtime = Runtime::new().unwrap();
    let (_database, store) = runtime.block_on(temporary_postgres());
    properties::filters_agree(&runtime, &*store, 400);
}

#[test]
fn the_database_and_the_specification_agree_on_searches() {
    let runtime = Runtime::new().unwrap();
    let (_database, store) = runtime.block_on(temporary_postgres());
    properties::searches_agree(&runtime, &*store, 400);
}

#[test]
fn following_the_pages_gives_each_alert_once_in_any_order() {
    let runtime = Runtime::new().unwrap();
    let (_database, store) = runtime.block_on(temporary_postgres());
    properties::pages_are_whole(&runtime, &*store, 400);
}

#[test]
fn following_the_pages_while_others_write_gives_each_steady_alert_once() {
    let runtime = Runtime::new().unwrap();
    let (_database, store) = runtime.block_on(temporary_postgres());
    paging::pages_are_whole_while_others_write(&runtime, &*store, 200);
}
