//! From a checked search to a condition.

use odata::checked::{Search, SearchTerm};
use sea_query::{Expr, ExprTrait};

use super::dialect::{Dialect, Words};
use crate::StoreError;

/// A term that more alerts have is [common](Words::are_common). To look up so many alerts by their numbers takes SQLite
/// 14 ms; to pass by 100,000 in an index takes it 24 ms, and less the more of them have the term.
pub(crate) const RARE_MAX: u64 = 4_000;

/// That the search finds a row. The terms in `common` are those that more than [`RARE_MAX`] alerts have.
pub(crate) fn found(
    search: &Search,
    common: &[SearchTerm],
    dialect: &dyn Dialect,
) -> Result<Expr, StoreError> {
    Ok(match search {
        Search::And(left, right) => found(left, common, dialect)?.and(found(right, common, dialect)?),
        Search::Or(left, right) => found(left, common, dialect)?.or(found(right, common, dialect)?),
        Search::Not(inner) => found(inner, common, dialect)?.not(),
        Search::Term(term) => {
            dialect.has_words(&Words { are_common: common.contains(term), ..words_of(term)? })
        }
    })
}

/// The terms of a search, in their order.
pub(crate) fn terms(search: &Search) -> Vec<&SearchTerm> {
    match search {
        Search::And(left, right) | Search::Or(left, right) => [terms(left), terms(right)].concat(),
        Search::Not(inner) => terms(inner),
        Search::Term(term) => vec![term],
    }
}

/// What is looked for because of a term.
pub(crate) fn words_of(term: &SearchTerm) -> Result<Words, StoreError> {
    let column = term.property.map(text_column).transpose()?;
    Ok(Words { column, words: words(&term.text), are_common: false })
}

/// The words of a text: letters and digits, in lower case. Everything else divides them.
fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// The column of `alert_text` that holds a property's words.
fn text_column(property: &str) -> Result<&'static str, StoreError> {
    TEXT_COLUMNS
        .iter()
        .find(|(name, _)| *name == property)
        .map(|(_, column)| *column)
        .ok_or_else(|| StoreError::Unsupported(format!("'{property}' cannot be searched")))
}

/// The properties whose texts are searched, and the columns of `alert_text` with their words.
const TEXT_COLUMNS: [(&str, &str); 4] = [
    ("displayName", "display_name"),
    ("description", "description"),
    ("affectedResources", "affected_resources"),
    ("additionalDetails", "additional_details"),
];

/// The properties whose texts `$search` looks through.
#[must_use]
pub fn searchable_properties() -> &'static [&'static str] {
    const NAMES: [&str; TEXT_COLUMNS.len()] = {
        let mut names = [""; TEXT_COLUMNS.len()];
        let mut n = 0;
        while n < names.len() {
            names[n] = TEXT_COLUMNS[n].0;
            n += 1;
        }
        names
    };
    &NAMES
}
