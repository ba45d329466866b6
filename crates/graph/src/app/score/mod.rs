//! What callers read of the partner's security score, and how it gets there.
//!
//! One requirement is computed from the alerts of the caller's scope: how fast they are resolved. The
//! others are facts about tenants that Tenantwatch cannot see; they are known once somebody
//! [imports](import::import) them, and absent until then. They tell of the partner as a whole, so callers
//! whose scope is one reseller or customer see the response time of their own alerts alone, and no
//! history. Insights on customers are narrowed to the scope as alerts are.

pub mod import;
mod model;
mod page;

use alerts::Scope;
use alerts::score::{
    MAX_SCORE, ResponseTimeTarget, ResponseTimes, Score, ScoreSnapshot, SecurityRequirement,
};
use chrono::{DateTime, Utc};
use odata::{Limits, MetadataLevel, Model, QueryError, QueryOption, QueryOptions, Selection, TokenKey};
use serde_json::{Value, json};
use store::{Store, StoreError};

pub use page::EntityList;

/// What can go wrong when a caller reads the score. Knows nothing of HTTP.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// No such entity in the caller's scope.
    #[error("{set} has no '{id}'.")]
    NotFound {
        /// The set, as in the path.
        set: &'static str,
        /// The key that was asked for.
        id: String,
    },
    /// Not one requirement is known, so there is no score.
    #[error(
        "No requirement of the security score is known yet. Resolve alerts, or import facts with 'tenantwatch score import FILE'."
    )]
    NoScore,
    /// The query is wrong.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// One entity.
#[derive(Debug)]
pub struct EntityReply {
    /// The entity, whole.
    pub body: Value,
    /// Which properties to show; all if `None`.
    pub selection: Option<Selection>,
    /// How much metadata the caller wants, if the query says so.
    pub metadata: Option<MetadataLevel>,
}

/// Who asks, and what the score needs to know beside the store.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Whose data.
    pub scope: &'a Scope,
    /// The raw query string of the request.
    pub raw_query: &'a str,
    /// What links to next pages are signed with.
    pub tokens: &'a TokenKey,
    /// What is asked of the partner.
    pub target: &'a ResponseTimeTarget,
    /// Where alerts are worked on, for `actionUrl`.
    pub action_url: &'a str,
    /// When.
    pub now: DateTime<Utc>,
}

/// `GET /security/partner`: the entity that holds the rest; it has an id and nothing else.
///
/// # Errors
///
/// [`ScoreError::Query`] with option, position and token.
pub fn partner(asked: &Asked<'_>) -> Result<EntityReply, ScoreError> {
    let asked_form = AskedForm::read(asked.raw_query, &model::PARTNER)?;
    Ok(asked_form.reply(json!({"id": asked.scope.partner()})))
}

/// `GET …/securityScore`
///
/// # Errors
///
/// [`ScoreError::NoScore`] if no requirement is known; [`ScoreError::Query`]; [`ScoreError::Store`].
pub async fn score(store: &dyn Store, asked: &Asked<'_>) -> Result<EntityReply, ScoreError> {
    let asked_form = AskedForm::read(asked.raw_query, &model::SCORE)?;
    let known = known_requirements(store, asked.scope, asked.target, asked.action_url, asked.now).await?;
    let score = Score::of(&known).ok_or(ScoreError::NoScore)?;
    let last_snapshot = store.score_history(asked.scope).await?.pop();
    let updated_at = match last_snapshot {
        Some(snapshot) if snapshot.score == score => snapshot.created_at,
        Some(_) => asked.now,
        None => known.iter().map(|requirement| requirement.updated_date_time).max().unwrap_or(asked.now),
    };
    let body = json!({
        "id": asked.scope.partner(),
        "currentScore": score.current,
        "lastRefreshDateTime": asked.now,
        "maxScore": MAX_SCORE,
        "updatedDateTime": updated_at,
    });
    Ok(asked_form.reply(body))
}

/// `GET …/securityScore/requirements`, by id.
///
/// # Errors
///
/// [`ScoreError::Query`] with option, position and token; [`ScoreError::Store`].
pub async fn requirements(store: &dyn Store, asked: &Asked<'_>) -> Result<EntityList, ScoreError> {
    let asked_page = page::AskedPage::read(asked, &model::REQUIREMENT)?;
    let known = known_requirements(store, asked.scope, asked.target, asked.action_url, asked.now).await?;
    asked_page.cut(known.iter().map(|known| (known.id.clone(), requirement_entity(known))))
}

/// `GET …/securityScore/requirements/{id}`
///
/// # Errors
///
/// [`ScoreError::NotFound`], and as [`requirements`].
pub async fn requirement(store: &dyn Store, asked: &Asked<'_>, id: &str) -> Result<EntityReply, ScoreError> {
    let asked_form = AskedForm::read(asked.raw_query, &model::REQUIREMENT)?;
    let known = known_requirements(store, asked.scope, asked.target, asked.action_url, asked.now).await?;
    let found = known.iter().find(|known| known.id == id);
    let found = found.ok_or_else(|| not_found("securityScore/requirements", id))?;
    Ok(asked_form.reply(requirement_entity(found)))
}

/// `GET …/securityScore/history`, oldest first.
///
/// # Errors
///
/// As [`requirements`].
pub async fn history(store: &dyn Store, asked: &Asked<'_>) -> Result<EntityList, ScoreError> {
    let asked_page = page::AskedPage::read(asked, &model::HISTORY)?;
    let history = store.score_history(asked.scope).await?;
    asked_page.cut(history.iter().map(|snapshot| (snapshot_id(snapshot), snapshot_entity(snapshot))))
}

/// `GET …/securityScore/history/{id}`
///
/// # Errors
///
/// [`ScoreError::NotFound`], and as [`requirements`].
pub async fn snapshot(store: &dyn Store, asked: &Asked<'_>, id: &str) -> Result<EntityReply, ScoreError> {
    let asked_form = AskedForm::read(asked.raw_query, &model::HISTORY)?;
    let history = store.score_history(asked.scope).await?;
    let found = history.iter().find(|snapshot| snapshot_id(snapshot) == id);
    let found = found.ok_or_else(|| not_found("securityScore/history", id))?;
    Ok(asked_form.reply(snapshot_entity(found)))
}

/// `GET …/securityScore/customerInsights`, by tenant.
///
/// # Errors
///
/// As [`requirements`].
pub async fn customer_insights(store: &dyn Store, asked: &Asked<'_>) -> Result<EntityList, ScoreError> {
    let asked_page = page::AskedPage::read(asked, &model::CUSTOMER_INSIGHT)?;
    let insights = store.customer_insights(asked.scope).await?;
    asked_page.cut(insights.iter().map(|insight| (insight.tenant_id.to_string(), entity_of(insight))))
}

/// `GET …/securityScore/customerInsights/{tenantId}`
///
/// # Errors
///
/// [`ScoreError::NotFound`], and as [`requirements`].
pub async fn customer_insight(
    store: &dyn Store,
    asked: &Asked<'_>,
    tenant: &str,
) -> Result<EntityReply, ScoreError> {
    let asked_form = AskedForm::read(asked.raw_query, &model::CUSTOMER_INSIGHT)?;
    let found = match tenant.parse() {
        Ok(id) => store.customer_insight(asked.scope, &id).await?,
        Err(_) => None,
    };
    let found = found.ok_or_else(|| not_found("securityScore/customerInsights", tenant))?;
    Ok(asked_form.reply(entity_of(&found)))
}

/// How many entities a list has; the query may hold no options.
///
/// # Errors
///
/// [`ScoreError::Query`] if it does; [`ScoreError::Store`].
pub async fn count(store: &dyn Store, asked: &Asked<'_>, set: CountedSet) -> Result<usize, ScoreError> {
    QueryOptions::parse(asked.raw_query)?.allow_only(&[])?;
    Ok(match set {
        CountedSet::Requirements => {
            known_requirements(store, asked.scope, asked.target, asked.action_url, asked.now).await?.len()
        }
        CountedSet::History => store.score_history(asked.scope).await?.len(),
        CountedSet::CustomerInsights => store.customer_insights(asked.scope).await?.len(),
    })
}

/// The sets that can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountedSet {
    /// `requirements`
    Requirements,
    /// `history`
    History,
    /// `customerInsights`
    CustomerInsights,
}

/// Adds the score to the history if it differs from the last entry; gives what was added.
///
/// A day has one entry: a second change of a day takes the place of the first. Safe to repeat, so the
/// job that calls it needs no memory.
///
/// # Errors
///
/// [`StoreError`].
pub async fn take_snapshot(
    store: &dyn Store,
    scope: &Scope,
    target: &ResponseTimeTarget,
    now: DateTime<Utc>,
) -> Result<Option<ScoreSnapshot>, StoreError> {
    let known = known_requirements(store, scope, target, "", now).await?;
    let Some(score) = Score::of(&known) else { return Ok(None) };
    let snapshot = ScoreSnapshot { score, created_at: now };
    Ok(store.add_score_snapshot(scope, &snapshot).await?.then_some(snapshot))
}

/// The imported requirements and the computed one, by id.
async fn known_requirements(
    store: &dyn Store,
    scope: &Scope,
    target: &ResponseTimeTarget,
    action_url: &str,
    now: DateTime<Utc>,
) -> Result<Vec<SecurityRequirement>, StoreError> {
    let mut known = store.requirements(scope).await?;
    let times =
        store.response_times(scope, now - ResponseTimes::period(), now - target.response_time).await?;
    known.extend(times.requirement(target, action_url));
    known.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(known)
}

/// A requirement as Graph writes a derived member: with its type.
fn requirement_entity(requirement: &SecurityRequirement) -> Value {
    let type_name = requirement.details.type_name();
    let mut entity = json!({"@odata.type": format!("#microsoft.graph.partner.security.{type_name}")});
    if let (Value::Object(entity), Value::Object(properties)) = (&mut entity, entity_of(requirement)) {
        entity.extend(properties);
    }
    entity
}

fn snapshot_entity(snapshot: &ScoreSnapshot) -> Value {
    json!({
        "id": snapshot_id(snapshot),
        "compliantRequirementsCount": snapshot.score.compliant_requirements,
        "createdDateTime": snapshot.created_at,
        "score": snapshot.score.current,
        "totalRequirementsCount": snapshot.score.total_requirements,
    })
}

/// A day has one entry, so its date names it.
fn snapshot_id(snapshot: &ScoreSnapshot) -> String {
    snapshot.created_at.format("%Y-%m-%d").to_string()
}

fn entity_of(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("the entities have only text keys and finite numbers")
}

/// How one entity is asked for.
struct AskedForm {
    selection: Option<Selection>,
    metadata: Option<MetadataLevel>,
}

impl AskedForm {
    fn read(raw_query: &str, model: &Model) -> Result<Self, QueryError> {
        let options = QueryOptions::parse(raw_query)?;
        let (selection, metadata) = options.check_for_entity(model, &Limits::default())?;
        Ok(Self { selection, metadata })
    }

    fn reply(self, body: Value) -> EntityReply {
        EntityReply { body, selection: self.selection, metadata: self.metadata }
    }
}

fn not_found(set: &'static str, id: &str) -> ScoreError {
    ScoreError::NotFound { set, id: id.chars().filter(|c| !c.is_control()).take(200).collect() }
}

impl EntityReply {
    /// The entity with what was selected.
    #[must_use]
    pub fn selected(mut self) -> Value {
        select(&mut self.body, self.selection.as_ref());
        self.body
    }
}

/// Leaves what was selected, and the type, which is no property.
fn select(entity: &mut Value, selection: Option<&Selection>) {
    let Some(selection) = selection else { return };
    let odata_type = entity.get("@odata.type").cloned();
    selection.apply(entity);
    if let (Some(odata_type), Value::Object(properties)) = (odata_type, entity) {
        properties.shift_insert(0, "@odata.type".to_owned(), odata_type);
    }
}

/// The options that lists of the score take. The sets are small and have no columns of their own, so
/// `$filter` and `$orderby` are refused by name.
const LIST_OPTIONS: &[QueryOption] = &[
    QueryOption::Count,
    QueryOption::Format,
    QueryOption::Select,
    QueryOption::Skip,
    QueryOption::SkipToken,
    QueryOption::Top,
];
