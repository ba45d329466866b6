//! Which scenarios happen where and when.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use crate::calendar::Period;
use crate::dice::Dice;
use crate::estate::{Customer, Partner, Subscription};
use crate::scenario::stage::{Played, Stage};
use crate::scenario::{ATTACKS, HARMLESS, Kind};
use crate::settings::Settings;

/// Customer-days for one attack: ten attacks, two of each, on fifty customers in sixty days.
const CUSTOMER_DAYS_AN_ATTACK: u64 = 300;
/// Customer-days for one look-alike: two of each on fifty customers in sixty days.
const CUSTOMER_DAYS_A_LOOK_ALIKE: u64 = 214;
/// How many attacks start in the last hours, so that a fresh look at the estate finds open ones.
const FRESH_ATTACKS: usize = 2;
/// Those start at most and at least so long before the end.
const FRESH_HOURS: (i64, i64) = (20, 4);
/// Days of ordinary life before the first attack, where the period is long enough.
const QUIET_DAYS: i64 = 14;
/// How many customers are looked at by chance before all are.
const CHANCE_TRIES: u32 = 60;

/// A scenario with its place and time.
#[derive(Debug)]
pub(crate) struct Incident {
    /// Unique in the estate: `gpu-fleet-03`.
    pub(crate) scenario: String,
    /// Its class.
    pub(crate) kind: &'static Kind,
    /// Number of the customer.
    pub(crate) customer: u32,
    /// Index of the customer's subscription.
    pub(crate) subscription: usize,
    /// When it starts.
    pub(crate) start: DateTime<Utc>,
}

impl Incident {
    /// Writes the incident's script and label.
    pub(crate) fn play(&self, settings: &Settings, period: &Period, customer: &Customer) -> Played {
        let subscription = &customer.subscriptions[self.subscription];
        let dice = Dice::new(settings.seed, &self.scenario, 0);
        let mut stage = Stage::new(customer, subscription, period, self.start, dice);
        (self.kind.play)(&mut stage);
        stage.close(self)
    }
}

/// Plans all incidents, in the order of their customers. Kinds for which the period is too short or no
/// subscription fits are left out.
pub(crate) fn plan(settings: &Settings, period: &Period, partner: &Partner) -> Vec<Incident> {
    let mut planner = Planner {
        settings,
        period,
        partner,
        dice: Dice::new(settings.seed, "plan", 0),
        attacked: BTreeSet::new(),
        attacked_customers: BTreeSet::new(),
        visited: BTreeSet::new(),
        incidents: Vec::new(),
    };
    let customer_days = u64::from(settings.customers) * u64::from(settings.days);
    let wanted = |kinds: usize, customer_days_for_one: u64| {
        let at_least = kinds.min(if settings.customers >= 6 { kinds } else { settings.customers as usize });
        at_least.max((customer_days / customer_days_for_one) as usize)
    };
    for number in 0..wanted(ATTACKS.len(), CUSTOMER_DAYS_AN_ATTACK) {
        let is_fresh = number < FRESH_ATTACKS;
        planner.attack(&ATTACKS[number % ATTACKS.len()], number / ATTACKS.len() + 1, is_fresh);
    }
    for number in 0..wanted(HARMLESS.len(), CUSTOMER_DAYS_A_LOOK_ALIKE) {
        planner.look_alike(&HARMLESS[number % HARMLESS.len()], number / HARMLESS.len() + 1);
    }
    let mut incidents = planner.incidents;
    incidents.sort_by_key(|incident| (incident.customer, incident.start));
    incidents
}

/// A subscription: number of the customer, and index.
type Place = (u32, usize);

struct Planner<'a> {
    settings: &'a Settings,
    period: &'a Period,
    partner: &'a Partner,
    dice: Dice,
    attacked: BTreeSet<Place>,
    attacked_customers: BTreeSet<u32>,
    visited: BTreeSet<(Place, &'static str)>,
    incidents: Vec<Incident>,
}

impl Planner<'_> {
    /// One attack a subscription, so that it is clear which alert is for which; and, where there are
    /// enough of them, one a customer.
    fn attack(&mut self, kind: &'static Kind, number: usize, is_fresh: bool) {
        let Some(start) = self.start(kind, is_fresh) else { return };
        let place = self
            .find(kind, start, |planner, place| {
                !planner.attacked.contains(&place) && !planner.attacked_customers.contains(&place.0)
            })
            .or_else(|| self.find(kind, start, |planner, place| !planner.attacked.contains(&place)));
        let Some(place) = place else { return };
        self.attacked.insert(place);
        self.attacked_customers.insert(place.0);
        self.incidents.push(incident(kind, number, place, start));
    }

    /// Never where an attack is, or an alert on it could be about either.
    fn look_alike(&mut self, kind: &'static Kind, number: usize) {
        let Some(start) = self.start(kind, false) else { return };
        let place = self.find(kind, start, |planner, place| {
            !planner.attacked.contains(&place) && !planner.visited.contains(&(place, kind.name))
        });
        let Some(place) = place else { return };
        self.visited.insert((place, kind.name));
        self.incidents.push(incident(kind, number, place, start));
    }

    fn start(&mut self, kind: &Kind, is_fresh: bool) -> Option<DateTime<Utc>> {
        let period = self.period;
        let (earliest, latest) = if is_fresh {
            let earliest = (period.end - TimeDelta::hours(FRESH_HOURS.0)).max(period.start());
            (earliest, period.end - TimeDelta::hours(FRESH_HOURS.1))
        } else {
            let span_days = i64::from(self.settings.days);
            let quiet_days = if kind.malicious { QUIET_DAYS.min(span_days * 2 / 5) } else { 1 };
            (period.start() + TimeDelta::days(quiet_days), period.end - TimeDelta::hours(kind.tail_hours))
        };
        (earliest <= latest).then(|| self.dice.moment(earliest, latest))
    }

    /// A place that is free and fits: first by chance, then, in small or full estates, by looking at
    /// every customer from a random one on.
    fn find(
        &mut self,
        kind: &Kind,
        start: DateTime<Utc>,
        is_free: impl Fn(&Self, Place) -> bool,
    ) -> Option<Place> {
        let customers = self.settings.customers;
        let by_chance: Vec<u32> =
            (0..CHANCE_TRIES.min(customers)).map(|_| self.dice.below(customers as usize) as u32).collect();
        let offset = self.dice.below(customers as usize) as u32;
        let every = (0..customers).map(|number| (number + offset) % customers);
        by_chance.into_iter().chain(every).find_map(|number| {
            let customer = Customer::new(self.settings, self.period, self.partner, number);
            let fits = |(index, subscription): &(usize, &Subscription)| {
                is_free(self, (number, *index))
                    && has_history(subscription, start)
                    && (kind.fits)(subscription)
            };
            let fitting = customer.subscriptions.iter().enumerate().find(fits);
            fitting.map(|(index, _)| (number, index))
        })
    }
}

/// Whether a subscription has been there for a week, so that it has an ordinary life to differ from.
fn has_history(subscription: &Subscription, start: DateTime<Utc>) -> bool {
    let opened_before = subscription.script.machines.iter().any(|machine| machine.from < subscription.since);
    opened_before || subscription.since + TimeDelta::days(7) <= start
}

fn incident(
    kind: &'static Kind,
    number: usize,
    (customer, subscription): Place,
    start: DateTime<Utc>,
) -> Incident {
    Incident { scenario: format!("{}-{number:02}", kind.name), kind, customer, subscription, start }
}
