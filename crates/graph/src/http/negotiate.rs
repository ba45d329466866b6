//! Which form of a document the client wants (RFC 9110, section 12.5.1).

use axum::http::{HeaderMap, header};

/// The offer that the `Accept` header likes best: the first among equals, the first of all without a
/// header, `None` if it wants none of them.
pub(super) fn preferred<T: Copy>(headers: &HeaderMap, offers: &[(&str, T)]) -> Option<T> {
    let mut sent = headers.get_all(header::ACCEPT).iter().peekable();
    if sent.peek().is_none() {
        return offers.first().map(|(_, offer)| *offer);
    }
    let texts = sent.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
    let ranges: Vec<Range> = texts.filter_map(Range::read).collect();
    let mut best: Option<(u16, T)> = None;
    for (media_type, offer) in offers {
        let quality = quality(&ranges, media_type);
        if quality > best.map_or(0, |(known, _)| known) {
            best = Some((quality, *offer));
        }
    }
    best.map(|(_, offer)| offer)
}

/// A media range and how much it is wanted, in thousandths.
struct Range<'a> {
    kind: &'a str,
    sub_kind: &'a str,
    quality: u16,
}

impl<'a> Range<'a> {
    /// Parameters other than the quality, such as `odata.metadata`, do not tell our documents apart.
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, sub_kind) = parts.next()?.split_once('/')?;
        let quality = parts
            .filter_map(|parameter| parameter.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
            .map_or(Some(1.0), |(_, value)| value.trim().parse::<f64>().ok())?;
        if !(0.0..=1.0).contains(&quality) {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number from 0 to 1000"
        )]
        let quality = (quality * 1000.0).round() as u16;
        Some(Self { kind, sub_kind, quality })
    }

    /// How closely it names the media type, if it does.
    fn closeness(&self, kind: &str, sub_kind: &str) -> Option<u8> {
        let same_kind = self.kind.eq_ignore_ascii_case(kind);
        if same_kind && self.sub_kind.eq_ignore_ascii_case(sub_kind) {
            Some(2)
        } else if same_kind && self.sub_kind == "*" {
            Some(1)
        } else {
            (self.kind == "*" && self.sub_kind == "*").then_some(0)
        }
    }
}

/// What the range that names the media type most closely says of it; 0 if none does.
fn quality(ranges: &[Range], media_type: &str) -> u16 {
    let (kind, sub_kind) = media_type.split_once('/').unwrap_or((media_type, ""));
    let named = ranges.iter().filter_map(|range| Some((range.closeness(kind, sub_kind)?, range.quality)));
    named.max_by_key(|(closeness, _)| *closeness).map_or(0, |(_, quality)| quality)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_offer_that_is_wanted_most_is_taken() {
        let check = |accept: Option<&'static str>, expected: Option<&str>| {
            let headers = accept.map(|text| (header::ACCEPT, HeaderValue::from_static(text)));
            let headers: HeaderMap = headers.into_iter().collect();
            let offers = [("application/xml", "xml"), ("application/json", "json")];
            assert_eq!(preferred(&headers, &offers), expected, "{accept:?}");
        };
        check(None, Some("xml"));
        check(Some("*/*"), Some("xml"));
        check(Some("application/*"), Some("xml"));
        check(Some("application/json"), Some("json"));
        check(Some("Application/JSON;odata.metadata=minimal"), Some("json"));
        check(Some("application/xml;q=0.5, application/json;q=0.9"), Some("json"));
        check(Some("text/html, */*;q=0.1"), Some("xml"));
        check(Some("*/*, application/xml;q=0"), Some("json"));
        check(Some("text/html"), None);
        check(Some("application/json;q=0"), None);
        check(Some("application/json;q=much"), None);
        check(Some(""), None);
    }
}
