//! What to ask of a list.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

/// What keeps its shape in the value of a query option, by RFC 3986; the rest is encoded. A space
/// becomes `%20`, since not every server takes `+` for one.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b',').remove(b'/');

/// Which alerts a list holds, and how: OData's system query options, in OData's own words.
///
/// Microsoft documents only `$filter`, `$select` and `$count` for this list; a server refuses by name
/// what it does not take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// Which ones, such as `severity eq 'high'`.
    pub filter: Option<String>,
    /// Properties to show, such as `id` and `status`; all if empty.
    pub select: Vec<String>,
    /// In which order, such as `detectedDateTime desc`.
    pub orderby: Option<String>,
    /// Words to look for.
    pub search: Option<String>,
    /// `$top`. In Graph this is the size of a page: the stream goes on after it.
    pub top: Option<u32>,
    /// Whether to tell how many alerts there are in all.
    pub count: bool,
    /// Alerts a page, as a preference (`odata.maxpagesize`): a server that does not know it goes by its
    /// own page size, where an unknown `$top` would be an error.
    pub page_size: Option<u32>,
}

impl ListOptions {
    /// The query string, encoded, without a question mark; empty if nothing is asked.
    #[must_use]
    pub fn query(&self) -> String {
        let select = (!self.select.is_empty()).then(|| self.select.join(","));
        let top = self.top.map(|top| top.to_string());
        let count = self.count.then(|| "true".to_owned());
        let options = [
            ("$filter", self.filter.as_deref()),
            ("$search", self.search.as_deref()),
            ("$orderby", self.orderby.as_deref()),
            ("$select", select.as_deref()),
            ("$top", top.as_deref()),
            ("$count", count.as_deref()),
        ];
        let given = options.iter().filter_map(|(name, value)| {
            value.map(|value| format!("{name}={}", utf8_percent_encode(value, ENCODED)))
        });
        given.collect::<Vec<_>>().join("&")
    }

    /// The URL that asks for this.
    pub(crate) fn on(&self, mut url: Url) -> Url {
        let query = self.query();
        url.set_query((!query.is_empty()).then_some(&query));
        url
    }

    /// The value of the `Prefer` header. It is not part of a next link, so every page needs it.
    pub(crate) fn preference(&self) -> Option<String> {
        self.page_size.map(|size| format!("odata.maxpagesize={size}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn options_are_written_as_odata_names_them() {
        assert_eq!(ListOptions::default().query(), "");
        let options = ListOptions {
            filter: Some("displayName eq 'it''s 50 % & more+' and severity eq 'high'".into()),
            select: vec!["id".into(), "additionalDetails/VmCount".into()],
            orderby: Some("detectedDateTime desc".into()),
            search: Some("\"crypto\"".into()),
            top: Some(5),
            count: true,
            page_size: Some(50),
        };
        assert_eq!(
            options.query(),
            "$filter=displayName%20eq%20%27it%27%27s%2050%20%25%20%26%20more%2B%27%20and%20severity%20eq%20%27high%27\
             &$search=%22crypto%22&$orderby=detectedDateTime%20desc&$select=id,additionalDetails/VmCount&$top=5&$count=true"
        );
        assert_eq!(options.preference().as_deref(), Some("odata.maxpagesize=50"));
    }

    proptest! {
        #[test]
        fn any_filter_arrives_as_it_was_written(filter in ".*") {
            let query = ListOptions { filter: Some(filter.clone()), ..ListOptions::default() }.query();
            let read: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            prop_assert_eq!(read, vec![("$filter".to_owned(), filter)]);
        }
    }
}
