//! Cost and usage: exports of Cost Management (actual and amortised), FOCUS exports, and Partner Center's
//! daily-rated usage, as CSV, JSON lines and Parquet.
//!
//! The columns have other names under other agreements and in other datasets; one alias table
//! ([`headers`]) knows them. Each form gives the values of a record by column ([`record`]), and one
//! [`line::Normaliser`] makes rows of them.
//!
//! Earlier days are stated again with other amounts, with lines more or less. So a line carries the
//! [`Statement`](crate::Statement) that it is part of, and readers take the latest of each day. The id of
//! a line is its place in that statement, so that equal lines are separate charges, and a file that is read
//! again gives the same ids.

mod csv;
mod dates;
mod headers;
mod json;
mod line;
mod memo;
mod parquet;
mod portions;
mod record;
mod rows;
mod thrift;
mod units;

pub(crate) use self::csv::{Text, read_csv};
use self::headers::Column;
pub(crate) use self::json::UsageParser;
pub(crate) use self::line::CostEvent;
pub(crate) use self::parquet::read_parquet;
use self::record::Record;
pub(crate) use self::rows::CostRows;

/// Which of several accounts of the same charges a line belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dataset {
    /// What is charged, when it is charged.
    Actual,
    /// With purchases in advance spread over what they cover.
    Amortized,
    /// FOCUS, which has both.
    Focus,
    /// Partner Center's estimate of the running month.
    Unbilled,
    /// What Partner Center put on an invoice.
    Billed,
}

impl Dataset {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Actual => "actual",
            Self::Amortized => "amortized",
            Self::Focus => "focus",
            Self::Unbilled => "unbilled",
            Self::Billed => "billed",
        }
    }
}

/// What tells actual from amortised cost, which have the same columns.
#[derive(Debug, Default)]
struct Signs {
    of_amortized: bool,
    of_actual: bool,
}

impl Signs {
    /// Actual cost has the purchase of a reservation and nothing for the usage that it covers; amortised
    /// cost has a share of the purchase on each line of usage, and lines for what was not used.
    fn look<'a>(&mut self, record: &impl Record<'a>) {
        let charge = record.text(Column::ChargeType).unwrap_or_default();
        let is = |name: &str| charge.eq_ignore_ascii_case(name);
        if is("UnusedReservation") || is("UnusedSavingsPlan") {
            self.of_amortized = true;
        }
        if record.text(Column::BenefitId).is_none() {
            return;
        }
        if is("Purchase") || is("Refund") {
            self.of_actual = true;
        }
        if is("Usage") && record.amount(Column::Cost).is_ok_and(|cost| cost.is_some_and(|cost| cost > 0.0)) {
            self.of_amortized = true;
        }
    }

    fn dataset(&self) -> Dataset {
        if self.of_amortized && !self.of_actual { Dataset::Amortized } else { Dataset::Actual }
    }
}
