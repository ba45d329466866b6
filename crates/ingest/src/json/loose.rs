//! Reading JSON that keeps to no one spelling.
//!
//! [`loose!`] makes a struct whose members are found without regard to letter case, are all optional,
//! and whose other members are passed over. Whatever is not an object reads as an empty struct.
//! [`Text`] takes any scalar. [`unfold`] undoes the habit of putting objects into strings.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::value::RawValue;

/// How many times a value may be JSON text inside a string; two have been seen.
const TEXT_LAYERS_MAX: usize = 4;

/// A scalar as text. Objects such as `{"value":…,"localizedValue":…}` give their `value`, lists of
/// scalars are joined with commas, null and blank texts are absent.
#[derive(Debug, Default, Clone)]
pub(crate) struct Text<'a>(Option<Cow<'a, str>>);

impl<'a> Text<'a> {
    /// The text without white space around it, unless blank.
    pub(crate) fn get(&self) -> Option<&str> {
        Some(trim(self.0.as_deref()?)).filter(|text| !text.is_empty())
    }

    /// The text in lower case: it is compared without regard to that.
    pub(crate) fn lower(&self) -> Option<String> {
        self.get().map(str::to_lowercase)
    }

    /// The text with its letter case: it is only shown.
    pub(crate) fn shown(&self) -> Option<String> {
        self.get().map(str::to_owned)
    }

    /// The text as it was written, empty if absent.
    pub(crate) fn as_written(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

/// The text without white space around it.
#[inline]
pub(crate) fn trim(text: &str) -> &str {
    match text.as_bytes() {
        // The rule: nothing to trim.
        [b'!'..=b'~'] | [b'!'..=b'~', .., b'!'..=b'~'] => text,
        _ => text.trim(),
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyScalar)
    }
}

/// The member of `{"value":…,"localizedValue":…}` that counts.
static VALUE: Names<()> = Names::new(&[("value", ())]);

struct AnyScalar;

impl<'de> Visitor<'de> for AnyScalar {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Borrowed(if value { "true" } else { "false" }))))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Owned(number.to_string()))))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Owned(number.to_string()))))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Owned(number.to_string()))))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Text(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Text(None);
        while let Some(member) = map.next_key_seed(&VALUE)? {
            if member.is_some() {
                found = map.next_value()?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut joined: Option<String> = None;
        while let Some(Text(item)) = list.next_element()? {
            let Some(item) = item else { continue };
            match &mut joined {
                None => joined = Some(item.into_owned()),
                Some(joined) => {
                    joined.push(',');
                    joined.push_str(&item);
                }
            }
        }
        Ok(Text(joined.map(Cow::Owned)))
    }
}

/// The items of a list; what is no list has none.
#[derive(Debug)]
pub(crate) struct Many<T>(pub(crate) Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyList(PhantomData))
    }
}

struct AnyList<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for AnyList<T> {
    type Value = Many<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Many(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Many::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Many::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Many::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Many::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Many::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Many::default())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Many::default())
    }
}

/// The names of a struct's members, to be found without regard to letter case.
///
/// A small hash table that is made when the program is compiled. Records have dozens of names, and comparing
/// each with all that are known took a tenth of the time.
pub(crate) struct Names<M: 'static> {
    names: &'static [(&'static str, M)],
    /// Places in `names`, from 1; 0 is empty.
    table: [u8; TABLE_SIZE],
}

/// Several times the names of the largest struct, so that most places have one name or none.
const TABLE_SIZE: usize = 256;

/// Where a name is looked for first. Letters count alike in either case.
const fn place(name: &[u8]) -> usize {
    if name.is_empty() {
        return 0;
    }
    let first = (name[0] | 0x20) as usize;
    let last = (name[name.len() - 1] | 0x20) as usize;
    let middle = (name[name.len() / 2] | 0x20) as usize;
    (first * 7 + middle * 31 + last * 3 + name.len() * 17) % TABLE_SIZE
}

impl<M: Copy> Names<M> {
    /// Called when the program is compiled: names in lower case, fewer than half the places.
    pub(crate) const fn new(names: &'static [(&'static str, M)]) -> Self {
        assert!(names.len() < TABLE_SIZE / 2);
        let mut table = [0; TABLE_SIZE];
        let mut index = 0;
        while index < names.len() {
            let mut at = place(names[index].0.as_bytes());
            while table[at] != 0 {
                at = (at + 1) % TABLE_SIZE;
            }
            index += 1;
            table[at] = index as u8;
        }
        Self { names, table }
    }

    /// What the name stands for.
    pub(crate) fn find(&self, name: &str) -> Option<M> {
        let mut at = place(name.as_bytes());
        loop {
            let index = usize::from(self.table[at]).checked_sub(1)?;
            let (known, member) = &self.names[index];
            // The long names of claims are in lower case, and comparing as they are is faster.
            if *known == name || known.eq_ignore_ascii_case(name) {
                return Some(*member);
            }
            at = (at + 1) % TABLE_SIZE;
        }
    }
}

impl<'de, M: Copy> DeserializeSeed<'de> for &Names<M> {
    type Value = Option<M>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<M: Copy> Visitor<'_> for &Names<M> {
    type Value = Option<M>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.find(name))
    }
}

/// An object that is read in place, or the text in its stead, which may be JSON text of one.
#[derive(Debug)]
pub(crate) enum Nested<'a, T> {
    /// The object.
    Object(T),
    /// A scalar; absent if there is nothing, or a list.
    Text(Text<'a>),
}

impl<T> Default for Nested<'_, T> {
    fn default() -> Self {
        Self::Text(Text::default())
    }
}

impl<T> Nested<'_, T> {
    /// The text in the object's stead, unfolded.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Object(_) => Cow::Borrowed(""),
            Self::Text(text) => {
                let text = text.as_written().trim();
                if text.starts_with('"') { unfold(text) } else { Cow::Borrowed(text) }
            }
        }
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Nested<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyNested(PhantomData))
    }
}

struct AnyNested<'a, T>(PhantomData<(&'a (), T)>);

impl<'de: 'a, 'a, T: Deserialize<'de>> Visitor<'de> for AnyNested<'a, T> {
    type Value = Nested<'a, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Nested::Object)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Nested::default())
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        AnyScalar.visit_borrowed_str(text).map(Nested::Text)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        AnyScalar.visit_str(text).map(Nested::Text)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
        AnyScalar.visit_bool(value).map(Nested::Text)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        AnyScalar.visit_i64(number).map(Nested::Text)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        AnyScalar.visit_u64(number).map(Nested::Text)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        AnyScalar.visit_f64(number).map(Nested::Text)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Nested::default())
    }
}

/// Undoes JSON text inside strings: `"{\"a\":1}"` gives `{"a":1}`. Other JSON stays as it is.
pub(crate) fn unfold(json: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(json.trim());
    for _ in 0..TEXT_LAYERS_MAX {
        if !text.starts_with('"') {
            break;
        }
        match serde_json::from_str::<String>(&text) {
            Ok(inner) if inner.trim().len() == inner.len() => text = Cow::Owned(inner),
            Ok(inner) => text = Cow::Owned(inner.trim().to_owned()),
            Err(_) => break,
        }
    }
    text
}

/// A nested object or list, which may be JSON text in a string; empty if it is not there.
pub(crate) fn nested<'a>(member: Option<&'a RawValue>) -> Cow<'a, str> {
    member.map(|raw| unfold(raw.get())).unwrap_or_default()
}

/// The items of a list; what is no list has none.
pub(crate) fn list<'a, T: Deserialize<'a>>(text: &'a str) -> Vec<T> {
    if text.starts_with('[') { serde_json::from_str(text).unwrap_or_default() } else { Vec::new() }
}

/// Reads a loose struct from a member that is an object, JSON text in a string, or anything else; what
/// cannot be read, such as a text that was cut off, is empty.
///
/// `text` comes from [`unfold`].
pub(crate) fn read_or_empty<'a, T: Deserialize<'a> + Default>(text: &'a str) -> T {
    if text.starts_with('{') { serde_json::from_str(text).unwrap_or_default() } else { T::default() }
}

/// Appends JSON text without the white space between its tokens.
pub(crate) fn compact_into(out: &mut String, json: &str) {
    let bytes = json.as_bytes();
    // What was passed over and not appended yet: all of it as a rule, since most writers write no white space.
    let mut start = 0;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = end_of_string(bytes, at),
            byte if byte.is_ascii_whitespace() => {
                out.push_str(&json[start..at]);
                at += 1;
                start = at;
            }
            _ => at += 1,
        }
    }
    out.push_str(&json[start..]);
}

/// A nested object or list as compact JSON text; `None` if it is neither, or empty.
pub(crate) fn compact(member: Option<&RawValue>) -> Option<String> {
    let text = nested(member);
    if !text.starts_with(['{', '[']) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    compact_into(&mut out, &text);
    (!matches!(out.as_str(), "{}" | "[]")).then_some(out)
}

/// The place after the string that starts at `at`, or the end of the text.
fn end_of_string(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        if bytes[at + found] == b'"' {
            return at + found + 1;
        }
        at += found + 2;
    }
    bytes.len()
}

/// Declares a struct that is read without regard to the letter case of its members.
macro_rules! loose {
    ($(#[$doc:meta])* struct $name:ident { $($field:ident: $ty:ty = $($key:literal)|+,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(crate) struct $name<'a> { $(pub(crate) $field: $ty,)* }

        impl<'de: 'a, 'a> serde::Deserialize<'de> for $name<'a> {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[allow(non_camel_case_types)]
                #[derive(Clone, Copy)]
                enum Member { $($field,)* }

                static NAMES: $crate::json::loose::Names<Member> =
                    $crate::json::loose::Names::new(&[$($(($key, Member::$field),)+)*]);

                // Filled in place: some structs are too large to be handed from call to call.
                struct AnyObject<'f, 'a>(&'f mut $name<'a>);

                impl<'de: 'a, 'a> serde::de::Visitor<'de> for AnyObject<'_, 'a> {
                    type Value = ();

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("any value")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        let Self(found) = self;
                        while let Some(member) = map.next_key_seed(&NAMES)? {
                            match member {
                                $(Some(Member::$field) => found.$field = map.next_value()?,)*
                                None => drop(map.next_value::<serde::de::IgnoredAny>()?),
                            }
                        }
                        Ok(())
                    }

                    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                        while list.next_element::<serde::de::IgnoredAny>()?.is_some() {}
                        Ok(())
                    }

                    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
                        Ok(())
                    }

                    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                        Ok(())
                    }

                    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                        Ok(())
                    }

                    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                        Ok(())
                    }

                    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                        Ok(())
                    }

                    fn visit_unit<E>(self) -> Result<Self::Value, E> {
                        Ok(())
                    }
                }

                let mut found = $name::default();
                deserializer.deserialize_any(AnyObject(&mut found))?;
                Ok(found)
            }
        }
    };
}
pub(crate) use loose;

#[cfg(test)]
mod tests {
    use super::*;

    loose! {
        struct Sample {
            name: Text<'a> = "name" | "title",
            inner: Option<&'a serde_json::value::RawValue> = "inner",
        }
    }

    #[test]
    fn members_are_found_in_any_case() {
        let check = |json: &str, name: Option<&str>| {
            let sample: Sample<'_> = serde_json::from_str(json).unwrap();
            assert_eq!(sample.name.get(), name, "{json}");
        };
        check(r#"{"Name":"a","other":{"deep":[1]}}"#, Some("a"));
        check(r#"{"TITLE":{"value":"a","localizedValue":"b"}}"#, Some("a"));
        check(r#"{"name":7}"#, Some("7"));
        check(r#"{"name":["pwd","mfa",null]}"#, Some("pwd,mfa"));
        check(r#"{"name":" \u0061 "}"#, Some("a"));
        for nothing in [r#"{"name":null}"#, r#"{"name":" "}"#, "[1,{}]", "\"x\"", "1", "-1.5", "true", "null"]
        {
            check(nothing, None);
        }
    }

    #[test]
    fn what_is_no_list_has_no_items() {
        let check = |json: &str, count: usize| {
            let many: Many<Sample<'_>> = serde_json::from_str(json).unwrap();
            assert_eq!(many.0.len(), count, "{json}");
        };
        check(r#"[{"name":"a"},7,null]"#, 3);
        for nothing in ["[]", r#"{"a":[1]}"#, "\"x\"", "1", "-1.5", "-1", "true", "null"] {
            check(nothing, 0);
        }
    }

    #[test]
    fn text_in_strings_is_unfolded() {
        let check = |json: &str, expected: &str| assert_eq!(unfold(json), expected, "{json}");
        check(r#"{"a":1}"#, r#"{"a":1}"#);
        check(r#""{\"a\":1}""#, r#"{"a":1}"#);
        check(r#""\"{\\\"a\\\":1}\"""#, r#"{"a":1}"#);
        check(r#""Ju Cho""#, "Ju Cho");
        check(r#""cut off"#, r#""cut off"#);
    }

    #[test]
    fn compacting_leaves_strings_alone() {
        let check = |json: &str, expected: &str| {
            let mut out = String::new();
            compact_into(&mut out, json);
            assert_eq!(out, expected);
        };
        check("{ \"a b\" : [ 1 , \"c \\\" d\" ],\r\n \"e\": true }", "{\"a b\":[1,\"c \\\" d\"],\"e\":true}");
        check("\"open \\", "\"open \\");
        check("", "");
    }
}
