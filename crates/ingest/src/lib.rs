//! Reads Azure's own record formats and normalises them into events.
//!
//! Files are found ([`discover()`]), opened (plain, gzip or zstd), and read record by record ([`read_file`]).
//! What a file holds is told by its content, never by its name, and decided record by record: activity
//! log, flow logs, Entra's logs, DNS and firewall logs, inventory, Service Health and alerts come as JSON in
//! several wrappers, costs as CSV, Parquet and JSON. Records of a kind become rows of an Arrow table
//! ([`schema`]); what cannot be read is rejected with a reason, and a [`QuarantineWriter`] keeps it. Nothing
//! is dropped in silence: records are counted where they are met, and read = stored + rejected, or the reading
//! fails.
//!
//! This crate stores nothing and knows no clock: time of arrival is a parameter. Duplicates are not
//! removed here either; equal events have equal `event_id`s, and the lake drops the second. Cost lines that
//! are stated again are not equal: each names its [`Statement`], of which the latest counts.

mod activity;
mod address;
mod advisory;
mod builders;
mod columns;
mod cost;
mod discover;
mod dns;
mod entra;
mod event_id;
mod flow;
mod inventory;
mod json;
mod manifest;
mod open;
mod output;
mod place;
mod portions;
mod quarantine;
mod read;
mod regions;
mod rejected;
mod resource;
pub mod schema;
mod security_alert;
mod statement;
mod texts;
mod time;
mod vm_size;

pub use discover::{DiscoverError, InputFile, discover};
pub use output::{EventBatch, SeenSubscription};
pub use quarantine::{
    Kept, KeptPiece, QuarantineError, QuarantineWriter, UnreadableQuarantine, quarantine_files,
    read_quarantine,
};
pub use read::{Extent, FileSummary, IngestError, Item, Reading, Stop, read_bytes, read_file};
pub use rejected::{KEPT_BYTES_MAX, Rejected};
pub use statement::{FilePiece, Listed, Statement};
pub use texts::{Texts, repeated, repeated_text};
