//! Event Hubs through its Kafka endpoint, and any other Kafka.
//!
//! The place in each partition is ours: the offset is saved with the data, not with the broker, and there is no
//! consumer group. Partitions are looked for now and then. A message holds one JSON document, mostly
//! `{"records": […]}`; documents are joined, one a line, into deliveries of some size.

mod access;
mod token;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use rskafka::client::Client;
use rskafka::client::error::{Error, ProtocolError};
use rskafka::client::partition::{OffsetAt, PartitionClient, UnknownTopicHandling};
use rskafka::record::RecordAndOffset;
use serde_json::{Value, json};
use tokio::time::timeout;

pub use access::EventHubsAccess;
pub use token::{ClientSecret, TokenProvider};

use crate::error::with_causes;
use crate::{Batch, Content, Delivery, EventHubsSettings, Limits, Positions, Source, SourceError, StartAt};

/// How long the client tries again itself.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest wait for an answer, with all tries.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a broker may wait for a message when it has none.
const WAIT_MS: i32 = 500;
/// So many partitions are asked at the same time, in turn if there are more.
const PARTITIONS_A_POLL: usize = 32;
/// What one partition is asked for, in bytes; a broker sends one batch at least, however large.
const FETCH_BYTES: std::ops::RangeInclusive<usize> = 64 << 10..=8 << 20;

/// Reads event hubs.
#[derive(Debug)]
pub struct EventHubs {
    access: EventHubsAccess,
    topics: Vec<String>,
    start: StartAt,
    every: Duration,
    discover_every: Duration,
    limits: Limits,
    connected: Option<Connected>,
    /// The partition with which the next poll begins.
    turn: usize,
}

#[derive(Debug)]
struct Connected {
    client: Client,
    partitions: BTreeMap<String, Partition>,
    discovered_at: Instant,
}

#[derive(Debug, Clone)]
struct Partition {
    client: Arc<PartitionClient>,
    /// Where the first run begins, until it is saved.
    start: Option<i64>,
    /// Nothing came from this offset although there is something after it.
    empty_at: Option<i64>,
}

/// What a fetch gave.
#[derive(Debug)]
struct Fetched {
    /// From where it was read, which is not what was asked for if that had expired.
    offset: i64,
    records: Vec<RecordAndOffset>,
    /// The offset that the next message will have.
    end: i64,
    notice: Option<String>,
}

impl EventHubs {
    /// Reads the topics of `settings`.
    #[must_use]
    pub fn new(access: EventHubsAccess, settings: &EventHubsSettings, limits: Limits) -> Self {
        Self {
            access,
            topics: settings.topics.clone(),
            start: settings.start,
            every: settings.poll_every,
            discover_every: settings.discover_every,
            limits,
            connected: None,
            turn: 0,
        }
    }

    /// Connects and finds the partitions, if that is due; gives them by key, in order.
    async fn partitions(&mut self) -> Result<Vec<(String, Partition)>, SourceError> {
        let due =
            self.connected.as_ref().is_none_or(|known| known.discovered_at.elapsed() >= self.discover_every);
        if due {
            let found = match timeout(ANSWER_TIMEOUT, self.discover()).await {
                Ok(found) => found?,
                Err(late) => return Err(self.unavailable(late)),
            };
            self.connected = Some(found);
        }
        let known = self.connected.iter().flat_map(|known| &known.partitions);
        Ok(known.map(|(key, partition)| (key.clone(), partition.clone())).collect())
    }

    async fn discover(&mut self) -> Result<Connected, SourceError> {
        let (client, mut known) = match self.connected.take() {
            Some(connected) => (connected.client, connected.partitions),
            None => {
                let client = self.access.connect(PATIENCE).await.map_err(|error| self.error(error, None))?;
                (client, BTreeMap::new())
            }
        };
        let topics = client.list_topics().await.map_err(|error| self.error(error, None))?;
        let mut partitions = BTreeMap::new();
        for name in &self.topics {
            let Some(topic) = topics.iter().find(|topic| topic.name == *name) else {
                return Err(SourceError::Missing {
                    place: format!("event hub {name} at {}", self.access.place()),
                    mend: "create it, correct its name in the settings, or give us the right to listen to it"
                        .to_owned(),
                });
            };
            for number in &topic.partitions {
                let key = format!("{name}/{number}");
                let partition = match known.remove(&key) {
                    Some(partition) => partition,
                    None => {
                        let client =
                            client.partition_client(name, *number, UnknownTopicHandling::Error).await;
                        let client = client.map_err(|error| self.error(error, Some(&key)))?;
                        Partition { client: Arc::new(client), start: None, empty_at: None }
                    }
                };
                partitions.insert(key, partition);
            }
        }
        Ok(Connected { client, partitions, discovered_at: Instant::now() })
    }

    /// The partitions whose turn it is, and whether there are others that wait for theirs.
    fn take_turn(&mut self, all: &[(String, Partition)]) -> (Vec<(String, Partition)>, bool) {
        let first = if self.turn < all.len() { self.turn } else { 0 };
        let last = (first + PARTITIONS_A_POLL).min(all.len());
        self.turn = last;
        (all[first..last].to_vec(), last < all.len())
    }

    fn unavailable(&self, cause: impl Into<crate::error::Cause>) -> SourceError {
        let mend = "look whether its name resolves, port 9093 is open to us and the namespace is up; it is tried again";
        SourceError::unavailable(self.access.place(), mend, cause)
    }

    /// What went wrong, for people. Kafka's client gives most of it as text only.
    fn error(&self, error: Error, key: Option<&str>) -> SourceError {
        let place = match key {
            Some(key) => format!("event hub partition {key} at {}", self.access.place()),
            None => self.access.place(),
        };
        let said = with_causes(&error);
        let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
        let protocol = protocol_error(&error);
        let refused = |mend: &str, error: Error| SourceError::Refused {
            place: place.clone(),
            mend: mend.to_owned(),
            cause: error.into(),
        };
        if has(&["Sasl handshake failed: API error", "SaslAuthenticationFailed", token::REFUSED])
            || matches!(
                protocol,
                Some(ProtocolError::TopicAuthorizationFailed | ProtocolError::ClusterAuthorizationFailed)
            )
        {
            return refused(self.access.mend(), error);
        }
        if has(&["unsupported sasl mechanism", "UnsupportedSaslMechanism"]) {
            return refused("it does not know this way to authenticate; set another auth", error);
        }
        if has(&["invalid peer certificate"]) {
            return refused("its certificate is not trusted; correct the host's name, or set ca_file", error);
        }
        if has(&["Sasl handshake failed"]) {
            let mend = "the connection broke while authenticating; if it stays so, look at the credentials";
            return SourceError::unavailable(place, mend, error);
        }
        if matches!(protocol, Some(ProtocolError::UnknownTopicOrPartition)) {
            let mend = "it was there when partitions were looked for; they are looked for again";
            return SourceError::unavailable(place, mend, error);
        }
        let mend = "look whether its name resolves, port 9093 is open to us and the namespace is up; it is tried again";
        SourceError::unavailable(place, mend, error)
    }

    /// Where to read on.
    async fn offset(
        &self,
        key: &str,
        partition: &Partition,
        saved: &Positions,
        is_first_run: bool,
    ) -> Result<i64, Error> {
        let position = saved.get(key).and_then(|position| position.get("offset")).and_then(Value::as_i64);
        if let Some(offset) = position.or(partition.start) {
            return Ok(offset);
        }
        // Of a partition that came later, everything is new.
        let at =
            if is_first_run && self.start == StartAt::Latest { OffsetAt::Latest } else { OffsetAt::Earliest };
        partition.client.get_offset(at).await
    }

    async fn fetch(
        &self,
        key: &str,
        partition: &Partition,
        saved: &Positions,
        fetch_bytes: usize,
    ) -> Result<Fetched, SourceError> {
        let bytes = 1..i32::try_from(fetch_bytes).unwrap_or(i32::MAX);
        let topic = key.rsplit_once('/').map_or(key, |(topic, _)| topic);
        let is_first_run =
            !saved.keys().any(|key| key.rsplit_once('/').is_some_and(|(name, _)| name == topic));
        let fetch = async {
            let offset = self.offset(key, partition, saved, is_first_run).await?;
            match partition.client.fetch_records(offset, bytes.clone(), WAIT_MS).await {
                Ok((records, end)) => Ok(Fetched { offset, records, end, notice: None }),
                Err(error) if matches!(protocol_error(&error), Some(ProtocolError::OffsetOutOfRange)) => {
                    let earliest = partition.client.get_offset(OffsetAt::Earliest).await?;
                    let (records, end) =
                        partition.client.fetch_records(earliest, bytes.clone(), WAIT_MS).await?;
                    Ok(Fetched { offset: earliest, records, end, notice: Some(lost(key, offset, earliest)) })
                }
                Err(error) => Err(error),
            }
        };
        match timeout(ANSWER_TIMEOUT, fetch).await {
            Ok(fetched) => fetched.map_err(|error| self.error(error, Some(key))),
            Err(late) => Err(self.unavailable(late)),
        }
    }

    /// Turns what came from a partition into deliveries and positions; true if there is more at once.
    fn take_in(&mut self, key: &str, fetched: Fetched, batch: &mut Batch) -> bool {
        let piece_bytes = self.limits.piece_bytes;
        let Some(partition) = self.connected.as_mut().and_then(|known| known.partitions.get_mut(key)) else {
            return false;
        };
        partition.start = Some(fetched.offset);
        batch.notices.extend(fetched.notice);
        let Some(last) = fetched.records.last() else {
            let behind = fetched.end > fetched.offset;
            // Messages can be missing in the middle, where a transaction ended or a newer one replaced them. That there is
            // none at the offset is sure only if there was already something after it when it was asked for.
            let skips = behind && partition.empty_at == Some(fetched.offset);
            partition.empty_at = behind.then_some(fetched.offset);
            let offset = fetched.offset + i64::from(skips);
            if skips {
                partition.start = Some(offset);
            }
            batch.save.push((key.to_owned(), position(offset)));
            return behind;
        };
        partition.empty_at = None;
        let next = last.offset + 1;
        let deliveries = join(key, fetched.records, piece_bytes);
        if deliveries.is_empty() {
            batch.save.push((key.to_owned(), position(next)));
        }
        batch.deliveries.extend(deliveries);
        next < fetched.end
    }
}

#[async_trait]
impl Source for EventHubs {
    async fn poll(&mut self, saved: &Positions) -> Result<Batch, SourceError> {
        let partitions = self.partitions().await?;
        let (turn, others_wait) = self.take_turn(&partitions);
        let fetch_bytes =
            (self.limits.batch_bytes / turn.len().max(1)).clamp(*FETCH_BYTES.start(), *FETCH_BYTES.end());
        let this = &*self;
        let results: Vec<_> = stream::iter(turn)
            .map(|(key, partition)| async move {
                let fetched = this.fetch(&key, &partition, saved, fetch_bytes).await;
                (key, fetched)
            })
            .buffered(PARTITIONS_A_POLL)
            .collect()
            .await;
        let mut batch = Batch::default();
        let mut failures = Vec::new();
        let mut behind = false;
        for (key, result) in results {
            match result {
                Ok(fetched) => behind |= self.take_in(&key, fetched, &mut batch),
                Err(error) => failures.push(error),
            }
        }
        if let Some(failure) = failures.pop() {
            // The brokers may be others by now.
            self.connected = None;
            if batch.deliveries.is_empty() {
                return Err(failure);
            }
            batch.notices.extend(failures.iter().chain([&failure]).map(|failure| with_causes(failure)));
        }
        batch.save.retain(|(key, position)| saved.get(key) != Some(position));
        batch.more = behind || others_wait;
        Ok(batch)
    }

    fn pause(&self) -> Duration {
        self.every
    }
}

fn protocol_error(error: &Error) -> Option<ProtocolError> {
    match error {
        Error::ServerError { protocol_error, .. } => Some(*protocol_error),
        _ => None,
    }
}

fn position(offset: i64) -> Value {
    json!({ "offset": offset })
}

/// Tells that messages expired, or that the event hub is another one than before.
fn lost(key: &str, wanted: i64, earliest: i64) -> String {
    if earliest > wanted {
        let count = earliest - wanted;
        format!(
            "event hub partition {key}: up to {count} messages expired before they were read (offsets {wanted} to {}); \
             keep messages longer, or read them sooner",
            earliest - 1
        )
    } else {
        format!(
            "event hub partition {key}: its messages end before offset {wanted}, where reading would go on; the event hub was \
             made anew, and is read from its start"
        )
    }
}

/// Joins messages into deliveries: JSON documents one a line, anything else alone.
fn join(key: &str, records: Vec<RecordAndOffset>, piece_bytes: usize) -> Vec<Delivery> {
    let mut deliveries: Vec<Delivery> = Vec::new();
    let mut joined: Option<Joined> = None;
    for RecordAndOffset { record, offset } in records {
        let value = record.value.unwrap_or_default();
        let text = value.trim_ascii();
        if text.is_empty() {
            // Nothing to take in; the position passes it with the message before or after.
            match (&mut joined, deliveries.last_mut()) {
                (Some(joined), _) => joined.last = offset,
                (None, Some(delivery)) => delivery.position = position(offset + 1),
                (None, None) => {}
            }
            continue;
        }
        let is_json = matches!(text.first(), Some(b'{' | b'['));
        let fits = joined.as_ref().is_some_and(|joined| joined.bytes.len() + text.len() < piece_bytes);
        if (!is_json || !fits)
            && let Some(full) = joined.take()
        {
            deliveries.push(full.into_delivery(key));
        }
        let at = record.timestamp;
        if is_json {
            let joined = joined.get_or_insert_with(|| Joined::new(offset));
            joined.push(text, offset);
            joined.modified_at = Some(at);
        } else {
            let bytes = Bytes::from(value);
            let joined = Joined { first: offset, last: offset, bytes: bytes.into(), modified_at: Some(at) };
            deliveries.push(joined.into_delivery(key));
        }
    }
    deliveries.extend(joined.map(|joined| joined.into_delivery(key)));
    deliveries
}

struct Joined {
    first: i64,
    last: i64,
    bytes: BytesMut,
    modified_at: Option<chrono::DateTime<chrono::Utc>>,
}

impl Joined {
    fn new(first: i64) -> Self {
        Self { first, last: first, bytes: BytesMut::new(), modified_at: None }
    }

    /// Adds a document. Line ends in JSON stand between values only, where a space does as well.
    fn push(&mut self, document: &[u8], offset: i64) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(document);
        for byte in &mut self.bytes[start..] {
            if matches!(*byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        self.bytes.extend_from_slice(b"\n");
        self.last = offset;
    }

    fn into_delivery(self, key: &str) -> Delivery {
        let Self { first, last, bytes, modified_at } = self;
        Delivery {
            key: key.to_owned(),
            name: format!("event hub partition {key}, offsets {first} to {last}"),
            content: Content::Bytes(bytes.freeze()),
            modified_at,
            is_whole: false,
            manifest: None,
            span: None,
            position: position(last + 1),
        }
    }
}
