//! From a checked search to a condition.

use odata::checked::Search;
use sea_query::{Expr, ExprTrait};

use super::dialect::Dialect;
use crate::StoreError;

/// That the search finds a row.
pub(crate) fn found(search: &Search, dialect: &dyn Dialect) -> Result<Expr, StoreError> {
    Ok(match search {
        Search::And(left, right) => found(left, dialect)?.and(found(right, dialect)?),
        Search::Or(left, right) => found(left, dialect)?.or(found(right, dialect)?),
        Search::Not(inner) => found(inner, dialect)?.not(),
        Search::Term(term) => {
            let column = term.property.map(text_column).transpose()?;
            dialect.has_words(column, &words(&term.text))
        }
    })
}

/// The words of a text: letters and digits, in lower case. Everything else divides them.
pub(crate) fn words(text: &str) -> Vec<String> {
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
