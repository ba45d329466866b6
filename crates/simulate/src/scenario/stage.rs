//! Where a scenario is played: its place and time, what it writes, and the label that follows.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::calendar::{Period, midnight, next_midnight};
use crate::catalog::{REGIONS, Region};
use crate::dice::{Dice, rounded};
use crate::estate::{Conversation, Customer, Machine, Nic, Principal, Style, Subscription, address};
use crate::labels::{Label, Spend};
use crate::scenario::Incident;
use crate::script::{Action, Script};

/// A scenario being written.
pub(crate) struct Stage<'a> {
    /// Whose it is.
    pub(crate) customer: &'a Customer,
    /// Where it happens.
    pub(crate) subscription: &'a Subscription,
    /// The estate's period.
    pub(crate) period: &'a Period,
    /// When it starts.
    pub(crate) start: DateTime<Utc>,
    /// Its own chance.
    pub(crate) dice: Dice,
    /// What happens.
    pub(crate) script: Script,
    /// Who does it.
    principals: Vec<String>,
    /// Misused resources that the script does not make itself.
    misused: Vec<String>,
}

/// A scenario that was written.
#[derive(Debug)]
pub(crate) struct Played {
    /// What happens.
    pub(crate) script: Script,
    /// What it was; `None` if nothing of it shows in the period.
    pub(crate) label: Option<Label>,
}

/// What miners talk to.
pub(crate) struct Pool {
    address: String,
    port: u16,
    every: TimeDelta,
    sent: f64,
    received: f64,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(
        customer: &'a Customer,
        subscription: &'a Subscription,
        period: &'a Period,
        start: DateTime<Utc>,
        dice: Dice,
    ) -> Self {
        Self {
            customer,
            subscription,
            period,
            start,
            dice,
            script: Script::default(),
            principals: Vec::new(),
            misused: Vec::new(),
        }
    }

    /// Says who does it.
    pub(crate) fn by(&mut self, principal: &Principal) {
        if !self.principals.contains(&principal.caller) {
            self.principals.push(principal.caller.clone());
        }
    }

    /// Says which existing resource is used for it.
    pub(crate) fn uses(&mut self, resource: &str) {
        self.misused.push(resource.to_owned());
    }

    /// A time that is later than the period: for what goes on.
    pub(crate) fn forever(&self) -> DateTime<Utc> {
        self.period.end + TimeDelta::days(1)
    }

    /// An operator who was there before the start.
    pub(crate) fn known_person(&mut self) -> Arc<Principal> {
        Arc::clone(self.subscription.operator(self.start - TimeDelta::days(1), &mut self.dice))
    }

    /// Regions in which the subscription has nothing, those without any customer first.
    pub(crate) fn unused_regions(&mut self, count: usize) -> Vec<&'static Region> {
        let unused = |home: bool| -> Vec<&'static Region> {
            REGIONS
                .iter()
                .filter(|region| region.home == home && !self.subscription.regions.contains(region))
                .collect()
        };
        let (away, home) = (unused(false), unused(true));
        let from_home = count.saturating_sub(2).min(2);
        let mut regions = self.dice.sample(&away, count - from_home);
        regions.extend(self.dice.sample(&home, from_home));
        regions
    }

    /// The path of a new resource group, and the action that makes it.
    pub(crate) fn make_group(&mut self, name: &str, at: DateTime<Utc>, caller: crate::estate::Caller) {
        let path = format!("/subscriptions/{}/resourceGroups/{name}", self.subscription.id);
        let operation = "Microsoft.Resources/subscriptions/resourceGroups/write";
        self.script.actions.push(Action::new(at, caller, operation, path, &mut self.dice));
    }

    /// A mining pool: a stratum port or 443, a few kilobytes an hour.
    pub(crate) fn pool(&mut self) -> Pool {
        const PORTS: [u16; 8] = [3333, 3333, 4444, 5555, 7777, 14_444, 443, 443];
        let dice = &mut self.dice;
        Pool {
            address: address::hostile(dice),
            port: dice.pick(&PORTS),
            every: TimeDelta::minutes(dice.between(15, 40)),
            sent: dice.real(2_500.0, 14_000.0),
            received: dice.real(3_500.0, 22_000.0),
        }
    }

    /// Lets an interface mine: one standing connection, a low and steady rate.
    pub(crate) fn mine(&mut self, nic: &Nic, pool: &Pool, from: DateTime<Utc>, until: DateTime<Utc>) {
        let noise = self.dice.real(0.05, 0.18);
        self.script.conversations.push(Conversation {
            nic: nic.clone(),
            remote: pool.address.clone(),
            port: pool.port,
            style: Style::Standing,
            every: pool.every,
            sent: pool.sent * self.dice.real(0.85, 1.15),
            received: pool.received * self.dice.real(0.85, 1.15),
            noise,
            from,
            until,
        });
    }

    /// Ends the attack: the customer's first administrator deletes what it made, in a few minutes.
    /// Machines that would be made later are not made any more.
    pub(crate) fn contain(&mut self, at: DateTime<Utc>) {
        let admin = Arc::clone(&self.subscription.operators[0]);
        let Script { actions, machines, usages, conversations, sign_ins, directory_acts, .. } =
            &mut self.script;
        sign_ins.retain(|sign_in| sign_in.at < at);
        directory_acts.retain(|act| act.at < at);
        machines.retain(|machine| machine.from < at);
        usages.retain(|usage| usage.from < at);
        actions.retain(|action| action.at < at);
        for machine in machines.iter_mut() {
            machine.until = at + self.dice.seconds(0.0, 1_800.0);
            let caller = admin.at_usual_address(&mut self.dice);
            actions.push(Action::delete_machine(machine, caller, &mut self.dice));
        }
        for usage in usages.iter_mut().filter(|usage| usage.until > at) {
            usage.until = at + self.dice.seconds(0.0, 1_800.0);
            let caller = admin.at_usual_address(&mut self.dice);
            let resource_type = usage.meter.resource_type;
            let ended = usage.until;
            actions.extend(Action::delete_metered(
                ended,
                resource_type,
                &usage.resource,
                caller,
                &mut self.dice,
            ));
        }
        conversations.retain(|conversation| conversation.from < at);
        for conversation in conversations.iter_mut() {
            conversation.until = conversation.until.min(at);
        }
    }

    /// The script and its label.
    pub(crate) fn close(mut self, incident: &Incident) -> Played {
        if self.subscription.flow_shape.is_none() {
            self.script.conversations.clear();
        }
        self.complete_sign_ins();
        let label = Evidence::of(&self.script, self.period).map(|evidence| Label {
            scenario: incident.scenario.clone(),
            kind: incident.kind.name.to_owned(),
            malicious: incident.kind.malicious,
            customer_tenant: self.customer.tenant_id.clone(),
            subscription: self.subscription.id.clone(),
            from: evidence.from,
            until: evidence.until,
            first_event: evidence.first_event,
            principals: self.principals,
            resources: resources(&self.script, self.period, self.misused),
            spend: spend(&self.script, self.period),
        });
        Played { script: self.script, label }
    }
}

/// What the script makes and what it misuses, each once, in this order.
fn resources(script: &Script, period: &Period, misused: Vec<String>) -> Vec<String> {
    let machines =
        script.machines.iter().filter(|made: &&Machine| made.from < period.end).map(|made| &made.id);
    let usages =
        script.usages.iter().filter(|usage| usage.from < period.priced_until()).map(|usage| &usage.resource);
    let mut all: Vec<String> = Vec::new();
    for resource in machines.chain(usages).cloned().chain(misused) {
        if !all.contains(&resource) {
            all.push(resource);
        }
    }
    all
}

/// What the script's machines and usages cost within the period, on an ordinary day.
fn spend(script: &Script, period: &Period) -> Vec<Spend> {
    let machines = script.machines.iter().filter(|machine| !machine.reserved);
    let machines = machines.map(|machine| (machine.from, machine.until, machine.usd_per_hour()));
    let usages = script.usages.iter().map(|usage| (usage.from, usage.until, usage.usd_per_hour()));
    machines
        .chain(usages)
        .filter(|(from, ..)| *from < period.end)
        .map(|(from, until, usd_per_hour)| Spend {
            from,
            until: until.min(period.end),
            usd_per_hour: rounded(usd_per_hour, 4),
        })
        .collect()
}

/// The times of a script, as far as records show it.
struct Evidence {
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    first_event: DateTime<Utc>,
}

impl Evidence {
    fn of(script: &Script, period: &Period) -> Option<Self> {
        let priced_until = period.priced_until();
        let mut first_event: Option<DateTime<Utc>> = None;
        let mut spans: Vec<(DateTime<Utc>, DateTime<Utc>)> = Vec::new();
        let mut saw = |begin: DateTime<Utc>, from, until: DateTime<Utc>| {
            first_event = Some(first_event.map_or(begin, |known| known.min(begin)));
            spans.push((from, until.min(period.end)));
        };
        for action in script.actions.iter().filter(|action| action.at < period.end) {
            saw(action.at, action.at, action.settled_at());
        }
        for talk in script.conversations.iter().filter(|talk| talk.from < period.end) {
            saw(talk.from, talk.from, talk.until);
        }
        let in_entra = script.sign_ins.iter().map(|sign_in| sign_in.at);
        let in_entra = in_entra.chain(script.directory_acts.iter().map(|act| act.at));
        for at in in_entra.filter(|at| (period.start()..period.end).contains(at)) {
            saw(at, at, at);
        }
        let billed = script.machines.iter().map(|machine| (machine.from, machine.until));
        let billed = billed.chain(script.usages.iter().map(|usage| (usage.from, usage.until)));
        for (from, until) in billed.filter(|(from, _)| *from < priced_until) {
            // A cost line stands for its whole day.
            let last_day = until.min(priced_until).date_naive();
            saw(from, midnight(from.date_naive()), next_midnight(last_day) - TimeDelta::seconds(1));
        }
        Some(Self {
            first_event: first_event?,
            from: spans.iter().map(|(from, _)| *from).min()?,
            until: spans.iter().map(|(_, until)| *until).max()?,
        })
    }
}
