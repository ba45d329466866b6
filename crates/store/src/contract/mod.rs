//! The one interface to product state, as a trait for each subject.
//!
//! It is async because a server-side database is; the embedded one answers reads without waiting.
//! Each call names whose data it may touch. The tests of this crate's `testing` module hold for every
//! implementation.

mod alerts;
mod changes;
mod directory;
mod runs;

pub use alerts::AlertStore;
pub use changes::ChangeFeed;
pub use directory::DirectoryStore;
pub use runs::RunStore;

/// What every store can do.
pub trait Store: AlertStore + ChangeFeed + DirectoryStore + RunStore {}

impl<S: AlertStore + ChangeFeed + DirectoryStore + RunStore> Store for S {}
