//! What all forms of cost records have in common: a value for a column.

use super::headers::{Column, Family};
use crate::time::Instant;

/// One cost record: a line of a CSV, an object of JSON, a row of Parquet.
pub(super) trait Record<'a> {
    /// Whose columns it has.
    fn family(&self) -> Family;

    /// Whether its form has the column at all.
    fn has(&self, column: Column) -> bool;

    /// The text of a column without white space around it, unless blank.
    fn text(&self, column: Column) -> Option<&'a str>;

    /// The point in time in a column that has the type of one: outer `None` if it has not, inner if it is
    /// no time that an event can have.
    fn time(&self, _: Column) -> Option<Option<Instant>> {
        None
    }

    /// The number in a column, unless blank.
    fn amount(&self, column: Column) -> Result<Option<f64>, String> {
        amount_of_text(self.text(column), column)
    }
}

/// A text without white space around it; blank ones and `NULL`, as some exports write it, are none.
#[inline]
pub(super) fn told(text: &str) -> Option<&str> {
    let text = text.trim_ascii();
    let is_none = text.is_empty() || (text.len() == 4 && text.eq_ignore_ascii_case("null"));
    (!is_none).then_some(text)
}

/// The number that a text is.
pub(super) fn amount_of_text(text: Option<&str>, column: Column) -> Result<Option<f64>, String> {
    let Some(text) = text else { return Ok(None) };
    match text.parse::<f64>() {
        Ok(amount) if amount.is_finite() => Ok(Some(amount)),
        _ => {
            let shown: String = text.chars().take(40).collect();
            Err(format!(
                "`{shown}` in the {column:?} column is no number; digits with a decimal point are expected"
            ))
        }
    }
}
