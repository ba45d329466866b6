//! What can go wrong with the lake, where, and how to mend it.

use std::error::Error;
use std::io;

use chrono::NaiveDate;
use datafusion::error::DataFusionError;
use datafusion::object_store;
use deltalake::DeltaTableError;
use ingest::schema::Kind;
use url::Url;

/// A call to the lake failed. The cause, where there is one, is in `source` and not in the message.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// No lake can be at this place.
    #[error("events cannot be kept at '{location}': {problem}")]
    Location {
        /// The URL or path.
        location: String,
        /// What is wrong with it, and what to do instead.
        problem: String,
    },
    /// The table's folder holds something else.
    #[error(
        "'{location}' holds files but no Delta table ('{found}' is one of them); move them away or keep the \
         lake elsewhere"
    )]
    NotATable {
        /// URL of the folder.
        location: String,
        /// One of the files.
        found: String,
    },
    /// The storage refuses this process.
    #[error("no permission to use '{location}'; let this process's user read and write there")]
    PermissionDenied {
        /// URL of the table.
        location: String,
        /// What the storage said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The disk is full. What was stored before is safe.
    #[error(
        "no space left at '{location}'; free some and run again: what was stored before is safe, these events \
         are not stored"
    )]
    StorageFull {
        /// URL of the table.
        location: String,
        /// What the storage said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The events to append are not as the schema says: a defect of the caller.
    #[error("malformed events of kind '{}': {problem}", .kind.name())]
    Malformed {
        /// The kind they were said to be of.
        kind: Kind,
        /// What is wrong with them.
        problem: String,
    },
    /// The table has a column of another type, or lacks one that cannot be added.
    #[error(
        "column '{column}' of table '{location}' is {found} but must be {expected}; it was written by another \
         program or a version too far apart: keep the lake elsewhere and ingest again"
    )]
    Column {
        /// URL of the table.
        location: String,
        /// The column.
        column: String,
        /// Its type in the table.
        found: String,
        /// Its type in [`Kind::schema`].
        expected: String,
    },
    /// Other processes kept committing first. The events are not stored.
    #[error(
        "table '{location}' was changed by others {attempts} times in a row; run again when they are done"
    )]
    Contended {
        /// URL of the table.
        location: String,
        /// How often this append tried.
        attempts: usize,
    },
    /// A rewriting of a day's files did not give the rows that it should have; it was thrown away.
    #[error(
        "the files of {day} in table '{location}' were not rewritten: {problem}; nothing was changed: check the \
         storage, the day can still be read"
    )]
    Rewrite {
        /// URL of the table.
        location: String,
        /// The partition.
        day: NaiveDate,
        /// What did not add up.
        problem: String,
    },
    /// Delta could not read or write the table.
    #[error("Delta table '{location}' failed")]
    Table {
        /// URL of the table.
        location: String,
        /// What Delta said.
        source: Box<DeltaTableError>,
    },
    /// DataFusion could not read the table.
    #[error("reading table '{location}' failed")]
    Query {
        /// URL of the table.
        location: String,
        /// What DataFusion said.
        source: Box<DataFusionError>,
    },
}

impl LakeError {
    /// An error of Delta, with the cases that an operator can mend told apart.
    pub(crate) fn delta(location: &Url, source: DeltaTableError) -> Self {
        let location = location.to_string();
        match Mendable::find(&source) {
            Some(Mendable::Permission) => Self::PermissionDenied { location, source: Box::new(source) },
            Some(Mendable::Space) => Self::StorageFull { location, source: Box::new(source) },
            None => Self::Table { location, source: Box::new(source) },
        }
    }

    /// An error of DataFusion, with the cases that an operator can mend told apart.
    pub(crate) fn query(location: &Url, source: DataFusionError) -> Self {
        let location = location.to_string();
        match Mendable::find(&source) {
            Some(Mendable::Permission) => Self::PermissionDenied { location, source: Box::new(source) },
            Some(Mendable::Space) => Self::StorageFull { location, source: Box::new(source) },
            None => Self::Query { location, source: Box::new(source) },
        }
    }
}

/// Causes that are worth a message of their own.
enum Mendable {
    Permission,
    Space,
}

impl Mendable {
    /// Looks through the chain of causes: Delta, Parquet and the storage each wrap the one below.
    fn find(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(found) = Self::of_io(error).or_else(|| Self::of_storage(error)) {
                return Some(found);
            }
            cause = error.source();
        }
        None
    }

    fn of_io(error: &(dyn Error + 'static)) -> Option<Self> {
        match error.downcast_ref::<io::Error>()?.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Some(Self::Permission),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(Self::Space),
            _ => None,
        }
    }

    fn of_storage(error: &(dyn Error + 'static)) -> Option<Self> {
        match error.downcast_ref::<object_store::Error>()? {
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                Some(Self::Permission)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(kind: io::ErrorKind) -> DeltaTableError {
        let inner = object_store::Error::Generic { store: "test", source: Box::new(io::Error::from(kind)) };
        DeltaTableError::Parquet {
            source: deltalake::parquet::errors::ParquetError::External(Box::new(inner)),
        }
    }

    #[test]
    fn causes_that_can_be_mended_are_found_in_the_depth() {
        let location = Url::parse("file:///nowhere/activity/").unwrap();
        let cases = [
            (io::ErrorKind::StorageFull, "no space left at 'file:///nowhere/activity/'"),
            (io::ErrorKind::QuotaExceeded, "no space left"),
            (io::ErrorKind::PermissionDenied, "no permission to use 'file:///nowhere/activity/'"),
            (io::ErrorKind::ReadOnlyFilesystem, "no permission"),
            (io::ErrorKind::TimedOut, "Delta table 'file:///nowhere/activity/' failed"),
        ];
        for (kind, expected) in cases {
            let error = LakeError::delta(&location, wrapped(kind));
            assert!(error.to_string().starts_with(expected), "{kind:?}: {error}");
            assert!(error.source().is_some(), "{kind:?} keeps its cause");
        }
    }
}
