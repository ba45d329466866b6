//! What became of each rule.

use serde::Serialize;

/// What became of a document in a file of rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The line on which the document begins, from 1.
    pub line: usize,
    /// The rule's title; empty if it has none.
    pub title: String,
    /// The rule's own id, if it has one.
    pub rule_id: Option<String>,
    /// A detector, or why there is none.
    pub result: Result<Translation, Skipped>,
}

/// A rule that became a detector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translation {
    /// The detector's id: the name of its folder.
    pub id: String,
    /// The files of its folder: their paths within it, and their texts.
    pub files: Vec<(String, String)>,
    /// What whoever imports the rule should know of the translation.
    pub notes: Vec<String>,
}

/// A rule that became none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Skipped {
    /// The line that is to blame, from 1.
    pub line: usize,
    /// The kind of reason.
    pub because: Because,
    /// The reason in plain words.
    pub reason: String,
}

/// Why a rule became no detector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Because {
    /// The file is no YAML, or too large.
    Unreadable,
    /// The document is no rule, or an incomplete one.
    NotARule,
    /// It joins several rules.
    Correlation,
    /// It narrows other rules.
    Filter,
    /// Its parts are spread over several documents.
    Collection,
    /// Its authors have given it up.
    Retired,
    /// It is about another product's log.
    OtherLogSource,
    /// It is about a log of Azure that is not taken in.
    LogNotTakenIn,
    /// It names a field that our events do not have.
    UnknownField,
    /// It compares in a way that is not translated.
    UnsupportedModifier,
    /// It compares with a value that makes no sense for the field.
    UnsupportedValue,
    /// It wants values that each site must fill in.
    Placeholder,
    /// Its condition counts events.
    Aggregation,
    /// Its condition cannot be read.
    BadCondition,
    /// No event can be made up that it matches.
    NeverMatches,
    /// It matches whatever happens.
    MatchesEverything,
    /// It makes more comparisons than a query should.
    TooLarge,
    /// A detector of this name is there already, from another rule or changed by hand.
    NameTaken,
    /// The detector that came out failed its own checks.
    FailedChecks,
}

impl Because {
    /// The kind of reason in plain words, as a heading of a report.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Unreadable => "cannot be read",
            Self::NotARule => "no rule, or an incomplete one",
            Self::Correlation => "correlation of other rules",
            Self::Filter => "filter of other rules",
            Self::Collection => "spread over several documents",
            Self::Retired => "given up by its authors",
            Self::OtherLogSource => "about another product",
            Self::LogNotTakenIn => "about a log that is not taken in",
            Self::UnknownField => "unknown field",
            Self::UnsupportedModifier => "modifier that is not translated",
            Self::UnsupportedValue => "value that makes no sense for its field",
            Self::Placeholder => "placeholder to be filled in",
            Self::Aggregation => "counts events",
            Self::BadCondition => "condition that cannot be read",
            Self::NeverMatches => "never matches",
            Self::MatchesEverything => "matches everything",
            Self::TooLarge => "too many comparisons",
            Self::NameTaken => "name taken",
            Self::FailedChecks => "failed its checks",
        }
    }
}
