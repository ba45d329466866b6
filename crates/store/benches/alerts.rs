//! The store beside the least that SQLite can do: the same reads as statements that were prepared once,
//! on one connection to the same file, copying the same bodies.
//!
//! 100,000 alerts of 1.7 KB. Run with `cargo bench -p store --features testing`.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;

use alerts::{Alert, Scope, Severity, Status, StatusChange};
use chrono::Duration;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures::future::join_all;
use odata::checked::{Comparison, Direction, Filter};
use rusqlite::{Connection, Params};
use store::testing::{AlertBuilder, compare, sort_key, temporary_sqlite, time};
use store::{AlertQuery, AlertStore, ExpectedVersion, SqliteStore, default_order};
use tempfile::TempDir;
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

struct Filled {
    folder: TempDir,
    store: Arc<SqliteStore>,
    runtime: Runtime,
    scope: Scope,
    alerts: Vec<Alert>,
}

fn filled(alerts: usize) -> Filled {
    let (folder, store) = temporary_sqlite();
    let runtime = Runtime::new().unwrap();
    let scope = Scope::Partner("partner".parse().unwrap());
    let alerts: Vec<Alert> = (0..alerts).map(alert).collect();
    for part in alerts.chunks(10_000) {
        runtime.block_on(store.import_alerts(&scope, part, time("2031-06-01T00:00:00Z"))).unwrap();
    }
    Filled { folder, store, runtime, scope, alerts }
}

impl Filled {
    fn file(&self) -> PathBuf {
        self.folder.path().join("tenantwatch.db")
    }

    fn page(&self, query: &AlertQuery) -> usize {
        self.runtime.block_on(self.store.list_alerts(&self.scope, query)).unwrap().alerts.len()
    }
}

/// The bodies that a bare statement gives.
fn bodies(connection: &Connection, sql: &str, values: impl Params) -> Vec<String> {
    let mut statement = connection.prepare_cached(sql).unwrap();
    let rows = statement.query_map(values, |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

fn list(filter: Option<Filter>, limit: usize) -> AlertQuery {
    AlertQuery { filter, search: None, order: default_order(), limit, skip: 0, after: None }
}

fn and(left: Filter, right: Filter) -> Filter {
    Filter::And(Box::new(left), Box::new(right))
}

fn reads(criterion: &mut Criterion) {
    let filled = filled(ALERTS);
    let bare = Connection::open(filled.file()).unwrap();
    let mut group = criterion.benchmark_group("by id");
    let mut turn = 0;
    let mut next = || {
        turn = (turn + 7919) % ALERTS;
        &filled.alerts[turn].body.id
    };
    group.bench_function("store", |bencher| {
        bencher.iter(|| {
            let found = filled.runtime.block_on(filled.store.alert(&filled.scope, next()));
            black_box(found.unwrap().unwrap())
        });
    });
    group.bench_function("bare", |bencher| {
        let sql = "select body from alert where partner_tenant_id = ? and id = ?";
        bencher.iter(|| black_box(bodies(&bare, sql, ["partner", next().as_str()])));
    });
    group.finish();

    let mut pair = |name: &str, query: AlertQuery, sql: &str, values: &[&str], expected: usize| {
        let mut group = criterion.benchmark_group(name);
        group.bench_function("store", |bencher| bencher.iter(|| assert_eq!(filled.page(&query), expected)));
        group.bench_function("bare", |bencher| {
            let values = rusqlite::params_from_iter(values);
            bencher.iter(|| assert_eq!(black_box(bodies(&bare, sql, values.clone())).len(), expected));
        });
        group.finish();
    };
    pair(
        "first page of 50",
        list(None, 50),
        "select body from alert where partner_tenant_id = ? order by detected_at desc, id desc limit 50",
        &["partner"],
        50,
    );
    let active_and_high =
        and(compare("status", Comparison::Eq, "active"), compare("severity", Comparison::Eq, "high"));
    pair(
        "filter and order, 50",
        list(Some(active_and_high.clone()), 50),
        "select body from alert where partner_tenant_id = ? and status = 'active' and severity_rank = 4
        order by detected_at desc, id desc limit 50",
        &["partner"],
        50,
    );
    let of_customer = and(
        compare("customerTenantId", Comparison::Eq, "customer-7"),
        compare("detectedDateTime", Comparison::Ge, "2031-01-20T00:00:00Z"),
    );
    let order = vec![sort_key("detectedDateTime", Direction::Ascending)];
    pair(
        "by customer and date, 50",
        AlertQuery { order, ..list(Some(of_customer), 50) },
        "select body from alert where partner_tenant_id = ? and customer_tenant_id = ?
        and detected_at >= 1926633600000000 order by detected_at, id limit 50",
        &["partner", "customer-7"],
        50,
    );

    let mut group = criterion.benchmark_group("count of a filter");
    group.bench_function("store", |bencher| {
        let count = || filled.store.count_alerts(&filled.scope, Some(&active_and_high), None);
        bencher.iter(|| black_box(filled.runtime.block_on(count()).unwrap()));
    });
    group.finish();

    paging(criterion, &filled, &bare);
}

/// From the first alert to the last, in pages of 500.
fn paging(criterion: &mut Criterion, filled: &Filled, bare: &Connection) {
    let mut group = criterion.benchmark_group("all pages of 500");
    group.throughput(Throughput::Elements(ALERTS as u64)).sample_size(10);
    group.bench_function("store", |bencher| {
        bencher.iter(|| {
            let mut query = AlertQuery { order: Vec::new(), ..list(None, 500) };
            loop {
                let page = filled.runtime.block_on(filled.store.list_alerts(&filled.scope, &query)).unwrap();
                query.after = black_box(page).next;
                if query.after.is_none() {
                    break;
                }
            }
        });
    });
    group.bench_function("bare", |bencher| {
        let sql =
            "select body, id from alert where partner_tenant_id = 'partner' and id > ? order by id limit 500";
        bencher.iter(|| {
            let mut after = String::new();
            loop {
                let mut statement = bare.prepare_cached(sql).unwrap();
                let rows = statement.query_map([&after], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
                let page: Vec<(String, String)> = rows.collect::<Result<_, _>>().unwrap();
                match black_box(page).pop() {
                    Some((_, last)) => after = last,
                    None => break,
                }
            }
        });
    });
    group.finish();
}

/// Changes that wait together share a sync to the disk.
fn changes(criterion: &mut Criterion) {
    let filled = filled(10_000);
    let by = "ann@partner.example";
    let at = time("2031-06-01T00:00:00Z");
    let mut turn = 0;
    let mut group = criterion.benchmark_group("durable changes of status");
    for at_once in [1, 16] {
        group.throughput(Throughput::Elements(at_once as u64));
        group.bench_function(format!("store, {at_once} callers"), |bencher| {
            bencher.iter(|| {
                turn += at_once;
                let changes = (turn..turn + at_once).map(|n| {
                    let alert = &filled.alerts[n % filled.alerts.len()].body;
                    let is_even = (n / filled.alerts.len()).is_multiple_of(2);
                    let to = if is_even { Status::Investigating } else { Status::Active };
                    let change = StatusChange { to, reason: None };
                    let any = &ExpectedVersion::Any;
                    filled.store.change_status(&filled.scope, &alert.id, change, any, by, at)
                });
                black_box(filled.runtime.block_on(join_all(changes)))
            });
        });
    }
    // The limit that the server is measured against: one caller after the other, synced now and then.
    let bare = Connection::open(filled.file()).unwrap();
    bare.pragma_update(None, "synchronous", "normal").unwrap();
    group.throughput(Throughput::Elements(1));
    group.bench_function("bare, not durable", |bencher| {
        let sql = "update alert set status = ?1, body = json_set(body, '$.status', ?1)
            where partner_tenant_id = 'partner' and id = ?2 returning body";
        bencher.iter(|| {
            turn += 1;
            let to = if turn.is_multiple_of(2) { "active" } else { "resolved" };
            let id = &filled.alerts[turn % filled.alerts.len()].body.id;
            black_box(bodies(&bare, sql, [to, id.as_str()]))
        });
    });
    group.finish();
}

criterion_group!(benches, reads, changes);
criterion_main!(benches);
