//! Reads from a store of 100,000 alerts: by id, the first page of 50, a filtered page of 50, a count;
//! and durable changes of status, alone and together.
//!
//! Run with `cargo bench -p store --features testing`.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;

use alerts::{Alert, Scope, Severity, Status, StatusChange};
use chrono::Duration;
use criterion::{Criterion, criterion_group, criterion_main};
use futures::future::join_all;
use odata::checked::{Comparison, Filter};
use store::testing::{AlertBuilder, compare, temporary_sqlite, time};
use store::{AlertQuery, AlertStore, ExpectedVersion, default_order};
use tokio::runtime::Runtime;

const ALERTS: usize = 100_000;

/// An alert of about 1.7 KB, the size of real ones.
fn alert(n: usize) -> Alert {
    let id = format!("{n:08x}-0000-4000-8000-{:012x}", n * 7919 % ALERTS);
    let customer = format!("customer-{}", n % 500);
    AlertBuilder::new("partner", &id)
        .of(&customer, None)
        .with(|body| {
            let minutes = i64::try_from(n * 7919 % ALERTS).unwrap();
            body.detected_date_time = time("2031-01-01T00:00:00Z") + Duration::minutes(minutes);
            body.severity = Severity::ALL[n % 4];
            body.status = Status::ALL[n % 3];
            body.description = Some("many machines in regions that were never used before. ".repeat(18));
        })
        .detail("VmCount", n.to_string())
        .build()
}

fn reads(criterion: &mut Criterion) {
    let (_folder, store) = temporary_sqlite();
    let runtime = Runtime::new().unwrap();
    let scope = Scope::Partner("partner".parse().unwrap());
    let alerts: Vec<Alert> = (0..ALERTS).map(alert).collect();
    for part in alerts.chunks(10_000) {
        runtime.block_on(store.import_alerts(&scope, part, time("2031-06-01T00:00:00Z"))).unwrap();
    }
    let page = |filter: Option<Filter>| AlertQuery {
        filter,
        search: None,
        order: default_order(),
        limit: 50,
        skip: 0,
        after: None,
    };

    let mut turn = 0;
    criterion.bench_function("alert by id", |bencher| {
        bencher.iter(|| {
            turn = (turn + 7919) % ALERTS;
            let found = runtime.block_on(store.alert(&scope, &alerts[turn].body.id));
            black_box(found.unwrap().unwrap())
        });
    });
    let first = page(None);
    criterion.bench_function("first page of 50", |bencher| {
        bencher.iter(|| black_box(runtime.block_on(store.list_alerts(&scope, &first)).unwrap()));
    });
    let filtered = page(Some(Filter::And(
        Box::new(compare("status", Comparison::Eq, "active")),
        Box::new(compare("severity", Comparison::Eq, "high")),
    )));
    criterion.bench_function("filtered page of 50", |bencher| {
        bencher.iter(|| black_box(runtime.block_on(store.list_alerts(&scope, &filtered)).unwrap()));
    });
    criterion.bench_function("count of a filter", |bencher| {
        let count = || store.count_alerts(&scope, filtered.filter.as_ref(), None);
        bencher.iter(|| black_box(runtime.block_on(count()).unwrap()));
    });
}

/// Changes that wait together share a sync to the disk.
fn changes(criterion: &mut Criterion) {
    let (_folder, store) = temporary_sqlite();
    let runtime = Runtime::new().unwrap();
    let scope = Scope::Partner("partner".parse().unwrap());
    let alerts: Vec<Alert> = (0..10_000).map(alert).collect();
    runtime.block_on(store.import_alerts(&scope, &alerts, time("2031-06-01T00:00:00Z"))).unwrap();
    let by = "ann@partner.example";
    let at = time("2031-06-01T00:00:00Z");

    let mut turn = 0;
    for at_once in [1, 32] {
        criterion.bench_function(&format!("{at_once} durable changes of status at once"), |bencher| {
            bencher.iter(|| {
                turn += at_once;
                let changes = (turn..turn + at_once).map(|n| {
                    let to = if (n / alerts.len()).is_multiple_of(2) {
                        Status::Investigating
                    } else {
                        Status::Active
                    };
                    let change = StatusChange { to, reason: None };
                    store.change_status(
                        &scope,
                        &alerts[n % alerts.len()].body.id,
                        change,
                        &ExpectedVersion::Any,
                        by,
                        at,
                    )
                });
                black_box(runtime.block_on(join_all(changes)))
            });
        });
    }
}

criterion_group!(benches, reads, changes);
criterion_main!(benches);
