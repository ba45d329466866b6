//! What the client would like, in `Prefer` (RFC 7240). What is not known there is passed over, as the
//! standard demands.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

const PREFER: &str = "prefer";

/// The name of the header that says which preferences were kept.
pub(super) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// The preferences that this server knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Preferences {
    /// Whether the reply to a change shows the changed entity.
    pub(super) returned: Option<Returned>,
    /// How many entities a page holds at most; at least 1.
    pub(super) page_size: Option<u32>,
    /// Whether members of enumerations that came after `unknownFutureValue` are shown. There are none
    /// yet, so it changes nothing, but clients want to hear that it was understood.
    pub(super) unknown_enum_members: bool,
}

/// What a change replies with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Returned {
    /// `return=minimal`: nothing.
    Minimal,
    /// `return=representation`: the entity.
    Representation,
}

impl Preferences {
    /// Reads all `Prefer` headers. Of a preference that is named twice, the first counts.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut preferences = Self::default();
        let texts = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
        for preference in texts.flat_map(|text| text.split([',', ';'])) {
            let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
            let value = value.trim().trim_matches('"');
            let name = name.trim().to_ascii_lowercase();
            match name.strip_prefix("odata.").unwrap_or(&name) {
                "return" => {
                    let returned = match value.to_ascii_lowercase().as_str() {
                        "minimal" => Some(Returned::Minimal),
                        "representation" => Some(Returned::Representation),
                        _ => None,
                    };
                    preferences.returned = preferences.returned.or(returned);
                }
                "maxpagesize" => {
                    let size = value.parse().ok().filter(|size| *size > 0);
                    preferences.page_size = preferences.page_size.or(size);
                }
                "include-unknown-enum-members" => preferences.unknown_enum_members = true,
                _ => {}
            }
        }
        preferences
    }

    /// The preferences that the reply to a read keeps.
    pub(super) fn applied_to_read(self, page_size: Option<u32>) -> Option<HeaderValue> {
        let size = page_size.map(|size| format!("odata.maxpagesize={size}"));
        self.applied(size)
    }

    /// The preferences that the reply to a change keeps.
    pub(super) fn applied_to_change(self) -> Option<HeaderValue> {
        let returned = self.returned.map(|returned| match returned {
            Returned::Minimal => "return=minimal".to_owned(),
            Returned::Representation => "return=representation".to_owned(),
        });
        self.applied(returned)
    }

    fn applied(self, first: Option<String>) -> Option<HeaderValue> {
        let members = self.unknown_enum_members.then(|| "include-unknown-enum-members".to_owned());
        let applied: Vec<String> = first.into_iter().chain(members).collect();
        if applied.is_empty() { None } else { HeaderValue::from_str(&applied.join(", ")).ok() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_preferences_are_read_and_others_passed_over() {
        let of = |values: &[&'static str]| {
            let headers = values
                .iter()
                .map(|value| (HeaderName::from_static(PREFER), HeaderValue::from_static(value)))
                .collect();
            Preferences::of(&headers)
        };
        let none = Preferences::default();
        assert_eq!(of(&[]), none);
        assert_eq!(of(&["respond-async, wait=10", "outlook.timezone=\"UTC\""]), none);
        assert_eq!(of(&["return=minimal"]).returned, Some(Returned::Minimal));
        assert_eq!(of(&["Return=\"Representation\""]).returned, Some(Returned::Representation));
        assert_eq!(of(&["return=minimal", "return=representation"]).returned, Some(Returned::Minimal));
        assert_eq!(of(&["odata.maxpagesize=50"]).page_size, Some(50));
        assert_eq!(of(&["maxpagesize = 7, odata.maxpagesize=9"]).page_size, Some(7));
        assert_eq!(of(&["maxpagesize=0"]), none);
        assert_eq!(of(&["maxpagesize=many"]), none);
        let both = of(&["include-unknown-enum-members, return=minimal"]);
        assert!(both.unknown_enum_members);
        assert_eq!(both.applied_to_change().unwrap(), "return=minimal, include-unknown-enum-members");
        assert_eq!(both.applied_to_read(None).unwrap(), "include-unknown-enum-members");
        assert_eq!(of(&["maxpagesize=5"]).applied_to_read(Some(5)).unwrap(), "odata.maxpagesize=5");
        assert_eq!(none.applied_to_read(None), None);
    }
}
