//! The query string: which options were given, with which text.
//!
//! Names count with and without `$` and in any case (OData 4.01). An option that is not supported is
//! refused, and so is any other name: OData lets servers ignore names without `$`, but a misspelled
//! `filter` that is ignored returns rows that the caller meant to leave out.

use crate::error::{ErrorKind, QueryError, QueryOption, shown};
use crate::source::{Source, Span};
use crate::suggest::nearest;
use crate::unsupported;

/// The options of one query string, in their order. Only names are checked; see
/// [`QueryOptions::check`] for the rest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueryOptions {
    raw: String,
    given: Vec<OptionText>,
}

/// One option as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionText {
    /// Which one.
    pub option: QueryOption,
    /// Its value, percent-decoded, with `+` read as a space.
    pub text: String,
    /// Where name and value stand in the raw query string.
    pub raw: Span,
}

impl QueryOptions {
    /// Splits and decodes a raw query string: what follows the `?` of a URL, without it.
    ///
    /// # Errors
    /// An unknown, unsupported or repeated option, one without a value, or text that is not
    /// percent-encoded UTF-8.
    pub fn parse(raw_query: &str) -> Result<Self, QueryError> {
        let mut given: Vec<OptionText> = Vec::new();
        let mut start = 0;
        for piece in raw_query.split('&') {
            let raw = Span { start, end: start + piece.len() };
            start = raw.end + 1;
            if piece.is_empty() {
                continue;
            }
            let (raw_name, raw_value) = match piece.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (piece, None),
            };
            let name = decode(raw_name, raw_name)?;
            let option = option_of(&name)?;
            refuse_reserved(option, raw_value.unwrap_or_default())?;
            let Some(raw_value) = raw_value else {
                return Err(QueryError::of_option(ErrorKind::Malformed, option.name(), "has no value"));
            };
            if given.iter().any(|earlier| earlier.option == option) {
                return Err(QueryError::of_option(
                    ErrorKind::Malformed,
                    option.name(),
                    "given more than once",
                ));
            }
            given.push(OptionText { option, text: decode(raw_value, option.name())?, raw });
        }
        Ok(Self { raw: raw_query.to_owned(), given })
    }

    /// The options that were given, in their order.
    #[must_use]
    pub fn given(&self) -> &[OptionText] {
        &self.given
    }

    /// The text of one option, if it was given.
    #[must_use]
    pub fn text(&self, option: QueryOption) -> Option<&str> {
        self.given.iter().find(|given| given.option == option).map(|given| given.text.as_str())
    }

    /// Refuses options that make no sense for a request, such as `$filter` for one entity.
    ///
    /// # Errors
    /// An option that is not among the allowed ones was given.
    pub fn allow_only(&self, allowed: &[QueryOption]) -> Result<(), QueryError> {
        match self.given.iter().find(|given| !allowed.contains(&given.option)) {
            Some(other) => {
                let names: Vec<_> = allowed.iter().map(|option| option.name()).collect();
                let error = QueryError::of_option(
                    ErrorKind::Unsupported,
                    other.option.name(),
                    "cannot be used with this resource",
                );
                Err(if names.is_empty() {
                    error
                } else {
                    error.with_hint(format!("supported here: {}", names.join(", ")))
                })
            }
            None => Ok(()),
        }
    }

    /// Those of the options, as they were written: a query string of them alone.
    ///
    /// A delta token holds it, because a delta link repeats no options.
    #[must_use]
    pub fn only(&self, options: &[QueryOption]) -> String {
        let kept = self.given.iter().filter(|given| options.contains(&given.option));
        let pieces = kept.filter_map(|given| self.raw.get(given.raw.start..given.raw.end));
        pieces.collect::<Vec<_>>().join("&")
    }

    /// The query string of the link to the next page: what was given, as it was written, and the page
    /// token. `$skip` is left out, because the token's position lies behind what it passes over;
    /// `$top` stays, because Graph means the page size by it.
    #[must_use]
    pub fn next_link_query(&self, page_token: &str) -> String {
        let kept = |given: &&OptionText| !matches!(given.option, QueryOption::Skip | QueryOption::SkipToken);
        let pieces =
            self.given.iter().filter(kept).filter_map(|given| self.raw.get(given.raw.start..given.raw.end));
        let token = format!("$skiptoken={page_token}");
        pieces.chain([token.as_str()]).collect::<Vec<_>>().join("&")
    }

    /// The decoded text of an option, and the option, for a stage.
    pub(crate) fn source(&self, option: QueryOption) -> Option<Source<'_>> {
        self.text(option).map(|text| Source { option, text })
    }
}

/// Refuses characters that only their percent-encoding can stand for: `#`, which ends a URL's query, and
/// `;` in a search, which ends an option in parentheses.
fn refuse_reserved(option: QueryOption, raw_value: &str) -> Result<(), QueryError> {
    let reserved = |ch: char| ch == '#' || ch == ';' && option == QueryOption::Search;
    let Some(at) = raw_value.find(reserved) else { return Ok(()) };
    let found: String = raw_value[at..].chars().take(1).collect();
    let position = raw_value[..at].chars().count();
    let message = format!("unencoded '{found}'");
    let error = QueryError::of_option(ErrorKind::Malformed, option.name(), message);
    let hint = format!("write %{:02X}", found.bytes().next().unwrap_or_default());
    Err(QueryError { position: Some(position), token: Some(found), ..error }.with_hint(hint))
}

fn option_of(name: &str) -> Result<QueryOption, QueryError> {
    if let Some(option) = QueryOption::from_name(name) {
        return Ok(option);
    }
    let error = |kind, message| QueryError::of_option(kind, shown(name), message);
    if unsupported::is_option(name) {
        return Err(error(ErrorKind::Unsupported, "is not supported here").with_hint(supported_hint()));
    }
    if name.starts_with('@') {
        return Err(error(ErrorKind::Unsupported, "parameter aliases are not supported here"));
    }
    let bare = name.strip_prefix('$').unwrap_or(name);
    let near = nearest(bare, QueryOption::ALL.iter().map(|option| &option.name()[1..]));
    let error = error(ErrorKind::UnknownName, "unknown query option");
    Err(match near {
        Some(near) => error.with_hint(format!("did you mean '${near}'? {}", supported_hint())),
        None => error.with_hint(supported_hint()),
    })
}

fn supported_hint() -> String {
    let names: Vec<_> = QueryOption::ALL.iter().map(|option| option.name()).collect();
    format!("supported: {}", names.join(", "))
}

/// Decodes percent-encoding and `+`. Unlike a lenient decoder it refuses what is malformed, because a
/// filter that was mangled on its way should not be guessed at.
fn decode(raw: &str, option: &str) -> Result<String, QueryError> {
    let bytes = raw.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'+' => decoded.push(b' '),
            b'%' => {
                let pair =
                    (bytes.get(at + 1).copied().and_then(hex), bytes.get(at + 2).copied().and_then(hex));
                let (Some(high), Some(low)) = pair else { return Err(malformed_percent(raw, at, option)) };
                decoded.push(high << 4 | low);
                at += 2;
            }
            byte => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8(decoded).map_err(|_| {
        QueryError::of_option(ErrorKind::Malformed, shown(option), "percent-encoding that is not UTF-8")
    })
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn malformed_percent(raw: &str, at: usize, option: &str) -> QueryError {
    let token: String = raw[at..].chars().take(3).collect();
    let token = shown(&token);
    let message = format!("malformed percent-encoding '{token}'");
    let error = QueryError::of_option(ErrorKind::Malformed, shown(option), message);
    QueryError { position: Some(raw[..at].chars().count()), token: Some(token), ..error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &str, expected: &str) {
        let found = QueryOptions::parse(raw).map(|options| {
            let given = options.given().iter();
            given
                .map(|given| format!("{} [{}]", given.option.name(), given.text))
                .collect::<Vec<_>>()
                .join(" ")
        });
        assert_eq!(found.unwrap_or_else(|error| error.to_string()), expected, "{raw}");
    }

    #[test]
    fn options_are_split_and_decoded() {
        check("", "");
        check("$top=5", "$top [5]");
        check("top=5&Filter=a", "$top [5] $filter [a]");
        check("%24filter=a%20eq+%27it%27%27s%27", "$filter [a eq 'it''s']");
        check("$filter=a%2Bb%26c=d", "$filter [a+b&c=d]");
        check("$filter=gr%C3%B6%C3%9Fe", "$filter [größe]");
        check("&$count=true&&", "$count [true]");
        check("$filter=", "$filter []");
        check("$filter='a;b?c'", "$filter ['a;b?c']");
    }

    const SUPPORTED: &str = "supported: $count, $deltatoken, $filter, $format, $orderby, $search, $select, $skip, $skiptoken, $top";

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        check("$expand=a", &format!("$expand: is not supported here; {SUPPORTED}"));
        check("COMPUTE=a", &format!("COMPUTE: is not supported here; {SUPPORTED}"));
        check("$fliter=a", &format!("$fliter: unknown query option; did you mean '$filter'? {SUPPORTED}"));
        check("filtr=a", &format!("filtr: unknown query option; did you mean '$filter'? {SUPPORTED}"));
        check("api-version=1", &format!("api-version: unknown query option; {SUPPORTED}"));
        check("=1", &format!(": unknown query option; {SUPPORTED}"));
        check("@p=1", "@p: parameter aliases are not supported here");
        check("$top=1&top=2", "$top: given more than once");
        check("$count", "$count: has no value");
    }

    #[test]
    fn malformed_encoding_is_refused_where_it_stands() {
        check("$filter=ä%zz", "$filter: malformed percent-encoding '%zz' at 1");
        check("$filter=abc%2", "$filter: malformed percent-encoding '%2' at 3");
        check("$filter=%", "$filter: malformed percent-encoding '%' at 0");
        check("$filter=%+1", "$filter: malformed percent-encoding '%+1' at 0");
        check("$filter=%ff", "$filter: percent-encoding that is not UTF-8");
        check("%ff=1", "%ff: percent-encoding that is not UTF-8");
    }

    #[test]
    fn the_next_link_keeps_what_was_given_but_skip() {
        let options = QueryOptions::parse("$filter=a%20eq+1&skip=5&%24top=2&$skiptoken=old").unwrap();
        assert_eq!(options.next_link_query("new"), "$filter=a%20eq+1&%24top=2&$skiptoken=new");
        assert_eq!(QueryOptions::default().next_link_query("new"), "$skiptoken=new");
    }

    #[test]
    fn some_options_alone() {
        let options = QueryOptions::parse("$filter=a%20eq+1&skip=5&%24select=id").unwrap();
        assert_eq!(
            options.only(&[QueryOption::Select, QueryOption::Filter]),
            "$filter=a%20eq+1&%24select=id"
        );
        assert_eq!(options.only(&[QueryOption::Top]), "");
    }

    #[test]
    fn characters_that_must_be_encoded_are_refused() {
        check("$search=a;b", "$search: unencoded ';' at 1; write %3B");
        check("$search=a%3Bb%231", "$search [a;b#1]");
        check("$filter=title eq '#'", "$filter: unencoded '#' at 10; write %23");
        check("$filter=title eq ';'", "$filter [title eq ';']");
    }

    #[test]
    fn options_that_make_no_sense_are_refused() {
        let options = QueryOptions::parse("$select=id&$top=2").unwrap();
        assert_eq!(options.allow_only(&[QueryOption::Select, QueryOption::Top]), Ok(()));
        assert_eq!(
            options.allow_only(&[QueryOption::Select]).unwrap_err().to_string(),
            "$top: cannot be used with this resource; supported here: $select"
        );
        assert_eq!(
            options.allow_only(&[]).unwrap_err().to_string(),
            "$select: cannot be used with this resource"
        );
    }
}
