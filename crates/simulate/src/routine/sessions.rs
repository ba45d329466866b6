//! The sign-ins that deeds take: nobody acts without a token, and nobody gets one without signing in.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::catalog::answers::{
    PASSWORD_EXPIRED, SECOND_FACTOR_ASKED, SECOND_FACTOR_FAILED, SECOND_FACTOR_NEEDED, STAY_SIGNED_IN,
    WRONG_PASSWORD,
};
use crate::catalog::applications::{COMMAND_LINE, GRAPH, RESOURCE_MANAGER, Resource};
use crate::dice::Dice;
use crate::estate::{Caller, Directory};
use crate::script::{Action, Actor, DirectoryAct, Risk, SignIn, Way};

/// For so long a person who signed in stays so.
const PERSON_LASTS: TimeDelta = TimeDelta::hours(10);
/// For so long an application's token is used again. Some libraries keep it for an hour, some for a day.
const APPLICATION_LASTS: TimeDelta = TimeDelta::hours(4);
/// A person's token lasts so long; then the program gets another.
const TOKEN_LASTS: TimeDelta = TimeDelta::minutes(75);
/// How many of those renewals a session shows at most. Entra shows repeated ones as one, too.
const RENEWALS_MAX: usize = 2;
/// How often somebody who uses the command line at a usual address has signed in on an earlier day.
const REMEMBERED: f64 = 0.5;

/// Something that takes a token.
pub(crate) struct Deed {
    at: DateTime<Utc>,
    caller: Caller,
    target: &'static Resource,
}

impl Deed {
    /// An operation on a resource; none if Azure itself did it.
    pub(crate) fn of_action(action: &Action) -> Option<Self> {
        let caller = action.caller.clone().filter(|caller| caller.address.is_some())?;
        Some(Self { at: action.at, caller, target: &RESOURCE_MANAGER })
    }

    /// A change to the directory; none if Entra itself did it.
    pub(crate) fn of_act(act: &DirectoryAct) -> Option<Self> {
        let caller = match &act.actor {
            Actor::Person(caller) => caller.clone(),
            Actor::Application(principal, _) => {
                Caller { principal: principal.clone(), address: principal.addresses.first().cloned() }
            }
            Actor::Service(_) => return None,
        };
        caller.address.is_some().then_some(Self { at: act.at, caller, target: &GRAPH })
    }
}

/// The sign-ins that deeds take beside those that are there, in no order. None is before `earliest`.
pub(crate) fn sign_ins_for(
    directory: &Directory,
    deeds: Vec<Deed>,
    there: &[SignIn],
    earliest: DateTime<Utc>,
    dice: &mut Dice,
) -> Vec<SignIn> {
    let mut sessions: BTreeMap<_, Vec<Deed>> = BTreeMap::new();
    for deed in deeds {
        let is_person = deed.caller.principal.is_person();
        // A person's browser gets tokens for all; an application asks for each.
        let target = if is_person { "" } else { deed.target.id };
        let key = (deed.caller.principal.object_id, deed.caller.address.clone(), target);
        sessions.entry(key).or_default().push(deed);
    }
    let mut sign_ins = Vec::new();
    for mut deeds in sessions.into_values() {
        deeds.sort_by_key(|deed| deed.at);
        one_place(directory, &deeds, there, earliest, dice, &mut sign_ins);
    }
    sign_ins
}

/// Those of one principal at one address.
fn one_place(
    directory: &Directory,
    deeds: &[Deed],
    there: &[SignIn],
    earliest: DateTime<Utc>,
    dice: &mut Dice,
    sign_ins: &mut Vec<SignIn>,
) {
    let mut session: Option<(SignIn, usize)> = None;
    let mut token_at = earliest;
    for deed in deeds {
        let caller = &deed.caller;
        let lasts = if caller.principal.is_person() { PERSON_LASTS } else { APPLICATION_LASTS };
        let covers = |sign_in: &&SignIn| {
            sign_in.succeeded()
                && sign_in.principal.object_id == caller.principal.object_id
                && Some(&sign_in.address) == caller.address.as_ref()
                && (deed.at - lasts..=deed.at).contains(&sign_in.at)
        };
        if let Some(scripted) = there.iter().filter(covers).max_by_key(|sign_in| sign_in.at) {
            token_at = deed.at;
            session = Some((scripted.clone(), 0));
            continue;
        }
        match &mut session {
            Some((sign_in, renewals)) if deed.at - sign_in.at < lasts => {
                if deed.at - token_at >= TOKEN_LASTS && *renewals < RENEWALS_MAX {
                    renew(sign_in, deed.at, dice, sign_ins);
                    *renewals += 1;
                    token_at = deed.at;
                }
            }
            _ => {
                let sign_in = sign_in_before(directory, deed, earliest, dice);
                if sign_in.way == Way::Interactive {
                    interruptions(&sign_in, earliest, dice, sign_ins);
                }
                sign_ins.push(sign_in.clone());
                token_at = deed.at;
                session = Some((sign_in, 0));
            }
        }
    }
}

fn sign_in_before(directory: &Directory, deed: &Deed, earliest: DateTime<Utc>, dice: &mut Dice) -> SignIn {
    let is_person = deed.caller.principal.is_person();
    let lead = if is_person { dice.seconds(40.0, 1_500.0) } else { dice.seconds(2.0, 40.0) };
    let at = (deed.at - lead).max(deed.at - (deed.at - earliest) / 2);
    let mut sign_in = SignIn::new(directory, at, &deed.caller, dice);
    let is_usual =
        deed.caller.address.as_ref().is_some_and(|own| deed.caller.principal.addresses.contains(own));
    if !is_person {
        sign_in.target = deed.target;
    } else if sign_in.app.0 == COMMAND_LINE.id && is_usual && dice.chance(REMEMBERED) {
        sign_in.non_interactive();
    }
    sign_in
}

/// A program renews a person's token. An application's renewals are sign-ins of their own, later.
fn renew(session: &SignIn, until: DateTime<Utc>, dice: &mut Dice, sign_ins: &mut Vec<SignIn>) {
    if session.way == Way::Application {
        return;
    }
    let at = until - dice.seconds(0.5, 60.0);
    let (id, correlation) = (dice.guid(), dice.guid());
    let mut renewal = SignIn { at, id, correlation, ..session.clone() };
    renewal.non_interactive();
    sign_ins.push(renewal);
}

/// What comes before a person is in: a wrong password, a second factor that is asked for, refused or late,
/// a password that is too old.
pub(crate) fn interruptions(
    sign_in: &SignIn,
    earliest: DateTime<Utc>,
    dice: &mut Dice,
    sign_ins: &mut Vec<SignIn>,
) {
    let mut at = sign_in.at;
    let mut before = |answer, dice: &mut Dice| {
        at -= dice.seconds(4.0, 30.0);
        let mut attempt = sign_in.try_before(at, answer, dice);
        if *answer == WRONG_PASSWORD {
            // Neither policy nor risk is asked before the password is right.
            attempt.at_risk(Risk::None).asks_second_factor = false;
        }
        if at >= earliest {
            sign_ins.push(attempt);
        }
    };
    if sign_in.asks_second_factor {
        match dice.below(100) {
            0..=6 => before(&SECOND_FACTOR_NEEDED, dice),
            7..=11 => before(&SECOND_FACTOR_ASKED, dice),
            12 => before(&SECOND_FACTOR_FAILED, dice),
            _ => {}
        }
    }
    match dice.below(1_000) {
        0..=24 => {
            for _ in 0..dice.between(1, 3) {
                before(&WRONG_PASSWORD, dice);
            }
        }
        25..=28 => before(&PASSWORD_EXPIRED, dice),
        29..=60 => before(&STAY_SIGNED_IN, dice),
        _ => {}
    }
}
