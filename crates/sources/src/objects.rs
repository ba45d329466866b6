//! Containers of objects: Azure Blob, S3 and what speaks like it.
//!
//! Logs laid out by hour are found without walking their history. The folders that hold years (one a resource) are
//! looked for now and then; below each, only the days that matter are listed: today's at each poll, and those
//! since the cursor less the lookback each hour. The cursor is the time of the last complete hourly listing, and is
//! saved like a position, so that after a pause of days nothing in between is missed. Everything else in the
//! container is listed when folders are looked for.
//!
//! List calls, with R folders that hold years and F other folders: R + F to look for folders, R a poll (2 R in
//! the first hours of a day), R times the days of the lookback (3 for 48 hours) each hour.

mod connect;
mod errors;
mod layout;
mod manifests;
mod object;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};
use serde_json::Value;

use crate::pieces::{Position, Version};
use crate::{Batch, Delivery, Limits, Positions, Source, SourceError};

pub(crate) use connect::{azure, s3};
use errors::Place;
use manifests::{ManifestOf, Manifests, Texts};
use object::Piece;

/// The key of the cursor. No object has it: a path has no empty segment.
const CURSOR: &str = "//cursor";
/// The hours of which objects are looked for at each poll; what is written later is found within the hour.
const HOT_HOURS: i64 = 2;
/// How often all days since the cursor are listed.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);
/// How often folders are looked for, where that takes many calls.
const DISCOVER_EVERY: Duration = Duration::from_secs(600);
/// Looking for folders with so few calls is done at each poll.
const DISCOVER_CHEAP_CALLS: u64 = 100;
/// Requests at the same time.
const CONCURRENT: usize = 16;
/// Listing stops while so many objects wait to be read.
const WAITING_MAX: usize = 10_000;
/// A batch has no more objects than this.
const OBJECTS_A_BATCH: usize = 512;
/// An unfinished last line is delivered as it is when the object did not change for this time.
const TAIL_WAIT: Duration = Duration::from_secs(600);
/// Parts of a cost export without a manifest are taken when nothing was written for this time.
const MANIFEST_WAIT_HOURS: i64 = 6;
/// An object that cannot be read is tried again after this time.
const FAILED_WAIT: Duration = Duration::from_secs(600);

/// What is read of a container, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectsOptions {
    /// Only what is below this folder; empty for all.
    pub prefix: String,
    /// How long to wait between polls.
    pub every: Duration,
    /// How long after its hour an hourly object may still change.
    pub lookback: TimeDelta,
    /// On the first run: nothing about hours before this, and no other object written before it. `None`: the hours of
    /// the lookback, and all other objects.
    pub since: Option<DateTime<Utc>>,
}

/// Reads the objects of a container.
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    place: Place,
    options: ObjectsOptions,
    limits: Limits,
    clock: Box<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    /// Folders that hold years.
    roots: BTreeSet<String>,
    discovered: Option<Discovered>,
    swept_at: Option<Instant>,
    round: Option<Round>,
    waiting: VecDeque<Found>,
    /// Positions of the last batch; if they are not saved by the next poll, everything is looked at again.
    handed: Vec<(String, Value)>,
    watched: HashMap<String, Watched>,
    failed: HashMap<String, Instant>,
    list_calls: u64,
}

#[derive(Debug)]
struct Discovered {
    at: Instant,
    calls: u64,
}

/// One round of listing.
#[derive(Debug)]
struct Round {
    to_list: VecDeque<String>,
    from: DateTime<Utc>,
    started_at: DateTime<Utc>,
    is_sweep: bool,
}

#[derive(Debug, Clone)]
struct Found {
    key: String,
    version: Version,
    modified_at: DateTime<Utc>,
    manifest: Option<ManifestOf>,
}

#[derive(Debug)]
struct Watched {
    version: Version,
    since: Instant,
    looked: bool,
    looked_when_quiet: bool,
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Objects")
            .field("place", &self.place)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Objects {
    /// Reads `store`; `place` is how people call it, such as `container logs of account contoso`.
    #[must_use]
    pub fn new(
        store: Arc<dyn ObjectStore>,
        place: &str,
        options: ObjectsOptions,
        limits: Limits,
        clock: impl Fn() -> DateTime<Utc> + Send + Sync + 'static,
    ) -> Self {
        Self {
            store,
            place: Place(place.to_owned()),
            options,
            limits,
            clock: Box::new(clock),
            roots: BTreeSet::new(),
            discovered: None,
            swept_at: None,
            round: None,
            waiting: VecDeque::new(),
            handed: Vec::new(),
            watched: HashMap::new(),
            failed: HashMap::new(),
            list_calls: 0,
        }
    }

    /// How many list calls were made so far, not counting further pages of 5,000 (Azure) or 1,000 (S3) objects.
    #[must_use]
    pub fn list_calls(&self) -> u64 {
        self.list_calls
    }

    fn start_over(&mut self) {
        self.discovered = None;
        self.swept_at = None;
        self.round = None;
        self.waiting.clear();
        self.handed.clear();
    }

    /// Begins a round of listing.
    async fn begin_round(&mut self, saved: &Positions, batch: &mut Batch) -> Result<(), SourceError> {
        let now = (self.clock)();
        let from = self.oldest_hour(saved, now);
        if self.must_discover() {
            self.discover(saved, from, now, batch).await?;
        }
        let is_sweep = self.swept_at.is_none_or(|at| at.elapsed() >= SWEEP_EVERY);
        let listed_from = if is_sweep { from } else { from.max(now - TimeDelta::hours(HOT_HOURS)) };
        if is_sweep {
            batch.forget.extend(saved.keys().filter(|key| is_too_old(key, from)).cloned());
            self.watched.retain(|key, _| !is_too_old(key, from));
            self.failed.retain(|_, at| at.elapsed() < FAILED_WAIT);
        }
        let to_list = self.roots.iter().flat_map(|root| layout::days(root, listed_from, now)).collect();
        self.round = Some(Round { to_list, from, started_at: now, is_sweep });
        Ok(())
    }

    /// Hours that ended before this are not looked at.
    fn oldest_hour(&self, saved: &Positions, now: DateTime<Utc>) -> DateTime<Utc> {
        let cursor =
            saved.get(CURSOR).and_then(Value::as_str).and_then(|text| text.parse::<DateTime<Utc>>().ok());
        match cursor {
            // A cursor in the future was saved by a clock that went wrong.
            Some(cursor) => cursor.min(now) - self.options.lookback,
            None => self.options.since.unwrap_or(now - self.options.lookback),
        }
    }

    fn must_discover(&self) -> bool {
        self.discovered
            .as_ref()
            .is_none_or(|last| last.calls <= DISCOVER_CHEAP_CALLS || last.at.elapsed() >= DISCOVER_EVERY)
    }

    /// Looks for folders that hold years, and for objects outside of them.
    async fn discover(
        &mut self,
        saved: &Positions,
        from: DateTime<Utc>,
        now: DateTime<Utc>,
        batch: &mut Batch,
    ) -> Result<(), SourceError> {
        let calls_before = self.list_calls;
        let mut roots = BTreeSet::new();
        let mut others = Vec::new();
        let mut folders = vec![self.options.prefix.clone()];
        while !folders.is_empty() {
            self.list_calls += folders.len() as u64;
            let store = &self.store;
            let place = &self.place;
            let listings: Vec<_> = stream::iter(std::mem::take(&mut folders))
                .map(|folder| async move {
                    let path = place.path(&folder)?;
                    let path = (!folder.is_empty()).then_some(&path);
                    let listing =
                        store.list_with_delimiter(path).await.map_err(|error| place.error(error))?;
                    Ok::<_, SourceError>((folder, listing))
                })
                .buffer_unordered(CONCURRENT)
                .try_collect()
                .await?;
            for (folder, listing) in listings {
                let names = |path: &Path| layout::split(path.as_ref()).1.to_owned();
                let (years, rest): (Vec<_>, Vec<_>) =
                    listing.common_prefixes.into_iter().partition(|path| layout::is_year(&names(path)));
                if !years.is_empty() {
                    roots.insert(folder);
                }
                folders.extend(rest.iter().map(|path| path.as_ref().to_owned()));
                others.extend(ready(listing.objects, now));
            }
        }
        self.take_others(others, saved, from, batch);
        self.roots = roots;
        self.discovered = Some(Discovered { at: Instant::now(), calls: self.list_calls - calls_before });
        Ok(())
    }

    /// Takes objects outside of folders of years, and forgets those that are gone.
    fn take_others(
        &mut self,
        others: Vec<(ObjectMeta, bool)>,
        saved: &Positions,
        from: DateTime<Utc>,
        batch: &mut Batch,
    ) {
        let present: BTreeSet<String> =
            others.iter().map(|(object, _)| object.location.as_ref().to_owned()).collect();
        let is_gone = |key: &&String| {
            key.as_str() != CURSOR && layout::hour_of(key).is_none() && !present.contains(key.as_str())
        };
        batch.forget.extend(saved.keys().filter(is_gone).cloned());
        let manifests = Manifests::among(present.iter().map(String::as_str));
        let first_run = !saved.contains_key(CURSOR);
        let since = self.options.since.filter(|_| first_run);
        for (object, is_ready) in others {
            let is_new = saved.get(object.location.as_ref()).is_none();
            let too_early = is_new && since.is_some_and(|since| object.last_modified < since);
            let too_old = is_too_old(object.location.as_ref(), from);
            if is_ready && !too_early && !too_old {
                let manifest = manifests.of(object.location.as_ref());
                self.take(object, manifest, saved);
            }
        }
    }

    /// Has an object wait to be read, unless that was done.
    fn take(&mut self, object: ObjectMeta, manifest: Option<ManifestOf>, saved: &Positions) {
        let key = object.location.as_ref();
        let version = object::version(&object);
        let is_done =
            Position::read(saved.get(key)).is_some_and(|position| position.done.as_ref() == Some(&version));
        let failed_lately = self.failed.get(key).is_some_and(|at| at.elapsed() < FAILED_WAIT);
        if !is_done && !failed_lately && object.size > 0 {
            let (key, modified_at) = (key.to_owned(), object.last_modified);
            self.waiting.push_back(Found { key, version, modified_at, manifest });
        }
    }

    /// Lists days until enough objects wait.
    async fn list_days(&mut self, saved: &Positions) -> Result<(), SourceError> {
        while let Some(round) = &mut self.round
            && !round.to_list.is_empty()
            && self.waiting.len() < WAITING_MAX
        {
            let from = round.from;
            let count = round.to_list.len().min(CONCURRENT * 4);
            let days: Vec<String> = round.to_list.drain(..count).collect();
            self.list_calls += count as u64;
            let (store, place) = (&self.store, &self.place);
            let objects: Vec<Vec<ObjectMeta>> = stream::iter(days)
                .map(|day| async move {
                    let path = place.path(&day)?;
                    store.list(Some(&path)).try_collect().await.map_err(|error| place.error(error))
                })
                .buffered(CONCURRENT)
                .try_collect()
                .await?;
            for object in objects.into_iter().flatten() {
                if !is_too_old(object.location.as_ref(), from) {
                    self.take(object, None, saved);
                }
            }
        }
        Ok(())
    }

    /// Whether nobody is expected to finish an unfinished line, and whether there was nothing to deliver in this state.
    fn watch(&mut self, found: &Found) -> (bool, bool) {
        let now = Instant::now();
        let fresh = || Watched {
            version: found.version.clone(),
            since: now,
            looked: false,
            looked_when_quiet: false,
        };
        let watched = self.watched.entry(found.key.clone()).or_insert_with(fresh);
        if watched.version != found.version {
            *watched = fresh();
        }
        let quiet = now.duration_since(watched.since) >= TAIL_WAIT;
        (quiet, if quiet { watched.looked_when_quiet } else { watched.looked })
    }

    /// The next objects to read, together of about as many bytes as a batch may have.
    fn next_group(&mut self, saved: &Positions) -> Vec<(Found, Option<Position>, bool)> {
        let mut group = Vec::new();
        let mut bytes = 0;
        while bytes < self.limits.batch_bytes && group.len() < OBJECTS_A_BATCH {
            let Some(found) = self.waiting.pop_front() else { break };
            let (quiet, looked) = self.watch(&found);
            if looked {
                continue;
            }
            let position = Position::read(saved.get(&found.key));
            let rest =
                found.version.size.saturating_sub(position.as_ref().map_or(0, |position| position.offset));
            bytes += usize::try_from(rest).unwrap_or(usize::MAX).min(self.limits.piece_bytes);
            group.push((found, position, quiet));
        }
        group
    }

    async fn read(&mut self, saved: &Positions, batch: &mut Batch) -> Result<(), SourceError> {
        let group = self.next_group(saved);
        let texts = match self.texts_for(&group, batch).await {
            Ok(texts) => texts,
            Err(error) => {
                group.into_iter().rev().for_each(|(found, ..)| self.waiting.push_front(found));
                return Err(error);
            }
        };
        let (store, piece_bytes) = (&self.store, self.limits.piece_bytes);
        let results: Vec<_> = stream::iter(group)
            .map(|(found, position, quiet)| async move {
                let result =
                    object::read(store.as_ref(), &found, position.as_ref(), quiet, piece_bytes).await;
                (found, quiet, result)
            })
            .buffered(CONCURRENT)
            .collect()
            .await;
        let mut failure = None;
        for (found, quiet, result) in results {
            match result {
                Ok(Some(piece)) => self.deliver(found, piece, &texts, batch),
                Ok(None) => self.mark_looked(&found.key, quiet),
                Err(error) => {
                    let error = self.place.object_error(&found.key, error);
                    if error.is_transient() {
                        self.waiting.push_back(found);
                        failure = Some(error);
                    } else {
                        self.failed.insert(found.key.clone(), Instant::now());
                        batch
                            .notices
                            .push(format!("left out for now: {}", crate::error::with_causes(&error)));
                    }
                }
            }
        }
        match failure {
            Some(error) if batch.deliveries.is_empty() => Err(error),
            _ => Ok(()),
        }
    }

    /// The manifests of the objects that are read next, each once.
    async fn texts_for(
        &self,
        group: &[(Found, Option<Position>, bool)],
        batch: &mut Batch,
    ) -> Result<Texts, SourceError> {
        let mut texts = Texts::new();
        for manifest in group.iter().filter_map(|(found, ..)| found.manifest.as_ref()) {
            if !texts.contains_key(&manifest.key) {
                let store = self.store.as_ref();
                let text = manifests::read(store, &self.place, &manifest.key, &mut batch.notices).await?;
                texts.insert(manifest.key.clone(), text);
            }
        }
        Ok(texts)
    }

    fn mark_looked(&mut self, key: &str, quiet: bool) {
        if let Some(watched) = self.watched.get_mut(key) {
            watched.looked = true;
            watched.looked_when_quiet |= quiet;
        }
    }

    fn deliver(&mut self, found: Found, piece: Piece, texts: &Texts, batch: &mut Batch) {
        self.watched.remove(&found.key);
        let position = piece.position.to_value();
        self.handed.push((found.key.clone(), position.clone()));
        batch.deliveries.push(Delivery {
            key: found.key.clone(),
            name: self.place.name_of(&found.key),
            content: piece.content,
            modified_at: piece.modified_at.or(Some(found.modified_at)),
            is_whole: piece.start.is_none(),
            manifest: found.manifest.clone().and_then(|manifest| manifest.with_text(texts)),
            span: piece.start.map(|start| start.span(None)),
            position,
        });
        if piece.more {
            // Read on in the next poll, once the position is saved.
            self.waiting.push_back(found);
        }
    }

    /// Ends the round if everything it found was delivered.
    fn end_round(&mut self, batch: &mut Batch) {
        let Some(round) = self.round.take_if(|round| round.to_list.is_empty() && self.waiting.is_empty())
        else {
            return;
        };
        if round.is_sweep {
            self.swept_at = Some(Instant::now());
            let cursor = round.started_at.to_rfc3339_opts(SecondsFormat::Secs, true);
            self.handed.push((CURSOR.to_owned(), cursor.clone().into()));
            batch.save.push((CURSOR.to_owned(), cursor.into()));
        }
    }
}

#[async_trait]
impl Source for Objects {
    async fn poll(&mut self, saved: &Positions) -> Result<Batch, SourceError> {
        if self.handed.drain(..).any(|(key, position)| saved.get(&key) != Some(&position)) {
            self.start_over();
        }
        let mut batch = Batch::default();
        if self.round.is_none() {
            self.begin_round(saved, &mut batch).await?;
        }
        if let Err(error) = self.list_days(saved).await {
            self.start_over();
            return Err(error);
        }
        self.read(saved, &mut batch).await?;
        self.end_round(&mut batch);
        batch.more = self.round.is_some();
        Ok(batch)
    }

    fn pause(&self) -> Duration {
        self.options.every
    }
}

fn is_too_old(key: &str, from: DateTime<Utc>) -> bool {
    layout::hour_of(key).is_some_and(|hour| !layout::is_within(hour, from))
}

/// Tells of each object of a folder whether it may be read: parts of a cost export wait for their manifest, which is
/// written last and is not for reading itself. Parts that nobody writes a manifest for, as in a copy of an export, are
/// taken after some hours.
fn ready(objects: Vec<ObjectMeta>, now: DateTime<Utc>) -> Vec<(ObjectMeta, bool)> {
    let name = |object: &ObjectMeta| layout::split(object.location.as_ref()).1.to_owned();
    let has_parts = objects.iter().any(|object| layout::is_part(&name(object)));
    let manifest_at =
        objects.iter().find(|object| name(object) == layout::MANIFEST).map(|object| object.last_modified);
    let is_ready = |object: &ObjectMeta| {
        let is_manifest = has_parts && name(object) == layout::MANIFEST;
        let is_complete = manifest_at.is_some_and(|at| at >= object.last_modified);
        let waited = now - object.last_modified >= TimeDelta::hours(MANIFEST_WAIT_HOURS);
        !is_manifest && (!layout::is_part(&name(object)) || is_complete || waited)
    };
    objects
        .into_iter()
        .map(|object| (is_ready(&object), object))
        .map(|(ready, object)| (object, ready))
        .collect()
}
