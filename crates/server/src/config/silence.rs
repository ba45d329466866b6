//! After how long without records a customer is silent.

use chrono::TimeDelta;
use ingest::schema::Kind;
use serde::Deserialize;

/// After how many hours without records of a kind a customer is silent, at the earliest: who usually sends
/// seldom is silent later. 0 is never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the kinds")]
pub struct SilentAfter {
    pub activity: u32,
    pub cost: u32,
    pub flow: u32,
    pub sign_in: u32,
    pub audit: u32,
    pub dns: u32,
    pub inventory: u32,
    pub advisory: u32,
    pub security_alert: u32,
}

impl Default for SilentAfter {
    /// Flow and DNS logs come each minute, costs a day late, advisories and alerts when there is something to
    /// tell.
    fn default() -> Self {
        Self {
            activity: 24,
            cost: 72,
            flow: 2,
            sign_in: 24,
            audit: 48,
            dns: 2,
            inventory: 48,
            advisory: 0,
            security_alert: 0,
        }
    }
}

impl SilentAfter {
    /// The longest time of any kind; `None` if none is ever silent.
    #[must_use]
    pub fn longest(&self) -> Option<TimeDelta> {
        Kind::ALL.into_iter().filter_map(|kind| self.of(kind.name())).max()
    }

    /// The time for a kind, by its name; `None` if it is never silent.
    #[must_use]
    pub fn of(&self, kind: &str) -> Option<TimeDelta> {
        let hours = match kind {
            "activity" => self.activity,
            "cost" => self.cost,
            "flow" => self.flow,
            "sign_in" => self.sign_in,
            "audit" => self.audit,
            "dns" => self.dns,
            "inventory" => self.inventory,
            "advisory" => self.advisory,
            "security_alert" => self.security_alert,
            _ => 0,
        };
        (hours > 0).then(|| TimeDelta::hours(hours.into()))
    }
}
