//! Amounts of money as whole numbers, and their currencies.

use std::fmt;
use std::str::FromStr;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// Millionths in a unit.
const MICROS: i64 = 1_000_000;

/// Microseconds in an hour.
const HOUR: i128 = 3_600_000_000;

/// An amount of money in millionths of the unit of its currency, which stands beside it. Sums stop at the largest
/// number, nine billions of units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Amount(i64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many millionths.
    #[must_use]
    pub fn of_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// A price as it stands in a list or results from a division, to the nearest millionth; `None` if it is no
    /// number, negative, or too large.
    #[must_use]
    pub fn of_price(units: f64) -> Option<Self> {
        let micros = (units * MICROS as f64).round();
        (micros >= 0.0 && micros < i64::MAX as f64).then_some(Self(micros as i64))
    }

    /// The millionths.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left of it, and nothing if the other is more.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0).max(0))
    }

    /// So many times the amount.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self(self.0.saturating_mul(i64::from(count)))
    }

    /// The amount, which is for an hour, for as long as that.
    #[must_use]
    pub fn for_time(self, time: TimeDelta) -> Self {
        let micros = i128::from(time.num_microseconds().unwrap_or(i64::MAX).max(0));
        Self(clamp((i128::from(self.0) * micros + HOUR / 2).div_euclid(HOUR)))
    }

    /// The amount, which is for as long as that, for an hour; nothing if that is no time.
    #[must_use]
    pub fn per_hour_of(self, time: TimeDelta) -> Self {
        let micros = i128::from(time.num_microseconds().unwrap_or(i64::MAX));
        if micros <= 0 { Self::ZERO } else { Self(clamp(i128::from(self.0) * HOUR / micros)) }
    }

    /// A part of it: the numerator over the denominator, which is not zero.
    #[must_use]
    pub fn part(self, numerator: u32, denominator: u32) -> Self {
        Self(clamp(i128::from(self.0) * i128::from(numerator) / i128::from(denominator.max(1))))
    }

    /// The units as a number, for what is shown and for an order; never for sums.
    #[must_use]
    pub fn units(self) -> f64 {
        self.0 as f64 / MICROS as f64
    }
}

fn clamp(micros: i128) -> i64 {
    i64::try_from(micros).unwrap_or(if micros < 0 { i64::MIN } else { i64::MAX })
}

/// With two digits after the point, to the nearest.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths = (i128::from(self.0) + 5_000).div_euclid(10_000);
        let sign = if hundredths < 0 { "-" } else { "" };
        let hundredths = hundredths.unsigned_abs();
        f.pad(&format!("{sign}{}.{:02}", hundredths / 100, hundredths % 100))
    }
}

/// What is no currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no currency; currencies are three letters by ISO 4217, such as EUR")]
pub struct CurrencyError(String);

/// A currency: its code by ISO 4217, in capitals.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(String);

impl Currency {
    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        let code = text.trim();
        let is_code = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_alphabetic());
        if is_code { Ok(Self(code.to_ascii_uppercase())) } else { Err(CurrencyError(text.to_owned())) }
    }
}

impl TryFrom<String> for Currency {
    type Error = CurrencyError;

    fn try_from(text: String) -> Result<Self, CurrencyError> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.0
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_and_shown_to_the_hundredth() {
        let check =
            |micros: i64, expected: &str| assert_eq!(Amount(micros).to_string(), expected, "{micros}");
        check(0, "0.00");
        check(4_999, "0.00");
        check(5_000, "0.01");
        check(1_234_565_000, "1234.57");
        check(-1_500_000, "-1.50");
        check(i64::MAX, "9223372036854.78");
        assert_eq!(format!("{:>8}|", Amount(1_000_000)), "    1.00|");
    }

    #[test]
    fn a_price_for_some_time_is_rounded_once() {
        let price = Amount::of_price(3.67).unwrap();
        assert_eq!(price.for_time(TimeDelta::hours(24)).micros(), 88_080_000);
        assert_eq!(price.for_time(TimeDelta::minutes(20)).micros(), 1_223_333);
        assert_eq!(price.for_time(TimeDelta::hours(-1)), Amount::ZERO);
        assert_eq!(price.times(40).for_time(TimeDelta::days(10_000)).micros(), 35_232_000_000_000);
        assert_eq!(Amount(i64::MAX).plus(price).micros(), i64::MAX, "sums stop at the largest");
        assert_eq!(Amount(24_000_000).per_hour_of(TimeDelta::days(1)).micros(), 1_000_000);
        assert_eq!(Amount(24_000_000).per_hour_of(TimeDelta::zero()), Amount::ZERO);
        assert_eq!(Amount(5).less(Amount(7)), Amount::ZERO);
    }

    #[test]
    fn what_is_no_price_is_none() {
        for none in [f64::NAN, f64::INFINITY, -0.5, 1e13] {
            assert_eq!(Amount::of_price(none), None, "{none}");
        }
        assert_eq!(Amount::of_price(0.000_012), Some(Amount(12)));
    }

    #[test]
    fn a_currency_is_three_letters() {
        assert_eq!("eur".parse::<Currency>().unwrap().as_str(), "EUR");
        for wrong in ["", "EU", "EURO", "€€€", "E1R"] {
            assert!(wrong.parse::<Currency>().is_err(), "{wrong}");
        }
    }
}
