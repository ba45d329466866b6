//! Money at risk: what an incident has cost so far, and what it costs by the hour while it goes on.
//!
//! Nouns: a [`Run`] is machines of one kind that run, made from what the activity log says ([`runs`]). A
//! [`PriceBook`] knows what such machines cost by the hour: from the partner's own bills, else from a rate card. A
//! [`Ledger`] is what ran on a subscription and what it was billed; [`Ledger::reckon`] says what of it is the excess
//! of each alert. What cannot be priced is counted and never guessed. Amounts keep their currency and are never added
//! across currencies.
//!
//! Bills are a day or two late, so a day counts in one of two ways. Of a day that is billed in full, the bill alone.
//! Of any other, whichever is more: what the bill says so far, or what ran times its price.

mod amount;
mod ledger;
mod price;
mod run;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use amount::{Amount, Currency, CurrencyError};
pub use ledger::{Bill, Concern, LEAD, Ledger};
pub use price::{Basis, MachinePrice, PriceBook, PriceSource, Priced};
pub use run::{Act, ComputeEvent, Machines, Priority, Run, home, runs};

/// How many resources are told of one alert; sums are over all of them.
const PARTS_MAX: usize = 50;

/// What an alert's incident costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoneyAtRisk {
    /// Up to when it is reckoned.
    pub as_of: DateTime<Utc>,
    /// The sums, one for each currency, in the order of their codes.
    pub totals: Vec<Total>,
    /// The resources, the dearest of each currency first.
    pub parts: Vec<Part>,
    /// How many resources more there are than are told.
    pub more_parts: usize,
}

/// The sum in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// The currency.
    pub currency: Currency,
    /// Cost so far.
    pub so_far: Amount,
    /// How much of that is on a bill.
    pub billed: Amount,
    /// Cost by the hour, of what still runs.
    pub per_hour: Amount,
    /// Cost so far without what another open alert of the subscription counts, so that sums over alerts count
    /// nothing twice.
    pub counted_so_far: Amount,
    /// The same of the cost by the hour.
    pub counted_per_hour: Amount,
}

/// What one resource costs beyond what it used to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Path of the resource, in lower case.
    pub resource: String,
    /// What runs, such as `4 × standard_d4s_v5 (spot)`; empty if only its bill is known.
    pub machines: String,
    /// Where it stands.
    pub state: State,
    /// From when on it is counted.
    pub from: DateTime<Utc>,
    /// When it was stopped or deleted.
    pub until: Option<DateTime<Utc>>,
    /// The currency; `None` if no price is known.
    pub currency: Option<Currency>,
    /// Cost so far.
    pub so_far: Amount,
    /// How much of that is on a bill.
    pub billed: Amount,
    /// Cost by the hour, if it still runs.
    pub per_hour: Amount,
    /// What the figures rest on; several where part of the time is billed.
    pub basis: Vec<Basis>,
}

/// Whether a resource still costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// The activity log says that it was made, and not that it ended.
    Running,
    /// It was stopped or deleted.
    Ended,
    /// Only bills tell of it, and they are a day or two late.
    Billed,
}

impl State {
    /// The word of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Ended => "ended",
            Self::Billed => "billed",
        }
    }
}

impl MoneyAtRisk {
    /// How many of the resources that are told have no known price.
    #[must_use]
    pub fn unpriced(&self) -> usize {
        self.parts.iter().filter(|part| part.currency.is_none()).count()
    }

    /// The figures in a sentence or two, for people.
    #[must_use]
    pub fn in_words(&self) -> String {
        let mut sentences = Vec::new();
        for total in &self.totals {
            let now = if total.per_hour.is_zero() {
                "nothing by the hour now".to_owned()
            } else {
                format!("{} an hour now", total.per_hour)
            };
            let billed = if total.billed.is_zero() {
                "none of it billed yet".to_owned()
            } else if total.billed == total.so_far {
                "all of it billed".to_owned()
            } else {
                format!("{} of it billed", total.billed)
            };
            sentences.push(format!("{} {} so far ({billed}), {now}.", total.currency, total.so_far));
        }
        let mut bases: Vec<Basis> = self.parts.iter().flat_map(|part| part.basis.iter().copied()).collect();
        bases.sort_unstable();
        bases.dedup();
        bases.retain(|basis| *basis != Basis::Billed);
        if !bases.is_empty() {
            let words: Vec<&str> = bases.into_iter().map(Basis::in_words).collect();
            sentences.push(format!("What is not billed yet is priced {}.", words.join("; or ")));
        }
        match self.unpriced() {
            0 => {}
            1 => sentences.push("Of one resource no price is known; it is not counted.".to_owned()),
            count => sentences.push(format!("Of {count} resources no price is known; they are not counted.")),
        }
        if sentences.is_empty() {
            sentences.push("Nothing is known that costs more than before.".to_owned());
        }
        sentences.join(" ")
    }
}

#[cfg(test)]
mod tests;
