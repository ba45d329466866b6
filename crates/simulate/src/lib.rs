//! A believable estate of Azure customers, written as Azure would write it, with attacks in it.
//!
//! [`simulate`] writes raw files in Azure's own formats (activity log, cost exports, flow logs) and a
//! list of [`Label`]s that says what was an attack and what only looked like one. [`score()`] compares
//! alerts with labels. Detection never reads this crate or its labels.
//!
//! How it comes about: an *estate* (who the customers are and what they run) is drawn from the seed; a
//! *plan* says which *scenarios* happen where; both are *scripts* of actions, machines, usages and
//! conversations; *records* are made from scripts and an ordinary day's *routine*.
//!
//! The same settings give the same files, byte for byte. There is no clock in here.

mod calendar;
mod catalog;
mod dice;
mod estate;
mod generate;
mod labels;
mod records;
mod routine;
mod scenario;
mod score;
mod script;
mod settings;
mod summary;
mod tree;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

pub use labels::{Label, LabelError, Spend, read_labels, write_labels};
pub use score::{
    DetectorScores, Figures, FoundAttack, Intervals, KindScores, Pace, ScoredAlert, Scores, Trial,
    clean_subscription_days, score,
};
pub use settings::{CUSTOMERS_MAX, DAYS_MAX, Settings, SettingsError};
pub use summary::{ListedCustomer, SubscriptionDays, Summary, Volume};
pub use tree::{LABELS_FILE, MARKER_FILE, RAW_FOLDERS, describes_an_estate};

/// Why an estate could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// A setting is out of range.
    #[error("the estate cannot be made from these settings")]
    Settings(#[from] SettingsError),
    /// The folder holds something, and no earlier run made it.
    #[error("{path} is not empty and was not made by simulate; choose another folder")]
    NotOurs {
        /// The folder.
        path: PathBuf,
    },
    /// The folder was made by an earlier run, but holds something else too.
    #[error("{path} was not written by simulate; move it away, or choose another folder")]
    Foreign {
        /// The file or folder that is not ours.
        path: PathBuf,
    },
    /// A file or folder could not be written.
    #[error("{path} could not be written")]
    Write {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A record could not be turned into JSON.
    #[error("a record could not be encoded")]
    Encode(#[source] serde_json::Error),
    /// A cost file could not be written.
    #[error("a cost file could not be written")]
    Table(#[source] csv::Error),
    /// The labels could not be written.
    #[error("the labels could not be written")]
    Labels(#[source] LabelError),
}

/// Writes an estate into a folder that is empty, does not exist yet, or was made by an earlier run.
///
/// # Errors
/// If a setting is out of range, the folder belongs to something else, or a file cannot be written.
pub fn simulate(out: &Path, settings: &Settings) -> Result<Summary, SimulateError> {
    simulate_watched(out, settings, &AtomicU64::new(0))
}

/// As [`simulate()`]; `customers_written` grows by each customer that was written.
///
/// # Errors
/// As [`simulate()`].
pub fn simulate_watched(
    out: &Path,
    settings: &Settings,
    customers_written: &AtomicU64,
) -> Result<Summary, SimulateError> {
    settings.check()?;
    let tree = tree::Tree::prepare(out, settings)?;
    let period = calendar::Period::new(settings);
    let partner = estate::Partner::new(settings, &period);
    let incidents = scenario::plan(settings, &period, &partner);
    let estate = generate::Estate {
        tree: &tree,
        settings,
        period: &period,
        partner: &partner,
        incidents: &incidents,
        customers_written,
    };

    let mut summary = Summary {
        customers: settings.customers,
        subscriptions: Vec::new(),
        directory: Vec::new(),
        volume: Volume::default(),
        labels: Vec::new(),
        raw_folders: Vec::new(),
    };
    for written in estate.write()? {
        summary.volume += written.volume;
        summary.labels.extend(written.labels);
        summary.subscriptions.extend(written.subscriptions);
        summary.directory.extend(written.listed);
    }
    summary.labels.sort_by(|a, b| a.scenario.cmp(&b.scenario));
    write_labels(&tree.root().join(LABELS_FILE), &summary.labels).map_err(SimulateError::Labels)?;
    summary.raw_folders =
        RAW_FOLDERS.iter().map(|name| out.join(name)).filter(|path| path.is_dir()).collect();
    Ok(summary)
}
