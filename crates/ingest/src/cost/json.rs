//! Cost records as objects of JSON: Partner Center's daily-rated usage.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Dataset;
use super::headers::{ALIASES, COLUMNS, Column, Family, folded};
use super::line::Normaliser;
use super::record::{Record, told};
use crate::output::{Failure, Output};
use crate::schema::Kind;

/// More names than a record has; what comes after is looked up anew.
const NAMES_MAX: usize = 256;

/// Columns by folded name, each with the ranks of the name among its aliases.
static NAMES: LazyLock<HashMap<&'static str, Vec<(Column, usize)>>> = LazyLock::new(|| {
    let mut names: HashMap<_, Vec<_>> = HashMap::new();
    for (column, aliases) in ALIASES {
        for (rank, alias) in aliases.iter().enumerate() {
            names.entry(*alias).or_default().push((*column, rank));
        }
    }
    names
});

/// Columns that a name stands for, each with the rank of the name among its aliases.
type Named = &'static [(Column, usize)];

/// Reads usage records.
#[derive(Default)]
pub(crate) struct UsageParser {
    normaliser: Option<Normaliser>,
    /// How many records of the input stand before the next, by the caller's count; `None` if it is to count itself.
    before: Option<u128>,
    /// The names of the last record in their order, and their columns: records of a file are alike.
    names: Vec<(Box<str>, Named)>,
}

impl UsageParser {
    /// Whether it has read a record.
    pub(crate) fn has_begun(&self) -> bool {
        self.normaliser.is_some()
    }

    /// Goes on after so many records of the input.
    pub(crate) fn go_on_after(&mut self, records: u128) {
        self.before = Some(records);
    }

    /// Reads one record; `text` is an object of JSON.
    pub(crate) fn read(&mut self, text: &str, line: u64, output: &mut Output<'_>) -> Result<(), Failure> {
        let normaliser = self
            .normaliser
            .get_or_insert_with(|| Normaliser::new(Dataset::Unbilled, output.origin().statement));
        if let Some(before) = self.before.take() {
            normaliser.go_on_after(before);
        }
        let mut object = Object { values: [const { None }; COLUMNS], has: [usize::MAX; COLUMNS] };
        let members = Members { object: &mut object, names: &mut self.names };
        if let Err(error) = members.deserialize(&mut serde_json::Deserializer::from_str(text)) {
            normaliser.pass_over();
            let reason = format!("its members cannot be read: {error}");
            return output.reject_part(line, Some(Kind::Cost), reason, text.as_bytes());
        }
        match normaliser.read(&Fields(&object)) {
            Ok(event) => output.take(&event),
            Err(reason) => output.reject_part(line, Some(Kind::Cost), reason, text.as_bytes()),
        }
    }
}

/// A record's values by column, and the rank of the name that each came from.
struct Object<'a> {
    values: [Option<Cow<'a, str>>; COLUMNS],
    has: [usize; COLUMNS],
}

/// A view of an object.
struct Fields<'a>(&'a Object<'a>);

impl<'a> Record<'a> for Fields<'a> {
    fn family(&self) -> Family {
        Family::PartnerCenter
    }

    fn has(&self, column: Column) -> bool {
        self.0.has[column as usize] != usize::MAX
    }

    fn text(&self, column: Column) -> Option<&'a str> {
        self.0.values[column as usize].as_deref().and_then(told)
    }
}

/// Fills an object from JSON.
struct Members<'o, 'a> {
    object: &'o mut Object<'a>,
    names: &'o mut Vec<(Box<str>, Named)>,
}

impl<'de: 'a, 'a> DeserializeSeed<'de> for Members<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Members<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut at = 0;
        while let Some(MemberName(name)) = map.next_key()? {
            let columns = columns_of(self.names, at, &name);
            at += 1;
            let value: &'de RawValue = map.next_value()?;
            for (column, rank) in columns {
                let place = *column as usize;
                if *rank < self.object.has[place] {
                    self.object.has[place] = *rank;
                    self.object.values[place] = text_of(value.get());
                }
            }
        }
        Ok(())
    }
}

/// A name, borrowed unless it has escapes.
#[derive(Deserialize)]
struct MemberName<'a>(#[serde(borrow)] Cow<'a, str>);

/// The columns of the name that stands at a place.
fn columns_of(names: &mut Vec<(Box<str>, Named)>, at: usize, name: &str) -> Named {
    if let Some((known, columns)) = names.get(at)
        && **known == *name
    {
        return columns;
    }
    let columns = NAMES.get(folded(name.as_bytes()).as_str()).map(Vec::as_slice).unwrap_or_default();
    names.truncate(at);
    if names.len() == at && at < NAMES_MAX {
        names.push((name.into(), columns));
    }
    columns
}

/// The text of a value: of a string what is in it, of anything else its JSON.
fn text_of(json: &str) -> Option<Cow<'_, str>> {
    match json.as_bytes() {
        b"null" => None,
        [b'"', inner @ .., b'"'] if memchr::memchr(b'\\', inner).is_none() => {
            json.get(1..json.len() - 1).map(Cow::Borrowed)
        }
        [b'"', ..] => serde_json::from_str::<String>(json).ok().map(Cow::Owned),
        _ => Some(Cow::Borrowed(json)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(Column, String)> {
        let mut object = Object { values: [const { None }; COLUMNS], has: [usize::MAX; COLUMNS] };
        let mut names = Vec::new();
        let members = Members { object: &mut object, names: &mut names };
        members.deserialize(&mut serde_json::Deserializer::from_str(text)).unwrap();
        let fields = Fields(&object);
        let value = |(column, _): &(Column, _)| Some((*column, fields.text(*column)?.to_owned()));
        ALIASES.iter().filter_map(value).collect()
    }

    #[test]
    fn members_are_columns_in_any_case_and_order() {
        let check = |text: &str, expected: &[(Column, &str)]| {
            let expected: Vec<_> =
                expected.iter().map(|(column, text)| (*column, (*text).to_owned())).collect();
            assert_eq!(read(text), expected, "{text}");
        };
        let azure = [(Column::SubscriptionId, "azure")];
        check(r#"{"SubscriptionId":"plan","EntitlementId":"azure"}"#, &azure);
        check(r#"{"entitlementId":"azure","SUBSCRIPTIONID":"plan"}"#, &azure);
        check(r#"{"Quantity":"24.5"}"#, &[(Column::Quantity, "24.5")]);
        check(r#"{"quantity":24.5,"x":{"quantity":1}}"#, &[(Column::Quantity, "24.5")]);
        check(r#"{"Tags":{"a":[1]}}"#, &[(Column::Tags, r#"{"a":[1]}"#)]);
        check(r#"{"Tags":"{\"a\":1}"}"#, &[(Column::Tags, r#"{"a":1}"#)]);
        check(r#"{"Tags":null,"Quantity":" "}"#, &[]);
    }
}
