//! Pages of the score's small sets, cut in memory in the order of their keys.

use odata::{
    CheckContext, Limits, MetadataLevel, Model, Position, Query, QueryOptions, Seal, Selection, TokenKey,
};
use serde_json::Value;

use super::{Asked, LIST_OPTIONS, ScoreError, select};
use crate::app::alerts::token_context;

/// How many entities a page holds if the caller does not say; as for alerts.
const PAGE_SIZE: u32 = 100;

/// One page of a set.
#[derive(Debug)]
pub struct EntityList {
    /// The entities, with what was selected.
    pub entities: Vec<Value>,
    /// Which properties they show; all if `None`.
    pub selection: Option<Selection>,
    /// How many entities the set has, if the caller asked.
    pub count: Option<usize>,
    /// The query string of the next page; `None` on the last.
    pub next_query: Option<String>,
    /// How much metadata the caller wants, if the query says so.
    pub metadata: Option<MetadataLevel>,
}

/// The page that the query asks for.
pub(super) struct AskedPage<'a> {
    options: QueryOptions,
    query: Query,
    limits: Limits,
    tokens: &'a TokenKey,
    /// Who may bring a token back, and to which set.
    token_context: Vec<u8>,
}

impl<'a> AskedPage<'a> {
    /// Reads a raw query string.
    pub(super) fn read(asked: &Asked<'a>, model: &Model) -> Result<Self, ScoreError> {
        let options = QueryOptions::parse(asked.raw_query)?;
        options.allow_only(LIST_OPTIONS)?;
        let limits = Limits::default();
        let mut token_context = token_context(asked.scope);
        token_context.extend_from_slice(model.entity.name.as_bytes());
        let seal = Seal { key: asked.tokens, context: &token_context };
        let query = options.check(&CheckContext { model, limits: &limits, now: asked.now, seal })?;
        Ok(Self { options, query, limits, tokens: asked.tokens, token_context })
    }

    /// Cuts the page out of all entities, which come with their keys and in their order.
    pub(super) fn cut(
        &self,
        all: impl ExactSizeIterator<Item = (String, Value)>,
    ) -> Result<EntityList, ScoreError> {
        let count = self.query.count.then_some(all.len());
        let size = self.query.top.unwrap_or(PAGE_SIZE) as usize;
        let skip = usize::try_from(self.query.skip).unwrap_or(usize::MAX);
        let is_later = |key: &str| self.query.after.as_ref().is_none_or(|after| key > after.id.as_str());
        let mut rest = all.filter(|(key, _)| is_later(key)).skip(skip);

        let mut entities = Vec::new();
        let mut last_key = None;
        for (key, mut entity) in rest.by_ref().take(size) {
            select(&mut entity, self.query.select.as_ref());
            entities.push(entity);
            last_key = Some(key);
        }
        let next_query = match last_key {
            Some(id) if rest.next().is_some() => {
                let after = Position { keys: Vec::new(), id };
                let seal = Seal { key: self.tokens, context: &self.token_context };
                Some(self.options.next_link_query(&self.query.page_token(&after, &seal, &self.limits)?))
            }
            _ => None,
        };
        Ok(EntityList {
            entities,
            selection: self.query.select.clone(),
            count,
            next_query,
            metadata: self.query.metadata,
        })
    }
}
