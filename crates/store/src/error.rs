//! What can go wrong in a store.

use alerts::{LifecycleError, PartnerTenantId, ValueError};

/// What can go wrong in a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The change contradicts itself.
    #[error(transparent)]
    Lifecycle(#[from] LifecycleError),
    /// An alert from elsewhere holds what cannot be kept.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// Something of another scope was handed in.
    #[error("what was handed in for partner {partner} lies outside the scope of this call")]
    OutOfScope {
        /// The partner that was named.
        partner: PartnerTenantId,
    },
    /// The query asks for something that this store cannot do.
    #[error("{0}")]
    Unsupported(String),
    /// A stored row cannot be read.
    #[error("stored row is damaged: {what}")]
    Damaged {
        /// Which row, and how.
        what: String,
    },
    /// The database cannot be opened as it is.
    #[error("{what}")]
    CannotOpen {
        /// Why, and what to do about it; for whoever runs the program. Holds no password.
        what: String,
        /// What the database or the system said.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The database failed.
    #[error("the database failed")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// That the database cannot be opened, and what its driver said of it.
    pub(crate) fn cannot_open(
        what: String,
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::CannotOpen { what, source }
    }
}
