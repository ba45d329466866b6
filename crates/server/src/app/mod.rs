//! The use cases, free of HTTP: what the server and the command line do with the data.

pub mod customers;
pub mod detection;
pub mod explanation;
pub(crate) mod figures;
pub mod following;
pub mod health;
pub mod ingestion;
mod instance;
pub mod intake;
pub mod keys;
pub mod money;
pub mod quarantine;
pub mod rehearsal;
pub mod replay;
pub mod tuning;

pub use instance::{Instance, OpenError};
pub use lake::{Compacted, CompactionOptions};
