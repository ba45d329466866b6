//! The scenarios that live in Entra, and the sign-ins of all others, played many times over.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::calendar::Period;
use crate::dice::Dice;
use crate::estate::{Customer, Partner};
use crate::scenario::{ATTACKS, HARMLESS, Incident, Kind, Played};
use crate::script::{Action, SignIn, Way};
use crate::settings::Settings;

/// Seeds on which each kind is played.
const SEEDS: u64 = 16;

fn kind(name: &str) -> &'static Kind {
    ATTACKS.iter().chain(&HARMLESS).find(|kind| kind.name == name).unwrap()
}

/// Plays a kind on each seed, where it fits first among customers with Entra's logs or among those without.
/// Returns how often.
fn on_seeds(
    kind: &'static Kind,
    seeds: std::ops::RangeInclusive<u64>,
    has_logs: bool,
    mut check: impl FnMut(&Customer, &Played),
) -> usize {
    let mut count = 0;
    for seed in seeds {
        let settings = Settings {
            seed,
            customers: 8,
            days: 40,
            end: "2026-03-20T14:30:00Z".parse().unwrap(),
            partner_tenant_id: "0f0e0d0c-0000-4000-8000-0000000000aa".parse().unwrap(),
        };
        let period = Period::new(&settings);
        let partner = Partner::new(&settings, &period);
        let latest = period.end - TimeDelta::hours(kind.tail_hours);
        let start = Dice::new(seed, "when", 0).moment(period.start() + TimeDelta::days(12), latest);
        let mut customers =
            (0..settings.customers).map(|number| Customer::new(&settings, &period, &partner, number));
        let found = customers.find_map(|customer| {
            let subscription = customer.subscriptions.iter().position(|known| (kind.fits)(known));
            let fits = customer.directory.logs.is_some() == has_logs;
            subscription.filter(|_| fits).map(|subscription| (customer, subscription))
        });
        let Some((mut customer, subscription)) = found else { continue };
        let scenario = format!("{}-{seed:02}", kind.name);
        let incident = Incident { scenario, kind, customer: customer.number, subscription, start };
        let played = incident.play(&settings, &period, &customer);
        customer.directory.follow(std::iter::once(&played.script));
        check(&customer, &played);
        count += 1;
    }
    count
}

fn on_many_seeds(name: &str, check: impl FnMut(&Customer, &Played)) {
    let count = on_seeds(kind(name), 1..=SEEDS, true, check);
    assert!(count as u64 > SEEDS / 2, "{name} finds a place on {count} seeds only");
}

/// Whether a successful sign-in of the caller at the address of the action lies in the ten hours before.
fn is_signed_in(sign_ins: &[SignIn], action: &Action) -> bool {
    let Some(caller) = action.caller.as_ref().filter(|caller| caller.address.is_some()) else { return true };
    sign_ins.iter().any(|sign_in| {
        sign_in.succeeded()
            && sign_in.principal.object_id == caller.principal.object_id
            && Some(&sign_in.address) == caller.address.as_ref()
            && (action.at - TimeDelta::hours(10)..=action.at).contains(&sign_in.at)
    })
}

fn times(played: &Played) -> impl Iterator<Item = DateTime<Utc>> {
    let script = &played.script;
    script.sign_ins.iter().map(|one| one.at).chain(script.directory_acts.iter().map(|one| one.at))
}

#[test]
fn every_scenario_signs_in_before_it_acts() {
    for kind in ATTACKS.iter().chain(&HARMLESS) {
        on_seeds(kind, 1..=6, true, |_, played| {
            for action in &played.script.actions {
                assert!(is_signed_in(&played.script.sign_ins, action), "{}: {action:?}", kind.name);
            }
            let label = played.label.as_ref();
            assert!(times(played).all(|at| label.is_none_or(|label| label.from <= at)), "{label:?}");
        });
    }
}

#[test]
fn without_logs_no_scenario_shows_in_entra() {
    for kind in ATTACKS.iter().chain(&HARMLESS) {
        let count = on_seeds(kind, 1..=6, false, |_, played| assert_eq!(times(played).count(), 0));
        let needs_logs =
            ["password-spray", "stolen-token", "app-backdoor", "business-trip", "secret-rotation"];
        assert!(count == 0 || !needs_logs.contains(&kind.name), "{} needs the logs", kind.name);
    }
}

#[test]
fn a_spray_tries_many_and_opens_one() {
    let mut spans = BTreeSet::new();
    on_many_seeds("password-spray", |customer, played| {
        let script = &played.script;
        let victim = &played.label.as_ref().unwrap().principals[0];
        let in_at = script.sign_ins.iter().filter(|one| one.succeeded()).map(|one| one.at).min().unwrap();
        let tries: Vec<&SignIn> = script.sign_ins.iter().filter(|one| one.at <= in_at).collect();
        assert!(tries.iter().filter(|one| !one.succeeded()).count() >= 2);
        let tried: BTreeSet<&str> = tries.iter().map(|one| one.principal.caller.as_str()).collect();
        let people = customer.directory.members_at(in_at).count();
        assert!(tried.len() * 2 > people, "{} of {people} people are tried", tried.len());
        let addresses: BTreeSet<&str> = tries.iter().map(|one| one.address.as_str()).collect();
        assert!(addresses.len() <= 7, "{addresses:?}");
        let first = script.actions.iter().min_by_key(|action| action.at).unwrap();
        assert_eq!(first.caller.as_ref().unwrap().principal.caller, *victim);
        assert!(first.at > in_at);
        spans.insert((in_at - tries[0].at).num_minutes());
    });
    assert!(spans.len() as u64 > SEEDS / 2, "{spans:?}");
}

#[test]
fn a_stolen_session_goes_on_elsewhere() {
    on_many_seeds("stolen-token", |_, played| {
        let sign_ins = &played.script.sign_ins;
        let honest = sign_ins.iter().find(|one| one.way == Way::Interactive && one.succeeded()).unwrap();
        let stolen = sign_ins.iter().find(|one| {
            one.way == Way::NonInteractive && one.at > honest.at && one.address != honest.address
        });
        let stolen = stolen.unwrap();
        assert_eq!(stolen.session, honest.session);
        assert!(stolen.session.is_some());
        assert_eq!(stolen.principal.object_id, honest.principal.object_id);
        let first = played.script.actions.iter().min_by_key(|action| action.at).unwrap();
        assert_eq!(first.caller.as_ref().unwrap().address.as_ref(), Some(&stolen.address));
    });
}

#[test]
fn a_backdoor_is_a_secret_that_is_added_and_then_shown() {
    on_many_seeds("app-backdoor", |customer, played| {
        let script = &played.script;
        let application = &played.label.as_ref().unwrap().principals[1];
        let shown = script.sign_ins.iter().find(|one| one.principal.caller == *application).unwrap();
        let app = customer.directory.app(&shown.principal).unwrap();
        let key = shown.credential.unwrap();
        assert_ne!(key, app.key_at(shown.at), "the pipeline goes on with its own");
        assert!(!app.service_principal.addresses.contains(&shown.address));
        let added = script.directory_acts.iter().find(|act| act.at < shown.at && names(act, key)).unwrap();
        assert!(
            ["Update application", "Add service principal"].iter().any(|one| added.activity.starts_with(one))
        );
        for one in script.sign_ins.iter().filter(|one| one.principal.caller == *application) {
            assert_eq!(one.credential, Some(key), "{one:?}");
        }
        let made_by = |action: &Action| action.caller.as_ref().unwrap().principal.caller == *application;
        assert!(script.actions.iter().any(made_by));
    });
}

fn names(act: &crate::script::DirectoryAct, key: Uuid) -> bool {
    let text = key.to_string();
    let changes = act.targets.iter().flat_map(|target| &target.changes);
    changes.into_iter().any(|change| change.new.as_ref().is_some_and(|new| new.contains(&text)))
}

#[test]
fn a_traveller_takes_the_time_that_it_takes() {
    on_many_seeds("business-trip", |customer, played| {
        let journey = &played.script.journeys[0];
        let user = customer.directory.users.iter().find(|user| user.principal.object_id == journey.traveller);
        let user = user.unwrap();
        assert_eq!(user.journeys.len(), 1, "no other journey while a scenario is on");
        let way = journey.arrives_at - journey.leaves_at;
        assert_eq!(way, customer.directory.city().journey_to(journey.whereabouts.place));
        for one in &played.script.sign_ins {
            assert_eq!(one.address, journey.address);
            assert_eq!(one.whereabouts, journey.whereabouts);
            assert!((journey.arrives_at..journey.returns_at).contains(&one.at), "{one:?}");
            assert!(!one.succeeded() || one.session.is_some());
        }
        let hour = TimeDelta::hours(1);
        assert_eq!(user.address_at(journey.leaves_at + hour), None);
        assert_eq!(user.address_at(journey.arrives_at + hour), Some(journey.address.as_str()));
    });
}

#[test]
fn a_rotated_secret_is_used_from_then_on() {
    on_many_seeds("secret-rotation", |customer, played| {
        for (service_principal, at, key) in &played.script.new_secrets {
            let app = customer
                .directory
                .apps
                .iter()
                .find(|app| app.service_principal.object_id == *service_principal);
            let app = app.unwrap();
            assert_ne!(app.key_at(*at - TimeDelta::seconds(1)), *key);
            assert_eq!(app.key_at(*at), *key);
            let acts = played.script.directory_acts.iter().filter(|act| names(act, *key));
            assert_eq!(acts.count(), 2, "added, and left when the old one is removed");
        }
        let deploys = played.script.sign_ins.iter().filter(|one| one.way == Way::Application);
        let (_, at, key) = played.script.new_secrets[0];
        assert!(deploys.clone().count() > 0);
        for one in deploys {
            assert!(one.at > at && one.credential == Some(key), "{one:?}");
        }
    });
}
