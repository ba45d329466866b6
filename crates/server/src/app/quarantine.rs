//! Reading again what was rejected before, after a mend of the program or of the records.
//!
//! Nothing is lost on the way: what is read now is in the lake before it leaves the quarantine, and what
//! is rejected again stays there. What was in the lake already is a duplicate.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use ingest::{
    EventBatch, Extent, InputFile, Item, Kept, QuarantineWriter, Reading, Rejected, Statement, Stop,
    read_quarantine,
};
use tokio::sync::mpsc;

use super::Instance;
use super::ingestion::{self, IngestReport, IngestionError, Rejection};

/// Reads quarantine files again. Those of which nothing is rejected any more are removed.
///
/// A file that holds parts of its input, such as lines of a CSV, needs the input: that is read again as a
/// whole if it is where it was and as long as it was, and nothing else of it is rejected any more. Of an input
/// that was read in pieces, the piece is read again, if its bytes are what they were. Otherwise the parts stay.
/// `progress` grows by the bytes of the quarantine files that are done.
///
/// # Errors
///
/// [`IngestionError`]; the quarantine then still has all that it had.
pub async fn retry(
    instance: Arc<Instance>,
    files: Vec<PathBuf>,
    now: DateTime<Utc>,
    progress: Arc<AtomicU64>,
) -> Result<IngestReport, IngestionError> {
    let (done_with, removable) = std::sync::mpsc::channel();
    let reading = instance.clone();
    let mut report = ingestion::store_what_is_read(&instance, now, move |to_writer| {
        let mut report = IngestReport::default();
        for file in files {
            let size = fs::metadata(&file).map_or(0, |found| found.len());
            let before = progress.load(Ordering::Relaxed);
            let kept = read_again(&reading, &file, now, to_writer, &mut report, &progress)?;
            progress.store(before + size, Ordering::Relaxed);
            if kept.as_ref() != Some(&file) {
                // The receiver outlives the reading.
                let _ = done_with.send(file);
            }
        }
        Ok(report)
    })
    .await?;
    // What they held is in the lake or in a new file by now.
    for file in removable {
        fs::remove_file(&file).map_err(|error| IngestionError::Remove(file, error))?;
    }
    // Records that are kept count by their lines in the quarantine, not by what the reader finds in them.
    report.read = report.accounted();
    Ok(report)
}

/// Gives the quarantine file that holds what is rejected now, if anything is.
fn read_again(
    instance: &Instance,
    path: &Path,
    now: DateTime<Utc>,
    to_writer: &mpsc::Sender<EventBatch>,
    report: &mut IngestReport,
    progress: &AtomicU64,
) -> Result<Option<PathBuf>, IngestionError> {
    // Reading the input writes what is rejected of it anew, so what somebody mended here comes first, and
    // must not be lost if it is still rejected.
    if let Some(input) = input_to_read(path)?
        && read_complete(instance, path, now, to_writer)?
    {
        return match &input {
            Input::File(file) => {
                ingestion::read_input(instance, file, now, &AtomicU64::new(0), to_writer, report)
            }
            Input::Piece(piece) => piece.read(instance, now, to_writer, report),
        };
    }
    let mut quarantine = None;
    for kept in read_quarantine(path)? {
        let kept = kept?;
        let quarantine = quarantine.get_or_insert_with(|| writer(instance, &kept));
        let rejected = if kept.complete {
            read_record(instance, &kept, now, to_writer)?
        } else {
            Some(kept.reason.clone())
        };
        // About as long as it is in the file, where its quotes are escaped.
        progress.fetch_add(kept.record.len() as u64, Ordering::Relaxed);
        let Some(reason) = rejected else { continue };
        report.quarantined += 1;
        let file = kept.file.display().to_string();
        report.note(Rejection { file, line: kept.line, reason: reason.clone() });
        quarantine.keep(&Kept { reason, ..kept })?;
    }
    report.files += 1;
    let left = match quarantine {
        Some(quarantine) => quarantine.finish()?,
        None => None,
    };
    if left.is_some() {
        report.quarantine = Some(instance.data_dir.quarantine());
    }
    Ok(left)
}

/// Reads the complete records of a quarantine file; says whether nothing of them is rejected.
fn read_complete(
    instance: &Instance,
    path: &Path,
    now: DateTime<Utc>,
    to_writer: &mpsc::Sender<EventBatch>,
) -> Result<bool, IngestionError> {
    let mut are_all_read = true;
    for kept in read_quarantine(path)? {
        let kept = kept?;
        are_all_read &= !kept.complete || read_record(instance, &kept, now, to_writer)?.is_none();
    }
    Ok(are_all_read)
}

/// A writer for what is rejected again of the input that a record was of.
fn writer(instance: &Instance, kept: &Kept) -> QuarantineWriter {
    let folder = instance.data_dir.quarantine();
    match &kept.piece {
        Some(piece) => QuarantineWriter::of_piece(&folder, &kept.file, piece.clone()),
        None => {
            let input = InputFile { path: kept.file.clone(), size_bytes: kept.file_bytes };
            QuarantineWriter::new(&folder, &input)
        }
    }
}

/// What a quarantine file is of, as it was when it was read.
enum Input {
    File(InputFile),
    Piece(Box<Piece>),
}

/// A piece of a file, with its bytes.
struct Piece {
    kept: Kept,
    text: Vec<u8>,
    lines_before: u64,
    statement: Statement,
}

/// The input of a quarantine file that cannot be read again without it, if it is as it was.
fn input_to_read(path: &Path) -> Result<Option<Input>, IngestionError> {
    for kept in read_quarantine(path)? {
        let kept = kept?;
        if kept.complete {
            continue;
        }
        let Some(piece) = kept.piece.clone() else {
            let size = fs::metadata(&kept.file).ok().filter(fs::Metadata::is_file).map(|found| found.len());
            let is_as_it_was = size.is_some_and(|size| size == kept.file_bytes);
            let file = InputFile { path: kept.file, size_bytes: kept.file_bytes };
            return Ok(is_as_it_was.then_some(Input::File(file)));
        };
        let unreadable = |source| ingest::IngestError::Open { path: kept.file.clone(), source };
        let found = piece.read(&kept.file).map_err(unreadable)?.zip(piece.statement());
        return Ok(found.map(|(text, statement)| {
            Input::Piece(Box::new(Piece { kept, text, lines_before: piece.lines_before, statement }))
        }));
    }
    Ok(None)
}

impl Piece {
    /// Reads all of it again; gives the file in the quarantine that holds what is rejected, if anything is.
    fn read(
        &self,
        instance: &Instance,
        now: DateTime<Utc>,
        to_writer: &mpsc::Sender<EventBatch>,
        report: &mut IngestReport,
    ) -> Result<Option<PathBuf>, IngestionError> {
        let mut quarantine = writer(instance, &self.kept);
        let name = self.kept.file.display().to_string();
        let reading = Reading {
            extent: Extent::Piece,
            statement: Some(self.statement),
            ..ingestion::reading(instance, now)
        };
        let mut sink = |item| match item {
            Item::Batch(batch) => ingestion::send(to_writer, batch),
            Item::Rejected(mut rejected) => {
                rejected.line += self.lines_before;
                quarantine.add(&rejected).map_err(|error| Stop(Box::new(error)))?;
                let Rejected { file, line, reason, .. } = rejected;
                report.note(Rejection { file, line, reason });
                Ok(())
            }
        };
        let summary = ingest::read_bytes(&name, &self.text, &reading, &mut sink)?;
        report.finish_input(&summary, quarantine, instance)
    }
}

/// Reads one record again; gives the reason if any of it is rejected. What else it holds is stored, and
/// is a duplicate the next time.
fn read_record(
    instance: &Instance,
    kept: &Kept,
    now: DateTime<Utc>,
    to_writer: &mpsc::Sender<EventBatch>,
) -> Result<Option<String>, IngestionError> {
    let mut reason = None;
    let mut sink = |item| -> Result<(), Stop> {
        match item {
            Item::Batch(batch) => ingestion::send(to_writer, batch),
            Item::Rejected(rejected) => {
                reason.get_or_insert(rejected.reason);
                Ok(())
            }
        }
    };
    let name = kept.file.display().to_string();
    let reading = Reading { extent: Extent::Piece, ..ingestion::reading(instance, now) };
    ingest::read_bytes(&name, kept.record.as_bytes(), &reading, &mut sink)?;
    Ok(reason)
}
