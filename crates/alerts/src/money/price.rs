//! What machines cost by the hour.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::{Amount, Currency, Priority};

/// Where a price is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PriceSource {
    /// The partner's own bills.
    Observed,
    /// A rate card that the operator brought in.
    RateCard,
}

impl PriceSource {
    /// The word that it is kept and shown by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::RateCard => "rateCard",
        }
    }
}

/// The price of a machine of one size, in one region and currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachinePrice {
    /// Where it is from.
    pub source: PriceSource,
    /// The currency.
    pub currency: Currency,
    /// The size, such as `standard_d4s_v5`, in lower case.
    pub size: String,
    /// The region's id, in lower case; empty if it is not known.
    pub region: String,
    /// Whether it may be taken away.
    pub priority: Priority,
    /// For an hour of one machine.
    pub per_hour: Amount,
    /// On how many lines of bills it rests; 0 for a rate card.
    pub lines: u64,
}

/// What a figure rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Basis {
    /// A bill of the resource itself.
    Billed,
    /// What this partner was billed for the same size in the same region.
    Observed,
    /// The rate card's price for the size in the region.
    RateCard,
    /// What this partner was billed for another size of the same series in the region, by their numbers of processors.
    ObservedSeries,
    /// What this partner was billed for the size in other regions: the middle of it.
    ObservedElsewhere,
    /// The rate card's prices for the size in other regions: the middle of them.
    RateCardElsewhere,
}

impl Basis {
    /// The word of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Billed => "billed",
            Self::Observed => "observed",
            Self::RateCard => "rateCard",
            Self::ObservedSeries => "observedSeries",
            Self::ObservedElsewhere => "observedElsewhere",
            Self::RateCardElsewhere => "rateCardElsewhere",
        }
    }

    /// How something was priced, in words that follow "priced".
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Billed => "as it is billed",
            Self::Observed => "as you were billed for the same size in the same region",
            Self::RateCard => "by the rate card",
            Self::ObservedSeries => {
                "as you were billed for another size of the same series in the region, by the number of processors"
            }
            Self::ObservedElsewhere => "as you were billed for the same size in other regions",
            Self::RateCardElsewhere => "by the rate card for the same size in other regions",
        }
    }
}

/// A price that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priced {
    /// The currency.
    pub currency: Currency,
    /// For an hour of one machine.
    pub per_hour: Amount,
    /// What it rests on.
    pub basis: Basis,
}

/// Prices, by what they are asked for.
#[derive(Debug, Clone, Default)]
pub struct PriceBook {
    /// By source, size and priority.
    of_size: HashMap<(PriceSource, String, Priority), Vec<MachinePrice>>,
    /// Observed prices of a series, by its name, region and priority, each with the number of processors.
    of_series: HashMap<(String, String, Priority), Vec<(u32, MachinePrice)>>,
}

impl PriceBook {
    /// The book of these prices.
    #[must_use]
    pub fn new(prices: impl IntoIterator<Item = MachinePrice>) -> Self {
        let mut book = Self::default();
        for price in prices {
            if price.source == PriceSource::Observed
                && let Some((series, number)) = series(&price.size)
            {
                let key = (series, price.region.clone(), price.priority);
                book.of_series.entry(key).or_default().push((number, price.clone()));
            }
            book.of_size.entry((price.source, price.size.clone(), price.priority)).or_default().push(price);
        }
        book
    }

    /// What a machine costs, from the best basis that there is: the order of [`Basis`]. In that currency if it is
    /// given; else in the one that most bills are in. A machine that may be taken away has no price from one that may
    /// not: the difference is up to ninefold.
    #[must_use]
    pub fn find(
        &self,
        size: &str,
        region: Option<&str>,
        priority: Priority,
        currency: Option<&Currency>,
    ) -> Option<Priced> {
        let in_currency = |price: &&MachinePrice| currency.is_none_or(|wanted| *wanted == price.currency);
        let of_size = |source| {
            let known = self.of_size.get(&(source, size.to_owned(), priority));
            known.into_iter().flatten().filter(in_currency).collect::<Vec<_>>()
        };
        let (observed, listed) = (of_size(PriceSource::Observed), of_size(PriceSource::RateCard));
        let exact = |prices: &[&MachinePrice], basis| {
            let here = prices.iter().filter(|price| region == Some(price.region.as_str()));
            most_lines(here.copied()).map(|price| priced(price, price.per_hour, basis))
        };
        exact(&observed, Basis::Observed)
            .or_else(|| exact(&listed, Basis::RateCard))
            .or_else(|| self.by_series(size, region?, priority, currency))
            .or_else(|| middle(&observed, Basis::ObservedElsewhere))
            .or_else(|| middle(&listed, Basis::RateCardElsewhere))
    }

    fn by_series(
        &self,
        size: &str,
        region: &str,
        priority: Priority,
        currency: Option<&Currency>,
    ) -> Option<Priced> {
        let (series, number) = series(size)?;
        let known = self.of_series.get(&(series, region.to_owned(), priority))?;
        let wanted = known.iter().filter(|(_, price)| currency.is_none_or(|code| *code == price.currency));
        let nearest = wanted.min_by_key(|(other, price)| (other.abs_diff(number), &price.currency))?;
        Some(priced(&nearest.1, nearest.1.per_hour.part(number, nearest.0), Basis::ObservedSeries))
    }
}

fn priced(price: &MachinePrice, per_hour: Amount, basis: Basis) -> Priced {
    Priced { currency: price.currency.clone(), per_hour, basis }
}

/// The price with most lines behind it; of two, the one whose currency comes first.
fn most_lines<'p>(prices: impl Iterator<Item = &'p MachinePrice>) -> Option<&'p MachinePrice> {
    prices.min_by(|a, b| b.lines.cmp(&a.lines).then_with(|| a.currency.cmp(&b.currency)))
}

/// The middle of the prices in the currency that most lines are in; of an even number, the upper of the two.
fn middle(prices: &[&MachinePrice], basis: Basis) -> Option<Priced> {
    let mut of_currency: BTreeMap<&Currency, (u64, Vec<Amount>)> = BTreeMap::new();
    for price in prices {
        let (lines, amounts) = of_currency.entry(&price.currency).or_default();
        *lines += price.lines;
        amounts.push(price.per_hour);
    }
    // Of equal ones the first is to win, and `max_by_key` takes the last.
    let (currency, (_, mut amounts)) = of_currency.into_iter().rev().max_by_key(|(_, (lines, _))| *lines)?;
    amounts.sort_unstable();
    Some(Priced { currency: currency.clone(), per_hour: *amounts.get(amounts.len() / 2)?, basis })
}

/// The series of a size and its number of processors: `standard_d4s_v5` is `standard_d#s_v5` and 4.
///
/// Within a series prices go by that number. The oldest series number their sizes otherwise, and burstable ones have
/// prices of their own, so those have none.
fn series(size: &str) -> Option<(String, u32)> {
    let body = size.strip_prefix("standard_")?;
    let start = body.find(|letter: char| !letter.is_ascii_alphabetic())?;
    let (family, rest) = body.split_at(start);
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    let number: u32 = rest[..end].parse().ok().filter(|number| *number > 0)?;
    let tail = &rest[end..];
    // `m8-2ms` is an eight with two processors in use, at the price of the eight.
    let tail = match tail.strip_prefix('-') {
        Some(usable) => usable.trim_start_matches(|letter: char| letter.is_ascii_digit()),
        None => tail,
    };
    let generation: u32 = tail.rsplit('_').next()?.strip_prefix('v')?.parse().ok()?;
    let is_old = matches!(family, "a" | "d" | "ds" | "g" | "gs") && generation < 3;
    (!is_old && family != "b").then(|| (format!("standard_{family}#{tail}"), number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_one_series_differ_in_their_number() {
        let check = |size: &str, expected: Option<(&str, u32)>| {
            assert_eq!(series(size), expected.map(|(name, number)| (name.to_owned(), number)), "{size}");
        };
        check("standard_d4s_v5", Some(("standard_d#s_v5", 4)));
        check("standard_nc24ads_a100_v4", Some(("standard_nc#ads_a100_v4", 24)));
        check("standard_f72s_v2", Some(("standard_f#s_v2", 72)));
        check("standard_e8-4s_v5", Some(("standard_e#s_v5", 8)));
        for none in
            ["standard_d3_v2", "standard_ds13", "standard_b2ms", "standard_g5", "large", "standard_v2", ""]
        {
            check(none, None);
        }
    }

    fn price(source: PriceSource, size: &str, place: &str, priority: Priority, units: f64) -> MachinePrice {
        let (region, currency) = place.split_once(' ').unwrap();
        MachinePrice {
            source,
            currency: currency.parse().unwrap(),
            size: size.to_owned(),
            region: region.to_owned(),
            priority,
            per_hour: Amount::of_price(units).unwrap(),
            lines: u64::from(source == PriceSource::Observed) * 10,
        }
    }

    #[test]
    fn the_best_basis_decides() {
        use PriceSource::{Observed, RateCard};
        use Priority::{Regular, Spot};
        let book = PriceBook::new([
            price(Observed, "standard_d4s_v5", "westeurope EUR", Regular, 0.2),
            price(Observed, "standard_d4s_v5", "norwayeast NOK", Regular, 2.5),
            price(Observed, "standard_d4s_v5", "uksouth EUR", Regular, 0.24),
            price(Observed, "standard_d4s_v5", "brazilsouth EUR", Regular, 0.4),
            price(Observed, "standard_d4s_v5", "westeurope EUR", Spot, 0.04),
            price(RateCard, "standard_d4s_v5", "westeurope EUR", Regular, 9.9),
            price(RateCard, "standard_d4s_v5", "eastus USD", Regular, 0.192),
            price(RateCard, "standard_d8s_v5", "swedencentral EUR", Regular, 0.41),
            price(RateCard, "standard_nd96isr_h100_v5", "eastus USD", Regular, 98.3),
            price(RateCard, "standard_nd96isr_h100_v5", "westus USD", Regular, 102.5),
            price(RateCard, "standard_nd96isr_h100_v5", "southcentralus USD", Regular, 117.9),
        ]);
        let check = |size: &str, region: Option<&str>, priority, currency: &str, expected: &str| {
            let currency = currency.parse::<Currency>().ok();
            let found = book.find(size, region, priority, currency.as_ref());
            let found = found.map_or("unknown".to_owned(), |found| {
                format!("{} {} {}", found.currency, found.per_hour.micros(), found.basis.as_str())
            });
            assert_eq!(found, expected, "{size} {region:?} {priority:?} {currency:?}");
        };
        let (d4, d8, d96) = ("standard_d4s_v5", "standard_d8s_v5", "standard_d96s_v5");
        let h100 = "standard_nd96isr_h100_v5";
        check(d4, Some("westeurope"), Regular, "EUR", "EUR 200000 observed");
        check(d4, Some("westeurope"), Spot, "EUR", "EUR 40000 observed");
        check(d4, Some("uksouth"), Spot, "EUR", "EUR 40000 observedElsewhere");
        check(d4, Some("norwayeast"), Regular, "NOK", "NOK 2500000 observed");
        check(d4, Some("eastus"), Regular, "USD", "USD 192000 rateCard");
        check(d96, Some("westeurope"), Regular, "EUR", "EUR 4800000 observedSeries");
        check(d4, Some("francecentral"), Regular, "EUR", "EUR 240000 observedElsewhere");
        check(d4, None, Regular, "EUR", "EUR 240000 observedElsewhere");
        check(d8, Some("swedencentral"), Regular, "EUR", "EUR 410000 rateCard");
        check(h100, Some("westus3"), Regular, "USD", "USD 102500000 rateCardElsewhere");
        check(h100, Some("eastus"), Spot, "USD", "unknown");
        check(h100, Some("eastus"), Regular, "EUR", "unknown");
        check(h100, Some("eastus"), Regular, "", "USD 98300000 rateCard");
        check(d4, Some("westeurope"), Regular, "", "EUR 200000 observed");
        check("standard_x1", Some("eastus"), Regular, "", "unknown");
    }
}
