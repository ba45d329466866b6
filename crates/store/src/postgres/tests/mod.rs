//! What holds of PostgreSQL alone, and the shared suite run on it.

mod connect;
mod plans;
mod tls;
mod together;

use tokio::runtime::Runtime;

use crate::testing::postgres::temporary_postgres;
use crate::testing::properties;

crate::store_suite!(temporary_postgres().await);

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
