//! A customer: its people, its habits, its subscriptions.

use std::sync::Arc;

use chrono::{DateTime, Days, TimeDelta, Utc};

use crate::calendar::{Holidays, Period, midnight, office_moment};
use crate::catalog::{REGIONS, Region, SizeClass, of_class, size};
use crate::dice::Dice;
use crate::estate::principal::{Principal, address};
use crate::estate::subscription::{FlowShape, MachineSpec, Subscription};
use crate::estate::{Directory, Hours, Known, Machine, Partner, Upkeep, Workload, names};
use crate::script::{Action, Script, tags};
use crate::settings::Settings;

/// The largest customer against the smallest.
const SIZE_MAX: f64 = 10.0;

/// A customer.
#[derive(Debug)]
pub(crate) struct Customer {
    /// From 0.
    pub(crate) number: u32,
    /// `Alderbeck Foods`
    pub(crate) name: String,
    /// Its Entra tenant.
    pub(crate) tenant_id: String,
    /// Index of its reseller, if it does not buy from the partner itself.
    pub(crate) reseller: Option<usize>,
    /// ISO 4217, and how many of it a US dollar buys.
    pub(crate) currency: (&'static str, f64),
    /// How its activity log is exported.
    pub(crate) activity_shape: ActivityShape,
    /// Whether the export writes ids and operations in upper case.
    pub(crate) upper_case: bool,
    /// Which columns its cost files have.
    pub(crate) cost_shape: CostShape,
    /// Which of its files are compressed: activity, cost, flow.
    pub(crate) gzip: [bool; 3],
    /// Days off.
    pub(crate) holidays: Holidays,
    /// Where its office is.
    pub(crate) utc_offset_hours: i64,
    /// Where its software talks to: updates, partners, monitoring.
    pub(crate) services: Vec<String>,
    /// Its subscriptions; at least one.
    pub(crate) subscriptions: Vec<Subscription>,
    /// Its people and applications in Entra.
    pub(crate) directory: Directory,
}

/// How an activity log is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ActivityShape {
    /// One record a line, as in a storage account.
    Lines,
    /// `{"records":[…]}`, as from an event hub, by a pipeline that drops `T` and `Z` from times and
    /// turns the identity into a string.
    Records,
    /// `{"value":[…]}`, as from the REST interface.
    Rest,
}

/// Which columns a cost file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CostShape {
    /// A partner's file: lower-camel headers, ISO dates, customer and reseller.
    Partner,
    /// An enterprise's older file: Pascal-case headers, month-first dates, no customer.
    Enterprise,
}

impl Customer {
    /// The customer of this number. The same for the same settings, whoever was made before.
    pub(crate) fn new(settings: &Settings, period: &Period, partner: &Partner, number: u32) -> Self {
        let mut dice = Dice::new(settings.seed, "customer", u64::from(number));
        let dice = &mut dice;
        let name = names::company(number, dice);
        let tenant_id = dice.guid().to_string();
        let home_regions: Vec<&'static Region> = REGIONS.iter().filter(|region| region.home).collect();
        let home = dice.pick(&home_regions);
        let size = dice.long_tailed(SIZE_MAX);
        let people = people(&names::domain(&name), &tenant_id, period, dice);
        let reseller = dice.chance(0.4).then(|| dice.below(partner.resellers.len()));
        let delegated = delegated(partner, reseller, dice);
        let holidays = Holidays::new(period, dice);
        let mut customer = Self {
            number,
            name,
            tenant_id,
            reseller,
            currency: dice.pick(&[("EUR", 0.92), ("EUR", 0.92), ("USD", 1.0), ("NOK", 10.6), ("GBP", 0.79)]),
            activity_shape: match number {
                number if number % 25 == 7 => ActivityShape::Rest,
                number if number % 10 == 4 => ActivityShape::Records,
                _ => ActivityShape::Lines,
            },
            upper_case: dice.chance(0.75),
            cost_shape: if number % 12 == 5 { CostShape::Enterprise } else { CostShape::Partner },
            gzip: [dice.chance(0.7), dice.chance(0.7), dice.chance(0.6)],
            holidays,
            utc_offset_hours: home.utc_offset_hours,
            services: (0..5).map(|_| address::service(dice)).collect(),
            subscriptions: Vec::new(),
            directory: Directory::default(),
        };
        let count = 1 + usize::from(dice.chance(0.45)) + usize::from(size > 2.5);
        let workloads = dice.sample(&Workload::ALL, count);
        for (index, workload) in workloads.into_iter().enumerate() {
            let subscription = customer.open(index, workload, home, size, &people, &delegated, period, dice);
            customer.subscriptions.push(subscription);
        }
        customer.directory = Directory::new(settings.seed, period, &customer);
        for subscription in &mut customer.subscriptions {
            subscription.has_entra_logs = customer.directory.logs.is_some();
        }
        customer
    }

    /// Opens a subscription.
    #[expect(clippy::too_many_arguments, reason = "each is one decision already taken about the customer")]
    fn open(
        &self,
        index: usize,
        workload: Workload,
        home: &'static Region,
        size: f64,
        people: &[Arc<Principal>],
        delegated: &[Arc<Principal>],
        period: &Period,
        dice: &mut Dice,
    ) -> Subscription {
        let span_days = (period.last_day - period.first_day).num_days();
        let is_young = index > 0 && span_days >= 20 && dice.chance(0.15);
        let since = match is_young {
            true => midnight(period.first_day + Days::new(dice.between(3, span_days / 2) as u64)),
            false => period.start(),
        };
        let second =
            dice.chance(0.3).then(|| dice.pick(&REGIONS.iter().filter(|r| r.home).collect::<Vec<_>>()));
        let mut regions = vec![home];
        regions.extend(second.filter(|second| *second != home));
        // Every third customer logs flows for sure, so that even a small estate has some to look at.
        let logs_flows = dice.chance(0.68) || (index == 0 && self.number.is_multiple_of(3));
        let shape = if dice.chance(0.25) { FlowShape::Nsg } else { FlowShape::Vnet };
        let pipeline_addresses = vec![address::service(dice), address::service(dice)];
        let id = dice.guid().to_string();
        let pipeline =
            Principal::application(&self.tenant_id, "Contributor", pipeline_addresses, since, dice);
        let pipeline = Arc::new(pipeline);
        let automation =
            Arc::new(Principal::application(&self.tenant_id, "Contributor", vec![], since, dice));
        let known = Known { operators: people, delegated, pipeline: &pipeline, automation: &automation };
        let upkeep = Upkeep::new(&id, &self.tenant_id, workload, since, &known);
        let mut subscription = Subscription {
            id,
            name: format!("{} {}", self.name, workload.title()),
            workload,
            regions,
            since,
            flow_shape: logs_flows.then_some(shape),
            has_entra_logs: false,
            operators: people.to_vec(),
            delegated: delegated.to_vec(),
            pipeline,
            automation,
            upkeep,
            script: Script::default(),
        };
        subscription.script = life(&subscription, self, size, period, dice);
        subscription
    }
}

fn people(domain: &str, tenant_id: &str, period: &Period, dice: &mut Dice) -> Vec<Arc<Principal>> {
    let office = address::service(dice);
    let count = dice.between(2, 4) as usize;
    let newcomer = usize::from(dice.chance(0.35));
    let mut people = Vec::new();
    for number in 0..count + newcomer {
        let upn = names::upn(number, domain, dice);
        let since = if number < count { period.start() } else { dice.moment(period.start(), period.end) };
        let role = if number == 0 { "Owner" } else { "Contributor" };
        let addresses = vec![office.clone(), address::anyone(dice)];
        people.push(Arc::new(Principal::person(upn, tenant_id, role, addresses, since, dice)));
    }
    people
}

fn delegated(partner: &Partner, reseller: Option<usize>, dice: &mut Dice) -> Vec<Arc<Principal>> {
    let own = dice.pick(&partner.admins);
    let theirs = reseller.map(|index| Arc::clone(&partner.resellers[index].admin));
    std::iter::once(own).chain(theirs).collect()
}

/// The ordinary life of a subscription: what runs from the start, what is added, what comes and goes.
fn life(
    subscription: &Subscription,
    customer: &Customer,
    size: f64,
    period: &Period,
    dice: &mut Dice,
) -> Script {
    let mut script = Script::default();
    let forever = period.end + TimeDelta::days(1);
    first_machines(&mut script, subscription, size, period, forever, dice);
    added_machines(&mut script, subscription, customer, size, period, forever, dice);
    if subscription.workload == Workload::DevTest {
        passing_machines(&mut script, subscription, customer, period, dice);
    }
    for (index, (meter, per_day, rhythm)) in subscription.workload.needs().into_iter().enumerate() {
        let code = subscription.workload.code();
        let name = format!("{code}{}{index:02}", &subscription.id[..4]);
        let scale = 0.5 + size * dice.real(0.4, 0.6);
        let mut usage =
            subscription.usage(meter, &format!("rg-{code}-prod"), &name, per_day * scale, forever);
        usage.rhythm = rhythm;
        usage.growth = dice.real(-0.001, 0.005);
        usage.noise = dice.real(0.02, 0.09);
        script.usages.push(usage);
    }
    script
}

fn machine_tags(subscription: &Subscription, dice: &mut Dice) -> String {
    let environment = if subscription.workload == Workload::DevTest { "dev" } else { "prod" };
    let cost_center = format!("CC{}", dice.between(1000, 1004));
    tags(&[("env", environment), ("costCenter", &cost_center), ("app", subscription.workload.code())])
}

fn first_machines(
    script: &mut Script,
    subscription: &Subscription,
    size: f64,
    period: &Period,
    forever: DateTime<Utc>,
    dice: &mut Dice,
) {
    let (base, sizes) = subscription.workload.machines();
    let code = subscription.workload.code();
    let group = format!("rg-{code}-prod");
    let is_young = subscription.since > period.start();
    for number in 1..=dice.count(base * size).max(1) {
        // A young subscription is filled in its first hours, an old one long before the period.
        let from = match is_young {
            true => subscription.since + TimeDelta::hours(7) + dice.seconds(0.0, 7200.0),
            false => period.start() - TimeDelta::days(dice.between(20, 400)),
        };
        let spec = MachineSpec {
            name: format!("vm-{code}-{number:02}"),
            group: &group,
            region: dice.pick(&subscription.regions),
            size: dice.pick(&sizes),
            from,
            until: forever,
            tags: machine_tags(subscription, dice),
        };
        let mut machine = subscription.machine(spec, dice);
        machine.reserved = dice.chance(0.12);
        if subscription.workload == Workload::DevTest {
            machine.hours = Hours::Office(dice.between(9, 12) as u8);
        }
        if is_young {
            let caller = subscription.operators[0].at_usual_address(dice);
            script.actions.push(Action::create_machine(&machine, caller, dice));
        }
        if number % 2 == 1 {
            script.usages.push(disk(subscription, &machine, forever));
        }
        script.machines.push(machine);
    }
    if subscription.workload == Workload::WebShop {
        let spec = MachineSpec {
            name: "vmss-web".to_owned(),
            group: &group,
            region: subscription.regions[0],
            size: sizes[0],
            from: period.start() - TimeDelta::days(90),
            until: forever,
            tags: machine_tags(subscription, dice),
        };
        let capacity = 2 + size as u32 / 2;
        script.machines.push(subscription.scale_set(spec, capacity, dice));
    }
}

fn disk(subscription: &Subscription, machine: &Machine, forever: DateTime<Utc>) -> crate::estate::Usage {
    let name = format!("{}_OsDisk_1", machine.name);
    let meter = crate::catalog::meter("disk");
    // A monthly price, counted by the day; a month is 31 days to the meter.
    let mut disk = subscription.usage(meter, &machine.group, &name, 1.0 / 31.0, forever);
    disk.noise = 0.0;
    disk.from = machine.from;
    disk.region = machine.region;
    disk
}

/// Growth: a few more machines over the period, made by people in office hours.
fn added_machines(
    script: &mut Script,
    subscription: &Subscription,
    customer: &Customer,
    size: f64,
    period: &Period,
    forever: DateTime<Utc>,
    dice: &mut Dice,
) {
    let (_, sizes) = subscription.workload.machines();
    let code = subscription.workload.code();
    let workdays: Vec<_> = period
        .days()
        .filter(|day| customer.holidays.is_workday(*day) && midnight(*day) > subscription.since)
        .collect();
    let wanted = dice.count(size * 0.5 * workdays.len() as f64 / 40.0).min(workdays.len());
    for (number, day) in dice.sample(&workdays, wanted).into_iter().enumerate() {
        let from = office_moment(day, customer.utc_offset_hours, dice);
        // Now and then somebody needs a big one. That alone is not fraud.
        let big = dice.chance(0.04);
        let spec = MachineSpec {
            name: format!("vm-{code}-{}", 40 + number),
            group: &format!("rg-{code}-prod"),
            region: dice.pick(&subscription.regions),
            size: if big { size_of_a_big_need(dice) } else { dice.pick(&sizes) },
            from,
            until: if big { from + TimeDelta::hours(dice.between(20, 90)) } else { forever },
            tags: machine_tags(subscription, dice),
        };
        let machine = subscription.machine(spec, dice);
        let by_pipeline = dice.chance(0.4);
        let maker = if by_pipeline {
            Arc::clone(&subscription.pipeline)
        } else {
            Arc::clone(subscription.operator(from, dice))
        };
        make_and_drop(script, machine, &maker, dice);
    }
}

fn size_of_a_big_need(dice: &mut Dice) -> &'static crate::catalog::Size {
    if dice.chance(0.8) { size("Standard_D16s_v5") } else { dice.pick(&of_class(SizeClass::Large)) }
}

/// Build machines: made by the pipeline, gone before the night.
fn passing_machines(
    script: &mut Script,
    subscription: &Subscription,
    customer: &Customer,
    period: &Period,
    dice: &mut Dice,
) {
    for day in period.days().filter(|day| customer.holidays.is_workday(*day)) {
        if midnight(day) < subscription.since || !dice.chance(0.35) {
            continue;
        }
        let from = office_moment(day, customer.utc_offset_hours, dice);
        let spec = MachineSpec {
            name: format!("vm-build-{}", day.format("%m%d")),
            group: "rg-dev-build",
            region: subscription.regions[0],
            size: size("Standard_D4s_v5"),
            from,
            until: from + dice.seconds(3600.0, 18_000.0),
            tags: tags(&[("env", "dev"), ("purpose", "build-agent")]),
        };
        let machine = subscription.machine(spec, dice);
        make_and_drop(script, machine, &subscription.pipeline, dice);
    }
}

fn make_and_drop(script: &mut Script, machine: Machine, maker: &Arc<Principal>, dice: &mut Dice) {
    let caller = maker.at_usual_address(dice);
    script.actions.push(Action::create_machine(&machine, caller.clone(), dice));
    script.actions.push(Action::delete_machine(&machine, caller, dice));
    script.machines.push(machine);
}
