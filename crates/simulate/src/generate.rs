//! A customer's files, day by day.
//!
//! Customers do not depend on each other, so several are written at once. What is held in memory is one
//! customer's plans and one day of one subscription for each thread.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};

use crate::SimulateError;
use crate::calendar::{Period, midnight, next_midnight};
use crate::dice::Dice;
use crate::estate::{ActivityShape, Customer, EntraShape, FlowShape, Partner, Subscription, names};
use crate::labels::Label;
use crate::records::cost::{self, CostFile};
use crate::records::{activity, audit, flow, sign_in};
use crate::routine::{
    Deed, ordinary_actions, ordinary_directory_acts, ordinary_sign_ins, ordinary_traffic, scripted_traffic,
    settle, upkeep,
};
use crate::scenario::{Incident, Played};
use crate::script::{Action, Script, Way};
use crate::settings::Settings;
use crate::summary::{ListedCustomer, SubscriptionDays, Volume};
use crate::tree::{Sink, Tree};

/// More threads than this only wait for the disk.
const THREADS_MAX: usize = 8;

/// What was written for one customer.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) volume: Volume,
    pub(crate) labels: Vec<Label>,
    pub(crate) subscriptions: Vec<SubscriptionDays>,
    pub(crate) listed: Option<ListedCustomer>,
}

/// What all customers share.
pub(crate) struct Estate<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) settings: &'a Settings,
    pub(crate) period: &'a Period,
    pub(crate) partner: &'a Partner,
    /// In the order of their customers.
    pub(crate) incidents: &'a [Incident],
    /// Grows by each customer that was written.
    pub(crate) customers_written: &'a AtomicU64,
}

impl Estate<'_> {
    /// Writes all customers. The result is in their order, however many threads wrote it.
    pub(crate) fn write(&self) -> Result<Vec<Written>, SimulateError> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
        let next = AtomicU32::new(0);
        let failed = AtomicBool::new(false);
        let outcomes: Vec<(u32, Result<Written, SimulateError>)> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| self.work(&next, &failed))).collect();
            let join = |worker: std::thread::ScopedJoinHandle<'_, _>| match worker.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            workers.into_iter().flat_map(join).collect()
        });
        let mut outcomes = outcomes;
        outcomes.sort_by_key(|(number, _)| *number);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    /// Writes one customer after the other until none is left or one has failed.
    fn work(&self, next: &AtomicU32, failed: &AtomicBool) -> Vec<(u32, Result<Written, SimulateError>)> {
        let mut done = Vec::new();
        while !failed.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= self.settings.customers {
                break;
            }
            let outcome = self.customer(number);
            if outcome.is_err() {
                failed.store(true, Ordering::Relaxed);
            }
            done.push((number, outcome));
            self.customers_written.fetch_add(1, Ordering::Relaxed);
        }
        done
    }

    fn customer(&self, number: u32) -> Result<Written, SimulateError> {
        let mut customer = Customer::new(self.settings, self.period, self.partner, number);
        for subscription in &mut customer.subscriptions {
            subscription.script.actions.sort_by_key(|action| action.at);
        }
        let first = self.incidents.partition_point(|incident| incident.customer < number);
        let own = self.incidents[first..].iter().take_while(|incident| incident.customer == number);
        let mut written = Written::default();
        let mut played: Vec<(usize, Script)> = Vec::new();
        for incident in own {
            let Played { mut script, label } = incident.play(self.settings, self.period, &customer);
            script.actions.sort_by_key(|action| action.at);
            written.labels.extend(label);
            played.push((incident.subscription, script));
        }
        customer.directory.follow(played.iter().map(|(_, script)| script));
        for subscription in &customer.subscriptions {
            written.subscriptions.push(SubscriptionDays {
                customer_tenant: customer.tenant_id.clone(),
                subscription: subscription.id.clone(),
                first_day: subscription.since.date_naive(),
                last_day: self.period.last_day,
            });
        }
        written.listed = Some(ListedCustomer {
            tenant: customer.tenant_id.clone(),
            name: customer.name.clone(),
            domain: names::domain(&customer.name),
            reseller_mpn_id: customer.reseller.map(|index| self.partner.resellers[index].mpn_id.clone()),
            subscriptions: customer
                .subscriptions
                .iter()
                .map(|own| (own.id.clone(), own.name.clone()))
                .collect(),
        });
        let dice = Dice::new(self.settings.seed, "days", u64::from(number));
        let entra_dice = Dice::new(self.settings.seed, "days in Entra", u64::from(number));
        let mut days = Days {
            estate: self,
            customer: &customer,
            played: &played,
            dice,
            entra_dice,
            volume: Volume::default(),
        };
        days.write()?;
        written.volume = days.volume;
        Ok(written)
    }
}

/// A customer's days, being written.
struct Days<'a> {
    estate: &'a Estate<'a>,
    customer: &'a Customer,
    /// The scripts of incidents, each with the index of its subscription.
    played: &'a [(usize, Script)],
    dice: Dice,
    /// Entra has dice of its own: the rest is the same with and without it.
    entra_dice: Dice,
    volume: Volume,
}

impl<'a> Days<'a> {
    fn write(&mut self) -> Result<(), SimulateError> {
        let mut cost_file: Option<(u32, CostFile<Sink>)> = None;
        for day in self.estate.period.days() {
            if cost_file.as_ref().is_some_and(|(month, _)| *month != day.month()) {
                self.close(cost_file.take())?;
            }
            let mut deeds = Vec::new();
            for (index, subscription) in self.customer.subscriptions.iter().enumerate() {
                if midnight(day) < subscription.since {
                    continue;
                }
                let scripts: Vec<&'a Script> = std::iter::once(&subscription.script)
                    .chain(self.played.iter().filter(|(at, _)| *at == index).map(|(_, script)| script))
                    .collect();
                self.activity(subscription, &scripts, day, &mut deeds)?;
                self.flow(subscription, &scripts, day)?;
                self.cost(subscription, &scripts, day, &mut cost_file)?;
            }
            self.entra(day, deeds)?;
        }
        self.close(cost_file)
    }

    fn activity(
        &mut self,
        subscription: &Subscription,
        scripts: &[&Script],
        day: NaiveDate,
        deeds: &mut Vec<Deed>,
    ) -> Result<(), SimulateError> {
        let Some((own, incidents)) = scripts.split_first() else { return Ok(()) };
        let mut actions = actions_of(own, midnight(day), next_midnight(day)).to_vec();
        ordinary_actions(self.customer, subscription, day, &mut self.dice, &mut actions);
        upkeep(self.customer, subscription, day, &mut actions);
        settle(self.customer, &mut actions);
        // Incidents say for themselves where people are, and how they signed in.
        deeds.extend(actions.iter().filter_map(Deed::of_action));
        for script in incidents {
            actions.extend_from_slice(actions_of(script, midnight(day), next_midnight(day)));
        }
        let mut content = Vec::new();
        let records =
            activity::write(self.customer, subscription, &actions, self.estate.period.end, &mut content)
                .map_err(SimulateError::Encode)?;
        if records > 0 {
            let name = activity_file(self.customer.activity_shape, &subscription.id, day);
            self.save(&name, self.customer.gzip[0], &content)?;
            self.volume.activity_records += records;
        }
        Ok(())
    }

    /// The day's sign-ins and changes of the directory, if the customer exports them.
    fn entra(&mut self, day: NaiveDate, mut deeds: Vec<Deed>) -> Result<(), SimulateError> {
        let customer = self.customer;
        let Some(shape) = customer.directory.logs else { return Ok(()) };
        let mut acts = ordinary_directory_acts(customer, day, &mut self.entra_dice);
        deeds.extend(acts.iter().filter_map(Deed::of_act));
        let mut sign_ins = ordinary_sign_ins(customer, day, deeds, &mut self.entra_dice);
        let today = midnight(day)..next_midnight(day);
        for (_, script) in self.played {
            sign_ins.extend(script.sign_ins.iter().filter(|one| today.contains(&one.at)).cloned());
            acts.extend(script.directory_acts.iter().filter(|one| today.contains(&one.at)).cloned());
        }
        sign_ins.sort_by_key(|sign_in| (sign_in.at, sign_in.id));
        acts.sort_by_key(|act| (act.at, act.id));
        let (end, gzip) = (self.estate.period.end, customer.directory.gzip);
        let mut content = Vec::new();
        let mut files = Vec::new();
        match shape {
            EntraShape::Export => {
                for way in Way::ALL {
                    let count = sign_in::export(customer, way, &sign_ins, end, &mut content)
                        .map_err(SimulateError::Encode)?;
                    self.volume.sign_in_records += count;
                    files.push((
                        entra_container(way.container(), customer, day),
                        std::mem::take(&mut content),
                    ));
                }
                let count =
                    audit::export(customer, &acts, end, &mut content).map_err(SimulateError::Encode)?;
                self.volume.audit_records += count;
                files.push((entra_container(audit::CONTAINER, customer, day), content));
            }
            EntraShape::Graph => {
                let count =
                    sign_in::graph(customer, &sign_ins, end, &mut content).map_err(SimulateError::Encode)?;
                self.volume.sign_in_records += count;
                files.push((graph_file("sign-ins", customer, day), std::mem::take(&mut content)));
                let count =
                    audit::graph(customer, &acts, end, &mut content).map_err(SimulateError::Encode)?;
                self.volume.audit_records += count;
                files.push((graph_file("directory-audits", customer, day), content));
            }
        }
        for (name, content) in files.iter().filter(|(_, content)| !content.is_empty()) {
            self.save(name, gzip, content)?;
        }
        Ok(())
    }

    fn flow(
        &mut self,
        subscription: &'a Subscription,
        scripts: &[&'a Script],
        day: NaiveDate,
    ) -> Result<(), SimulateError> {
        let Some(shape) = subscription.flow_shape else { return Ok(()) };
        let end = self.estate.period.end;
        let mut talks = Vec::new();
        ordinary_traffic(self.customer, subscription, day, &mut self.dice, &mut talks);
        for script in scripts {
            scripted_traffic(&script.conversations, day, end, &mut self.dice, &mut talks);
        }
        let mut content = Vec::new();
        let tuples =
            flow::write(subscription, shape, talks, end, &mut content).map_err(SimulateError::Encode)?;
        if tuples > 0 {
            self.save(&flow_file(shape, subscription, day), self.customer.gzip[2], &content)?;
            self.volume.flow_tuples += tuples;
        }
        Ok(())
    }

    fn cost(
        &mut self,
        subscription: &Subscription,
        scripts: &[&Script],
        day: NaiveDate,
        file: &mut Option<(u32, CostFile<Sink>)>,
    ) -> Result<(), SimulateError> {
        let priced_until = self.estate.period.priced_until();
        let mut charges = cost::charges(self.customer, scripts, day, priced_until, &mut self.dice);
        charges.extend(cost::other_charges(self.customer, subscription, day, priced_until, &mut self.dice));
        if charges.is_empty() {
            return Ok(());
        }
        let writer = match file {
            Some((_, writer)) => writer,
            None => {
                let sink = self.estate.tree.open(&cost_file(self.customer, day), self.customer.gzip[1])?;
                let writer = CostFile::new(self.customer.cost_shape, sink).map_err(SimulateError::Table)?;
                &mut file.insert((day.month(), writer)).1
            }
        };
        for charge in &charges {
            writer
                .write(self.estate.partner, self.customer, subscription, day, charge)
                .map_err(SimulateError::Table)?;
        }
        self.volume.cost_rows += charges.len() as u64;
        Ok(())
    }

    fn close(&mut self, file: Option<(u32, CostFile<Sink>)>) -> Result<(), SimulateError> {
        let Some((_, file)) = file else { return Ok(()) };
        let sink = file.finish().map_err(|error| SimulateError::Table(error.into()))?;
        self.volume.bytes += sink.close()?;
        self.volume.files += 1;
        Ok(())
    }

    fn save(&mut self, name: &str, gzip: bool, content: &[u8]) -> Result<(), SimulateError> {
        self.volume.bytes += self.estate.tree.write(name, gzip, content)?;
        self.volume.files += 1;
        Ok(())
    }
}

/// The actions of a span. They are sorted by time.
fn actions_of(script: &Script, from: DateTime<Utc>, until: DateTime<Utc>) -> &[Action] {
    let first = script.actions.partition_point(|action| action.at < from);
    let last = script.actions.partition_point(|action| action.at < until);
    &script.actions[first..last]
}

/// `y=2026/m=03/d=01/PT1H.json`. Azure writes a file an hour, two levels further down; a file a day
/// keeps the number of files and folders bearable.
fn blob(day: NaiveDate) -> String {
    format!("y={}/m={:02}/d={:02}/PT1H.json", day.year(), day.month(), day.day())
}

fn activity_file(shape: ActivityShape, subscription_id: &str, day: NaiveDate) -> String {
    match shape {
        ActivityShape::Lines => format!(
            "insights-activity-logs/resourceId=/SUBSCRIPTIONS/{}/{}",
            subscription_id.to_uppercase(),
            blob(day)
        ),
        ActivityShape::Records => format!("event-hub/insights-operational-logs/{subscription_id}/{day}.json"),
        ActivityShape::Rest => format!("rest-api/activity-log/{subscription_id}/{day}.json"),
    }
}

fn flow_file(shape: FlowShape, subscription: &Subscription, day: NaiveDate) -> String {
    let id = subscription.id.to_uppercase();
    let region = subscription.regions[0].id.to_uppercase();
    match shape {
        FlowShape::Vnet => format!(
            "insights-logs-flowlogflowevent/flowLogResourceID=/{id}_NETWORKWATCHERRG/\
             NETWORKWATCHER_{region}_VNET-{region}-FLOWLOG/{}",
            blob(day)
        ),
        FlowShape::Nsg => format!(
            "insights-logs-networksecuritygroupflowevent/resourceId=/SUBSCRIPTIONS/{id}/RESOURCEGROUPS/\
             RG-NETWORK/PROVIDERS/MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/NSG-{region}/{}",
            blob(day)
        ),
    }
}

/// `insights-logs-signinlogs/tenantId=<tenant>/y=2026/m=03/d=01/PT1H.json`
fn entra_container(container: &str, customer: &Customer, day: NaiveDate) -> String {
    format!("{container}/tenantId={}/{}", customer.tenant_id, blob(day))
}

/// `rest-api/sign-ins/<tenant>/2026-03-01.json`
fn graph_file(collection: &str, customer: &Customer, day: NaiveDate) -> String {
    format!("rest-api/{collection}/{}/{day}.json", customer.tenant_id)
}

/// `cost-exports/<customer>/daily-actual/20260301-20260331/part_0_0001.csv`
fn cost_file(customer: &Customer, day: NaiveDate) -> String {
    let first = day - chrono::Days::new(u64::from(day.day0()));
    let last = first + Months::new(1) - chrono::Days::new(1);
    format!(
        "cost-exports/{}/daily-actual/{}-{}/part_0_0001.csv",
        customer.tenant_id,
        first.format("%Y%m%d"),
        last.format("%Y%m%d")
    )
}
