//! Follows the sources of the settings, each in a task of its own.
//!
//! Of several servers on one store, one reads a source: whoever holds its lease. A server that dies is
//! followed by another once its lease ends, and by itself, started again on the same data directory, at once.

mod holder;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use sources::{Environment, Limits, Positions, Source, SourceError, SourceSettings};
use store::{Notice, SourceNote, StoreError};
use tokio::task::JoinSet;

use self::holder::Holder;
use crate::app::following::{FollowError, Follower};

/// How long a server may read a source without saying that it still does.
const LEASE: TimeDelta = TimeDelta::minutes(2);

/// How often a server that may not read a source asks again.
const ASK_AGAIN: Duration = Duration::from_secs(20);

/// How long to wait after a failure, and after many in a row.
const RETRY_FIRST: Duration = Duration::from_secs(2);
const RETRY_MAX: Duration = Duration::from_secs(300);

/// After so many failures in a row that waiting might mend, the operator is told.
const FAILURES_BEFORE_NOTICE: u32 = 3;

/// The kinds of notice.
const FAILING: &str = "source_failing";
const NOTED: &str = "source_notice";

/// Starts following; dropping the set stops it, and loses nothing.
#[must_use]
pub(crate) fn start(follower: &Follower, all: &[SourceSettings]) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let holder = Arc::new(Holder::of(&follower.instance.data_dir));
    let environment = Environment::of_process();
    for settings in all {
        let following = Following {
            follower: follower.clone(),
            name: settings.name().to_owned(),
            holder: holder.clone(),
            failures: 0,
        };
        let (settings, environment) = (settings.clone(), environment.clone());
        tasks.spawn(async move { following.run(&settings, &environment).await });
    }
    tasks
}

/// Why a source could not be followed this time.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Follow(#[from] FollowError),
    #[error("the store does not answer")]
    Store(#[from] StoreError),
}

impl Failure {
    fn is_transient(&self) -> bool {
        match self {
            Self::Source(error) => error.is_transient(),
            Self::Follow(_) | Self::Store(_) => true,
        }
    }
}

struct Following {
    follower: Follower,
    name: String,
    holder: Arc<Holder>,
    failures: u32,
}

impl Following {
    async fn run(mut self, settings: &SourceSettings, environment: &Environment) {
        let kind = kind(settings);
        let mut opened: Option<(Box<dyn Source>, Positions)> = None;
        loop {
            let wait = match self.turn(settings, environment, kind, &mut opened).await {
                Ok(wait) => wait,
                Err(failure) => {
                    // What it remembers may be why it failed.
                    opened = None;
                    self.failed(&failure).await
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// One look at the source; gives how long to wait before the next.
    async fn turn(
        &mut self,
        settings: &SourceSettings,
        environment: &Environment,
        kind: &str,
        opened: &mut Option<(Box<dyn Source>, Positions)>,
    ) -> Result<Duration, Failure> {
        let instance = self.follower.instance.clone();
        let (scope, store, now) = (instance.scope(), &instance.store, Utc::now());
        if !store.lease_source(&scope, &self.name, kind, self.holder.name(), now, now + LEASE).await? {
            *opened = None;
            return Ok(ASK_AGAIN);
        }
        let (source, saved) = match opened {
            Some(open) => open,
            None => {
                let source = sources::open(settings, environment, Limits::default())?;
                let saved = store.positions(&scope, &self.name).await?;
                opened.insert((source, read_positions(&self.name, saved)))
            }
        };
        let batch = source.poll(saved).await?;
        let note = self.follower.take_in(&self.name, &batch).await?;
        for (key, position) in batch.deliveries.iter().map(|one| (&one.key, &one.position)) {
            saved.insert(key.clone(), position.clone());
        }
        saved.extend(batch.save.iter().cloned());
        saved.retain(|key, _| !batch.forget.contains(key));
        store.note_source(&scope, &self.name, &note, Utc::now()).await?;
        if note.objects > 0 {
            tracing::info!(source = %self.name, objects = note.objects, records = note.records, "Took in {} records of {}", note.records, self.name);
        }
        for text in &batch.notices {
            tracing::warn!(source = %self.name, "{text}");
            store.raise_notice(&scope, &self.notice(NOTED, text.clone())).await?;
        }
        if std::mem::take(&mut self.failures) > 0 {
            tracing::info!(source = %self.name, "Source {} can be read again", self.name);
        }
        store.clear_notice(&scope, FAILING, &self.name, Utc::now()).await?;
        Ok(if batch.more { Duration::ZERO } else { source.pause() })
    }

    /// Tells of a failure; gives how long to wait before the next look.
    async fn failed(&mut self, failure: &Failure) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let text = chain(failure);
        tracing::warn!(source = %self.name, failures = self.failures, "Source {} cannot be read: {text}", self.name);
        let instance = &self.follower.instance;
        let (scope, store) = (instance.scope(), &instance.store);
        let note = SourceNote { error: Some(text.clone()), ..SourceNote::default() };
        let noted = store.note_source(&scope, &self.name, &note, Utc::now()).await;
        let told = if !failure.is_transient() || self.failures >= FAILURES_BEFORE_NOTICE {
            store.raise_notice(&scope, &self.notice(FAILING, text)).await.map(|_| ())
        } else {
            Ok(())
        };
        if let Err(error) = noted.and(told) {
            tracing::error!(source = %self.name, error = ?error, "That source {} fails could not be noted", self.name);
        }
        // A person may mend what waiting does not, so that it is tried again nevertheless.
        let doubled = RETRY_FIRST.saturating_mul(2_u32.saturating_pow(self.failures.min(16) - 1));
        if failure.is_transient() { doubled.min(RETRY_MAX) } else { doubled.clamp(ASK_AGAIN, RETRY_MAX) }
    }

    fn notice(&self, kind: &str, text: String) -> Notice {
        Notice {
            kind: kind.to_owned(),
            subject: self.name.clone(),
            text,
            raised_at: Utc::now(),
            cleared_at: None,
        }
    }
}

/// Positions that are no JSON are left out: what they stood for comes again, and is a duplicate.
fn read_positions(source: &str, saved: BTreeMap<String, String>) -> Positions {
    let mut positions = Positions::new();
    for (key, text) in saved {
        match serde_json::from_str(&text) {
            Ok(position) => drop(positions.insert(key, position)),
            Err(error) => {
                tracing::warn!(source, key, %error, "A saved position cannot be read; it is read again")
            }
        }
    }
    positions
}

fn kind(settings: &SourceSettings) -> &'static str {
    match settings {
        SourceSettings::Folder(_) => "folder",
        SourceSettings::AzureBlob(_) => "azure_blob",
        SourceSettings::S3(_) => "s3",
        SourceSettings::EventHubs(_) => "event_hubs",
    }
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}
