//! Reading again what was rejected before, after a mend of the program or of the records.
//!
//! Nothing is lost on the way: what is read now is in the lake before it leaves the quarantine, and what
//! is rejected again stays there. What was in the lake already is a duplicate.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use ingest::{EventBatch, InputFile, Item, Kept, QuarantineWriter, Stop, read_quarantine};
use tokio::sync::mpsc;

use super::Instance;
use super::ingestion::{self, IngestReport, IngestionError, Rejection};

/// Reads quarantine files again. Those of which nothing is rejected any more are removed.
///
/// A file that holds parts of its input, such as lines of a CSV, needs the input: that is read again as a
/// whole if it is where it was and as long as it was, and nothing else of it is rejected any more. Otherwise
/// the parts stay. `progress` grows by the bytes of the quarantine files that are done.
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
    let report = ingestion::store_what_is_read(&instance, now, move |to_writer| {
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
        return ingestion::read_input(instance, &input, now, &AtomicU64::new(0), to_writer, report);
    }
    let mut quarantine = None;
    for kept in read_quarantine(path)? {
        let kept = kept?;
        let quarantine = quarantine.get_or_insert_with(|| {
            let input = InputFile { path: kept.file.clone(), size_bytes: kept.file_bytes };
            QuarantineWriter::new(&instance.data_dir.quarantine(), &input)
        });
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

/// The input of a quarantine file that cannot be read again without it, if it is as it was.
fn input_to_read(path: &Path) -> Result<Option<InputFile>, IngestionError> {
    for kept in read_quarantine(path)? {
        let kept = kept?;
        if !kept.complete {
            let size = fs::metadata(&kept.file).ok().filter(fs::Metadata::is_file).map(|found| found.len());
            let is_as_it_was = size.is_some_and(|size| size == kept.file_bytes);
            return Ok(is_as_it_was.then_some(InputFile { path: kept.file, size_bytes: kept.file_bytes }));
        }
    }
    Ok(None)
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
    ingest::read_bytes(&name, kept.record.as_bytes(), &ingestion::reading(instance, now), &mut sink)?;
    Ok(reason)
}
