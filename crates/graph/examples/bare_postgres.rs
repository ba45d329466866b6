//! The least that can serve alerts from PostgreSQL: a handler over one prepared statement, for `benches/run`
//! to compare with. No token, no query language, no ETag, no log of changes.
//!
//! Starts a PostgreSQL server of its own, which syncs each commit, and prints the URL of an empty database,
//! then its own address. Something else has to put alerts into it. Stops when its standard input ends.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use anyhow::Context as _;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use deadpool_postgres::{Manager, Pool};
use serde::Deserialize;
use store::testing::postgres::{Durability, PostgresServer};
use tokio_postgres::NoTls;
use tokio_postgres::types::ToSql;

/// The partner whose alerts Tenantwatch imports unless it is told otherwise.
const PARTNER: &str = "7e4a9c1e-aaaa-4000-8000-000000000001";

/// As many as Tenantwatch itself opens.
const CONNECTIONS: usize = 16;

/// Which of the workloads, and its parameters.
#[derive(Deserialize)]
struct Asked {
    workload: String,
    #[serde(default)]
    customer: String,
    /// Microseconds since 1970.
    #[serde(default)]
    since: i64,
}

#[derive(Deserialize)]
struct Change {
    status: String,
}

fn main() -> anyhow::Result<()> {
    let postgres = PostgresServer::start(Durability::Synced, &["shared_buffers=512MB"], &[]);
    let runtime = tokio::runtime::Runtime::new()?;
    let stopped = runtime.block_on(serve(&postgres));
    drop(runtime);
    stopped
}

async fn serve(postgres: &PostgresServer) -> anyhow::Result<()> {
    let url = postgres.url(&postgres.create_database(None).await);
    let pool = Pool::builder(Manager::new(url.parse()?, NoTls)).max_size(CONNECTIONS).build()?;
    let routes = Router::new()
        .route("/alerts", get(list))
        .route("/alerts/{id}", get(one).patch(change))
        .with_state(Arc::new(pool));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "{url}\nhttp://{}", listener.local_addr()?)?;
    let input_ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    tokio::select! {
        served = async { axum::serve(listener, routes).await } => served.context("serving"),
        _ = input_ended => Ok(()),
    }
}

/// The bodies that a statement gives.
async fn bodies(pool: &Pool, sql: &str, values: &[&(dyn ToSql + Sync)]) -> anyhow::Result<Vec<String>> {
    let client = pool.get().await?;
    let statement = client.prepare_cached(sql).await?;
    let rows = client.query(&statement, values).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

async fn list(State(pool): State<Arc<Pool>>, Query(asked): Query<Asked>) -> Response {
    const NEWEST: &str = "select body from alert where partner_tenant_id = $1
        order by detected_at desc, id desc limit 50";
    const HIGH: &str = "select body from alert
        where partner_tenant_id = $1 and status = 'active' and severity_rank = 4
        order by detected_at desc, id desc limit 50";
    const COUNT: &str = "select count(*)::text from alert
        where partner_tenant_id = $1 and status = 'active' and severity_rank = 4";
    const OF_CUSTOMER: &str = "select body from alert
        where partner_tenant_id = $1 and customer_tenant_id = $2 and detected_at >= $3
        order by detected_at, id limit 50";
    let found = match asked.workload.as_str() {
        "first" => bodies(&pool, NEWEST, &[&PARTNER]).await,
        "customer" => bodies(&pool, OF_CUSTOMER, &[&PARTNER, &asked.customer, &asked.since]).await,
        "count" => match bodies(&pool, COUNT, &[&PARTNER]).await {
            Ok(_) => bodies(&pool, HIGH, &[&PARTNER]).await,
            failed => failed,
        },
        _ => bodies(&pool, HIGH, &[&PARTNER]).await,
    };
    reply(found.map(|bodies| format!("{{\"value\":[{}]}}", bodies.join(","))))
}

async fn one(State(pool): State<Arc<Pool>>, Path(id): Path<String>) -> Response {
    const ONE: &str = "select body from alert where partner_tenant_id = $1 and id = $2";
    reply(bodies(&pool, ONE, &[&PARTNER, &id]).await.map(|bodies| bodies.concat()))
}

async fn change(
    State(pool): State<Arc<Pool>>,
    Path(id): Path<String>,
    Json(change): Json<Change>,
) -> Response {
    const CHANGE: &str = "update alert set status = $3, version = version + 1, body = body || ''
        where partner_tenant_id = $1 and id = $2 returning body";
    let changed = bodies(&pool, CHANGE, &[&PARTNER, &id, &change.status]).await;
    reply(changed.map(|bodies| bodies.concat()))
}

fn reply(text: anyhow::Result<String>) -> Response {
    match text {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")).into_response(),
    }
}
