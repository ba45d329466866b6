//! Units of measure: `100 Hours` is a block of 100, counted in `Hours`.
//!
//! Prices are for a block; the quantities of Cost Management count units, not blocks.

use std::collections::HashMap;
use std::sync::LazyLock;

/// One unit a line: its name, then other spellings.
const TABLE: &str = include_str!("units.txt");

static UNITS: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let mut units = HashMap::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let mut spellings = line.split('|');
        let unit = spellings.next().unwrap_or(line);
        units.insert(unit.to_lowercase(), unit);
        units.extend(spellings.map(|spelling| (spelling.to_owned(), unit)));
    }
    units
});

/// What a unit of measure means.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unit {
    /// How many units a block has.
    pub(super) block: f64,
    /// Its name; as written if the table does not know it.
    pub(super) name: Box<str>,
}

impl Unit {
    /// Reads a unit of measure.
    pub(super) fn parse(text: &str) -> Self {
        let text = text.trim();
        if let Some(name) = UNITS.get(text.to_lowercase().as_str()) {
            return Self { block: 1.0, name: (*name).into() };
        }
        let (block, rest) = block(text).unwrap_or((1.0, text));
        let rest = rest.trim();
        let name = UNITS.get(rest.to_lowercase().as_str()).copied().unwrap_or(rest);
        Self { block, name: name.into() }
    }
}

/// The number at the start: `10`, `10K`, `1M`.
fn block(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok().filter(|number| *number >= 1.0)?;
    let rest = &text[end..];
    let suffixes = [('K', 1e3), ('M', 1e6), ('B', 1e9)];
    let suffix = suffixes.iter().find_map(|(letter, times)| Some((rest.strip_prefix(*letter)?, times)));
    match suffix {
        // `1MB` is no million.
        Some((rest, times)) if !rest.starts_with(char::is_alphabetic) => Some((number * times, rest)),
        _ => Some((number, rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_measure() {
        let check = |text: &str, block: f64, name: &str| {
            assert_eq!(Unit::parse(text), Unit { block, name: name.into() }, "{text}");
        };
        check("1 Hour", 1.0, "Hours");
        check("100 Hours", 100.0, "Hours");
        check("1 GB/Month", 1.0, "GB/Month");
        check("10K", 10_000.0, "Units");
        check("10K Transactions", 10_000.0, "Transactions");
        check("1K/Day", 1000.0, "Units/Day");
        check("1M", 1e6, "Units");
        check("1B", 1e9, "Units");
        check("1MB", 1.0, "MB");
        check("1 1 Hour", 1.0, "Hours");
        check("1/10 Days", 1.0, "Units/10 Days");
        check("10000 1,000s", 10_000.0, "Transactions in Thousands");
        check("10000s", 1.0, "Transactions");
        check("1 小时", 1.0, "Hours");
        check("1 GB/月", 1.0, "GB/Month");
        check("Minute(s)", 1.0, "Minutes");
        check("GB", 1.0, "GB");
        check("LCU-Hours", 1.0, "LCU-Hours");
        check("7 Wonders", 7.0, "Wonders");
        check("0 Hours", 1.0, "0 Hours");
    }
}
