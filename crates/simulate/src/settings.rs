//! What an estate is made from, and which values are refused.

use alerts::PartnerTenantId;
use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};

/// The most customers of one estate: the largest partner that the product is built for.
pub const CUSTOMERS_MAX: u32 = 20_000;

/// The longest period, in days: two years, so that a year can be compared with the one before.
pub const DAYS_MAX: u32 = 730;

/// The years in which an estate may end. Before 2015 there was no Azure Resource Manager to log, and
/// flow tuples later than this would no longer tell seconds from milliseconds by their size.
const YEARS: std::ops::RangeInclusive<i32> = 2015..=2100;

/// What an estate is made from. The same settings give the same files, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where all chance starts.
    pub seed: u64,
    /// Number of customers, 1 to [`CUSTOMERS_MAX`].
    pub customers: u32,
    /// Length of the period in UTC days, 1 to [`DAYS_MAX`]; the last one is the day in which the
    /// period ends.
    pub days: u32,
    /// The moment at which the estate is looked at: no record is younger.
    pub end: DateTime<Utc>,
    /// The partner whose customers these are.
    pub partner_tenant_id: PartnerTenantId,
}

/// A setting that cannot be met.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// No customers, or more than one estate can hold.
    #[error("customers is {found}; it must be from 1 to {CUSTOMERS_MAX}")]
    Customers {
        /// The value that was set.
        found: u32,
    },
    /// No days, or more than one estate can span.
    #[error("days is {found}; it must be from 1 to {DAYS_MAX}")]
    Days {
        /// The value that was set.
        found: u32,
    },
    /// An end outside the years in which Azure's records make sense.
    #[error("end is in the year {found}; it must be from {} to {}", YEARS.start(), YEARS.end())]
    End {
        /// The year that was set.
        found: i32,
    },
}

impl Settings {
    /// Checks every setting.
    ///
    /// # Errors
    /// The first setting that is out of range, with its range.
    pub fn check(&self) -> Result<(), SettingsError> {
        if !(1..=CUSTOMERS_MAX).contains(&self.customers) {
            return Err(SettingsError::Customers { found: self.customers });
        }
        if !(1..=DAYS_MAX).contains(&self.days) {
            return Err(SettingsError::Days { found: self.days });
        }
        if !YEARS.contains(&self.end.year()) {
            return Err(SettingsError::End { found: self.end.year() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_refused_with_their_range() {
        let good = || Settings {
            seed: 1,
            customers: 1,
            days: 1,
            end: "2026-03-02T12:00:00Z".parse().unwrap(),
            partner_tenant_id: "p".parse().unwrap(),
        };
        let check = |change: fn(&mut Settings), expected: Option<&str>| {
            let mut settings = good();
            change(&mut settings);
            let found = settings.check().err().map(|error| error.to_string());
            assert_eq!(found.as_deref(), expected);
        };
        check(|_| (), None);
        check(|s| s.customers = 20_000, None);
        check(|s| s.customers = 0, Some("customers is 0; it must be from 1 to 20000"));
        check(|s| s.customers = 20_001, Some("customers is 20001; it must be from 1 to 20000"));
        check(|s| s.days = 730, None);
        check(|s| s.days = 0, Some("days is 0; it must be from 1 to 730"));
        check(|s| s.days = 731, Some("days is 731; it must be from 1 to 730"));
        check(
            |s| s.end = "1999-01-01T00:00:00Z".parse().unwrap(),
            Some("end is in the year 1999; it must be from 2015 to 2100"),
        );
    }
}
