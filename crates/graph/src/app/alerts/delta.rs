//! Following changes: all alerts once, then only those that changed since.
//!
//! The first round lists the alerts that the query leaves and ends with a token of where the change log
//! stood before the round began, so that what changes during the round is told again, never missed.
//! A later round reads the change log from there. Microsoft documents no delta for these alerts; the
//! form is that of its directory resources.

use alerts::AlertId;
use chrono::TimeDelta;
use odata::checked::{Filter, Literal, Operand, PropertyPath, Root};
use odata::model::Type;
use odata::{DeltaToken, MetadataLevel, Query, QueryOption, QueryOptions, Selection};
use store::{AlertBody, AlertQuery, Change, ChangeKind, ChangePosition};

use super::read::{check, page, page_limit};
use super::{AlertError, Desk, LIMITS, asked_level, seal, token_context};

/// How long a token holds. Changes are kept a little longer.
const TOKEN_LIFE: TimeDelta = TimeDelta::days(30);

/// What the first request of a round may say; the token carries it through all rounds.
const LASTING: &[QueryOption] =
    &[QueryOption::Filter, QueryOption::Select, QueryOption::Top, QueryOption::Format];

/// A page of a round.
#[derive(Debug)]
pub struct Changes {
    /// Alerts as they are now.
    pub alerts: Vec<AlertBody>,
    /// Alerts that changed and are no longer among those asked for.
    pub removed: Vec<Removed>,
    /// Which properties to show; all if `None`.
    pub selection: Option<Selection>,
    /// How much metadata the caller wants, if the query says so.
    pub metadata: Option<MetadataLevel>,
    /// The page size that the caller preferred, if it was kept.
    pub preferred_page_size: Option<u32>,
    /// Where it goes on.
    pub link: DeltaLink,
}

/// The query string of the next request.
#[derive(Debug)]
pub enum DeltaLink {
    /// The round goes on.
    Next(String),
    /// The round is complete; the link asks for what changes from now on.
    Delta(String),
}

/// An alert that is no longer among those asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Removed {
    /// Its id.
    pub id: AlertId,
    /// Whether it is gone altogether, or has only changed so that the filter leaves it out.
    pub is_deleted: bool,
}

/// One page of changes, by the raw query string of the request.
///
/// # Errors
///
/// [`AlertError::Query`]; [`AlertError::ChangesGone`] if the token is too old; [`AlertError::Store`].
pub async fn changes(
    desk: &Desk<'_>,
    raw_query: &str,
    page_size: Option<u32>,
) -> Result<Changes, AlertError> {
    let options = QueryOptions::parse(raw_query)?;
    match options.text(QueryOption::DeltaToken) {
        None | Some("") => first_page(desk, &options, page_size).await,
        Some(latest) if latest.eq_ignore_ascii_case("latest") => only_the_link(desk, &options).await,
        Some(token) => {
            options.allow_only(&[QueryOption::DeltaToken, QueryOption::SkipToken])?;
            let round = Round::open(desk, token).await?;
            match options.text(QueryOption::SkipToken) {
                Some(place) => round.next_page(desk, place, page_size).await,
                None => round.changed(desk, page_size).await,
            }
        }
    }
}

/// The options that hold for all rounds, and the position from which changes will be told.
struct Round {
    lasting: QueryOptions,
    token: DeltaToken,
}

async fn first_page(
    desk: &Desk<'_>,
    options: &QueryOptions,
    page_size: Option<u32>,
) -> Result<Changes, AlertError> {
    Round::begin(desk, options).await?.list(desk, page_size).await
}

async fn only_the_link(desk: &Desk<'_>, options: &QueryOptions) -> Result<Changes, AlertError> {
    let round = Round::begin(desk, options).await?;
    let query = check(desk, &round.lasting)?;
    let link = DeltaLink::Delta(round.link(desk, round.token.position)?);
    Ok(Changes {
        alerts: Vec::new(),
        removed: Vec::new(),
        selection: query.select,
        metadata: asked_level(&round.lasting, query.metadata),
        preferred_page_size: None,
        link,
    })
}

impl Round {
    /// A round that begins now.
    async fn begin(desk: &Desk<'_>, options: &QueryOptions) -> Result<Self, AlertError> {
        let allowed: Vec<_> = LASTING.iter().copied().chain([QueryOption::DeltaToken]).collect();
        options.allow_only(&allowed)?;
        let ChangePosition { epoch, sequence } = desk.store.latest_change(desk.scope).await?;
        let query = options.only(LASTING);
        let lasting = QueryOptions::parse(&query)?;
        let token = DeltaToken { position: (epoch, sequence), query, issued_at: desk.now };
        Ok(Self { lasting, token })
    }

    /// The round that a token belongs to, if the changes since are still known.
    async fn open(desk: &Desk<'_>, text: &str) -> Result<Self, AlertError> {
        let context = token_context(desk.scope);
        let token = DeltaToken::decode(text, &seal(desk, &context), &LIMITS)?;
        let lasting = QueryOptions::parse(&token.query)?;
        let round = Self { lasting, token };
        let oldest = desk.store.oldest_kept_change(desk.scope).await?;
        let is_known = round.position() >= oldest && desk.now - round.token.issued_at <= TOKEN_LIFE;
        if is_known {
            Ok(round)
        } else {
            Err(AlertError::ChangesGone { restart: round.query_with("$deltatoken=") })
        }
    }

    fn position(&self) -> ChangePosition {
        let (epoch, sequence) = self.token.position;
        ChangePosition { epoch, sequence }
    }

    fn query_with(&self, last: &str) -> String {
        if self.token.query.is_empty() { last.to_owned() } else { format!("{}&{last}", self.token.query) }
    }

    /// The query string of a link that goes on from a position.
    fn link(&self, desk: &Desk<'_>, position: (i64, i64)) -> Result<String, AlertError> {
        let context = token_context(desk.scope);
        let token = DeltaToken { position, issued_at: desk.now, query: self.token.query.clone() };
        Ok(format!("$deltatoken={}", token.encode(&seal(desk, &context), &LIMITS)?))
    }

    /// The first round, from its start.
    async fn list(&self, desk: &Desk<'_>, page_size: Option<u32>) -> Result<Changes, AlertError> {
        self.listed(desk, check(desk, &self.lasting)?, page_size).await
    }

    /// The first round, from a place in it.
    async fn next_page(
        &self,
        desk: &Desk<'_>,
        place: &str,
        page_size: Option<u32>,
    ) -> Result<Changes, AlertError> {
        let options = QueryOptions::parse(&self.query_with(&format!("$skiptoken={place}")))?;
        self.listed(desk, check(desk, &options)?, page_size).await
    }

    async fn listed(
        &self,
        desk: &Desk<'_>,
        query: Query,
        page_size: Option<u32>,
    ) -> Result<Changes, AlertError> {
        // The round's links are ours to make; the list's own would repeat the options.
        let no_options = QueryOptions::parse("")?;
        let link = self.link(desk, self.token.position)?;
        let list = page(desk, &no_options, query, page_size, None).await?;
        Ok(Changes {
            alerts: list.alerts,
            removed: Vec::new(),
            selection: list.selection,
            metadata: asked_level(&self.lasting, list.metadata),
            preferred_page_size: list.preferred_page_size,
            link: match list.next_query {
                Some(place) => DeltaLink::Next(format!("{link}&{place}")),
                None => DeltaLink::Delta(link),
            },
        })
    }

    /// What changed since the round before.
    async fn changed(&self, desk: &Desk<'_>, page_size: Option<u32>) -> Result<Changes, AlertError> {
        let query = check(desk, &self.lasting)?;
        let size = page_limit(query.top, page_size).max(1);
        let feed = desk.store.changes(desk.scope, self.position(), size as usize).await?;
        let ids = distinct(&feed.changes);
        let alerts = if ids.is_empty() {
            Vec::new()
        } else {
            let among =
                Filter::In(id_operand(), ids.iter().map(|id| Literal::String(id.to_string())).collect());
            let filter = match query.filter {
                Some(filter) => Filter::And(Box::new(among), Box::new(filter)),
                None => among,
            };
            let asked = AlertQuery {
                filter: Some(filter),
                search: None,
                order: query.order,
                limit: ids.len(),
                skip: 0,
                after: None,
            };
            desk.store.list_alerts(desk.scope, &asked).await?.alerts
        };
        let position = (feed.position.epoch, feed.position.sequence);
        let link = self.link(desk, position)?;
        Ok(Changes {
            removed: removed(&feed.changes, &ids, &alerts),
            alerts,
            selection: query.select,
            metadata: asked_level(&self.lasting, query.metadata),
            preferred_page_size: page_size.map(|size| size.min(LIMITS.top)),
            link: if feed.more { DeltaLink::Next(link) } else { DeltaLink::Delta(link) },
        })
    }
}

fn id_operand() -> Operand {
    Operand::Property(PropertyPath {
        root: Root::Entity,
        segments: vec!["id".to_owned()],
        ty: Type::String,
        nullable: false,
    })
}

/// The alerts that changed, each once, in the order of their first change.
fn distinct(changes: &[Change]) -> Vec<AlertId> {
    let mut ids: Vec<AlertId> = Vec::new();
    for change in changes {
        if !ids.contains(&change.alert_id) {
            ids.push(change.alert_id.clone());
        }
    }
    ids
}

/// Those that changed and were not found.
fn removed(changes: &[Change], ids: &[AlertId], alerts: &[AlertBody]) -> Vec<Removed> {
    let found: Vec<Option<String>> = alerts.iter().map(|alert| id_of(&alert.json)).collect();
    let is_missing = |id: &&AlertId| !found.iter().flatten().any(|known| known == id.as_str());
    let is_deleted = |id: &AlertId| {
        let last = changes.iter().rev().find(|change| change.alert_id == *id);
        last.is_some_and(|change| change.kind == ChangeKind::Deleted)
    };
    ids.iter().filter(is_missing).map(|id| Removed { id: id.clone(), is_deleted: is_deleted(id) }).collect()
}

fn id_of(json: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct WithId {
        id: String,
    }
    serde_json::from_str::<WithId>(json).ok().map(|alert| alert.id)
}
