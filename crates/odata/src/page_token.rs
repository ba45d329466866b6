//! Page tokens: where the next page starts, as an opaque text.
//!
//! A token holds the sort keys' values of the last entity of a page and its id, so that pages do not
//! shift while entities come and go. It also holds a fingerprint of filter and order, so that it is
//! refused beside another query. It does not hold `$top`, which Graph takes for the page size and
//! repeats in the link, nor `$skip`, which lies behind the position.
//!
//! Nothing rests on a token being genuine: a forged one moves its caller to another place among the
//! entities that the caller may see anyway.
//!
//! The form is base64url of: a version byte (a signed token gets a new version), the fingerprint, the
//! number of keys, each key as a tag and its value, and the id. Lengths and numbers are big-endian.
//! Enumeration members go by name, so that tokens outlive a change in their order.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Timelike};

use crate::checked::{Literal, SortKey};
use crate::error::{ErrorKind, QueryError, QueryOption};
use crate::limits::Limits;
use crate::model::Type;

const VERSION: u8 = 1;

/// A place in an order: the sort keys' values of one entity, and its id.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// One value for each sort key.
    pub keys: Vec<Literal>,
    /// The entity's id.
    pub id: String,
}

/// What a page token knows its query by: a hash of filter and order in canonical text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// The fingerprint of a query. Both texts are canonical; empty if there is none.
    #[must_use]
    pub fn of(filter: &str, orderby: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        for text in [filter, orderby] {
            // The length keeps the end of one text from passing for the start of the next.
            hasher.update(&(text.len() as u64).to_be_bytes());
            hasher.update(text.as_bytes());
        }
        let mut fingerprint = [0; 16];
        hasher.finalize_xof().fill(&mut fingerprint);
        Self(fingerprint)
    }
}

/// Writes the token of the page that starts after a position.
///
/// # Errors
/// The token would be longer than [`Limits::page_token_bytes`], so that it would be refused later; or
/// there are more than 255 keys.
pub fn encode(position: &Position, query: Fingerprint, limits: &Limits) -> Result<String, QueryError> {
    let count = u8::try_from(position.keys.len()).map_err(|_| too_long(limits))?;
    let mut bytes = vec![VERSION];
    bytes.extend(query.0);
    bytes.push(count);
    for key in &position.keys {
        write_literal(&mut bytes, key).ok_or_else(|| too_long(limits))?;
    }
    write_text(&mut bytes, &position.id).ok_or_else(|| too_long(limits))?;
    let token = URL_SAFE_NO_PAD.encode(bytes);
    if token.len() > limits.page_token_bytes { Err(too_long(limits)) } else { Ok(token) }
}

/// Reads a token that must belong to a query of this fingerprint and order.
///
/// # Errors
/// The token is not one of ours, or belongs to another query.
pub fn decode(
    token: &str,
    query: Fingerprint,
    order: &[SortKey],
    limits: &Limits,
) -> Result<Position, QueryError> {
    if token.len() > limits.page_token_bytes {
        return Err(too_long(limits));
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| not_a_token())?;
    let mut reader = Reader { rest: &bytes };
    let [version] = reader.array().ok_or_else(not_a_token)?;
    if version != VERSION {
        return Err(error(ErrorKind::Malformed, "page token of another version").with_hint(START_AGAIN));
    }
    let fingerprint = Fingerprint(reader.array().ok_or_else(not_a_token)?);
    if fingerprint != query {
        let error = error(ErrorKind::Malformed, "page token of another $filter or $orderby");
        return Err(error.with_hint("follow @odata.nextLink as it is"));
    }
    reader.position(order).ok_or_else(not_a_token)
}

const START_AGAIN: &str = "start again from the first page";

fn not_a_token() -> QueryError {
    error(ErrorKind::Malformed, "not a page token").with_hint(START_AGAIN)
}

fn too_long(limits: &Limits) -> QueryError {
    error(ErrorKind::OverLimit, &format!("page token of more than {} bytes", limits.page_token_bytes))
}

fn error(kind: ErrorKind, message: &str) -> QueryError {
    QueryError::of_option(kind, QueryOption::SkipToken.name(), message)
}

const NULL: u8 = 0;
const STRING: u8 = 1;
const FALSE: u8 = 2;
const TRUE: u8 = 3;
const INT: u8 = 4;
const DOUBLE: u8 = 5;
const DATE_TIME: u8 = 6;
const ENUM: u8 = 7;
const DATE: u8 = 8;
const TIME_OF_DAY: u8 = 9;
const DURATION: u8 = 10;

/// `None` if a text is too long for its length field.
fn write_literal(bytes: &mut Vec<u8>, literal: &Literal) -> Option<()> {
    match literal {
        Literal::Null => bytes.push(NULL),
        Literal::String(text) => {
            bytes.push(STRING);
            write_text(bytes, text)?;
        }
        Literal::Boolean(value) => bytes.push(if *value { TRUE } else { FALSE }),
        Literal::Int(value) => {
            bytes.push(INT);
            bytes.extend(value.to_be_bytes());
        }
        Literal::Double(value) => {
            bytes.push(DOUBLE);
            bytes.extend(value.to_be_bytes());
        }
        Literal::DateTime(at) => {
            bytes.push(DATE_TIME);
            bytes.extend(at.timestamp().to_be_bytes());
            bytes.extend(at.timestamp_subsec_nanos().to_be_bytes());
        }
        Literal::Date(day) => {
            bytes.push(DATE);
            bytes.extend(day.num_days_from_ce().to_be_bytes());
        }
        Literal::TimeOfDay(time) => {
            bytes.push(TIME_OF_DAY);
            bytes.extend(time.num_seconds_from_midnight().to_be_bytes());
            bytes.extend(time.nanosecond().to_be_bytes());
        }
        Literal::Duration(length) => {
            bytes.push(DURATION);
            bytes.extend(length.num_seconds().to_be_bytes());
            bytes.extend(length.subsec_nanos().to_be_bytes());
        }
        Literal::Enum(enumeration, member) => {
            bytes.push(ENUM);
            write_text(bytes, enumeration.members.get(*member)?)?;
        }
    }
    Some(())
}

fn write_text(bytes: &mut Vec<u8>, text: &str) -> Option<()> {
    bytes.extend(u32::try_from(text.len()).ok()?.to_be_bytes());
    bytes.extend(text.as_bytes());
    Some(())
}

/// Reads from the front; `None` at anything unexpected.
struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn position(&mut self, order: &[SortKey]) -> Option<Position> {
        let [count] = self.array()?;
        if usize::from(count) != order.len() {
            return None;
        }
        let keys = order.iter().map(|key| self.literal(key.by.ty()?)).collect::<Option<Vec<_>>>()?;
        let id = self.text()?;
        self.rest.is_empty().then_some(Position { keys, id })
    }

    /// A value that a property of that type can have.
    fn literal(&mut self, ty: Type) -> Option<Literal> {
        let [tag] = self.array()?;
        let literal = match (tag, ty) {
            (NULL, _) => Literal::Null,
            (STRING, Type::String) => Literal::String(self.text()?),
            (FALSE, Type::Boolean) => Literal::Boolean(false),
            (TRUE, Type::Boolean) => Literal::Boolean(true),
            (INT, Type::Int64 | Type::Double) => Literal::Int(i64::from_be_bytes(self.array()?)),
            (DOUBLE, Type::Int64 | Type::Double) => Literal::Double(f64::from_be_bytes(self.array()?)),
            (DATE_TIME, Type::DateTimeOffset) => {
                let seconds = i64::from_be_bytes(self.array()?);
                let nanoseconds = u32::from_be_bytes(self.array()?);
                Literal::DateTime(DateTime::from_timestamp(seconds, nanoseconds)?)
            }
            (DATE, Type::Date) => {
                Literal::Date(NaiveDate::from_num_days_from_ce_opt(i32::from_be_bytes(self.array()?))?)
            }
            (TIME_OF_DAY, Type::TimeOfDay) => {
                let seconds = u32::from_be_bytes(self.array()?);
                let nanoseconds = u32::from_be_bytes(self.array()?);
                Literal::TimeOfDay(NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanoseconds)?)
            }
            (DURATION, Type::Duration) => {
                let seconds = i64::from_be_bytes(self.array()?);
                let nanoseconds = i32::from_be_bytes(self.array()?);
                Literal::Duration(
                    TimeDelta::try_seconds(seconds)?
                        .checked_add(&TimeDelta::nanoseconds(nanoseconds.into()))?,
                )
            }
            (ENUM, Type::Enum(enumeration)) => {
                let member = self.text()?;
                Literal::Enum(enumeration, enumeration.members.iter().position(|known| *known == member)?)
            }
            _ => return None,
        };
        // A value that is not a number has no place in an order.
        let is_ordered = !matches!(literal, Literal::Double(value) if value.is_nan());
        is_ordered.then_some(literal)
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::try_from(u32::from_be_bytes(self.array()?)).ok()?;
        let (text, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        String::from_utf8(text.to_vec()).ok()
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*array)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orderby::check_orderby;
    use crate::parser::parse_orderby;
    use crate::sample::{MODEL, SEVERITY};

    fn order(text: &str) -> Vec<SortKey> {
        check_orderby(&parse_orderby(text, &Limits::default()).unwrap(), text, &MODEL).unwrap()
    }

    fn position() -> Position {
        let at = DateTime::from_timestamp(1_900_000_000, 123_456_789).unwrap();
        let keys = vec![
            Literal::Enum(&SEVERITY, 3),
            Literal::DateTime(at),
            Literal::Boolean(true),
            Literal::Null,
            Literal::Int(-7),
            Literal::Double(0.5),
        ];
        Position { keys, id: "größe".into() }
    }

    const ORDER: &str = "severity,detectedDateTime,isTest,title,count,cost";

    #[test]
    fn a_token_is_plain_in_a_url_and_reads_back() {
        let limits = Limits::default();
        let query = Fingerprint::of("", ORDER);
        let token = encode(&position(), query, &limits).unwrap();
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
        assert_eq!(decode(&token, query, &order(ORDER), &limits), Ok(position()));
    }

    #[test]
    fn fingerprints_tell_filter_from_order() {
        assert_ne!(Fingerprint::of("ab", "c"), Fingerprint::of("a", "bc"));
        assert_ne!(Fingerprint::of("a", ""), Fingerprint::of("", "a"));
    }

    #[test]
    fn what_is_no_token_of_the_query_is_refused() {
        let limits = Limits::default();
        let query = Fingerprint::of("", ORDER);
        let token = encode(&position(), query, &limits).unwrap();
        let check = |token: &str, expected: &str| {
            let error = decode(token, query, &order(ORDER), &limits).unwrap_err();
            assert_eq!(error.to_string(), expected, "{token}");
        };
        let not_a_token = "$skiptoken: not a page token; start again from the first page";
        check("", not_a_token);
        check("a", not_a_token);
        check("not base64!", not_a_token);
        check(&format!("{token}="), not_a_token);
        check(&format!("{token}AAAA"), not_a_token);
        check("AgAA", "$skiptoken: page token of another version; start again from the first page");
        check(&"A".repeat(limits.page_token_bytes + 1), "$skiptoken: page token of more than 16384 bytes");
        let other = encode(&position(), Fingerprint::of("a", ORDER), &limits).unwrap();
        check(
            &other,
            "$skiptoken: page token of another $filter or $orderby; follow @odata.nextLink as it is",
        );
    }

    #[test]
    fn every_cut_and_every_wrong_type_is_refused() {
        let limits = Limits::default();
        let query = Fingerprint::of("", ORDER);
        let token = encode(&position(), query, &limits).unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for length in 0..bytes.len() {
            let cut = URL_SAFE_NO_PAD.encode(&bytes[..length]);
            assert!(decode(&cut, query, &order(ORDER), &limits).is_err(), "{length}");
        }
        // The same fingerprint cannot come with another order, but nothing may rest on that.
        let other = order("title,detectedDateTime,isTest,title,count,cost");
        assert!(decode(&token, query, &other, &limits).is_err());
        assert!(decode(&token, query, &[], &limits).is_err());
    }

    #[test]
    fn a_position_that_is_too_long_is_refused_when_written() {
        let limits = Limits::default();
        let long = Position { keys: vec![], id: "x".repeat(limits.page_token_bytes) };
        assert!(encode(&long, Fingerprint::of("", ""), &limits).is_err());
    }
}
