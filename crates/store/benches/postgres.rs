//! The store on PostgreSQL beside the least that its driver can do: the same reads as statements that
//! were prepared once, on a pool of as many connections to the same server.
//!
//! 100,000 alerts of 1.7 KB, 16 callers at once, a server of its own that syncs each commit. Run with
//! `cargo bench -p store --features testing --bench postgres`.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

use alerts::{Alert, Scope, Severity, Status, StatusChange};
use chrono::Duration;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use deadpool_postgres::{Manager, Pool};
use futures::future::join_all;
use odata::checked::{Comparison, Direction, Filter};
use store::testing::postgres::{Durability, PostgresServer, execute};
use store::testing::{AlertBuilder, compare, sort_key, time};
use store::{AlertQuery, AlertStore, ExpectedVersion, PostgresStore, default_order};
use tokio::runtime::Runtime;
use tokio_postgres::NoTls;
use tokio_postgres::types::ToSql;

const CALLERS: usize = 16;

/// How many alerts are imported; each stands for ten in the table.
const ALERTS: usize = 10_000;

/// An alert of about 1.7 KB, the size of real ones.
fn alert(n: usize) -> Alert {
    let id = format!("{n:08x}-0000-4000-8000-{:012x}", n * 7919 % ALERTS);
    AlertBuilder::new("partner", &id)
        .of(&format!("customer-{}", n % 500), None)
        .with(|body| {
            let minutes = i64::try_from(n * 7919 % ALERTS).unwrap();
            body.detected_date_time = time("2031-01-01T00:00:00Z") + Duration::minutes(10 * minutes);
            body.severity = Severity::ALL[n % 4];
            body.status = Status::ALL[n % 3];
            body.description = Some("many machines in regions that were never used before. ".repeat(18));
        })
        .detail("VmCount", n.to_string())
        .build()
}

/// Nine more of each alert, a minute apart.
const MULTIPLY: &str = "
alter table alert disable trigger user;
insert into alert
    (partner_tenant_id, id, customer_tenant_id, reseller_tenant_id, subscription_id, origin, detector_id,
    grouping_key, alert_type, display_name, description, severity_rank, confidence_rank, status,
    detected_at, is_test, version, modified_at, body)
select partner_tenant_id, id || '-' || n, customer_tenant_id, reseller_tenant_id, subscription_id, origin,
    detector_id, grouping_key, alert_type, display_name, description, severity_rank, confidence_rank,
    status, detected_at + n * 60000000, is_test, version, modified_at, body
from alert, generate_series(1, 9) as n;
alter table alert enable trigger user;
vacuum analyze";

struct Filled {
    runtime: Runtime,
    store: PostgresStore,
    bare: Pool,
    scope: Scope,
    alerts: Vec<Alert>,
    turn: AtomicUsize,
    // Last, as the connections go before the server.
    _server: PostgresServer,
}

fn filled() -> Filled {
    let server = PostgresServer::start(Durability::Synced, &["shared_buffers=512MB"], &[]);
    let runtime = Runtime::new().unwrap();
    let (store, bare) = runtime.block_on(async {
        let url = server.url(&server.create_database(None).await);
        let store = PostgresStore::connect(&url).await.unwrap();
        let manager = Manager::new(url.parse().unwrap(), NoTls);
        (store, (Pool::builder(manager).max_size(CALLERS).build().unwrap(), url))
    });
    let (bare, url) = bare;
    let scope = Scope::Partner("partner".parse().unwrap());
    let alerts: Vec<Alert> = (0..ALERTS).map(alert).collect();
    for part in alerts.chunks(1_000) {
        runtime.block_on(store.import_alerts(&scope, part, time("2031-06-01T00:00:00Z"))).unwrap();
    }
    for statement in MULTIPLY.split(';') {
        runtime.block_on(execute(&url, statement));
    }
    Filled { runtime, store, bare, scope, alerts, turn: AtomicUsize::new(0), _server: server }
}

impl Filled {
    fn next(&self) -> &Alert {
        &self.alerts[self.turn.fetch_add(7919, Ordering::Relaxed) % ALERTS]
    }

    /// So many calls at once, each on a thread of its own if there is one.
    fn together<T, F: Future<Output = T>>(&self, call: impl Fn() -> F) {
        black_box(self.runtime.block_on(join_all((0..CALLERS).map(|_| call()))));
    }

    /// The bodies that a bare statement gives.
    async fn bodies(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Vec<String> {
        let client = self.bare.get().await.unwrap();
        let statement = client.prepare_cached(sql).await.unwrap();
        let rows = client.query(&statement, values).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    async fn page(&self, query: &AlertQuery) -> usize {
        self.store.list_alerts(&self.scope, query).await.unwrap().alerts.len()
    }
}

fn list(filter: Option<Filter>) -> AlertQuery {
    AlertQuery { filter, search: None, order: default_order(), limit: 50, skip: 0, after: None }
}

fn and(left: Filter, right: Filter) -> Filter {
    Filter::And(Box::new(left), Box::new(right))
}

fn reads(criterion: &mut Criterion, filled: &Filled) {
    let mut group = criterion.benchmark_group("postgres: by id");
    group.throughput(Throughput::Elements(CALLERS as u64));
    group.bench_function("store", |bencher| {
        bencher.iter(|| {
            filled
                .together(async || filled.store.alert(&filled.scope, &filled.next().body.id).await.unwrap());
        });
    });
    group.bench_function("bare", |bencher| {
        let sql = "select body from alert where partner_tenant_id = $1 and id = $2";
        bencher.iter(|| {
            filled.together(async || filled.bodies(sql, &[&"partner", &filled.next().body.id.as_str()]).await)
        });
    });
    group.finish();

    let mut pair = |name: &str, query: AlertQuery, condition: &str, order: &str| {
        let mut group = criterion.benchmark_group(format!("postgres: {name}"));
        group.throughput(Throughput::Elements(CALLERS as u64));
        group.bench_function("store", |bencher| {
            bencher.iter(|| filled.together(async || assert_eq!(filled.page(&query).await, 50)));
        });
        let sql = format!(
            "select body from alert where partner_tenant_id = $1 {condition} order by {order} limit 50"
        );
        group.bench_function("bare", |bencher| {
            bencher.iter(|| {
                filled.together(async || assert_eq!(filled.bodies(&sql, &[&"partner"]).await.len(), 50))
            });
        });
        group.finish();
    };
    pair("first page of 50", list(None), "", "detected_at desc, id desc");
    let active_and_high =
        and(compare("status", Comparison::Eq, "active"), compare("severity", Comparison::Eq, "high"));
    pair(
        "filter and order, 50",
        list(Some(active_and_high)),
        "and status = 'active' and severity_rank = 4",
        "detected_at desc, id desc",
    );
    let of_customer = and(
        compare("customerTenantId", Comparison::Eq, "customer-7"),
        compare("detectedDateTime", Comparison::Ge, "2031-01-20T00:00:00Z"),
    );
    let order = vec![sort_key("detectedDateTime", Direction::Ascending)];
    pair(
        "by customer and date, 50",
        AlertQuery { order, ..list(Some(of_customer)) },
        "and customer_tenant_id = 'customer-7' and detected_at >= 1926633600000000",
        "detected_at, id",
    );
}

fn changes(criterion: &mut Criterion, filled: &Filled) {
    let at = time("2031-06-01T00:00:00Z");
    let mut group = criterion.benchmark_group("postgres: durable changes of status");
    group.throughput(Throughput::Elements(CALLERS as u64));
    group.bench_function("store", |bencher| {
        bencher.iter(|| {
            filled.together(async || {
                let turn = filled.turn.fetch_add(7919, Ordering::Relaxed);
                let (n, round) = (turn % ALERTS, turn / 7919 / ALERTS);
                let alert = &filled.alerts[n].body;
                // Another one than the alert has, in each round.
                let to = Status::ALL[(n + 1 + round) % 3];
                let change = StatusChange { to, reason: None };
                let any = &ExpectedVersion::Any;
                filled.store.change_status(&filled.scope, &alert.id, change, any, "ann", at).await.unwrap()
            });
        });
    });
    group.bench_function("bare", |bencher| {
        let sql = "update alert set status = $1, version = version + 1, body = body || ''
            where partner_tenant_id = 'partner' and id = $2 returning body";
        bencher.iter(|| {
            filled.together(async || {
                let id = filled.next().body.id.as_str();
                let is_even = (filled.turn.load(Ordering::Relaxed) / 7919 / ALERTS).is_multiple_of(2);
                let to = if is_even { "resolved" } else { "active" };
                filled.bodies(sql, &[&to, &id]).await
            });
        });
    });
    group.finish();
}

fn all(criterion: &mut Criterion) {
    let filled = filled();
    reads(criterion, &filled);
    changes(criterion, &filled);
}

criterion_group!(benches, all);
criterion_main!(benches);
