//! Regular expressions: of values with wildcards, of networks, and texts that fit one.
//!
//! They are those of the crate `regex`, which the query engine uses too: no look-around and no references back, and
//! time that grows with the text alone, whatever a rule says.

use std::net::Ipv4Addr;

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::pattern::{Pattern, Piece, Shape};

/// How large a compiled expression may be, in bytes.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// How many characters a made-up text may have.
const SAMPLE_MAX: usize = 2_000;

/// Compiles an expression, within bounds.
pub(crate) fn compile(expression: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(expression).size_limit(COMPILED_BYTES_MAX).build()
}

/// The expression that finds what a value with wildcards means.
pub(crate) fn of(pattern: &Pattern, cased: bool) -> String {
    let flags = if cased { "(?s)" } else { "(?is)" };
    match pattern.shape() {
        Shape::Anything => String::new(),
        Shape::Contains(text) => format!("{flags}{}", escaped(text)),
        Shape::Exactly(_) | Shape::Starts(_) | Shape::Ends(_) | Shape::Mixed => {
            let inner: String = pattern.pieces().iter().map(of_piece).collect();
            // What may be anything at either end need not be looked at.
            let inner = inner.strip_suffix(".*").map_or(format!("{inner}$"), ToOwned::to_owned);
            let inner = inner.strip_prefix(".*").map_or(format!("^{inner}"), ToOwned::to_owned);
            format!("{flags}{inner}")
        }
    }
}

/// A text that means itself. A hyphen is special in classes alone, and ids have many.
fn escaped(text: &str) -> String {
    regex::escape(text).replace("\\-", "-")
}

fn of_piece(piece: &Piece) -> String {
    match piece {
        Piece::Text(text) => escaped(text),
        Piece::Many => ".*".to_owned(),
        Piece::One => ".".to_owned(),
    }
}

/// The expression that finds the addresses of an IPv4 network, such as `10.1.0.0/20`.
pub(crate) fn of_network(network: &str) -> Result<String, String> {
    let (address, length) = network.split_once('/').unwrap_or((network, "32"));
    let address: Ipv4Addr = address.parse().map_err(|_| format!("'{network}' is no IPv4 network"))?;
    let length: u32 = length
        .parse()
        .ok()
        .filter(|length| *length <= 32)
        .ok_or(format!("'{network}' is no IPv4 network"))?;
    let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
    let (first, last) = (u32::from(address) & mask, u32::from(address) | !mask);
    let octets: Vec<String> = first
        .to_be_bytes()
        .into_iter()
        .zip(last.to_be_bytes())
        .map(|(first, last)| match (first, last) {
            (0, 255) => "[0-9]{1,3}".to_owned(),
            (first, last) if first == last => first.to_string(),
            (first, last) => {
                let numbers: Vec<String> = (first..=last).map(|number| number.to_string()).collect();
                format!("({})", numbers.join("|"))
            }
        })
        .collect();
    Ok(format!("^{}$", octets.join("[.]")))
}

/// A text in which an expression is found; none if that is more than walking it can tell.
pub(crate) fn sample(expression: &str) -> Option<String> {
    let hir = regex_syntax::parse(expression).ok()?;
    let mut text = String::new();
    walk(&hir, &mut text)?;
    compile(expression).ok()?.is_match(&text).then_some(text)
}

fn walk(hir: &Hir, text: &mut String) -> Option<()> {
    if text.len() > SAMPLE_MAX {
        return None;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(class) => text.push(letter(class)?),
        HirKind::Repetition(repetition) => {
            for _ in 0..repetition.min {
                walk(&repetition.sub, text)?;
            }
        }
        HirKind::Capture(capture) => walk(&capture.sub, text)?,
        HirKind::Concat(parts) => {
            for part in parts {
                walk(part, text)?;
            }
        }
        HirKind::Alternation(parts) => walk(parts.first()?, text)?,
    }
    Some(())
}

/// A character of a class; one that is easy to read, if there is one.
fn letter(class: &Class) -> Option<char> {
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(class) => class.ranges().iter().map(|range| (range.start(), range.end())).collect(),
        Class::Bytes(class) => {
            class.ranges().iter().map(|range| (char::from(range.start()), char::from(range.end()))).collect()
        }
    };
    let within = |letter: &char| ranges.iter().any(|(first, last)| (first..=last).contains(&letter));
    ('a'..='z').chain('0'..='9').chain(' '..='~').find(within).or(ranges.first().map(|(first, _)| *first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_expressions() {
        let check = |value: &str, expected: &str| {
            assert_eq!(of(&Pattern::parse(value), false), expected, "{value}");
        };
        check("a.b", r"(?is)^a\.b$");
        check("a*", "(?is)^a");
        check("*a", "(?is)a$");
        check("*a*", "(?is)a");
        check("a?b*c", "(?is)^a.b.*c$");
        check("*a*b*", "(?is)a.*b");
        check("*", "");
        check("", "(?is)^$");
        check(r"a-\\-b", r"(?is)^a-\\-b$");
        assert_eq!(of(&Pattern::parse("a"), true), "(?s)^a$");
    }

    #[test]
    fn networks_become_expressions() {
        let check = |network: &str, inside: &[&str], outside: &[&str]| {
            let expression = compile(&of_network(network).unwrap()).unwrap();
            for address in inside {
                assert!(expression.is_match(address), "{address} in {network}");
            }
            for address in outside {
                assert!(!expression.is_match(address), "{address} in {network}");
            }
        };
        check(
            "10.0.0.0/8",
            &["10.0.0.1", "10.255.255.255"],
            &["11.0.0.1", "110.0.0.1", "10.0.0", "1.10.0.0"],
        );
        check("192.0.2.128/25", &["192.0.2.128", "192.0.2.255"], &["192.0.2.127", "192.0.3.128"]);
        check("172.16.5.5/12", &["172.16.0.1", "172.31.9.9"], &["172.32.0.1", "172.15.255.255"]);
        check("198.51.100.7", &["198.51.100.7"], &["198.51.100.70", "198.51.100.8"]);
        check("0.0.0.0/0", &["1.2.3.4"], &["::1"]);
        for wrong in ["10.0.0.0/33", "fd00::/8", "10.0.0/8", "any", "10.0.0.0/x"] {
            assert!(of_network(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn texts_are_made_up() {
        let check = |expression: &str, expected: Option<&str>| {
            assert_eq!(sample(expression).as_deref(), expected, "{expression}");
        };
        check("^abc$", Some("abc"));
        check("(?i)^abc$", Some("abc"));
        check("a{3}[0-9]+(x|y)", Some("aaa0x"));
        check(r"^\w+@\w+\.example$", Some("a@a.example"));
        check("a*", Some(""));
        check("x{5000}", None);
        check("[^a-z]", Some("0"));
        check(r"a\b", Some("a"));
        check(r"a\Bb$^", None);
    }
}
