//! Follows sources, each in a task of its own.
//!
//! Of several processes on one store, one reads a source: whoever holds its lease. One that stops gives its leases
//! back. One that dies is followed by another once they end, and by itself, started again on the same data
//! directory, at once.

mod holder;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use sources::{Environment, Limits, Positions, Source, SourceError, SourceSettings};
use store::{Notice, SourceNote, StoreError};
use tokio::task::JoinSet;

use self::holder::Holder;
use crate::app::Instance;
use crate::app::following::{FollowError, Follower, Taken, Tally};

/// How long a server may read a source without saying that it still does.
const LEASE: TimeDelta = TimeDelta::minutes(2);

/// How often a server that may not read a source asks again.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// How long to wait after a failure, and after many in a row.
const RETRY_FIRST: Duration = Duration::from_secs(2);
const RETRY_MAX: Duration = Duration::from_secs(300);

/// After so many failures in a row that waiting might mend, the operator is told.
const FAILURES_BEFORE_NOTICE: u32 = 3;

/// The kinds of notice.
pub(crate) const FAILING: &str = "source_failing";
const NOTED: &str = "source_notice";

/// What happens to a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceEvent {
    /// Something came in, and is stored: how many objects, and what was in them.
    TookIn(u64, Taken),
    /// What a person should know, and no failure.
    Noticed(String),
    /// It cannot be read, for the reasons given, so many times in a row. It is tried again.
    Failed(String, u32),
    /// It can be read again.
    Mended,
    /// Another process reads it. It is asked for again.
    ReadElsewhere,
}

/// Who is told what happens to a source, by its name.
pub type Watch = Arc<dyn Fn(&str, &SourceEvent) + Send + Sync>;

/// Sources that are followed; dropping it stops that, and loses nothing.
pub(crate) struct Followed {
    tasks: JoinSet<()>,
    instance: Arc<Instance>,
    holder: Arc<Holder>,
    sources: Vec<One>,
}

/// A source that is followed.
struct One {
    name: String,
    kind: &'static str,
    tally: Arc<Tally>,
}

/// Starts following.
#[must_use]
pub(crate) fn start(follower: &Follower, all: &[SourceSettings], watch: &Watch) -> Followed {
    let (mut tasks, mut sources) = (JoinSet::new(), Vec::new());
    let holder = Arc::new(Holder::of(&follower.instance.data_dir));
    let environment = Environment::of_process();
    for settings in all {
        let tally = Arc::new(Tally::default());
        sources.push(One { name: settings.name().to_owned(), kind: kind(settings), tally: tally.clone() });
        let following = Following {
            follower: Follower { tally, ..follower.clone() },
            name: settings.name().to_owned(),
            holder: holder.clone(),
            watch: watch.clone(),
            failures: 0,
            is_read_elsewhere: false,
        };
        let (settings, environment) = (settings.clone(), environment.clone());
        tasks.spawn(async move { following.run(&settings, &environment).await });
    }
    Followed { tasks, instance: follower.instance.clone(), holder, sources }
}

impl Followed {
    /// What was taken in of each source.
    pub(crate) fn tallies(&self) -> Vec<Arc<Tally>> {
        self.sources.iter().map(|one| one.tally.clone()).collect()
    }

    /// Stops, and lets others read the sources at once. What was under way comes again.
    pub(crate) async fn stop(mut self) {
        self.sources.iter().for_each(|one| one.tally.stop.store(true, Ordering::Relaxed));
        self.tasks.shutdown().await;
        let (scope, store, now) = (self.instance.scope(), &self.instance.store, Utc::now());
        for One { name, kind, .. } in &self.sources {
            // A lease that ends now is free. Who else holds it by now keeps it.
            let given_back = store.lease_source(&scope, name, kind, self.holder.name(), now, now).await;
            if let Err(error) = given_back {
                tracing::warn!(source = %name, ?error, "Nobody can read source {name} for two minutes");
            }
        }
    }
}

/// Tells the log.
pub(crate) fn log(name: &str, event: &SourceEvent) {
    match event {
        SourceEvent::TookIn(objects, taken) => {
            let records = taken.read();
            tracing::info!(source = %name, objects, records, "Took in {records} records of {name}");
        }
        SourceEvent::Noticed(text) => tracing::warn!(source = %name, "{text}"),
        SourceEvent::Failed(text, failures) => {
            tracing::warn!(source = %name, failures, "Source {name} cannot be read: {text}");
        }
        SourceEvent::Mended => tracing::info!(source = %name, "Source {name} can be read again"),
        SourceEvent::ReadElsewhere => tracing::debug!(source = %name, "Another process reads source {name}"),
    }
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
    watch: Watch,
    failures: u32,
    is_read_elsewhere: bool,
}

impl Following {
    fn tell(&self, event: &SourceEvent) {
        (self.watch)(&self.name, event);
    }

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
            if !std::mem::replace(&mut self.is_read_elsewhere, true) {
                self.tell(&SourceEvent::ReadElsewhere);
            }
            return Ok(ASK_AGAIN);
        }
        self.is_read_elsewhere = false;
        let (source, saved) = match opened {
            Some(open) => open,
            None => {
                let source = sources::open(settings, environment, Limits::default())?;
                let saved = store.positions(&scope, &self.name).await?;
                opened.insert((source, read_positions(&self.name, saved)))
            }
        };
        let batch = source.poll(saved).await?;
        let before = self.follower.tally.taken();
        let note = self.follower.take_in(&self.name, &batch).await?;
        for (key, position) in batch.deliveries.iter().map(|one| (&one.key, &one.position)) {
            saved.insert(key.clone(), position.clone());
        }
        saved.extend(batch.save.iter().cloned());
        saved.retain(|key, _| !batch.forget.contains(key));
        store.note_source(&scope, &self.name, &note, Utc::now()).await?;
        if note.objects > 0 {
            let taken = self.follower.tally.taken().since(&before);
            self.tell(&SourceEvent::TookIn(note.objects, taken));
        }
        for text in &batch.notices {
            self.tell(&SourceEvent::Noticed(text.clone()));
            store.raise_notice(&scope, &self.notice(NOTED, text.clone())).await?;
        }
        if std::mem::take(&mut self.failures) > 0 {
            self.tell(&SourceEvent::Mended);
        }
        store.clear_notice(&scope, FAILING, &self.name, Utc::now()).await?;
        Ok(if batch.more { Duration::ZERO } else { source.pause() })
    }

    /// Tells of a failure; gives how long to wait before the next look.
    async fn failed(&mut self, failure: &Failure) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let text = chain(failure);
        self.tell(&SourceEvent::Failed(text.clone(), self.failures));
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
