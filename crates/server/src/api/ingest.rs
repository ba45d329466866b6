//! Taking records in over HTTP: `POST /ingest/v1/{kind}`.
//!
//! A request is all or nothing where its sender erred: a record of another kind than the path names, or of
//! another customer than the key allows, refuses the whole body and stores nothing. Records that are only
//! damaged go to the quarantine, and the rest is stored. The reply comes when all of it is in the lake, so
//! a request without a reply is to be sent again: what got through is recognised.
//!
//! Costs that are too many for one request come as parts of a statement that the query names; see [`options`].

mod body;
mod options;
mod sender;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use chrono::Utc;
use graph::ApiError;
use graph::error::Kind as ErrorKind;
use ingest::schema::Kind;
use ingest::{
    EventBatch, Extent, FileSummary, IngestError, Item, QuarantineWriter, Reading, Rejected, Statement, Stop,
};
use serde_json::{Value, json};

use self::options::Options;
use self::sender::Sender;
use super::Api;
use crate::app::Instance;
use crate::app::ingestion;
use crate::app::intake::{IntakeError, Parcel, Receipt, Rejections};

/// Instead of a kind: whatever the records are.
const ANY: &str = "any";

/// How long a request waits for others to share its commit.
const PATIENCE: Duration = Duration::from_millis(20);

/// After how many seconds to try again when the server has no room or cannot store.
const RETRY_AFTER_S: u64 = 2;

/// A body with more records that cannot be read is refused: they are held in memory until it is known whether anything
/// of it is kept, and each takes some hundred bytes, however short it is.
const REJECTED_MAX: usize = 100_000;

/// How many rejections a reply names; all of them are in the quarantine.
const REJECTED_NAMED: usize = 20;

/// `POST /ingest/v1/{kind}`
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    Path(kind): Path<String>,
    options: Result<Query<Options>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, ApiError> {
    let wanted = wanted_kind(&kind)?;
    let now = Utc::now();
    let sender = Sender::of(&api, &headers, wanted, now).await?;
    let part_of = options::read(options, wanted, now)?;
    let (text, space) = body::read(&api.room, api.body_bytes_max, &headers, body).await?;
    let statement = part_of.map(|part| part.statement(sender.name(), &text));
    let instance = api.instance.clone();
    let reading = tokio::task::spawn_blocking(move || read(&instance, &kind, statement, &text));
    let mut read = reading.await.map_err(ApiError::internal)??;
    refuse_other_kinds(wanted, &read)?;
    sender.own(&api.instance, &mut read.batches).await?;
    let quarantined = keep(&api.instance, &read)?;
    let parcel =
        Parcel { batches: std::mem::take(&mut read.batches), patience: PATIENCE, space: Some(space) };
    let receipt = api.intake.take(parcel).await.map_err(not_stored)?;
    let mut rejections = Rejections::default();
    for rejected in &read.rejected {
        // What was sent as of a kind counts as of it, however damaged it is.
        rejections.add(rejected.kind.or(wanted));
    }
    rejections.note(&api.instance, sender.customer(), now).await.map_err(ApiError::internal)?;
    Ok(Json(reply(&receipt, quarantined, &read)))
}

/// `None` for any.
fn wanted_kind(name: &str) -> Result<Option<Kind>, ApiError> {
    if name == ANY {
        return Ok(None);
    }
    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
    kind.map(Some).ok_or_else(|| {
        let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        let message = format!(
            "There is no kind of record called '{name}'. Send to /ingest/v1/ and one of: {}, or any.",
            names.join(", ")
        );
        ApiError::new(ErrorKind::NotFound, message)
    })
}

/// What a body held.
struct Read {
    origin: String,
    bytes: u64,
    summary: FileSummary,
    batches: Vec<EventBatch>,
    rejected: Vec<Rejected>,
}

fn read(
    instance: &Instance,
    kind: &str,
    statement: Option<Statement>,
    text: &[u8],
) -> Result<Read, ApiError> {
    let origin = format!("POST /ingest/v1/{kind}");
    let (mut batches, mut rejected) = (Vec::new(), Vec::new());
    let mut sink = |item| {
        match item {
            Item::Batch(batch) => batches.push(batch),
            Item::Rejected(_) if rejected.len() == REJECTED_MAX => return Err(Stop("too many".into())),
            Item::Rejected(one) => rejected.push(one),
        }
        Ok(())
    };
    let reading = Reading { extent: Extent::Piece, statement, ..ingestion::reading(instance, Utc::now()) };
    let summary = match (ingest::read_bytes(&origin, text, &reading, &mut sink), rejected.first()) {
        (Ok(summary), _) => summary,
        (Err(IngestError::Stopped(_)), Some(first)) => {
            return Err(ApiError::bad_request(format!(
                "More than {REJECTED_MAX} of the body's records cannot be read, and nothing was kept. The first, on line {}: \
                 {}.",
                first.line, first.reason
            )));
        }
        (Err(error), _) => return Err(ApiError::internal(error)),
    };
    Ok(Read { origin, bytes: text.len() as u64, summary, batches, rejected })
}

/// Refuses a body with records of another kind, or without any.
fn refuse_other_kinds(wanted: Option<Kind>, read: &Read) -> Result<(), ApiError> {
    let other =
        Kind::ALL.into_iter().find(|kind| wanted.is_some_and(|w| w != *kind) && read.summary.rows(*kind) > 0);
    if let (Some(other), Some(wanted)) = (other, wanted) {
        return Err(ApiError::bad_request(format!(
            "The path takes records of kind {}, and {} of the body's {} records are of kind {}. Nothing was stored; send \
             them to /ingest/v1/{}, or all to /ingest/v1/any.",
            wanted.name(),
            read.summary.rows(other),
            read.summary.read,
            other.name(),
            other.name()
        )));
    }
    match read.rejected.first() {
        Some(first) if read.summary.stored() == 0 => Err(ApiError::bad_request(format!(
            "None of the body's {} records can be read, and nothing was kept. The first, on line {}: {}.",
            read.summary.read, first.line, first.reason
        ))),
        _ => Ok(()),
    }
}

/// Puts what was rejected into the quarantine; says how much.
fn keep(instance: &Instance, read: &Read) -> Result<u64, ApiError> {
    let mut quarantine =
        QuarantineWriter::of_stream(&instance.data_dir.quarantine(), &read.origin, read.bytes);
    for rejected in &read.rejected {
        quarantine.add(rejected).map_err(ApiError::internal)?;
    }
    quarantine.finish().map_err(ApiError::internal)?;
    Ok(read.rejected.len() as u64)
}

fn not_stored(error: IntakeError) -> ApiError {
    let advice = match &error {
        IntakeError::Failed(cause) if ingestion::is_disk_full(cause) => "the server's disk is full",
        IntakeError::Failed(_) => "the server's log says why",
        IntakeError::Stopping => "the server is stopping",
    };
    let message =
        format!("The events could not be stored: {advice}. Send them again; what got through is recognised.");
    ApiError::new(ErrorKind::Unavailable { retry_after_s: RETRY_AFTER_S }, message)
}

fn reply(receipt: &Receipt, quarantined: u64, read: &Read) -> Value {
    let stored: u64 = receipt.values().map(|counts| counts.stored).sum();
    let duplicates: u64 = receipt.values().map(|counts| counts.duplicates).sum();
    let named: Vec<Value> = read
        .rejected
        .iter()
        .take(REJECTED_NAMED)
        .map(|rejected| json!({ "line": rejected.line, "reason": rejected.reason }))
        .collect();
    json!({
        "read": read.summary.read,
        "stored": stored,
        "duplicates": duplicates,
        "quarantined": quarantined,
        "empty": read.summary.empty,
        "rejected": named,
    })
}
