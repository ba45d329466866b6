//! Reading rate cards: files in the shape in which Azure's Retail Prices API replies.
//!
//! A file is its JSON reply, several of them one after the other, a list of items, items as lines, or CSV with the
//! members' names as headings. Taken are prices by the hour of machines, used as they go; the rest is counted and
//! passed over: reservations, licences, other services, tiers.

use std::collections::BTreeMap;

use alerts::money::{Amount, Currency, MachinePrice, PriceSource, Priority};
use serde_json::{Map, Value};

/// What a file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct RateCard {
    /// The prices, by size, priority, region and currency.
    pub prices: Vec<MachinePrice>,
    /// How many items are of something else, by what they are.
    pub passed_over: BTreeMap<&'static str, usize>,
}

/// The file is no rate card.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoRateCard(String);

/// An item with the members that are looked at, in lower case; all of them as text.
type Item = BTreeMap<String, String>;

/// Reads a file.
///
/// # Errors
///
/// [`NoRateCard`] if it holds no item of the API's shape.
pub fn read(text: &str) -> Result<RateCard, NoRateCard> {
    let text = text.trim_start_matches('\u{feff}');
    let items = if text.trim_start().starts_with(['{', '[']) { json_items(text)? } else { csv_items(text)? };
    let is_ours = |item: &Item| item.contains_key("armskuname") && item.contains_key("retailprice");
    if !items.iter().any(is_ours) {
        let what =
            "no item has armSkuName and retailPrice; a rate card has the shape of Azure's Retail Prices API";
        return Err(NoRateCard(what.to_owned()));
    }
    Ok(of_items(&items))
}

fn json_items(text: &str) -> Result<Vec<Item>, NoRateCard> {
    let mut items = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let value = value.map_err(|error| NoRateCard(format!("not JSON: {error}")))?;
        let listed = match value {
            Value::Array(list) => list,
            Value::Object(members) => match member(&members, "items") {
                Some(Value::Array(list)) => list.clone(),
                _ => vec![Value::Object(members)],
            },
            _ => Vec::new(),
        };
        items.extend(listed.iter().filter_map(Value::as_object).map(|members| {
            let texts =
                members.iter().filter_map(|(name, value)| Some((name.to_lowercase(), as_text(value)?)));
            texts.collect::<Item>()
        }));
    }
    Ok(items)
}

fn member<'m>(members: &'m Map<String, Value>, wanted: &str) -> Option<&'m Value> {
    members.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn csv_items(text: &str) -> Result<Vec<Item>, NoRateCard> {
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let failed = |error: csv::Error| NoRateCard(format!("not a CSV file: {error}"));
    let names: Vec<String> = reader.headers().map_err(failed)?.iter().map(str::to_lowercase).collect();
    let mut items = Vec::new();
    for record in reader.records() {
        let record = record.map_err(failed)?;
        let values = names.iter().zip(record.iter()).filter(|(_, value)| !value.is_empty());
        items.push(values.map(|(name, value)| (name.clone(), value.to_owned())).collect());
    }
    Ok(items)
}

fn of_items(items: &[Item]) -> RateCard {
    let mut card = RateCard::default();
    let mut of_key: BTreeMap<_, (String, bool, MachinePrice)> = BTreeMap::new();
    for item in items {
        let found = match Offer::read(item) {
            Ok(found) => found,
            Err(why) => {
                *card.passed_over.entry(why).or_default() += 1;
                continue;
            }
        };
        let price = &found.price;
        let key = (price.size.clone(), price.priority, price.region.clone(), price.currency.clone());
        // The price that holds last, and that of spot machines rather than of Batch's cheaper ones.
        let is_better = of_key
            .get(&key)
            .is_none_or(|(since, is_spot, _)| (found.is_named_spot, &found.since) > (*is_spot, since));
        if is_better {
            of_key.insert(key, (found.since, found.is_named_spot, found.price));
        } else {
            *card.passed_over.entry("older or other prices of the same").or_default() += 1;
        }
    }
    card.prices = of_key.into_values().map(|(.., price)| price).collect();
    card
}

/// An item that is a price of a machine.
struct Offer {
    price: MachinePrice,
    since: String,
    is_named_spot: bool,
}

impl Offer {
    /// Reads an item, or says what it is instead.
    fn read(item: &Item) -> Result<Self, &'static str> {
        let text = |name: &str| item.get(name).map_or("", String::as_str);
        let lower = |name: &str| text(name).to_lowercase();
        let (kind, service, product) = (lower("type"), lower("servicename"), lower("productname"));
        if !kind.is_empty() && kind != "consumption" {
            return Err("reservations and the like");
        }
        if !service.is_empty() && service != "virtual machines" {
            return Err("other services");
        }
        if product.contains("windows") {
            return Err("machines with Windows");
        }
        if product.contains("cloud services") || product.contains("cloudservices") {
            return Err("other services");
        }
        if text("tierminimumunits").parse::<f64>().is_ok_and(|units| units > 0.0) {
            return Err("further tiers");
        }
        let size = lower("armskuname");
        if !size.starts_with("standard_") && !size.starts_with("basic_") {
            return Err("not machines");
        }
        let hours = hours(&lower("unitofmeasure")).ok_or("not by the hour")?;
        let currency: Currency = text("currencycode").parse().map_err(|_| "without a currency")?;
        let price = text("retailprice").parse::<f64>().ok().and_then(|price| Amount::of_price(price / hours));
        let per_hour = price.filter(|price| !price.is_zero()).ok_or("without a price")?;
        let names = format!("{} {}", lower("skuname"), lower("metername"));
        let is_named_spot = names.contains("spot");
        let is_spot = is_named_spot || names.contains("low priority");
        let price = MachinePrice {
            source: PriceSource::RateCard,
            currency,
            size,
            region: lower("armregionname"),
            priority: if is_spot { Priority::Spot } else { Priority::Regular },
            per_hour,
            lines: 0,
        };
        Ok(Self { price, since: text("effectivestartdate").to_owned(), is_named_spot })
    }
}

/// The hours of `1 Hour` or `100 Hours`.
fn hours(unit: &str) -> Option<f64> {
    let (number, word) = unit.trim().split_once(' ')?;
    let number: f64 = number.parse().ok()?;
    (matches!(word.trim(), "hour" | "hours") && number > 0.0).then_some(number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(size: &str, region: &str, price: f64, more: Value) -> Value {
        let mut item = json!({
            "currencyCode": "EUR", "tierMinimumUnits": 0.0, "retailPrice": price, "unitPrice": price,
            "armRegionName": region, "armSkuName": size, "unitOfMeasure": "1 Hour", "type": "Consumption",
            "serviceName": "Virtual Machines", "productName": "Virtual Machines X Series", "skuName": "X",
            "meterName": "X", "effectiveStartDate": "2031-01-01T00:00:00Z",
        });
        for (name, value) in more.as_object().unwrap() {
            item[name] = value.clone();
        }
        item
    }

    fn shown(card: &RateCard) -> String {
        let prices = card.prices.iter().map(|price| {
            let MachinePrice { size, region, priority, currency, per_hour, .. } = price;
            format!("{size} {region} {} {currency} {}", priority.as_str(), per_hour.micros())
        });
        prices.collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn machines_by_the_hour_are_taken_and_the_rest_is_counted() {
        let items = [
            item("Standard_X4", "WestEurope", 0.5, json!({})),
            item("Standard_X4", "westeurope", 0.1, json!({"meterName": "X4 Spot"})),
            item("Standard_X4", "westeurope", 0.08, json!({"meterName": "X4 Low Priority"})),
            item("Standard_X4", "westeurope", 0.6, json!({"effectiveStartDate": "2031-03-01T00:00:00Z"})),
            item("Standard_X8", "uksouth", 120.0, json!({"unitOfMeasure": "100 Hours"})),
            item("Standard_X4", "westeurope", 900.0, json!({"type": "Reservation"})),
            item(
                "Standard_X4",
                "westeurope",
                0.9,
                json!({"productName": "Virtual Machines X Series Windows"}),
            ),
            item("Standard_X4", "westeurope", 0.9, json!({"serviceName": "Storage"})),
            item("Standard_X4", "westeurope", 0.9, json!({"tierMinimumUnits": 5.0})),
            item("Standard_X4", "westeurope", 0.0, json!({})),
            item("Standard_X4", "westeurope", 0.9, json!({"unitOfMeasure": "1/Month"})),
            item("Premium_LRS", "westeurope", 0.9, json!({})),
            item("Standard_X4", "westeurope", 0.9, json!({"currencyCode": "?"})),
        ];
        let expected = "standard_x4 westeurope regular EUR 600000; standard_x4 westeurope spot EUR 100000; \
                        standard_x8 uksouth regular EUR 1200000";
        let reply = json!({"BillingCurrency": "EUR", "Items": items, "Count": items.len()}).to_string();
        let card = read(&reply).unwrap();
        assert_eq!(shown(&card), expected);
        let passed = [
            ("further tiers", 1),
            ("machines with Windows", 1),
            ("not by the hour", 1),
            ("not machines", 1),
            ("older or other prices of the same", 1),
            ("other services", 1),
            ("reservations and the like", 1),
            ("without a currency", 1),
            ("without a price", 1),
        ];
        assert_eq!(card.passed_over, passed.into());

        let lines: Vec<String> = items.iter().map(Value::to_string).collect();
        for other in [json!(items).to_string(), lines.join("\n"), format!("{reply}\n{reply}")] {
            assert_eq!(shown(&read(&other).unwrap()), expected, "{other:.60}");
        }
        let csv = "armSkuName,armRegionName,retailPrice,currencyCode,unitOfMeasure\n\
                   Standard_X4,westeurope,0.6,EUR,1 Hour\nStandard_X8,uksouth,1.2,eur,1 Hour\n";
        assert_eq!(
            shown(&read(csv).unwrap()),
            "standard_x4 westeurope regular EUR 600000; standard_x8 uksouth regular EUR 1200000"
        );
    }

    #[test]
    fn what_is_no_rate_card_is_refused() {
        for text in ["", "{", "[]", "{\"value\": []}", "a,b\n1,2\n", "[1, 2]"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
