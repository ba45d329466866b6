//! What of a record is kept as JSON text beside its columns.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::loose::compact_into;

/// The member that holds what stands beside the properties and has no column.
const BESIDE: &str = "_record";

/// Writes the properties of a record to `out`, compact. Outer members that are not `known` (in lower case)
/// are added to them as one member, `_record`, so that nothing is lost. A record without properties is kept
/// as a whole.
pub(crate) fn keep(out: &mut String, record: &str, properties: &str, known: &[&str]) {
    out.clear();
    if !properties.starts_with('{') {
        compact_into(out, record);
        return;
    }
    compact_into(out, properties);
    // Properties that were cut off stay as they are.
    if !out.ends_with('}') {
        return;
    }
    let mut beside = String::new();
    let mut deserializer = serde_json::Deserializer::from_str(record);
    let others = Others { known, out: &mut beside };
    if deserializer.deserialize_map(others).is_err() || beside.is_empty() {
        return;
    }
    out.pop();
    if out.len() > 1 {
        out.push(',');
    }
    out.push('"');
    out.push_str(BESIDE);
    out.push_str("\":{");
    out.push_str(&beside);
    out.push_str("}}");
}

/// Writes the members of an object that are not known.
struct Others<'o> {
    known: &'o [&'o str],
    out: &'o mut String,
}

impl<'de> Visitor<'de> for Others<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            if self.known.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value: &RawValue = map.next_value()?;
            if value.get() == "null" {
                continue;
            }
            if !self.out.is_empty() {
                self.out.push(',');
            }
            self.out.push_str(&serde_json::Value::from(name.into_owned()).to_string());
            self.out.push(':');
            compact_into(self.out, value.get());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost() {
        let check = |record: &str, properties: &str, expected: &str| {
            let mut out = "before".to_owned();
            keep(&mut out, record, properties, &["time", "properties"]);
            assert_eq!(out, expected, "{record}");
        };
        check(r#"{"Time":1,"properties":{"a": 1}}"#, r#"{"a": 1}"#, r#"{"a":1}"#);
        check(
            r#"{"time":1,"properties":{"a":1},"b\"c":[ 2 ],"d":null}"#,
            r#"{"a":1}"#,
            r#"{"a":1,"_record":{"b\"c":[2]}}"#,
        );
        check(r#"{"x":1}"#, "{}", r#"{"_record":{"x":1}}"#);
        check(r#"{"x": 1}"#, "", r#"{"x":1}"#);
        check(r#"{"x":1}"#, r#"{"cut":"#, r#"{"cut":"#);
    }
}
