//! A subscription: what runs in it and who may touch it.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::calendar::{Holidays, is_month_end};
use crate::catalog::{Meter, Region, Size};
use crate::dice::Dice;
use crate::estate::{Hours, Machine, Nic, Principal, Upkeep, Workload};
use crate::script::Script;

/// A subscription of a customer.
#[derive(Debug)]
pub(crate) struct Subscription {
    /// The GUID, in lower case.
    pub(crate) id: String,
    /// `Alderbeck Foods – web shop`
    pub(crate) name: String,
    /// What it is for.
    pub(crate) workload: Workload,
    /// Where it runs; the first is its main region.
    pub(crate) regions: Vec<&'static Region>,
    /// When it was opened; some are younger than the period.
    pub(crate) since: DateTime<Utc>,
    /// In which form it logs its flows, if it does.
    pub(crate) flow_shape: Option<FlowShape>,
    /// Whether its customer exports Entra's logs: scenarios that live in them ask the subscription.
    pub(crate) has_entra_logs: bool,
    /// People of the customer who work on it.
    pub(crate) operators: Vec<Arc<Principal>>,
    /// Administrators of the partner or reseller who work on it now and then.
    pub(crate) delegated: Vec<Arc<Principal>>,
    /// The service principal of its build pipeline.
    pub(crate) pipeline: Arc<Principal>,
    /// The identity under which scale sets grow and shrink, and nightly jobs run.
    pub(crate) automation: Arc<Principal>,
    /// Its other programs, and what everybody does by habit.
    pub(crate) upkeep: Upkeep,
    /// Its ordinary life: machines and usages over the whole period, and the actions that make them.
    pub(crate) script: Script,
}

/// The form of a subscription's flow logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlowShape {
    /// NSG flow log, version 2.
    Nsg,
    /// VNet flow log, version 4.
    Vnet,
}

/// Something billed by a meter other than a machine's hours.
#[derive(Debug, Clone)]
pub(crate) struct Usage {
    /// What is counted.
    pub(crate) meter: &'static Meter,
    /// Path of the resource.
    pub(crate) resource: String,
    /// Its resource group.
    pub(crate) group: String,
    /// Where it is.
    pub(crate) region: &'static Region,
    /// Blocks on an ordinary day.
    pub(crate) per_day: f64,
    /// How the days differ.
    pub(crate) rhythm: Rhythm,
    /// By how much an ordinary day grows each day, as a share.
    pub(crate) growth: f64,
    /// The standard deviation of a day, as a share.
    pub(crate) noise: f64,
    /// When it starts.
    pub(crate) from: DateTime<Utc>,
    /// When it stops.
    pub(crate) until: DateTime<Utc>,
    /// Its tags: JSON text.
    pub(crate) tags: String,
}

impl Usage {
    /// What it costs on an ordinary day in the beginning, at list prices.
    pub(crate) fn usd_per_hour(&self) -> f64 {
        self.meter.unit_usd * self.region.price_factor * self.per_day / 24.0
    }
}

/// How the days of a usage differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rhythm {
    /// All days alike.
    Flat,
    /// As busy as the office.
    Office,
    /// Consumers: busier at weekends.
    Leisure,
    /// Mostly at the end of a month.
    MonthEnd,
}

impl Rhythm {
    /// The day's share of an ordinary day.
    pub(crate) fn factor(self, day: NaiveDate, holidays: &Holidays) -> f64 {
        match self {
            Self::Flat => 1.0,
            Self::Office => 0.15 + 0.85 * holidays.business(day),
            Self::Leisure => 1.35 - 0.4 * holidays.business(day),
            Self::MonthEnd if is_month_end(day) => 6.0,
            Self::MonthEnd => 0.6,
        }
    }
}

/// Traffic between one interface and one remote address with a fixed rhythm.
#[derive(Debug, Clone)]
pub(crate) struct Conversation {
    /// The interface on which it is logged.
    pub(crate) nic: Nic,
    /// The other side.
    pub(crate) remote: String,
    /// The other side's port; the interface's own is an ephemeral one.
    pub(crate) port: u16,
    /// One long connection or many short ones.
    pub(crate) style: Style,
    /// Time between two tuples.
    pub(crate) every: TimeDelta,
    /// Bytes sent between two tuples.
    pub(crate) sent: f64,
    /// Bytes received between two tuples.
    pub(crate) received: f64,
    /// The standard deviation of both, as a share.
    pub(crate) noise: f64,
    /// When it starts.
    pub(crate) from: DateTime<Utc>,
    /// When it stops.
    pub(crate) until: DateTime<Utc>,
}

/// How a conversation uses connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// One connection that stays for hours: begin, many continuing, end.
    Standing,
    /// A new connection each time: begin and end.
    Short,
}

/// What [`Subscription::machine`] needs to know.
pub(crate) struct MachineSpec<'a> {
    pub(crate) name: String,
    pub(crate) group: &'a str,
    pub(crate) region: &'static Region,
    pub(crate) size: &'static Size,
    pub(crate) from: DateTime<Utc>,
    pub(crate) until: DateTime<Utc>,
    pub(crate) tags: String,
}

impl Subscription {
    /// Path of a resource.
    pub(crate) fn resource(&self, group: &str, provider_and_type: &str, name: &str) -> String {
        format!("/subscriptions/{}/resourceGroups/{group}/providers/{provider_and_type}/{name}", self.id)
    }

    /// A machine that runs day and night at list price; change what differs.
    pub(crate) fn machine(&self, spec: MachineSpec<'_>, dice: &mut Dice) -> Machine {
        let id = self.resource(spec.group, "Microsoft.Compute/virtualMachines", &spec.name);
        Machine {
            id,
            nic: nic(spec.region, dice),
            name: spec.name,
            group: spec.group.to_owned(),
            region: spec.region,
            size: spec.size,
            capacity: None,
            spot: false,
            reserved: false,
            hours: Hours::Always,
            from: spec.from,
            until: spec.until,
            tags: spec.tags,
        }
    }

    /// A scale set; otherwise as [`Subscription::machine`].
    pub(crate) fn scale_set(&self, spec: MachineSpec<'_>, capacity: u32, dice: &mut Dice) -> Machine {
        let mut set = self.machine(spec, dice);
        set.id = self.resource(&set.group, "Microsoft.Compute/virtualMachineScaleSets", &set.name);
        set.capacity = Some(capacity);
        set
    }

    /// A usage of a meter from the subscription's first day to `until`; change what differs.
    pub(crate) fn usage(
        &self,
        meter: &'static Meter,
        group: &str,
        name: &str,
        per_day: f64,
        until: DateTime<Utc>,
    ) -> Usage {
        Usage {
            meter,
            resource: self.resource(group, meter.resource_type, name),
            group: group.to_owned(),
            region: self.regions[0],
            per_day,
            rhythm: Rhythm::Flat,
            growth: 0.0,
            noise: 0.04,
            from: self.since,
            until,
            tags: "{}".to_owned(),
        }
    }

    /// What an ordinary day costs, roughly, in US dollars of the cheapest region.
    pub(crate) fn ordinary_usd_a_day(&self) -> f64 {
        let hours_a_day = |machine: &Machine| match machine.hours {
            Hours::Always => 24.0,
            Hours::Office(hours) => f64::from(hours),
        };
        let paid =
            self.script.machines.iter().filter(|machine| !machine.reserved && machine.from <= self.since);
        let machines: f64 = paid
            .map(|machine| {
                machine.size.hourly_usd * hours_a_day(machine) * f64::from(machine.capacity.unwrap_or(1))
            })
            .sum();
        let usages: f64 = self.script.usages.iter().map(|usage| usage.per_day * usage.meter.unit_usd).sum();
        machines + usages
    }

    /// Everyone who may work on it at a time, people of the customer first.
    pub(crate) fn operators_at(&self, at: DateTime<Utc>) -> Vec<&Arc<Principal>> {
        self.operators.iter().chain(&self.delegated).filter(|person| person.since <= at).collect()
    }

    /// One who works on it at a time, most often the customer's first administrator.
    pub(crate) fn operator(&self, at: DateTime<Utc>, dice: &mut Dice) -> &Arc<Principal> {
        let all = self.operators_at(at);
        if dice.chance(0.45) || all.len() < 2 { &self.operators[0] } else { dice.pick(&all) }
    }
}

/// A network interface in the network of a region.
pub(crate) fn nic(region: &'static Region, dice: &mut Dice) -> Nic {
    let vendor = dice.pick(&["000D3A", "6045BD", "7C1E52"]);
    let mac = format!("{vendor}{:06X}", dice.below(1 << 24));
    let address = format!("10.{}.{}.{}", dice.between(0, 30), dice.between(0, 7), dice.between(4, 250));
    Nic { mac, address, region }
}
