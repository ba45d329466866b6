//! What can go wrong with a source: what, where, and how to mend it.

use std::error::Error;

/// A cause from below.
pub(crate) type Cause = Box<dyn Error + Send + Sync>;

/// Why a source cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The settings cannot be used as they are.
    #[error("source '{source_name}': {problem}")]
    Settings {
        /// The source's name in the settings.
        source_name: String,
        /// What is wrong, and how to mend it.
        problem: String,
    },
    /// There is no such folder, container or topic.
    #[error("{place} does not exist: {mend}")]
    Missing {
        /// What was looked for, and where.
        place: String,
        /// What to do.
        mend: String,
    },
    /// The keeper of the records refuses us.
    #[error("{place} refuses access: {mend}")]
    Refused {
        /// What was asked for, and where.
        place: String,
        /// What to do.
        mend: String,
        /// What the other side said.
        #[source]
        cause: Cause,
    },
    /// It cannot be reached, or does not answer as it should. Trying again later may help.
    #[error("{place} cannot be read now: {mend}")]
    Unavailable {
        /// What was asked, and where.
        place: String,
        /// What to look at if it stays so.
        mend: String,
        /// What was noticed.
        #[source]
        cause: Cause,
    },
}

impl SourceError {
    /// Whether waiting may help, without a person doing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Settings { .. } | Self::Missing { .. } | Self::Refused { .. } => false,
        }
    }

    pub(crate) fn settings(source: &str, problem: impl Into<String>) -> Self {
        Self::Settings { source_name: source.to_owned(), problem: problem.into() }
    }

    pub(crate) fn unavailable(
        place: impl Into<String>,
        mend: impl Into<String>,
        cause: impl Into<Cause>,
    ) -> Self {
        Self::Unavailable { place: place.into(), mend: mend.into(), cause: cause.into() }
    }
}

/// An error and its causes on one line.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // Many libraries print their cause themselves.
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}
