//! A customer's directory in Entra: its people, groups and applications, and who of them is where.
//!
//! It belongs to the customer, not to one of its subscriptions. Everything comes from dice of its own, so
//! that the rest of the estate is the same with and without it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

use crate::calendar::{Period, midnight, office_moment};
use crate::catalog::{Network, Place, REGIONS, WORLD, Whereabouts, places_around};
use crate::dice::Dice;
use crate::estate::user::{Device, Journey, Post, User};
use crate::estate::{Customer, Principal, address, names};
use crate::script::Script;

/// Customers without the licence (Entra ID P1) that the logs of sign-ins need: about a third. Every sixth
/// has it for sure, so that even a small estate has some to look at.
const LICENSED: f64 = 0.6;
/// Customers with the next licence (P2), which lets them see risk and activate roles for a time.
const JUDGING: f64 = 0.35;
/// Journeys of one person a workday: one in two hundred.
const JOURNEYS: f64 = 0.005;
/// Applications that sign in from outside and have nothing to do with Azure.
const OTHER_APPS: [&str; 6] =
    ["Ticket Sync", "Payroll Connector", "Mail Archive", "Sign-in Reporting", "CRM Link", "Print Service"];
const GROUPS: [&str; 7] =
    ["All Staff", "Finance", "Azure Operators", "VPN Users", "Project Birch", "Sales", "Contractors"];

/// A customer's directory.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    /// In which shape its logs are exported; `None` without the licence for them.
    pub(crate) logs: Option<EntraShape>,
    /// Whether risk shows in its logs, and roles are activated for a time.
    pub(crate) judges_risk: bool,
    /// Whether the files are compressed.
    pub(crate) gzip: bool,
    /// Operators first, as in its subscriptions; then staff, then delegated administrators.
    pub(crate) users: Vec<User>,
    /// Those of the pipelines first, one a subscription.
    pub(crate) apps: Vec<App>,
    /// Groups.
    pub(crate) groups: Vec<Group>,
    /// Where its known addresses are.
    known: BTreeMap<String, Whereabouts>,
    /// The city of its office and those around.
    around: Option<&'static [Place; 3]>,
    /// Where the chance of its parts starts.
    seed: u64,
}

/// How Entra's logs are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntraShape {
    /// The diagnostic export to a storage account: one record a line, a container for each log.
    Export,
    /// The objects of Microsoft Graph, as pages with `value`.
    Graph,
}

/// A group.
#[derive(Debug)]
pub(crate) struct Group {
    /// Its object id.
    pub(crate) id: Uuid,
    /// Its name.
    pub(crate) name: &'static str,
}

/// An application that the customer registered.
#[derive(Debug)]
pub(crate) struct App {
    /// `shop-deploy`
    pub(crate) name: String,
    /// The object id of the application; its service principal has another.
    pub(crate) object_id: Uuid,
    /// Who signs in.
    pub(crate) service_principal: Arc<Principal>,
    /// When its secret is changed.
    pub(crate) rotations: Vec<DateTime<Utc>>,
    /// Whether it changes its secret itself, or an administrator does.
    pub(crate) rotates_itself: bool,
    /// Secrets that scenarios gave it, with the times from which it uses them.
    given: Vec<(DateTime<Utc>, Uuid)>,
    seed: u64,
}

impl App {
    fn new(name: String, service_principal: Arc<Principal>, period: &Period, seed: u64) -> Self {
        let mut dice = Dice::new(seed, "app", service_principal.object_id.as_u64_pair().0);
        let every = dice.between(60, 150);
        let first = period.first_day + Days::new(dice.between(0, every) as u64);
        let days = first.iter_days().step_by(every as usize).take_while(|day| *day <= period.last_day);
        // Many a secret lasts for years.
        let days: Vec<NaiveDate> = if dice.chance(0.6) { days.collect() } else { Vec::new() };
        let rotates_itself = dice.chance(0.7);
        // Machines do it at night, people by day.
        let hour = if rotates_itself { 2 } else { 9 };
        let at = |day: NaiveDate| midnight(day) + TimeDelta::hours(hour);
        let rotations = days.into_iter().map(|day| at(day) + dice.seconds(0.0, 7_200.0)).collect();
        Self {
            name,
            object_id: dice.guid(),
            service_principal,
            rotations,
            rotates_itself,
            given: Vec::new(),
            seed,
        }
    }

    /// An application that was not there before.
    pub(crate) fn registered(
        name: &str,
        tenant_id: &str,
        addresses: Vec<String>,
        at: DateTime<Utc>,
        dice: &mut Dice,
    ) -> Self {
        let principal = Principal::application(tenant_id, "Contributor", addresses, at, dice);
        Self {
            name: name.to_owned(),
            object_id: dice.guid(),
            service_principal: Arc::new(principal),
            rotations: Vec::new(),
            rotates_itself: false,
            given: Vec::new(),
            seed: dice.guid().as_u64_pair().0,
        }
    }

    /// The id of the secret that it signs in with at a time.
    pub(crate) fn key_at(&self, at: DateTime<Utc>) -> Uuid {
        let rotations = self.rotations.partition_point(|rotation| *rotation <= at);
        let rotated_at = rotations.checked_sub(1).map(|last| self.rotations[last]);
        let given = self.given.iter().rfind(|(given_at, _)| *given_at <= at);
        match given {
            Some((given_at, key)) if rotated_at.is_none_or(|rotated_at| rotated_at < *given_at) => *key,
            Some(_) | None => self.key(rotations),
        }
    }

    /// The id of its secret after so many changes.
    pub(crate) fn key(&self, rotations: usize) -> Uuid {
        let number = self.service_principal.object_id.as_u64_pair().0.wrapping_add(rotations as u64);
        Dice::new(self.seed, "key", number).guid()
    }
}

impl Directory {
    /// The directory of a customer whose subscriptions are there.
    pub(crate) fn new(seed: u64, period: &Period, customer: &Customer) -> Self {
        let mut dice = Dice::new(seed, "directory", u64::from(customer.number));
        let dice = &mut dice;
        let around = places_around(customer.subscriptions[0].regions[0].id);
        let is_licensed = dice.chance(LICENSED) || customer.number % 6 == 1;
        let shape = if customer.number % 8 == 3 { EntraShape::Graph } else { EntraShape::Export };
        let mut directory = Self {
            logs: is_licensed.then_some(shape),
            judges_risk: dice.chance(JUDGING),
            gzip: dice.chance(0.7),
            groups: dice.sample(&GROUPS, 4).into_iter().map(|name| Group { id: dice.guid(), name }).collect(),
            around: Some(around),
            seed,
            ..Self::default()
        };
        directory.add_people(customer, around, period, dice);
        directory.add_apps(customer, period, dice);
        directory
    }

    fn add_people(
        &mut self,
        customer: &Customer,
        around: &'static [Place; 3],
        period: &Period,
        dice: &mut Dice,
    ) {
        let subscription = &customer.subscriptions[0];
        let operators = &subscription.operators;
        let office = Whereabouts { place: &around[0], autonomous_system: Network::Office.number(dice) };
        self.known.insert(operators[0].addresses[0].clone(), office);
        let mut people: Vec<(Arc<Principal>, Post)> =
            operators.iter().map(|person| (Arc::clone(person), Post::Operator)).collect();
        if self.logs.is_some() {
            let domain = names::domain(&customer.name);
            for number in 0..(3.0 * dice.long_tailed(3.5)) as usize {
                let upn = names::upn(10 + number, &domain, dice);
                let addresses = vec![operators[0].addresses[0].clone(), address::anyone(dice)];
                let since = period.start();
                let person = Principal::person(upn, &customer.tenant_id, "", addresses, since, dice);
                people.push((Arc::new(person), Post::Staff));
            }
        }
        for (principal, post) in people {
            let mut user = User::new(principal, post, self.seed);
            self.place(&user, around, dice);
            user.journeys = journeys(&user, customer, &around[0], period, dice);
            self.users.push(user);
        }
        for principal in &subscription.delegated {
            // The same in the directories of all customers, so nothing here comes from the customer's dice.
            let mut dice = Dice::new(self.seed, &principal.tenant_id, 0);
            let homes: Vec<_> = REGIONS.iter().filter(|region| region.home).collect();
            let around = places_around(dice.pick(&homes).id);
            let office =
                Whereabouts { place: &around[0], autonomous_system: Network::Office.number(&mut dice) };
            self.known.insert(principal.addresses[0].clone(), office);
            let user = User::new(Arc::clone(principal), Post::Delegated, self.seed);
            let mut dice = Dice::new(self.seed, "delegated", principal.object_id.as_u64_pair().0);
            self.place(&user, around, &mut dice);
            self.users.push(user);
        }
    }

    /// Finds a home and a mobile network for a person.
    fn place(&mut self, user: &User, around: &'static [Place; 3], dice: &mut Dice) {
        if let Some(home) = user.principal.addresses.get(1) {
            let place = &around[dice.below(around.len())];
            let autonomous_system = Network::Home.number(dice);
            self.known.insert(home.clone(), Whereabouts { place, autonomous_system });
        }
        let autonomous_system = Network::Mobile.number(dice);
        self.known.insert(user.mobile.clone(), Whereabouts { place: &around[0], autonomous_system });
    }

    fn add_apps(&mut self, customer: &Customer, period: &Period, dice: &mut Dice) {
        for subscription in &customer.subscriptions {
            let name = format!("{}-deploy", subscription.workload.code());
            self.add_app(name, Arc::clone(&subscription.pipeline), period, dice);
        }
        if self.logs.is_none() {
            return;
        }
        for subscription in &customer.subscriptions {
            let upkeep = &subscription.upkeep;
            let programs = [
                (&upkeep.rotation, "keys"),
                (&upkeep.patching, "patching"),
                (&upkeep.backup, "backup"),
                (&upkeep.software, "app"),
            ];
            for (principal, purpose) in programs {
                let name = format!("{}-{purpose}", subscription.workload.code());
                self.add_app(name, Arc::clone(principal), period, dice);
            }
        }
        let count = dice.between(1, 3) as usize;
        for name in dice.sample(&OTHER_APPS, count) {
            let addresses = vec![address::service(dice)];
            let principal = Principal::application(&customer.tenant_id, "", addresses, period.start(), dice);
            self.add_app(name.to_owned(), Arc::new(principal), period, dice);
        }
    }

    fn add_app(&mut self, name: String, principal: Arc<Principal>, period: &Period, dice: &mut Dice) {
        let place = &WORLD[dice.below(WORLD.len())];
        let autonomous_system = Network::Hosting.number(dice);
        for address in &principal.addresses {
            // An office may be drawn to the same address; it was there first.
            self.known.entry(address.clone()).or_insert(Whereabouts { place, autonomous_system });
        }
        self.apps.push(App::new(name, principal, period, self.seed));
    }

    /// The user that a principal is.
    pub(crate) fn user(&self, principal: &Principal) -> Option<&User> {
        self.users.iter().find(|user| user.principal.object_id == principal.object_id)
    }

    /// The application whose service principal it is.
    pub(crate) fn app(&self, principal: &Principal) -> Option<&App> {
        self.apps.iter().find(|app| app.service_principal.object_id == principal.object_id)
    }

    /// Its own people who were there at a time.
    pub(crate) fn members_at(&self, at: DateTime<Utc>) -> impl Iterator<Item = &User> {
        self.users.iter().filter(move |user| user.post != Post::Delegated && user.principal.since <= at)
    }

    /// Where an address of a principal is. What the directory does not know follows from the address: new
    /// colleagues live near the office, strangers and rented machines are there or anywhere in the world.
    pub(crate) fn whereabouts(&self, principal: &Principal, address: &str) -> Whereabouts {
        let on_journey = || {
            let journeys = self.users.iter().flat_map(|user| &user.journeys);
            journeys.into_iter().find(|journey| journey.address == address).map(|found| found.whereabouts)
        };
        let guess = || {
            let is_colleague =
                self.users.first().is_some_and(|one| one.principal.tenant_id == principal.tenant_id);
            let is_own = is_colleague && principal.addresses.iter().any(|own| own == address);
            if is_own { self.nearby(principal, address) } else { self.anywhere(address) }
        };
        self.known.get(address).copied().or_else(on_journey).unwrap_or_else(guess)
    }

    /// An address near a principal's office.
    pub(crate) fn nearby(&self, principal: &Principal, address: &str) -> Whereabouts {
        let office = principal.addresses.first().and_then(|office| self.known.get(office));
        let place = office.map_or(self.city(), |office| office.place);
        let mut dice = Dice::new(self.seed, address, 1);
        Whereabouts { place, autonomous_system: Network::Home.number(&mut dice) }
    }

    fn anywhere(&self, address: &str) -> Whereabouts {
        let mut dice = Dice::new(self.seed, address, 0);
        let is_home = address::is_anyone(address);
        // Whoever hides rents a line near the victim, too.
        let is_near = dice.chance(if address::is_hostile(address) { 0.15 } else { 0.45 });
        let place = if is_near { self.city() } else { &WORLD[dice.below(WORLD.len())] };
        let network = if is_home || dice.chance(0.2) { Network::Home } else { Network::Hosting };
        Whereabouts { place, autonomous_system: network.number(&mut dice) }
    }

    /// What somebody signs in with who is not at an address of their own: the same for an address.
    pub(crate) fn foreign_device(&self, address: &str) -> Device {
        Device::foreign(&mut Dice::new(self.seed, address, 2))
    }

    /// The city of the office.
    pub(crate) fn city(&self) -> &'static Place {
        self.around.map_or(&WORLD[0], |around| &around[0])
    }

    /// Takes over what scenarios say: whoever plays in one goes only where it says, and applications use
    /// the secrets that it gives them.
    pub(crate) fn follow<'s>(&mut self, scripts: impl Iterator<Item = &'s Script> + Clone) {
        let players = scripts.clone().flat_map(Script::players).collect();
        self.travel(&players, scripts.clone().flat_map(|script| script.journeys.clone()).collect());
        for (service_principal, at, key) in scripts.flat_map(|script| &script.new_secrets) {
            let mut apps = self.apps.iter_mut();
            if let Some(app) = apps.find(|app| app.service_principal.object_id == *service_principal) {
                app.given.push((*at, *key));
                app.given.sort_by_key(|(at, _)| *at);
            }
        }
    }

    fn travel(&mut self, players: &BTreeSet<Uuid>, journeys: Vec<Journey>) {
        for user in &mut self.users {
            if players.contains(&user.principal.object_id) {
                user.journeys.clear();
            }
        }
        for journey in journeys {
            if let Some(user) = self.users.iter_mut().find(|u| u.principal.object_id == journey.traveller) {
                user.journeys.push(journey);
            }
        }
    }
}

/// A person's journeys in the period: each starts on a workday, lasts some days, and is mostly not far.
fn journeys(
    user: &User,
    customer: &Customer,
    home: &Place,
    period: &Period,
    dice: &mut Dice,
) -> Vec<Journey> {
    let mut journeys: Vec<Journey> = Vec::new();
    let mut free_from = user.principal.since;
    for day in period.days().filter(|day| customer.holidays.is_workday(*day)) {
        if !dice.chance(JOURNEYS) || midnight(day) < free_from {
            continue;
        }
        let journey = journey(user, customer, home, day, dice);
        free_from = journey.home_at + TimeDelta::days(2);
        journeys.push(journey);
    }
    journeys
}

fn journey(user: &User, customer: &Customer, home: &Place, day: NaiveDate, dice: &mut Dice) -> Journey {
    let near: Vec<&'static Place> =
        WORLD.iter().filter(|place| place.journey_to(home) < TimeDelta::hours(7)).collect();
    let is_near = dice.chance(0.8) && !near.is_empty();
    let there = if is_near { dice.pick(&near) } else { &WORLD[dice.below(WORLD.len())] };
    let leaves_at = office_moment(day, customer.utc_offset_hours, dice);
    let stay = TimeDelta::hours(dice.between(20, 96));
    Journey::new(user.principal.object_id, (home, there), leaves_at, stay, dice)
}
