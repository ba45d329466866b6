//! Which scenarios happen where and when.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use crate::calendar::Period;
use crate::dice::Dice;
use crate::estate::{Customer, Partner, Subscription};
use crate::scenario::stage::{Played, Stage};
use crate::scenario::{ATTACKS, HARMLESS, Kind};
use crate::settings::Settings;

/// Customer-days for one attack in a large estate: three on twenty customers in a month and a half.
const CUSTOMER_DAYS_AN_ATTACK: usize = 300;
/// So many customers see every kind of attack; fewer see a part of the kinds, which part the seed says.
const CUSTOMERS_FOR_EVERY_KIND: usize = 60;
/// Even a tiny estate has so many attacks, as far as it has customers.
const FEWEST_ATTACKS: usize = 5;
/// But for that, there is at most one attack for so many customers: an estate is not full of them.
const CUSTOMERS_AN_ATTACK: usize = 2;
/// Customer-days for one look-alike: nearly two of each on fifty customers in sixty days. Each customer
/// has one at least, until all kinds are there.
const CUSTOMER_DAYS_A_LOOK_ALIKE: usize = 65;
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
    let kinds = attacks_in_order(settings.seed);
    let mut left = attack_count(settings);
    // A kind that finds no place or time leaves its turn to the next.
    for number in 0..left + kinds.len() {
        if left > 0
            && planner.attack(kinds[number % kinds.len()], number / kinds.len() + 1, number < FRESH_ATTACKS)
        {
            left -= 1;
        }
    }
    let kinds = look_alikes_in_order(settings.seed);
    for number in 0..look_alike_count(settings) {
        planner.look_alike(kinds[number % kinds.len()], number / kinds.len() + 1);
    }
    let mut incidents = planner.incidents;
    incidents.sort_by_key(|incident| (incident.customer, incident.start));
    incidents
}

/// How many attacks there are.
fn attack_count(settings: &Settings) -> usize {
    let (customers, days) = (settings.customers as usize, settings.days as usize);
    let kinds = ATTACKS.len();
    let fewest = FEWEST_ATTACKS.min(customers);
    let most = (customers / CUSTOMERS_AN_ATTACK).max(fewest);
    let for_variety = (customers * kinds / CUSTOMERS_FOR_EVERY_KIND).min(kinds);
    let count = (customers * days / CUSTOMER_DAYS_AN_ATTACK).max(for_variety).clamp(fewest, most);
    if customers >= CUSTOMERS_FOR_EVERY_KIND { count.max(kinds) } else { count }
}

/// The kinds of attack: those that come fresh, then the others as the seed has it, so that small estates
/// of different seeds show different ones.
fn attacks_in_order(seed: u64) -> Vec<&'static Kind> {
    let (fresh, others) = ATTACKS.split_at(FRESH_ATTACKS);
    let others: Vec<&'static Kind> = others.iter().collect();
    let others = Dice::new(seed, "kinds of attack", 0).sample(&others, others.len());
    fresh.iter().chain(others).collect()
}

/// How many look-alikes there are.
fn look_alike_count(settings: &Settings) -> usize {
    let (customers, days) = (settings.customers as usize, settings.days as usize);
    (customers * days / CUSTOMER_DAYS_A_LOOK_ALIKE).max(customers.min(HARMLESS.len()))
}

/// The kinds of look-alike, as the seed has it.
fn look_alikes_in_order(seed: u64) -> Vec<&'static Kind> {
    let all: Vec<&'static Kind> = HARMLESS.iter().collect();
    Dice::new(seed, "kinds of look-alike", 0).sample(&all, all.len())
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
    /// enough of them, one a customer. Says whether it found its place.
    fn attack(&mut self, kind: &'static Kind, number: usize, is_fresh: bool) -> bool {
        let Some(start) = self.start(kind, is_fresh) else { return false };
        let place = self
            .find(kind, start, |planner, place| {
                !planner.attacked.contains(&place) && !planner.attacked_customers.contains(&place.0)
            })
            .or_else(|| self.find(kind, start, |planner, place| !planner.attacked.contains(&place)));
        let Some(place) = place else { return false };
        self.attacked.insert(place);
        self.attacked_customers.insert(place.0);
        self.incidents.push(incident(kind, number, place, start));
        true
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

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(seed: u64, customers: u32, days: u32) -> Settings {
        let end = "2026-03-20T14:30:00Z".parse().unwrap();
        let partner_tenant_id = "0f0e0d0c-0000-4000-8000-0000000000aa".parse().unwrap();
        Settings { seed, customers, days, end, partner_tenant_id }
    }

    fn attacks(settings: &Settings) -> Vec<&'static str> {
        let period = Period::new(settings);
        let partner = Partner::new(settings, &period);
        let incidents = plan(settings, &period, &partner);
        incidents.iter().map(|incident| incident.kind).filter(|kind| kind.malicious).map(|k| k.name).collect()
    }

    #[test]
    fn small_estates_are_not_full_of_attacks() {
        let check = |customers, days, expected| {
            assert_eq!(attack_count(&settings(1, customers, days)), expected, "{customers} {days}");
        };
        check(1, 1, 1);
        check(4, 20, 4);
        check(6, 20, 5);
        check(12, 730, 6);
        check(20, 730, 10);
        check(60, 1, ATTACKS.len());
        check(20_000, 45, 3_000);
        for customers in 10..60 {
            let count = attack_count(&settings(1, customers, 45));
            assert!((5..=customers as usize / 2).contains(&count), "{customers}: {count}");
        }
        let tiny = settings(1, 8, 30);
        assert_eq!(attacks(&tiny).len(), attack_count(&tiny));
    }

    #[test]
    fn seeds_show_different_attacks() {
        let mut seen = BTreeSet::new();
        for seed in 1..=12 {
            let kinds = attacks_in_order(seed);
            assert_eq!(kinds.len(), ATTACKS.len());
            let names: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
            assert_eq!(names[..2], ["gpu-fleet", "hijacked-mining"], "seed {seed}");
            seen.extend(names.into_iter().take(attack_count(&settings(seed, 20, 45))));
        }
        assert!(seen.len() > ATTACKS.len() * 3 / 4, "{seen:?}");
    }

    #[test]
    fn sixty_customers_see_every_attack() {
        let kinds: BTreeSet<_> = attacks(&settings(2, 60, 40)).into_iter().collect();
        assert_eq!(kinds.len(), ATTACKS.len(), "{kinds:?}");
    }
}
