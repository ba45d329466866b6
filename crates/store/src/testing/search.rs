//! Searches answered over the JSON of an alert: the specification for databases.

use odata::checked::{Search, SearchTerm};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use crate::searchable_properties;

/// A word or phrase to be found in any property.
#[must_use]
pub fn term(text: &str) -> Search {
    Search::Term(SearchTerm { text: text.to_owned(), property: None })
}

/// A word or phrase to be found in one property.
///
/// # Panics
///
/// If the property is not searched.
#[must_use]
pub fn term_in(property: &str, text: &str) -> Search {
    let property = searchable_properties().iter().copied().find(|name| *name == property);
    Search::Term(SearchTerm { text: text.to_owned(), property: Some(property.expect("is searched")) })
}

/// Whether the search finds the alert.
#[must_use]
pub fn finds(search: &Search, alert: &Value) -> bool {
    match search {
        Search::And(left, right) => finds(left, alert) && finds(right, alert),
        Search::Or(left, right) => finds(left, alert) || finds(right, alert),
        Search::Not(inner) => !finds(inner, alert),
        Search::Term(SearchTerm { text, property }) => {
            let mut wanted = Vec::new();
            add_words(text, &mut wanted);
            let searched = searchable_properties().iter().filter(|name| property.is_none_or(|p| p == **name));
            searched.into_iter().any(|name| {
                let mut words = Vec::new();
                add_words_of(&alert[*name], &mut words);
                words.windows(wanted.len()).any(|side_by_side| side_by_side == wanted)
            })
        }
    }
}

const SEARCHED: &[&str] =
    &["a", "A", "ab", "b", "NÉ", "né", "n", "12", "€ 12", "it's so", "a_b", "SO", "vm", "rg-1/vm"];

/// Searches for words and phrases of the texts that [`generate`](super::generate) puts into alerts.
pub fn search() -> impl Strategy<Value = Search> {
    let property = proptest::option::of(select(searchable_properties()));
    let leaf = (select(SEARCHED), property)
        .prop_map(|(text, property)| Search::Term(SearchTerm { text: text.to_owned(), property }));
    leaf.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Search::And(Box::new(a), Box::new(b))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Search::Or(Box::new(a), Box::new(b))),
            inner.prop_map(|a| Search::Not(Box::new(a))),
        ]
    })
}

/// The words of all texts and numbers in a value, in order.
fn add_words_of(value: &Value, words: &mut Vec<String>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => add_words(&number.to_string(), words),
        Value::String(text) => add_words(text, words),
        Value::Array(items) => items.iter().for_each(|item| add_words_of(item, words)),
        Value::Object(members) => members.values().for_each(|member| add_words_of(member, words)),
    }
}

fn add_words(text: &str, words: &mut Vec<String>) {
    let mut word = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
}
