//! Attacks that begin in Entra and end in Azure.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::compute::{Rig, build, dear_sizes};
use super::keys::read_keys;
use super::worker::{Worker, found_after, strange_address};
use super::{guest, hasty_name};
use crate::catalog::answers::{
    Answer, LOCKED, NO_SUCH_USER, SECOND_FACTOR_ASKED, SECOND_FACTOR_FAILED, SECOND_FACTOR_NEEDED, SUCCESS,
    WRONG_PASSWORD,
};
use crate::catalog::applications::{
    COMMAND_LINE, Client, EXCHANGE, GRAPH, OFFICE, OFFICE_HOME, PORTAL, RESOURCE_MANAGER, Resource,
};
use crate::estate::{App, Caller, Device, Principal, address};
use crate::scenario::Stage;
use crate::script::{Action, Risk, Role, Secret};

/// How often each person is tried at most, so that no account is locked by chance before the end.
const ROUNDS_MAX: i64 = 5;

/// One or a few passwords are tried on many of the customer's people, from one address or from several, at
/// once or over days. One opens. Who has no second factor is in; who has one is asked until they give in.
/// Then resources are written. Midnight Blizzard (Microsoft, January 2024: few tries, many addresses, an old
/// account without a second factor); Peach Sandstorm (Microsoft, September 2023); MITRE T1110.003, T1621,
/// T1078.004.
pub(crate) fn password_spray(stage: &mut Stage<'_>) {
    let victim = easiest_operator(stage);
    stage.by(&victim);
    let spray = Spray::new(stage);
    let found_at = spray.tries(stage, &victim);
    let address = match stage.dice.chance(0.5) {
        true => stage.dice.pick(&spray.addresses),
        false => strange_address(stage),
    };
    let thief = victim.at(address);
    // Whoever sprays sells, or comes back with hands on the keyboard.
    let wait = stage.dice.pick(&[(20.0, 600.0), (600.0, 7_200.0), (7_200.0, 70_000.0)]);
    let in_at = found_at + stage.dice.seconds(wait.0, wait.1);
    let in_at = gets_past_second_factor(stage, &thief, in_at);
    stage.start = in_at + stage.dice.seconds(30.0, 2_400.0);
    let worker = Worker::new(stage, thief);
    takes_profit(stage, worker);
}

/// The operator who is easiest to be: without a second factor, if there is one.
fn easiest_operator(stage: &mut Stage<'_>) -> Arc<Principal> {
    let operators = &stage.subscription.operators;
    let there: Vec<&Arc<Principal>> =
        operators.iter().filter(|person| person.since < stage.start - TimeDelta::days(1)).collect();
    let easy: Vec<&Arc<Principal>> =
        there.iter().copied().filter(|person| !person.has_second_factor).collect();
    let candidates = if easy.is_empty() { there } else { easy };
    Arc::clone(if candidates.is_empty() { &operators[0] } else { stage.dice.pick(&candidates) })
}

/// How passwords are tried.
struct Spray {
    addresses: Vec<String>,
    /// Each person is tried so often.
    rounds: i64,
    /// Seconds between two tries, and between two rounds.
    pace: (f64, f64),
    rest: (f64, f64),
    through: (&'static Client, &'static Resource),
    protocol: &'static str,
    device: Device,
}

impl Spray {
    fn new(stage: &mut Stage<'_>) -> Self {
        let count = stage.dice.pick(&[1, 1, 1, 2, 3, 6]);
        let is_script = stage.dice.chance(0.6);
        Self {
            addresses: (0..count).map(|_| strange_address(stage)).collect(),
            rounds: stage.dice.between(1, ROUNDS_MAX),
            pace: stage.dice.pick(&[(0.3, 3.0), (3.0, 20.0), (20.0, 200.0), (200.0, 1_500.0)]),
            rest: stage.dice.pick(&[(900.0, 3_000.0), (3_600.0, 9_000.0), (9_000.0, 40_000.0)]),
            through: stage.dice.pick(&[
                (&OFFICE, &EXCHANGE),
                (&OFFICE_HOME, &EXCHANGE),
                (&COMMAND_LINE, &RESOURCE_MANAGER),
                (&PORTAL, &RESOURCE_MANAGER),
            ]),
            protocol: if is_script { "ropc" } else { "none" },
            device: Device::foreign(&mut stage.dice),
        }
    }

    /// Tries everybody, round by round. In the last one, at a place in the list by chance, the victim's
    /// password is right: that gives a token, or the question for a second factor. When the spray is over.
    fn tries(&self, stage: &mut Stage<'_>, victim: &Arc<Principal>) -> DateTime<Utc> {
        let people = self.people(stage, victim);
        let mut at = stage.start;
        for round in 0..self.rounds {
            let is_last = round + 1 == self.rounds;
            for person in stage.dice.sample(&people, people.len()) {
                at += stage.dice.seconds(self.pace.0, self.pace.1);
                let answer = match () {
                    () if person.object_id.is_nil() => &NO_SUCH_USER,
                    () if is_last && Arc::ptr_eq(&person, victim) => match victim.has_second_factor {
                        true => &SECOND_FACTOR_ASKED,
                        false => &SUCCESS,
                    },
                    () if round >= 3 && stage.dice.chance(0.25) => &LOCKED,
                    () => &WRONG_PASSWORD,
                };
                self.one_try(stage, &person, at, answer);
            }
            if !is_last {
                at += stage.dice.seconds(self.rest.0, self.rest.1);
            }
        }
        at
    }

    fn one_try(
        &self,
        stage: &mut Stage<'_>,
        person: &Arc<Principal>,
        at: DateTime<Utc>,
        answer: &'static Answer,
    ) {
        let caller = person.at(stage.dice.pick(&self.addresses));
        let (client, target) = self.through;
        let attempt = stage.sign_in_as(&caller, at);
        attempt.with(client, target).on(self.device.clone()).by_protocol(self.protocol).answered(answer);
        if *answer != SUCCESS && *answer != SECOND_FACTOR_ASKED {
            // Neither policy nor risk is asked before the password is right.
            attempt.at_risk(Risk::None).asks_second_factor = false;
        }
    }

    /// Most of the customer's people, the victim, and names that were guessed and are nobody's.
    fn people(&self, stage: &mut Stage<'_>, victim: &Arc<Principal>) -> Vec<Arc<Principal>> {
        let members = stage.members();
        let share = stage.dice.real(0.75, 1.0);
        let count = (members.len() as f64 * share).ceil() as usize;
        let mut people = stage.dice.sample(&members, count);
        if !people.iter().any(|person| Arc::ptr_eq(person, victim)) {
            people.push(Arc::clone(victim));
        }
        let domain = victim.caller.split('@').nth(1).unwrap_or_default();
        for name in stage.dice.sample(&["admin", "info", "scanner", "backup", "test", "sales"], 3) {
            if stage.dice.chance(0.4) {
                let (upn, since) = (format!("{name}@{domain}"), stage.start);
                let mut nobody =
                    Principal::person(upn, &victim.tenant_id, "", Vec::new(), since, &mut stage.dice);
                nobody.object_id = Uuid::nil();
                people.push(Arc::new(nobody));
            }
        }
        people
    }
}

/// The password is right. Who has a second factor is asked for it, says no or nothing some times, and then
/// yes. When the thief is in.
fn gets_past_second_factor(stage: &mut Stage<'_>, thief: &Caller, at: DateTime<Utc>) -> DateTime<Utc> {
    let mut at = at;
    if thief.principal.has_second_factor {
        for _ in 0..stage.dice.between(1, 12) {
            let answer = stage.dice.pick(&[
                &SECOND_FACTOR_FAILED,
                &SECOND_FACTOR_FAILED,
                &SECOND_FACTOR_NEEDED,
                &SECOND_FACTOR_ASKED,
            ]);
            stage.sign_in_as(thief, at).answered(answer);
            at += stage.dice.seconds(20.0, 400.0);
        }
    }
    stage.sign_in_as(thief, at);
    at
}

/// What access is worth: machines that mine, or keys, or a friend who may come back.
fn takes_profit(stage: &mut Stage<'_>, mut worker: Worker) {
    match stage.dice.below(4) {
        0 => {
            read_keys(stage, &mut worker, 2, 7);
            grants_to_a_friend(stage, &mut worker);
        }
        1 => {
            grants_to_a_friend(stage, &mut worker);
            machines(stage, &mut worker);
        }
        _ => machines(stage, &mut worker),
    }
    found_after(stage, 14, 120);
}

/// Lets in a guest of its own, who gets a role.
fn grants_to_a_friend(stage: &mut Stage<'_>, worker: &mut Worker) {
    let address = worker.caller.address.clone().unwrap_or_default();
    let friend = guest(stage, &address, Role::Contributor);
    stage.by(&friend);
    worker.wait(stage, 30.0, 900.0);
    let (at, caller) = (worker.at, worker.caller.clone());
    stage.directory_act(at, &caller, |by| by.invites(&friend, &friend.caller));
    worker.wait(stage, 20.0, 1_200.0);
    let scope = format!("/subscriptions/{}", stage.subscription.id);
    let to = (Role::Contributor, &*friend);
    let grant = Action::grant_role(worker.at, worker.caller.clone(), to, &scope, &mut stage.dice);
    stage.uses(&grant.resource);
    stage.script.actions.push(grant);
}

fn machines(stage: &mut Stage<'_>, worker: &mut Worker) {
    let group = hasty_name(stage);
    worker.makes_group(stage, &group);
    let region_count = stage.dice.between(1, 3) as usize;
    let regions = stage.unused_regions(region_count);
    let (sizes, pool) = (dear_sizes(stage), stage.pool());
    let rig = Rig {
        group: &group,
        regions: &regions,
        sizes: &sizes,
        count: stage.dice.between(3, 14),
        refused_share: stage.dice.real(0.0, 0.35),
        pool: Some(&pool),
    };
    build(stage, worker, &rig);
}

/// The session of a person who signed in as on any day is used from another country: its cookie was taken by
/// a page in the middle, which then is where the person signed in, or from the person's computer. No password
/// and no second factor are asked for. Sometimes the thief registers a second factor before it works. Storm-1167
/// (Microsoft, June 2023); Scattered Spider and sellers of stolen cookies (CISA AA23-320A); MITRE T1539,
/// T1550.004, T1557, T1098.005.
pub(crate) fn stolen_token(stage: &mut Stage<'_>) {
    let victim = stage.known_person();
    stage.by(&victim);
    let at = stage.start;
    let through_a_page = stage.dice.chance(0.45);
    let session = if through_a_page {
        let page = victim.at(strange_address(stage));
        let session = stage.dice.guid();
        stage.sign_in_as(&page, at).with(&OFFICE_HOME, &EXCHANGE).in_session(session);
        Some(session)
    } else {
        let desk = stage.at_desk(&victim, at);
        stage.sign_in_as(&desk, at);
        stage.session_of(&victim, at)
    };
    let wait = stage.dice.pick(&[(60.0, 900.0), (900.0, 7_200.0), (7_200.0, 30_000.0)]);
    let mut used_at = at + stage.dice.seconds(wait.0, wait.1);
    let thief = victim.at(strange_address(stage));
    let device = Device::foreign(&mut stage.dice);
    let looks_around = stage.dice.between(0, 3);
    for number in 0..=looks_around {
        let (client, target) = match number == looks_around {
            true => (&PORTAL, &RESOURCE_MANAGER),
            false => stage.dice.pick(&[(&OFFICE_HOME, &EXCHANGE), (&OFFICE, &GRAPH)]),
        };
        let used = stage.sign_in_as(&thief, used_at);
        used.with(client, target).non_interactive().on(device.clone());
        used.session = session;
        used_at += stage.dice.seconds(10.0, 1_500.0);
    }
    if stage.dice.chance(0.35) {
        stage.directory_act(used_at, &thief, |by| by.registers_second_factor(&victim));
        used_at += stage.dice.seconds(60.0, 3_000.0);
    }
    stage.start = used_at;
    let worker = Worker::new(stage, thief);
    takes_profit(stage, worker);
}

/// A hijacked administrator gives a secret to an application that is there: to the application, or to its
/// service principal alone, where nobody looks; sometimes after making itself its owner, or granting it
/// more. Hours or days later the application signs in with it from a new place and deploys, while its
/// owner's pipeline goes on with the old one. Midnight Blizzard (Microsoft, January 2024); Storm-1283
/// (Microsoft, December 2023); NOBELIUM (Microsoft, December 2020); MITRE T1098.001, T1078.004.
pub(crate) fn app_backdoor(stage: &mut Stage<'_>) {
    let Some(app) = stage.app() else { return };
    let admin = Arc::clone(&stage.subscription.operators[0]);
    let thief = admin.at(strange_address(stage));
    stage.by(&admin);
    let at = gets_past_second_factor(stage, &thief, stage.start);
    let mut at = at + stage.dice.seconds(60.0, 3_600.0);
    if stage.dice.chance(0.3) {
        stage.directory_act(at, &thief, |by| by.adds_owner(app, &admin));
        at += stage.dice.seconds(20.0, 900.0);
    }
    let key = adds_secret(stage, &thief, app, at);
    if stage.dice.chance(0.3) {
        at += stage.dice.seconds(30.0, 1_200.0);
        let permission = stage.dice.pick(&["Application.ReadWrite.All", "Directory.Read.All", "Mail.Read"]);
        stage.directory_act(at, &thief, |by| by.grants_app_role(app, permission));
    }
    let wait = stage.dice.pick(&[(120.0, 3_600.0), (3_600.0, 40_000.0), (40_000.0, 150_000.0)]);
    at += stage.dice.seconds(wait.0, wait.1);
    stage.by(&app.service_principal);
    let address = match stage.dice.chance(0.4) {
        true => thief.address.clone().unwrap_or_default(),
        false => address::hostile(&mut stage.dice),
    };
    let backdoor = app.service_principal.at(address);
    if stage.dice.chance(0.5) {
        stage.sign_in_as(&backdoor, at).for_graph().with_credential(key);
        at += stage.dice.seconds(5.0, 1_800.0);
    }
    stage.start = at + stage.dice.seconds(2.0, 300.0);
    let mut worker = Worker::new(stage, backdoor.clone());
    if stage.dice.chance(0.3) {
        read_keys(stage, &mut worker, 1, 4);
        worker.wait(stage, 60.0, 4_000.0);
    }
    machines(stage, &mut worker);
    found_after(stage, 12, 110);
    shows_secret(stage, &backdoor, at, key);
}

fn adds_secret(stage: &mut Stage<'_>, thief: &Caller, app: &App, at: DateTime<Utc>) -> Uuid {
    let name = stage.dice.pick(&["", "test", "backup", "key2", "rotated"]);
    let old = Secret { key: app.key_at(at), name: "rotated" };
    let new = Secret { key: stage.dice.guid(), name };
    let hidden = stage.dice.chance(0.4);
    stage.directory_act(at, thief, |by| match hidden {
        true => by.adds_hidden_secret(app, &[old], &[old, new]),
        false => by.changes_secrets(app, &[old], &[old, new]),
    });
    new.key
}

/// Tokens last an hour or some: the backdoor signs in again and again while it works.
fn shows_secret(stage: &mut Stage<'_>, backdoor: &Caller, first_at: DateTime<Utc>, key: Uuid) {
    let own = |action: &&Action| {
        action.caller.as_ref().is_some_and(|caller| {
            Arc::ptr_eq(&caller.principal, &backdoor.principal) && caller.address == backdoor.address
        })
    };
    let mut worked: Vec<DateTime<Utc>> =
        stage.script.actions.iter().filter(own).map(|action| action.at).collect();
    worked.sort_unstable();
    let mut token_at: Option<DateTime<Utc>> = None;
    for at in worked {
        if token_at.is_none_or(|token_at| at - token_at > TimeDelta::hours(1)) {
            let signed_in_at = (at - stage.dice.seconds(0.5, 30.0)).max(first_at);
            stage.sign_in_as(backdoor, signed_in_at).with_credential(key);
            token_at = Some(at);
        }
    }
}
