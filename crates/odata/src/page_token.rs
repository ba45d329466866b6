//! Page tokens: where the next page starts, as an opaque, signed text.
//!
//! A token holds the sort keys' values of the last entity of a page and its id, so that pages do not
//! shift while entities come and go. It also holds a fingerprint of filter, search and order, so that it
//! is refused beside another query; and if one of those asks for `now()`, the moment of the first page,
//! so that all pages agree. It does not hold `$top`, which Graph takes for the page size and repeats in
//! the link, nor `$skip`, which lies behind the position.
//!
//! It is sealed: see [`crate::seal`]. What it holds is the moment or its absence, the fingerprint, the
//! number of keys, each key as a tag and its value, and the id. Lengths and numbers are big-endian.
//! Enumeration members go by name, so that tokens outlive a change in their order.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Timelike, Utc};

use crate::checked::{Literal, SortKey};
use crate::error::{QueryError, QueryOption};
use crate::limits::Limits;
use crate::model::Type;
use crate::seal::{Seal, malformed, not_a_token, too_long};

const OPTION: QueryOption = QueryOption::SkipToken;

/// A place in an order: the sort keys' values of one entity, and its id.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// One value for each sort key.
    pub keys: Vec<Literal>,
    /// The entity's id.
    pub id: String,
}

/// What a page token knows its query by: a hash of filter, search and order in canonical text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// The fingerprint of a query. All texts are canonical; empty if there is none.
    #[must_use]
    pub fn of(filter: &str, search: &str, orderby: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        for text in [filter, search, orderby] {
            // The length keeps the end of one text from passing for the start of the next.
            hasher.update(&(text.len() as u64).to_be_bytes());
            hasher.update(text.as_bytes());
        }
        let mut fingerprint = [0; 16];
        hasher.finalize_xof().fill(&mut fingerprint);
        Self(fingerprint)
    }
}

/// What a page token holds.
#[derive(Debug, Clone, PartialEq)]
pub struct PageToken {
    /// What `now()` means on all pages; `None` if the query does not ask.
    pub now: Option<DateTime<Utc>>,
    /// The query that it belongs to.
    pub query: Fingerprint,
    /// After which entity the page starts.
    pub after: Position,
}

impl PageToken {
    /// The text of the token.
    ///
    /// # Errors
    /// It would be longer than [`Limits::token_bytes`], so that it would be refused later; or there are
    /// more than 255 keys.
    pub fn encode(&self, seal: &Seal<'_>, limits: &Limits) -> Result<String, QueryError> {
        let held = self.held().ok_or_else(|| too_long(OPTION, limits.token_bytes))?;
        let token = seal.close(OPTION, &held);
        if token.len() > limits.token_bytes { Err(too_long(OPTION, limits.token_bytes)) } else { Ok(token) }
    }

    fn held(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        match self.now {
            Some(now) => write_moment(&mut bytes, now),
            None => bytes.push(NULL),
        }
        bytes.extend(self.query.0);
        bytes.push(u8::try_from(self.after.keys.len()).ok()?);
        for key in &self.after.keys {
            write_literal(&mut bytes, key)?;
        }
        write_text(&mut bytes, &self.after.id)?;
        Some(bytes)
    }
}

/// A token whose seal is genuine, but whose query is not known yet: what the query means may hang on
/// the moment in the token.
pub(crate) struct Opened {
    pub(crate) now: Option<DateTime<Utc>>,
    query: Fingerprint,
    position: Vec<u8>,
}

/// Opens the text of a token.
///
/// # Errors
/// As [`Seal::open`].
pub(crate) fn open(text: &str, seal: &Seal<'_>, limits: &Limits) -> Result<Opened, QueryError> {
    let held = seal.open(OPTION, text, limits.token_bytes)?;
    let mut reader = Reader { rest: &held };
    let now = reader.moment().ok_or_else(|| not_a_token(OPTION))?;
    let query = Fingerprint(reader.array().ok_or_else(|| not_a_token(OPTION))?);
    Ok(Opened { now, query, position: reader.rest.to_vec() })
}

impl Opened {
    /// The position, if the token belongs to a query of this fingerprint and order.
    ///
    /// # Errors
    /// It belongs to another query.
    pub(crate) fn position(&self, query: Fingerprint, order: &[SortKey]) -> Result<Position, QueryError> {
        if self.query != query {
            let error = malformed(OPTION, "page token of another $filter, $search or $orderby");
            return Err(error.with_hint("follow @odata.nextLink as it is"));
        }
        Reader { rest: &self.position }.position(order).ok_or_else(|| not_a_token(OPTION))
    }
}

/// Reads a token that must belong to a query of this fingerprint and order.
///
/// # Errors
/// The token is not one of ours, or belongs to another query.
pub fn decode(
    text: &str,
    query: Fingerprint,
    order: &[SortKey],
    seal: &Seal<'_>,
    limits: &Limits,
) -> Result<PageToken, QueryError> {
    let opened = open(text, seal, limits)?;
    Ok(PageToken { now: opened.now, query, after: opened.position(query, order)? })
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
        Literal::DateTime(at) => write_moment(bytes, *at),
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

fn write_moment(bytes: &mut Vec<u8>, at: DateTime<Utc>) {
    bytes.push(DATE_TIME);
    bytes.extend(at.timestamp().to_be_bytes());
    bytes.extend(at.timestamp_subsec_nanos().to_be_bytes());
}

fn write_text(bytes: &mut Vec<u8>, text: &str) -> Option<()> {
    bytes.extend(u32::try_from(text.len()).ok()?.to_be_bytes());
    bytes.extend(text.as_bytes());
    Some(())
}

/// Reads from the front; `None` at anything unexpected.
pub(crate) struct Reader<'a> {
    pub(crate) rest: &'a [u8],
}

impl Reader<'_> {
    /// A moment, if there is one.
    fn moment(&mut self) -> Option<Option<DateTime<Utc>>> {
        match self.array()? {
            [NULL] => Some(None),
            [DATE_TIME] => self.date_time().map(Some),
            _ => None,
        }
    }

    fn date_time(&mut self) -> Option<DateTime<Utc>> {
        let seconds = i64::from_be_bytes(self.array()?);
        let nanoseconds = u32::from_be_bytes(self.array()?);
        DateTime::from_timestamp(seconds, nanoseconds)
    }

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
            (DATE_TIME, Type::DateTimeOffset) => Literal::DateTime(self.date_time()?),
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

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
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
    use crate::sample::{KEY, MODEL, NOW, SEVERITY};

    const SEAL: Seal<'static> = Seal { key: &KEY, context: b"partner" };

    fn order(text: &str) -> Vec<SortKey> {
        let limits = Limits { orderby_keys: 9, ..Limits::default() };
        check_orderby(&parse_orderby(text, &limits).unwrap(), text, &MODEL, NOW).unwrap()
    }

    fn token() -> PageToken {
        let keys = vec![
            Literal::Enum(&SEVERITY, 3),
            Literal::DateTime(DateTime::from_timestamp(1_900_000_000, 123_456_789).unwrap()),
            Literal::Boolean(true),
            Literal::Null,
            Literal::Int(-7),
            Literal::Double(0.5),
            Literal::Date(NaiveDate::from_ymd_opt(2031, 2, 3).unwrap()),
            Literal::TimeOfDay(NaiveTime::from_hms_nano_opt(23, 59, 59, 1).unwrap()),
            Literal::Duration(TimeDelta::new(-5, 250_000_000).unwrap()),
        ];
        let after = Position { keys, id: "größe".into() };
        PageToken { now: None, query: Fingerprint::of("", "", ORDER), after }
    }

    const ORDER: &str = "severity,detectedDateTime,isTest,title,count,cost,date(detectedDateTime),\
                         time(detectedDateTime),resolvedDateTime sub detectedDateTime";

    fn read(text: &str, query: Fingerprint, order: &[SortKey]) -> Result<PageToken, QueryError> {
        decode(text, query, order, &SEAL, &Limits::default())
    }

    #[test]
    fn a_token_reads_back() {
        for now in [None, Some(NOW)] {
            let token = PageToken { now, ..token() };
            let text = token.encode(&SEAL, &Limits::default()).unwrap();
            assert_eq!(read(&text, token.query, &order(ORDER)), Ok(token));
        }
    }

    #[test]
    fn fingerprints_tell_filter_from_search_from_order() {
        assert_ne!(Fingerprint::of("ab", "", "c"), Fingerprint::of("a", "", "bc"));
        assert_ne!(Fingerprint::of("a", "", ""), Fingerprint::of("", "", "a"));
        assert_ne!(Fingerprint::of("a", "", ""), Fingerprint::of("", "a", ""));
    }

    #[test]
    fn what_is_no_token_of_the_query_is_refused() {
        let text = token().encode(&SEAL, &Limits::default()).unwrap();
        assert_eq!(
            read(&text, Fingerprint::of("a", "", ORDER), &order(ORDER)).unwrap_err().to_string(),
            "$skiptoken: page token of another $filter, $search or $orderby; follow @odata.nextLink as it is"
        );
        // The same fingerprint cannot come with another order, but nothing may rest on that.
        let other = order(&ORDER.replace("severity", "title"));
        let not_a_token = "$skiptoken: not a token of this server; start again without it";
        assert_eq!(read(&text, token().query, &other).unwrap_err().to_string(), not_a_token);
        assert_eq!(read(&text, token().query, &[]).unwrap_err().to_string(), not_a_token);
    }

    #[test]
    fn every_cut_of_what_is_held_is_refused() {
        let held = token().held().unwrap();
        for length in 0..held.len() {
            let cut = SEAL.close(OPTION, &held[..length]);
            assert!(read(&cut, token().query, &order(ORDER)).is_err(), "{length}");
        }
    }

    #[test]
    fn a_position_that_is_too_long_is_refused_when_written() {
        let limits = Limits::default();
        let after = Position { keys: vec![], id: "x".repeat(limits.token_bytes) };
        let error = PageToken { after, ..token() }.encode(&SEAL, &limits).unwrap_err();
        assert_eq!(error.to_string(), "$skiptoken: a token of more than 16384 bytes");
    }
}
