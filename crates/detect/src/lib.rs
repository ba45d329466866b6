//! Detection: runs detectors over the events and gives findings.
//!
//! A [`Detector`] is a folder: a [`Manifest`], a query, and cases. The [`Catalogue`] holds those that
//! come with the program and those of the user. [`session()`] makes the DataFusion session that runs
//! them: it has our functions ([`functions`]) and the [`Limits`] of a run. The caller registers the
//! tables `activity`, `cost` and `flow` in it, and [`Indicators`] theirs; then [`Detector::run`]
//! looks at one [`Window`] of one partner's events.
//!
//! What always holds:
//!
//! - a query sees one partner's events only, and only those of its window and lookback;
//! - the same events give the same findings, however time is cut into windows;
//! - a detector keeps nothing between runs.
//!
//! This crate knows no store and no files of Azure's. Nothing here reads the clock.

mod candidates;
mod catalogue;
mod detector;
mod duration;
mod files;
mod findings;
mod held;
mod indicators;
mod lint;
mod manifest;
mod reads;
mod samples;
mod session;
mod time_first;
mod together;
mod views;
mod window;

pub mod baseline;
pub mod cases;
pub mod functions;
pub mod vm_size;

pub use candidates::Candidates;
pub use catalogue::{Catalogue, CatalogueError};
pub use detector::{DetectError, Detector};
pub use files::FileError;
pub use findings::ShapeError;
pub use functions::{GeoDatabase, GeoError};
pub use indicators::{IndicatorError, Indicators};
pub use lint::{FIRING_CASES_MIN, NEAR_MISSES_MIN, lint};
pub use manifest::{Manifest, ManifestError, Setting, is_detector_id};
pub use samples::{Sample, SampleError};
pub use session::{Limits, session};
pub use together::{Looking, Together};
pub use views::visible_events;
pub use window::{PublicationLag, Window};
