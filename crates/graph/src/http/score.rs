//! `/security/partner` and `/security/partner/securityScore`: the rest of the namespace, read only.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, RequestPartsExt, Router};
use odata::{MetadataLevel, Selection};
use serde_json::{Map, Value};

use super::accept::metadata_level;
use super::entity::respond;
use super::{Graph, Link, only_get};
use crate::app::score::{self, Asked, CountedSet, EntityList, EntityReply, ScoreError};
use crate::auth::Caller;
use crate::error::ApiError;

const PARTNER: &str = "security/partner";
const SCORE: &str = "security/partner/securityScore";
const REQUIREMENTS: &str = "security/partner/securityScore/requirements";
const HISTORY: &str = "security/partner/securityScore/history";
const CUSTOMER_INSIGHTS: &str = "security/partner/securityScore/customerInsights";

pub(super) fn routes() -> Router<Arc<Graph>> {
    let at = |path: &str| format!("/beta/{path}");
    let count = |path: &str| format!("/beta/{path}/$count");
    let one = |path: &str| format!("/beta/{path}/{{id}}");
    Router::new()
        .route(&at(PARTNER), get(partner).fallback(only_get))
        .route(&at(SCORE), get(overall).fallback(only_get))
        .route(&at(REQUIREMENTS), get(requirements).fallback(only_get))
        .route(&count(REQUIREMENTS), get(count_requirements).fallback(only_get))
        .route(&one(REQUIREMENTS), get(requirement).fallback(only_get))
        .route(&at(HISTORY), get(history).fallback(only_get))
        .route(&count(HISTORY), get(count_history).fallback(only_get))
        .route(&one(HISTORY), get(snapshot).fallback(only_get))
        .route(&at(CUSTOMER_INSIGHTS), get(customer_insights).fallback(only_get))
        .route(&count(CUSTOMER_INSIGHTS), get(count_customer_insights).fallback(only_get))
        .route(&format!("/beta/{CUSTOMER_INSIGHTS}/{{tenantId}}"), get(customer_insight).fallback(only_get))
}

/// A request of somebody who may read.
struct Reader {
    graph: Arc<Graph>,
    caller: Arc<Caller>,
    link: Link,
    raw_query: String,
    headers: HeaderMap,
    /// Where alerts are worked on: the page.
    page: String,
}

impl FromRequestParts<Arc<Graph>> for Reader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, graph: &Arc<Graph>) -> Result<Self, ApiError> {
        let Extension(caller) =
            parts.extract::<Extension<Arc<Caller>>>().await.map_err(ApiError::internal)?;
        let Extension(link) = parts.extract::<Extension<Link>>().await.map_err(ApiError::internal)?;
        caller.permissions.may_read()?;
        let page = format!("{}/", link.origin());
        let raw_query = parts.uri.query().unwrap_or_default().to_owned();
        Ok(Self { graph: graph.clone(), caller, link, raw_query, headers: parts.headers.clone(), page })
    }
}

impl Reader {
    fn asked(&self) -> Asked<'_> {
        Asked {
            scope: &self.caller.scope,
            raw_query: &self.raw_query,
            tokens: &self.graph.tokens,
            target: &self.graph.response_time_target,
            action_url: &self.page,
            now: chrono::Utc::now(),
        }
    }

    fn store(&self) -> &dyn store::Store {
        &*self.graph.store
    }

    /// The level that is asked for. The entities here have no more to tell than the least level has, so
    /// `full` is answered with that, as the reply's type says.
    fn level(&self, asked: Option<MetadataLevel>) -> Result<MetadataLevel, ApiError> {
        Ok(match metadata_level(&self.headers, asked)? {
            MetadataLevel::None => MetadataLevel::None,
            MetadataLevel::Minimal | MetadataLevel::Full => MetadataLevel::Minimal,
        })
    }

    fn context(&self, path: &str, selection: Option<&Selection>, suffix: &str) -> Value {
        let list = selection.map(|selection| format!("({})", selection.context_list())).unwrap_or_default();
        format!("{}/$metadata#{path}{list}{suffix}", self.link.beta()).into()
    }

    fn single(&self, path: &str, reply: EntityReply) -> Result<Response, ApiError> {
        let level = self.level(reply.metadata)?;
        let mut entity = Map::new();
        if level != MetadataLevel::None {
            let context = self.context(path, reply.selection.as_ref(), "/$entity");
            entity.insert("@odata.context".to_owned(), context);
        }
        entity.extend(members(reply.selected(), level));
        Ok(respond(level, Value::Object(entity).to_string()))
    }

    fn collection(&self, path: &str, list: EntityList) -> Result<Response, ApiError> {
        let level = self.level(list.metadata)?;
        let mut reply = Map::new();
        if level != MetadataLevel::None {
            let context = self.context(path, list.selection.as_ref(), "");
            reply.insert("@odata.context".to_owned(), context);
        }
        if let Some(count) = list.count {
            reply.insert("@odata.count".to_owned(), count.into());
        }
        if let Some(query) = list.next_query {
            reply.insert("@odata.nextLink".to_owned(), format!("{}/{path}?{query}", self.link.beta()).into());
        }
        let entities = list.entities.into_iter().map(|entity| Value::Object(members(entity, level)));
        reply.insert("value".to_owned(), entities.collect());
        Ok(respond(level, Value::Object(reply).to_string()))
    }

    async fn count(&self, set: CountedSet) -> Result<Response, ApiError> {
        let count = score::count(self.store(), &self.asked(), set).await?;
        let plain = HeaderValue::from_static("text/plain");
        Ok(([(header::CONTENT_TYPE, plain)], count.to_string()).into_response())
    }
}

/// `GET /security/partner`
async fn partner(reader: Reader) -> Result<Response, ApiError> {
    reader.single(PARTNER, score::partner(&reader.asked())?)
}

/// `GET /security/partner/securityScore`
async fn overall(reader: Reader) -> Result<Response, ApiError> {
    reader.single(SCORE, score::score(reader.store(), &reader.asked()).await?)
}

/// `GET …/requirements`
async fn requirements(reader: Reader) -> Result<Response, ApiError> {
    reader.collection(REQUIREMENTS, score::requirements(reader.store(), &reader.asked()).await?)
}

/// `GET …/requirements/$count`
async fn count_requirements(reader: Reader) -> Result<Response, ApiError> {
    reader.count(CountedSet::Requirements).await
}

/// `GET …/requirements/{id}`
async fn requirement(reader: Reader, key: Key) -> Result<Response, ApiError> {
    match key.read()? {
        None => reader.count(CountedSet::Requirements).await,
        Some(id) => {
            let found = score::requirement(reader.store(), &reader.asked(), &id).await?;
            reader.single(REQUIREMENTS, found)
        }
    }
}

/// `GET …/history`
async fn history(reader: Reader) -> Result<Response, ApiError> {
    reader.collection(HISTORY, score::history(reader.store(), &reader.asked()).await?)
}

/// `GET …/history/$count`
async fn count_history(reader: Reader) -> Result<Response, ApiError> {
    reader.count(CountedSet::History).await
}

/// `GET …/history/{id}`
async fn snapshot(reader: Reader, key: Key) -> Result<Response, ApiError> {
    match key.read()? {
        None => reader.count(CountedSet::History).await,
        Some(id) => {
            let found = score::snapshot(reader.store(), &reader.asked(), &id).await?;
            reader.single(HISTORY, found)
        }
    }
}

/// `GET …/customerInsights`
async fn customer_insights(reader: Reader) -> Result<Response, ApiError> {
    let list = score::customer_insights(reader.store(), &reader.asked()).await?;
    reader.collection(CUSTOMER_INSIGHTS, list)
}

/// `GET …/customerInsights/$count`
async fn count_customer_insights(reader: Reader) -> Result<Response, ApiError> {
    reader.count(CountedSet::CustomerInsights).await
}

/// `GET …/customerInsights/{tenantId}`
async fn customer_insight(reader: Reader, key: Key) -> Result<Response, ApiError> {
    match key.read()? {
        None => reader.count(CountedSet::CustomerInsights).await,
        Some(id) => {
            let found = score::customer_insight(reader.store(), &reader.asked(), &id).await?;
            reader.single(CUSTOMER_INSIGHTS, found)
        }
    }
}

/// The members of an entity, without its type at the level that has none.
fn members(entity: Value, level: MetadataLevel) -> Map<String, Value> {
    let Value::Object(mut members) = entity else { return Map::new() };
    if level == MetadataLevel::None {
        members.retain(|name, _| !name.starts_with('@'));
    }
    members
}

/// The key in the path.
struct Key(Result<Path<String>, PathRejection>);

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(Path::from_request_parts(parts, state).await))
    }
}

impl Key {
    /// `None` for `$count`: some clients write its `$` as `%24`, which the router takes for a key.
    /// Bytes that are no text are a key that nothing has.
    fn read(self) -> Result<Option<String>, ScoreError> {
        match self.0 {
            Ok(Path(key)) if key == "$count" => Ok(None),
            Ok(Path(key)) => Ok(Some(key)),
            Err(_) => Err(ScoreError::NotFound { set: "securityScore", id: "(unreadable)".to_owned() }),
        }
    }
}
