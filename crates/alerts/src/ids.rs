//! Identities as types, so that a tenant cannot be passed where a subscription is meant.
//!
//! The published CSDL types every identity as `Edm.String`, never `Edm.Guid`, and its samples show
//! alert ids that are two GUIDs joined by a hyphen. So none of these insists on a GUID; they insist
//! on being one printable word of bounded length. Azure compares tenants, subscriptions and
//! resources without regard to case and exports upper-case them at will, so those are kept in lower
//! case. Alert ids are opaque and kept as they are.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not an identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing but white space.
    #[error("{what} is empty")]
    Empty {
        /// Which identity was read.
        what: &'static str,
    },
    /// Longer than any identity that Azure gives out.
    #[error("{what} has {length} bytes; at most {limit} are allowed")]
    TooLong {
        /// Which identity was read.
        what: &'static str,
        /// How long it was, in bytes.
        length: usize,
        /// How long it may be, in bytes.
        limit: usize,
    },
    /// A control character, which no identity holds and which would corrupt logs.
    #[error("{what} holds a control character")]
    Control {
        /// Which identity was read.
        what: &'static str,
    },
    /// White space inside an identity that is one word.
    #[error("{what} holds white space")]
    Space {
        /// Which identity was read.
        what: &'static str,
    },
}

/// What one kind of identity demands of its text.
struct Rule {
    what: &'static str,
    limit_bytes: usize,
    may_hold_spaces: bool,
    lower_case: bool,
}

impl Rule {
    fn read(&self, text: &str) -> Result<String, IdError> {
        let what = self.what;
        let text = text.trim();
        if text.is_empty() {
            return Err(IdError::Empty { what });
        }
        if text.len() > self.limit_bytes {
            return Err(IdError::TooLong { what, length: text.len(), limit: self.limit_bytes });
        }
        if text.chars().any(char::is_control) {
            return Err(IdError::Control { what });
        }
        if !self.may_hold_spaces && text.chars().any(char::is_whitespace) {
            return Err(IdError::Space { what });
        }
        Ok(if self.lower_case { text.to_lowercase() } else { text.to_owned() })
    }
}

macro_rules! identity {
    ($(#[$doc:meta])* $name:ident, $rule:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            const RULE: Rule = $rule;

            /// The text of this identity.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::RULE.read(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

const fn word(what: &'static str) -> Rule {
    Rule { what, limit_bytes: 128, may_hold_spaces: false, lower_case: true }
}

identity!(
    /// The Entra tenant of the CSP partner who runs Tenantwatch. Every row belongs to one.
    PartnerTenantId, word("partner tenant id")
);
identity!(
    /// The Entra tenant of an indirect reseller who sells under the partner.
    ResellerTenantId, word("reseller tenant id")
);
identity!(
    /// The Entra tenant of a customer.
    CustomerTenantId, word("customer tenant id")
);
identity!(
    /// An Azure subscription of a customer. In Partner Center's usage files this is the entitlement,
    /// not the billing subscription.
    SubscriptionId, word("subscription id")
);
identity!(
    /// The path of an Azure resource, `/subscriptions/…/providers/…`, in lower case.
    ResourceId,
    Rule { what: "resource id", limit_bytes: 2048, may_hold_spaces: true, lower_case: true }
);
identity!(
    /// The id of an alert: opaque, up to 200 bytes.
    AlertId,
    Rule { what: "alert id", limit_bytes: 200, may_hold_spaces: false, lower_case: false }
);

impl CustomerTenantId {
    /// The customer of a subscription that no record has named yet.
    ///
    /// The CSDL forbids a null `customerTenantId`, and inventing one would mislead; the nil GUID is
    /// the same in every alert and is replaced once a record names the customer.
    #[must_use]
    pub fn unknown() -> Self {
        Self("00000000-0000-0000-0000-000000000000".to_owned())
    }

    /// Whether this is [`CustomerTenantId::unknown`].
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Self::unknown()
    }
}

impl SubscriptionId {
    /// The subscription of what is about a tenant and no single subscription, such as a sign-in.
    ///
    /// The CSDL forbids a null `subscriptionId`; the nil GUID is the same in every alert.
    pub const NONE: &'static str = "00000000-0000-0000-0000-000000000000";

    /// Whether this is [`SubscriptionId::NONE`].
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0 == Self::NONE
    }
}

impl ResourceId {
    /// The subscription in the path, if the path starts with one.
    #[must_use]
    pub fn subscription(&self) -> Option<SubscriptionId> {
        let mut segments = self.0.split('/').skip(1);
        match (segments.next(), segments.next()) {
            (Some("subscriptions"), Some(id)) => id.parse().ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_trimmed_and_folded() {
        let read = |text: &str| text.parse::<SubscriptionId>().map(String::from);
        assert_eq!(
            read(" 0F0E0D0C-0000-4000-8000-00000000000A "),
            Ok("0f0e0d0c-0000-4000-8000-00000000000a".into())
        );
        assert_eq!(read(""), Err(IdError::Empty { what: "subscription id" }));
        assert_eq!(read("a b"), Err(IdError::Space { what: "subscription id" }));
        assert_eq!(read("a\u{7}b"), Err(IdError::Control { what: "subscription id" }));
        assert!(matches!(read(&"x".repeat(129)), Err(IdError::TooLong { length: 129, limit: 128, .. })));
    }

    #[test]
    fn alert_ids_keep_their_case() {
        assert_eq!("AbC".parse::<AlertId>().unwrap().as_str(), "AbC");
    }

    #[test]
    fn a_resource_knows_its_subscription() {
        let check = |path: &str, expected: Option<&str>| {
            let found = path.parse::<ResourceId>().unwrap().subscription();
            assert_eq!(found.as_ref().map(SubscriptionId::as_str), expected, "{path}");
        };
        check("/SUBSCRIPTIONS/S-1/RESOURCEGROUPS/rg", Some("s-1"));
        check("/subscriptions/s-1", Some("s-1"));
        check("/subscriptions/", None);
        check("/tenants/t-1/providers/Microsoft.aadiam", None);
        check("vm01", None);
    }
}
