//! HTTP: routes, and what surrounds every request.
//!
//! Handlers extract, authorise, call one function of [`crate::app`] and shape the reply. [`routes`]
//! are the Graph API; [`protect`] and [`surround`] serve the routes of others as well, so that the
//! whole server authenticates and answers in one way. [`open_routes`] describe the API, to anybody.

mod accept;
mod alerts;
mod authenticate;
mod batch;
mod body;
mod entity;
mod envelope;
mod etag;
mod metadata;
mod negotiate;
mod origin;
mod partner_center;
mod prefer;
mod score;
mod subscriptions;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod throttle;

use std::sync::Arc;

use ::alerts::score::ResponseTimeTarget;
use axum::http::{Method, Uri};
use axum::routing::any;
use axum::{Router, middleware};
use odata::TokenKey;
use store::Store;
use tokio::sync::Notify;
use tower_http::compression::CompressionLayer;
use tower_http::decompression::RequestDecompressionLayer;

use crate::app::subscriptions::PER_APPLICATION_MAX;
use crate::auth::verifier::Verifier;
use crate::error::ApiError;
use crate::notify::reach::Reach;
use crate::notify::receivers::{Patience, Receivers};
use crate::webhooks::Webhooks;

pub use authenticate::bearer;
pub use body::{json_object, read as read_body};
pub use envelope::RequestIds;
pub use etag::etag;
pub use metadata::open_routes;
pub use origin::{Link, Origins};
pub(crate) use partner_center::has as is_partner_center;
pub use throttle::Throttle;

/// What the handlers share.
pub struct Graph {
    /// The alerts.
    pub store: Arc<dyn Store>,
    /// Believes tokens.
    pub verifier: Verifier,
    /// Where clients find this server.
    pub origins: Origins,
    /// What links to next pages are signed with.
    pub tokens: TokenKey,
    /// What an application may send; without limit if `None`.
    pub throttle: Option<Arc<Throttle>>,
    /// How fast the partner is to resolve alerts, for its security score.
    pub response_time_target: ResponseTimeTarget,
    /// How callers' receivers are told of changes.
    pub notifications: Notifications,
    /// Webhooks of Partner Center's kind; off if `None`.
    pub webhooks: Option<Arc<Webhooks>>,
}

/// What callers may have in the way of change notifications.
pub struct Notifications {
    /// Whom to shake hands with.
    pub receivers: Arc<Receivers>,
    /// How many subscriptions an application may have in one partner.
    pub subscriptions_per_application_max: u32,
    /// Told when something was changed here, so that its notifications go out at once; the other end is
    /// with [`notify::start`](crate::notify::start).
    pub wake: Arc<Notify>,
}

impl Graph {
    /// Over these alerts, with everything else as it is for a server that only this machine reaches:
    /// plain HTTP, no proxies, no limit, no receivers outside the public internet, no webhooks.
    ///
    /// # Errors
    ///
    /// [`reqwest::Error`] if the machine offers no root certificates to judge receivers by.
    pub fn new(store: Arc<dyn Store>, verifier: Verifier, tokens: TokenKey) -> Result<Self, reqwest::Error> {
        let receivers = Receivers::new(Reach::default(), Patience::default())?;
        Ok(Self {
            store,
            verifier,
            tokens,
            origins: Origins::default(),
            throttle: None,
            notifications: Notifications {
                receivers: Arc::new(receivers),
                subscriptions_per_application_max: PER_APPLICATION_MAX,
                wake: Arc::new(Notify::new()),
            },
            response_time_target: ResponseTimeTarget::default(),
            webhooks: None,
        })
    }
}

/// The routes of the Graph API. They want a caller; see [`protect`].
pub fn routes(graph: Arc<Graph>) -> Router {
    let throttle = graph.throttle.clone();
    let mut routes = Router::new()
        .merge(alerts::routes())
        .merge(score::routes())
        .merge(partner_center::routes())
        .merge(subscriptions::routes())
        .route("/beta/{*path}", any(no_such_path))
        .with_state(graph);
    if let Some(throttle) = throttle {
        routes = routes.route_layer(middleware::from_fn_with_state(throttle, throttle::throttle));
    }
    // Outside the limit: the requests in a batch count, the batch does not.
    routes.clone().merge(batch::routes(routes))
}

/// Where receivers of webhooks read the certificate of deliveries. They have no token, so it stands
/// outside of [`protect`].
pub fn certificate_routes(graph: Arc<Graph>) -> Router {
    partner_center::certificate_routes().with_state(graph)
}

/// Lets nobody pass to these routes without a token, and tells the handlers who calls.
pub fn protect(routes: Router, graph: Arc<Graph>) -> Router {
    routes.route_layer(middleware::from_fn_with_state(graph, authenticate::authenticate))
}

/// What surrounds every request: its id, where the client found us, Graph's errors, compression.
pub fn surround(routes: Router, graph: Arc<Graph>) -> Router {
    routes
        .fallback(no_such_path)
        // What is encoded otherwise, `envelope` refuses in Graph's words.
        .layer(RequestDecompressionLayer::new().pass_through_unaccepted(true))
        // One layer for all that is ours: each costs every request a microsecond.
        .layer(middleware::from_fn_with_state(graph, envelope::wrap))
        .layer(CompressionLayer::new())
}

/// The reply to a path that leads nowhere.
pub async fn no_such_path(uri: Uri) -> ApiError {
    ApiError::no_such_path(uri.path())
}

/// The reply to a method that a resource which only takes something in does not have.
pub async fn only_post(_: Method) -> ApiError {
    ApiError::method_not_allowed("POST")
}

/// The reply to a method that a resource which can only be read does not have.
pub async fn only_get(_: Method) -> ApiError {
    ApiError::method_not_allowed("GET, HEAD")
}
