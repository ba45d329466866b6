//! Graph's four enumerations of the alert, with the members and numbers of the published CSDL.
//!
//! They are evolvable: Microsoft may add members. Text that comes from Microsoft is read with
//! [`Severity::from_wire`] and its like, which take an unknown member for `unknownFutureValue`.
//! Text that a caller sends is read with `FromStr`, which names what it does not know.
//! Source: `schemas/beta-Prod.csdl` of microsoftgraph/msgraph-metadata.

/// A text that is no member of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{found}' is not a member of {enumeration}; use one of {allowed}")]
pub struct UnknownMember {
    /// Graph's name of the enumeration.
    pub enumeration: &'static str,
    /// The text that was read.
    pub found: String,
    /// The members that can be used, with commas between them.
    pub allowed: String,
}

macro_rules! evolvable {
    ($(#[$doc:meta])* $name:ident = $wire:literal { $($(#[$member_doc:meta])* $member:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$member_doc])* $member,)+
            /// A member that this version does not know.
            UnknownFutureValue,
        }

        impl $name {
            /// Graph's name of this enumeration.
            pub const WIRE_NAME: &'static str = $wire;

            /// The members in the order of their numbers in the CSDL, the sentinel last.
            pub const ALL: &'static [Self] = &[$(Self::$member,)+ Self::UnknownFutureValue];

            /// The member as Graph writes it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$member => $text,)+
                    Self::UnknownFutureValue => "unknownFutureValue",
                }
            }

            /// Reads what Microsoft sent: an unknown member becomes the sentinel.
            #[must_use]
            pub fn from_wire(text: &str) -> Self {
                match text {
                    $($text => Self::$member,)+
                    _ => Self::UnknownFutureValue,
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownMember;

            /// Reads what a caller sent: an unknown member, and the sentinel, are errors.
            fn from_str(text: &str) -> Result<Self, $crate::UnknownMember> {
                match Self::from_wire(text) {
                    Self::UnknownFutureValue => Err($crate::UnknownMember {
                        enumeration: $wire,
                        found: text.to_owned(),
                        allowed: [$($text),+].join(", "),
                    }),
                    known => Ok(known),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow::<str> as serde::Deserialize>::deserialize(deserializer)?;
                Ok(Self::from_wire(&text))
            }
        }
    };
}

pub(crate) use evolvable;

evolvable!(
    /// Where an alert stands.
    Status = "microsoft.graph.partner.security.securityAlertStatus" {
        /// Nobody has taken it up.
        Active = "active",
        /// Dealt with; see [`ResolvedReason`].
        Resolved = "resolved",
        /// Somebody is looking.
        Investigating = "investigating",
    }
);

evolvable!(
    /// How much harm the alert may stand for.
    ///
    /// The numbers of the CSDL are not an order of severity; [`Severity::rank`] is.
    Severity = "microsoft.graph.partner.security.securityAlertSeverity" {
        /// Worth knowing, asks for nothing.
        Informational = "informational",
        /// Act now.
        High = "high",
        /// Act today.
        Medium = "medium",
        /// Look when there is time.
        Low = "low",
    }
);

evolvable!(
    /// How sure the detector is.
    Confidence = "microsoft.graph.partner.security.securityAlertConfidence" {
        /// One weak sign.
        Low = "low",
        /// Signs that have harmless explanations too.
        Medium = "medium",
        /// Hardly anything harmless looks like this.
        High = "high",
    }
);

evolvable!(
    /// Why an alert was resolved.
    ResolvedReason = "microsoft.graph.partner.security.securityAlertResolvedReason" {
        /// Expected activity, or a false alarm.
        Legitimate = "legitimate",
        /// An old alert that nobody will follow up.
        Ignore = "ignore",
        /// Unauthorised use.
        Fraud = "fraud",
    }
);

impl Severity {
    /// The order by meaning: 0 for unknown, 1 for informational, up to 4 for high.
    #[must_use]
    pub fn rank(self) -> u8 {
        match self {
            Self::UnknownFutureValue => 0,
            Self::Informational => 1,
            Self::Low => 2,
            Self::Medium => 3,
            Self::High => 4,
        }
    }
}

impl Confidence {
    /// The order by meaning: 0 for unknown, 1 for low, up to 3 for high.
    #[must_use]
    pub fn rank(self) -> u8 {
        match self {
            Self::UnknownFutureValue => 0,
            Self::Low => 1,
            Self::Medium => 2,
            Self::High => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_in_the_order_of_the_csdl() {
        let names = |all: &[Severity]| all.iter().map(|m| m.as_str()).collect::<Vec<_>>();
        assert_eq!(names(Severity::ALL), ["informational", "high", "medium", "low", "unknownFutureValue"]);
        let names = |all: &[Status]| all.iter().map(|m| m.as_str()).collect::<Vec<_>>();
        assert_eq!(names(Status::ALL), ["active", "resolved", "investigating", "unknownFutureValue"]);
    }

    #[test]
    fn an_unknown_member_from_microsoft_becomes_the_sentinel() {
        let read: Severity = serde_json::from_str("\"catastrophic\"").unwrap();
        assert_eq!(read, Severity::UnknownFutureValue);
        assert_eq!(serde_json::to_string(&read).unwrap(), "\"unknownFutureValue\"");
    }

    #[test]
    fn an_unknown_member_from_a_caller_is_named() {
        let error = "done".parse::<Status>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "'done' is not a member of microsoft.graph.partner.security.securityAlertStatus; use one of active, resolved, investigating"
        );
        assert!("unknownFutureValue".parse::<Status>().is_err());
        assert!("Active".parse::<Status>().is_err());
    }

    #[test]
    fn severity_ranks_by_meaning() {
        let mut all = Severity::ALL.to_vec();
        all.sort_by_key(|severity| severity.rank());
        assert_eq!(all.last(), Some(&Severity::High));
        assert_eq!(all[1], Severity::Informational);
    }
}
