//! Cost Management's actual-cost files: what each machine and usage cost on a day.

mod columns;

use std::io;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use serde_json::json;

use crate::calendar::{hours_in_day, midnight};
use crate::catalog::Region;
use crate::dice::{Dice, rounded};
use crate::estate::{CostShape, Customer, Machine, Partner, SPOT_FACTOR, Subscription, Usage};
use crate::script::Script;

/// The reservation that covers the machines that one covers.
const RESERVATION_ID: &str = "5d0f3c3e-9f42-4a6b-8a55-0c6de11f7c03";

/// One line of a file, before it knows whose it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Charge {
    /// Path of the resource.
    pub(crate) resource: String,
    group: String,
    region: &'static Region,
    service_family: &'static str,
    consumed_service: &'static str,
    category: &'static str,
    sub_category: String,
    meter_name: String,
    unit: &'static str,
    /// Blocks of `unit`.
    quantity: f64,
    /// Price of a block in the customer's currency.
    unit_price: f64,
    /// Quantity times price, or nothing if a reservation covers it.
    cost: f64,
    reservation_id: &'static str,
    charge_type: &'static str,
    publisher_type: &'static str,
    additional_info: String,
    tags: String,
}

/// The charges of a script on one day, as far as use has a price. One line for each resource and
/// meter; a day without use has no line.
pub(crate) fn charges(
    customer: &Customer,
    scripts: &[&Script],
    day: NaiveDate,
    priced_until: DateTime<Utc>,
    dice: &mut Dice,
) -> Vec<Charge> {
    let mut charges = Vec::new();
    for script in scripts {
        for machine in &script.machines {
            let hours = machine.billed_hours(day, priced_until, &customer.holidays);
            if hours > 0.0 {
                charges.push(machine_charge(customer, machine, hours));
            }
        }
        for usage in &script.usages {
            let share = hours_in_day(day, usage.from, usage.until.min(priced_until)) / 24.0;
            if share > 0.0 {
                charges.push(usage_charge(customer, usage, day, share, dice));
            }
        }
    }
    charges.sort_by(|a, b| (&a.resource, &a.meter_name).cmp(&(&b.resource, &b.meter_name)));
    charges.dedup_by(|later, kept| {
        let same = later.resource == kept.resource && later.meter_name == kept.meter_name;
        if same {
            // A scale set that is both ordinary and part of a scenario is one line, as Azure bills it.
            kept.quantity = rounded(kept.quantity + later.quantity, 6);
            kept.cost = rounded(kept.cost + later.cost, 6);
        }
        same
    });
    charges
}

fn machine_charge(customer: &Customer, machine: &Machine, hours: f64) -> Charge {
    let size = machine.size;
    // Burstable machines are counted in blocks of ten hours, as some of Azure's meters are.
    let (unit, block_hours) =
        if size.name.starts_with("Standard_B") { ("10 Hours", 10.0) } else { ("1 Hour", 1.0) };
    let discount = if machine.spot { SPOT_FACTOR } else { 1.0 };
    let price = size.hourly_usd * machine.region.price_factor * discount * customer.currency.1 * block_hours;
    let quantity = rounded(hours / block_hours, 6);
    let info = json!({
        "UsageType": "ComputeHR",
        "ImageType": "Canonical",
        "ServiceType": size.name,
        "VMName": machine.name,
        "VCPUs": size.vcpus,
    });
    Charge {
        resource: machine.id.clone(),
        group: machine.group.clone(),
        region: machine.region,
        service_family: "Compute",
        consumed_service: "Microsoft.Compute",
        category: "Virtual Machines",
        sub_category: size.series.to_owned(),
        meter_name: if machine.spot { format!("{} Spot", size.meter_name()) } else { size.meter_name() },
        unit,
        quantity,
        unit_price: rounded(price, 6),
        cost: if machine.reserved { 0.0 } else { rounded(quantity * price, 6) },
        reservation_id: if machine.reserved { RESERVATION_ID } else { "" },
        charge_type: "Usage",
        publisher_type: "Microsoft",
        additional_info: info.to_string(),
        tags: machine.tags.clone(),
    }
}

fn usage_charge(customer: &Customer, usage: &Usage, day: NaiveDate, share: f64, dice: &mut Dice) -> Charge {
    let meter = usage.meter;
    let age_days = (midnight(day) - usage.from).num_days().max(0) as f64;
    let rhythm = usage.rhythm.factor(day, &customer.holidays);
    let noise = (1.0 + usage.noise * dice.bell()).max(0.05);
    let quantity = rounded(usage.per_day * rhythm * (1.0 + usage.growth * age_days) * noise * share, 6);
    let price = meter.unit_usd * usage.region.price_factor * customer.currency.1;
    Charge {
        resource: usage.resource.clone(),
        group: usage.group.clone(),
        region: usage.region,
        service_family: meter.service_family,
        consumed_service: meter.consumed_service,
        category: meter.category,
        sub_category: meter.sub_category.to_owned(),
        meter_name: meter.name.to_owned(),
        unit: meter.unit,
        quantity,
        unit_price: rounded(price, 6),
        cost: rounded(quantity * price, 6),
        reservation_id: "",
        charge_type: "Usage",
        publisher_type: "Microsoft",
        additional_info: String::new(),
        tags: usage.tags.clone(),
    }
}

/// Lines that are not use: on the first of a month a licence is bought, on the fifteenth now and then
/// something is paid back. A baseline must leave them out.
pub(crate) fn other_charges(
    customer: &Customer,
    subscription: &Subscription,
    day: NaiveDate,
    priced_until: DateTime<Utc>,
    dice: &mut Dice,
) -> Option<Charge> {
    let (charge_type, amount_usd) = match day.day() {
        1 => ("Purchase", dice.real(60.0, 700.0)),
        15 if dice.chance(0.3) => ("Refund", -dice.real(5.0, 80.0)),
        28 if dice.chance(0.3) => ("RoundingAdjustment", dice.real(-0.01, 0.01)),
        _ => return None,
    };
    if midnight(day) >= priced_until {
        return None;
    }
    let cost = rounded(amount_usd * customer.currency.1, 4);
    Some(Charge {
        resource: subscription.resource("rg-licences", "Microsoft.SaaS/resources", "backup-suite"),
        group: "rg-licences".to_owned(),
        region: subscription.regions[0],
        service_family: "Azure Marketplace Services",
        consumed_service: "Microsoft.SaaS",
        category: "SaaS",
        sub_category: String::new(),
        meter_name: "Backup Suite - Monthly".to_owned(),
        unit: "1",
        quantity: 1.0,
        unit_price: cost,
        cost,
        reservation_id: "",
        charge_type,
        publisher_type: "Marketplace",
        additional_info: String::new(),
        tags: "{}".to_owned(),
    })
}

/// A line with its owner.
struct Line<'a> {
    partner: &'a Partner,
    customer: &'a Customer,
    subscription: &'a Subscription,
    day: NaiveDate,
    charge: &'a Charge,
}

/// A month's file of a customer, being written.
pub(crate) struct CostFile<W: io::Write> {
    shape: CostShape,
    csv: csv::Writer<W>,
}

impl<W: io::Write> CostFile<W> {
    /// Starts a file with its headers.
    pub(crate) fn new(shape: CostShape, sink: W) -> csv::Result<Self> {
        let mut csv = csv::Writer::from_writer(sink);
        csv.write_record(columns::of(shape).iter().map(|(header, _)| header))?;
        Ok(Self { shape, csv })
    }

    /// Writes one line.
    pub(crate) fn write(
        &mut self,
        partner: &Partner,
        customer: &Customer,
        subscription: &Subscription,
        day: NaiveDate,
        charge: &Charge,
    ) -> csv::Result<()> {
        let line = Line { partner, customer, subscription, day, charge };
        for (_, value) in columns::of(self.shape) {
            self.csv.write_field(value(&line).as_bytes())?;
        }
        self.csv.write_record(None::<&[u8]>)
    }

    /// Ends the file and gives the sink back.
    pub(crate) fn finish(self) -> io::Result<W> {
        self.csv.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}
