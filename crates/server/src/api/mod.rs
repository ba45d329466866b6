//! The server's own routes, beside those of the Graph API.

mod demo;
mod detectors;
mod ingest;
mod metrics;
mod money;
mod page;
mod replay;
mod settings;
mod sources;
#[cfg(test)]
mod tests;
mod tuning;

use std::sync::Arc;

use axum::Router;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::routing::{any, delete, get, post, put};
use graph::auth::issuer::Issuer;
use graph::http::{self, no_such_path, only_get, only_post};
use graph::{ApiError, Graph};

use crate::app::Instance;
use crate::app::intake::{Intake, Room};
use crate::app::rehearsal::asked::Rehearsals;
use crate::config::SilentAfter;

/// What the handlers share.
pub(crate) struct Api {
    /// The data and the detectors.
    pub(crate) instance: Arc<Instance>,
    /// The Graph API over the same alerts.
    pub(crate) graph: Arc<Graph>,
    /// Stores what is pushed.
    pub(crate) intake: Intake,
    /// How much may be pushed at once.
    pub(crate) room: Room,
    /// How large a pushed body may be, decompressed.
    pub(crate) body_bytes_max: usize,
    /// When a customer is silent.
    pub(crate) silent_after: SilentAfter,
    /// Room for replays that callers ask for.
    pub(crate) rehearsals: Rehearsals,
    /// Gives the page its token; only in demo mode on loopback.
    pub(crate) demo_issuer: Option<Arc<Issuer>>,
}

/// All routes of the server. None but health, the page's files and (in a demo) its token answers
/// without a token.
pub(crate) fn router(api: Arc<Api>) -> Router {
    let graph = api.graph.clone();
    let own = Router::new()
        .route("/tenantwatch/v1/detectors", get(detectors::list).fallback(only_get))
        .route("/tenantwatch/v1/detectors/{id}", get(detectors::one).fallback(only_get))
        .route("/tenantwatch/v1/detectors/{id}/replay", post(replay::post).fallback(only_post))
        .route(
            "/tenantwatch/v1/detectors/{id}/settings/{name}",
            put(settings::set).delete(settings::unset).fallback(settings::put_or_delete),
        )
        .route("/tenantwatch/v1/detectorHealth", get(detectors::runs).fallback(only_get))
        .route("/tenantwatch/v1/detectorSettings", get(settings::list).fallback(only_get))
        .route("/tenantwatch/v1/alerts/{id}/explanation", get(detectors::explain).fallback(only_get))
        .route("/tenantwatch/v1/alerts/{id}/moneyAtRisk", get(money::one).fallback(only_get))
        .route("/tenantwatch/v1/moneyAtRisk", get(money::list).fallback(only_get))
        .route("/tenantwatch/v1/sources", get(sources::list).fallback(only_get))
        .route("/tenantwatch/v1/coverage", get(sources::coverage).fallback(only_get))
        .route("/tenantwatch/v1/notices", get(sources::notices).fallback(only_get))
        .route("/tenantwatch/v1/customers", get(sources::customers).fallback(only_get))
        .route(
            "/tenantwatch/v1/tuningRules",
            get(tuning::list).post(tuning::add).fallback(tuning::get_or_post),
        )
        .route("/tenantwatch/v1/tuningRules/{id}", delete(tuning::end).fallback(tuning::only_delete))
        .route("/tenantwatch/v1/silenced", get(tuning::silenced).fallback(only_get))
        .route("/metrics", get(metrics::get).fallback(only_get))
        .route("/tenantwatch/{*path}", any(no_such_path))
        .with_state(api.clone());
    let open = Router::new()
        .route("/health", get(health).fallback(only_get))
        .route("/ingest/v1/{kind}", post(ingest::post).fallback(only_post))
        .route("/ingest/{*path}", any(no_such_path))
        .route("/demo/token", get(demo::token).fallback(only_get))
        .route("/", get(page::index).fallback(only_get))
        .route("/assets/{*path}", get(page::asset).fallback(only_get))
        .with_state(api);
    let protected = http::protect(own.merge(http::routes(graph.clone())), graph.clone());
    http::surround(
        protected.merge(open).merge(http::open_routes()).merge(http::certificate_routes(graph.clone())),
        graph,
    )
}

/// The options of a request; a refusal says what is wrong and which there are.
fn options<T>(read: Result<Query<T>, QueryRejection>, known: &str) -> Result<T, ApiError> {
    let Query(options) =
        read.map_err(|error| ApiError::bad_request(format!("{}. {known}", error.body_text())))?;
    Ok(options)
}

async fn health() -> &'static str {
    "ok\n"
}
