//! One cost record, normalised.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;

use super::Dataset;
use super::dates::Dates;
use super::headers::{Column, Family};
use super::memo::Memo;
use super::record::Record;
use super::units::Unit;
use crate::event_id::EventId;
use crate::json::loose::{Text, loose};
use crate::regions::region_id;
use crate::resource::{id_word, parts};
use crate::statement::Statement;
use crate::time::Instant;
use crate::vm_size::VmSize;

/// A normalised cost line; see the columns of the schema.
pub(crate) struct CostEvent<'a> {
    pub(crate) event_id: EventId,
    pub(crate) event_at: Instant,
    pub(crate) dataset: Dataset,
    pub(crate) statement: Statement,
    pub(crate) names: Names<'a>,
    pub(crate) resource_region: Option<&'a str>,
    pub(crate) meter_id: Option<&'a str>,
    pub(crate) meter_category: Option<&'a str>,
    pub(crate) meter_sub_category: Option<&'a str>,
    pub(crate) meter_name: Option<&'a str>,
    pub(crate) service_family: Option<&'a str>,
    pub(crate) consumed_service: Option<&'a str>,
    pub(crate) product: Option<&'a str>,
    pub(crate) charge_type: Option<&'a str>,
    pub(crate) publisher_type: Option<&'a str>,
    pub(crate) amounts: Amounts<'a>,
    pub(crate) machine: &'a Machine,
    pub(crate) tags: Option<&'a str>,
}

/// Whose the line is, and what it is for.
pub(crate) struct Names<'a> {
    pub(crate) subscription_id: Option<&'a str>,
    pub(crate) subscription_name: Option<&'a str>,
    pub(crate) customer_tenant_id: Option<&'a str>,
    pub(crate) customer_name: Option<&'a str>,
    pub(crate) reseller_id: Option<&'a str>,
    pub(crate) reseller_mpn_id: Option<&'a str>,
    pub(crate) resource_id: Option<&'a str>,
    pub(crate) resource_group: Option<&'a str>,
}

/// How much of what, and for how much.
pub(crate) struct Amounts<'a> {
    pub(crate) quantity: Option<f64>,
    pub(crate) unit_of_measure: Option<&'a str>,
    pub(crate) usage_quantity: Option<f64>,
    pub(crate) usage_unit: Option<&'a str>,
    pub(crate) unit_price: Option<f64>,
    pub(crate) cost: Option<f64>,
    pub(crate) currency: Option<&'a str>,
    pub(crate) effective_cost: Option<f64>,
    pub(crate) pricing_cost: Option<f64>,
    pub(crate) pricing_currency: Option<&'a str>,
    pub(crate) cost_usd: Option<f64>,
}

/// The machine that a line is for.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Machine {
    /// In lower case.
    pub(crate) name: Option<Box<str>>,
    pub(crate) size: Option<VmSize>,
}

loose! {
    /// The additional information of a line.
    struct AdditionalInfo {
        service_type: Text<'a> = "servicetype" | "x_servicetype" | "instancetype",
    }
}

/// Reads the records of one file.
pub(super) struct Normaliser {
    dataset: Dataset,
    statement: Statement,
    /// How many records were met before.
    ordinal: u128,
    dates: Dates,
    regions: Memo<Option<Cow<'static, str>>>,
    units: Memo<Unit>,
    machines: Memo<Machine>,
    lowered: Lowered,
}

impl Normaliser {
    /// `dataset` is that of Cost Management's files; others tell their own.
    pub(super) fn new(dataset: Dataset, statement: Statement) -> Self {
        Self {
            dataset,
            statement,
            ordinal: 0,
            dates: Dates::new(),
            regions: Memo::new(None),
            units: Memo::new(Unit::parse("")),
            machines: Memo::new(Machine::default()),
            lowered: Lowered::default(),
        }
    }

    /// The id of the next record: the part of the statement, and the record's place in it. A record that is
    /// rejected counts too, so that the others keep theirs once it can be read.
    fn next_id(&mut self) -> EventId {
        let id = u128::from_be_bytes(self.statement.part).wrapping_add(self.ordinal);
        self.ordinal += 1;
        id.to_be_bytes()
    }

    /// Goes on after so many records of the file.
    pub(super) fn go_on_after(&mut self, records: u128) {
        self.ordinal = records;
    }

    /// Counts a record that is damaged.
    pub(super) fn pass_over(&mut self) {
        self.ordinal += 1;
    }

    /// Normalises a record, or says why it cannot be used.
    pub(super) fn read<'a>(&'a mut self, record: &impl Record<'a>) -> Result<CostEvent<'a>, String> {
        let event_id = self.next_id();
        let event_at = self.dates.read(record)?;
        let dataset = match record.family() {
            Family::CostManagement => self.dataset,
            Family::Focus => Dataset::Focus,
            Family::PartnerCenter if record.text(Column::InvoiceNumber).is_some() => Dataset::Billed,
            Family::PartnerCenter => Dataset::Unbilled,
        };
        let numbers = Numbers::read(record)?;
        let text = |column| record.text(column);

        let lowered = &mut self.lowered;
        lowered.clear();
        let mut lower = |column| text(column).map(|text| lowered.add(text));
        let resource_id = lower(Column::ResourceId);
        let resource_group = lower(Column::ResourceGroup);
        let meter_id = lower(Column::MeterId);
        let consumed_service = lower(Column::ConsumedService);
        let charge_type = lower(Column::ChargeType);
        let publisher_type = lower(Column::PublisherType);
        let subscription_id = text(Column::SubscriptionId).map(subscription_of).and_then(id_word);
        let subscription_id = subscription_id.map(|id| lowered.add(id));
        let customer_tenant_id = text(Column::CustomerTenantId).and_then(id_word).map(|id| lowered.add(id));
        lowered.finish();
        let mut upper = |column| text(column).map(|text| lowered.add_upper(text));
        let currency = upper(Column::Currency);
        let pricing_currency = upper(Column::PricingCurrency);
        let lowered = lowered.text.as_str();
        let at = |range: Option<Range<usize>>| range.and_then(|range| lowered.get(range));

        let resource_id = at(resource_id);
        let in_path = || parts(resource_id.unwrap_or_default());
        let unit_of_measure = text(Column::UnitOfMeasure);
        let unit = self.units.get(unit_of_measure.unwrap_or_default(), Unit::parse);
        let machine = match text(Column::AdditionalInfo) {
            Some(info) => machine(&mut self.machines, info),
            None => self.machines.get("", |_| Machine::default()),
        };
        Ok(CostEvent {
            event_id,
            event_at,
            dataset,
            statement: self.statement,
            resource_region: region(&mut self.regions, text(Column::Location), text(Column::MeterRegion)),
            meter_id: at(meter_id),
            meter_category: text(Column::MeterCategory),
            meter_sub_category: text(Column::MeterSubCategory),
            meter_name: text(Column::MeterName),
            service_family: text(Column::ServiceFamily),
            consumed_service: at(consumed_service).or_else(|| provider(resource_id?)),
            product: text(Column::Product),
            charge_type: charge_type_of(at(charge_type), record.family()),
            publisher_type: at(publisher_type),
            amounts: Amounts {
                quantity: numbers.quantity,
                unit_of_measure,
                usage_quantity: numbers.usage(unit),
                usage_unit: text(Column::UsageUnit).or(unit_of_measure.map(|_| &*unit.name)),
                unit_price: numbers.unit_price,
                cost: numbers.cost,
                currency: at(currency)
                    .or_else(|| at(pricing_currency.clone()).filter(|_| numbers.is_in_pricing)),
                effective_cost: match dataset {
                    Dataset::Amortized => numbers.cost,
                    _ => numbers.effective_cost,
                },
                pricing_cost: numbers.pricing_cost,
                pricing_currency: at(pricing_currency),
                cost_usd: numbers.cost_usd,
            },
            names: Names {
                subscription_id: at(subscription_id).or_else(|| in_path().subscription_id),
                subscription_name: text(Column::SubscriptionName),
                customer_tenant_id: at(customer_tenant_id),
                customer_name: text(Column::CustomerName),
                reseller_id: text(Column::ResellerId),
                reseller_mpn_id: text(Column::ResellerMpnId),
                resource_group: at(resource_group).or_else(|| in_path().resource_group),
                resource_id,
            },
            machine,
            tags: text(Column::Tags),
        })
    }
}

/// The numbers of a record.
struct Numbers {
    family: Family,
    quantity: Option<f64>,
    usage_quantity: Option<f64>,
    block: Option<f64>,
    unit_price: Option<f64>,
    cost: Option<f64>,
    /// Whether the cost is known in the currency of the prices only.
    is_in_pricing: bool,
    effective_cost: Option<f64>,
    pricing_cost: Option<f64>,
    cost_usd: Option<f64>,
}

impl Numbers {
    fn read<'a>(record: &impl Record<'a>) -> Result<Self, String> {
        let pricing_cost = record.amount(Column::PricingCost)?;
        let effective_cost = record.amount(Column::EffectiveCost)?;
        let is_in_pricing = !record.has(Column::Cost) && pricing_cost.is_some();
        let numbers = Self {
            family: record.family(),
            quantity: record.amount(Column::Quantity)?,
            usage_quantity: record.amount(Column::UsageQuantity)?,
            block: record.amount(Column::BlockSize)?.filter(|block| *block > 0.0),
            unit_price: record.amount(Column::UnitPrice)?,
            cost: if is_in_pricing { pricing_cost } else { record.amount(Column::Cost)? },
            is_in_pricing,
            effective_cost,
            pricing_cost,
            cost_usd: record.amount(Column::CostUsd)?,
        };
        let counted = [numbers.quantity, numbers.cost, numbers.effective_cost, numbers.usage_quantity];
        if counted.iter().all(Option::is_none) {
            return Err("neither cost nor quantity is given, so the line counts nothing".to_owned());
        }
        Ok(numbers)
    }

    /// The quantity in units. Cost Management and Partner Center count units; FOCUS prices blocks.
    fn usage(&self, unit: &Unit) -> Option<f64> {
        match self.family {
            Family::Focus => {
                self.usage_quantity.or_else(|| Some(self.quantity? * self.block.unwrap_or(unit.block)))
            }
            Family::CostManagement | Family::PartnerCenter => self.quantity,
        }
    }
}

/// Texts of one record in lower (or upper) case, one after the other.
#[derive(Default)]
struct Lowered {
    text: String,
}

impl Lowered {
    fn clear(&mut self) {
        self.text.clear();
    }

    fn add(&mut self, text: &str) -> Range<usize> {
        let start = self.text.len();
        if text.is_ascii() {
            self.text.push_str(text);
        } else {
            self.text.push_str(&text.to_lowercase());
        }
        start..self.text.len()
    }

    /// Lowers all that was added so far: at once, since each text is short.
    fn finish(&mut self) {
        self.text.make_ascii_lowercase();
    }

    fn add_upper(&mut self, text: &str) -> Range<usize> {
        let start = self.text.len();
        self.text.push_str(text);
        self.text[start..].make_ascii_uppercase();
        start..self.text.len()
    }
}

/// Partner Center's file holds usage alone; its `new` says that a charge is none of a correction.
fn charge_type_of(charge_type: Option<&str>, family: Family) -> Option<&str> {
    match (charge_type, family) {
        (None | Some("new"), Family::PartnerCenter) => Some("usage"),
        (told, _) => told,
    }
}

/// The region of the resource, else that of the meter.
fn region<'m>(
    regions: &'m mut Memo<Option<Cow<'static, str>>>,
    location: Option<&str>,
    of_meter: Option<&str>,
) -> Option<&'m str> {
    let mut is_known = |text: &str| regions.get(text, region_id).is_some();
    let text = location.filter(|text| is_known(text)).or(of_meter)?;
    regions.get(text, region_id).as_deref()
}

/// The provider in a path in lower case.
fn provider(path: &str) -> Option<&str> {
    let (_, tail) = path.rsplit_once("/providers/")?;
    tail.split('/').next().filter(|provider| !provider.is_empty())
}

/// Some files have `/subscriptions/<id>` where others have the id.
fn subscription_of(text: &str) -> &str {
    match text.rsplit_once('/') {
        Some((_, id)) => id,
        None => text,
    }
}

/// The machine in the additional information.
fn machine<'m>(machines: &'m mut Memo<Machine>, info: &str) -> &'m Machine {
    // The text holds the machine's name too, so that few are alike; its size is what repeats.
    match quick_size(info) {
        Some(name) => machines.get(name, of_name),
        None => machines.get(info, |info| service_type(info).map(|name| of_name(&name)).unwrap_or_default()),
    }
}

fn of_name(name: &str) -> Machine {
    Machine { name: Some(name.to_lowercase().into()), size: VmSize::parse(name) }
}

/// The size where it is written as it is most often; in JSON a quote within a text has a backslash before
/// it, so that this is found in no text.
fn quick_size(info: &str) -> Option<&str> {
    const MEMBER: &str = "\"ServiceType\":\"";
    let (_, rest) = info.split_at(memmem::find(info.as_bytes(), MEMBER.as_bytes())? + MEMBER.len());
    let name = &rest[..memchr::memchr(b'"', rest.as_bytes())?];
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    is_plain.then_some(name)
}

/// The size as JSON says it; some exports write it without its braces.
fn service_type(text: &str) -> Option<String> {
    let read = |text: &str| {
        let info: AdditionalInfo<'_> = serde_json::from_str(text).ok()?;
        info.service_type.get().map(str::to_owned)
    };
    if text.starts_with('"') { read(&format!("{{{text}}}")) } else { read(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_sizes() {
        let mut machines = Memo::new(Machine::default());
        let mut check = |text: &str, expected: Option<&str>| {
            assert_eq!(machine(&mut machines, text).name.as_deref(), expected, "{text}");
        };
        check(r#"{"ServiceType":"Standard_D2s_v3","VMName":"x"}"#, Some("standard_d2s_v3"));
        check(r#"{"serviceType": "Standard_D2s_v3"}"#, Some("standard_d2s_v3"));
        check(r#""ServiceType":"Standard_D2s_v3""#, Some("standard_d2s_v3"));
        check(r#""UsageType":"x","serviceType":"Basic_A1""#, Some("basic_a1"));
        check(r#"{"note":"\"ServiceType\":\"Standard_D2s_v3\""}"#, None);
        check(r#"{"UsageType":"ComputeHR"}"#, None);
        check(r#"{"ServiceType":"cut"#, None);
        check("none", None);
        let found = machine(&mut machines, r#"{"ServiceType":"Standard_NC24ads_A100_v4"}"#);
        assert_eq!(found.size.as_ref().map(|size| size.cpus), Some(24));
    }

    #[test]
    fn providers() {
        let check = |path: &str, expected: Option<&str>| assert_eq!(provider(path), expected, "{path}");
        check("/subscriptions/s/providers/microsoft.compute/virtualmachines/v", Some("microsoft.compute"));
        check("/subscriptions/s/providers/", None);
        check("vm", None);
    }
}
