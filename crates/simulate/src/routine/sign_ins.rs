//! The day's sign-ins of a customer: those that the day's deeds take, an office that reads its mail, other
//! applications, and strangers who try doors.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::calendar::{midnight, next_midnight, office_moment};
use crate::catalog::answers::{BLOCKED_BY_POLICY, LOCKED, SECRET_EXPIRED, WRONG_PASSWORD, WRONG_SECRET};
use crate::catalog::applications::{EXCHANGE, GRAPH, OFFICE, OFFICE_HOME, OUTLOOK_MOBILE, SHAREPOINT, TEAMS};
use crate::catalog::{Network, WORLD, Whereabouts};
use crate::dice::Dice;
use crate::estate::{App, Caller, Customer, Device, Post, User, address};
use crate::routine::sessions::{Deed, interruptions, sign_ins_for};
use crate::script::{Risk, SignIn};

/// How often a person is at work on a workday, and on any other day.
const PRESENCE: (f64, f64) = (0.86, 0.06);
/// How often a present person signs in anew, and how often programs do it for them.
const OFFICE_SIGN_INS: (f64, f64) = (0.4, 0.65);
/// How often the telephone fetches mail under a new token.
const PHONE_SIGN_INS: f64 = 0.25;
/// How often a delegated administrator only looks.
const LOOKS: f64 = 0.03;
/// On how many days strangers try somebody's password.
const STRANGERS: f64 = 0.12;

/// The day's sign-ins, in no order.
pub(crate) fn ordinary_sign_ins(
    customer: &Customer,
    day: NaiveDate,
    deeds: Vec<Deed>,
    dice: &mut Dice,
) -> Vec<SignIn> {
    let directory = &customer.directory;
    let mut sign_ins = sign_ins_for(directory, deeds, &[], midnight(day), dice);
    for sign_in in &mut sign_ins {
        // Now and then somebody works from somewhere new: a guest network around the corner.
        let user = directory.user(&sign_in.principal);
        if user.is_some_and(|user| !user.is_known_at(&sign_in.address)) {
            sign_in.whereabouts = directory.nearby(&sign_in.principal, &sign_in.address);
        }
    }
    let routine = Day { customer, day };
    routine.office(dice, &mut sign_ins);
    routine.applications(dice, &mut sign_ins);
    if dice.chance(STRANGERS) {
        routine.strangers(dice, &mut sign_ins);
    }
    sign_ins
}

struct Day<'a> {
    customer: &'a Customer,
    day: NaiveDate,
}

impl Day<'_> {
    fn office(&self, dice: &mut Dice, sign_ins: &mut Vec<SignIn>) {
        let is_workday = self.customer.holidays.is_workday(self.day);
        let presence = if is_workday { PRESENCE.0 } else { PRESENCE.1 };
        for user in &self.customer.directory.users {
            let comes = match user.post {
                Post::Operator | Post::Staff => dice.chance(presence),
                Post::Delegated => is_workday && dice.chance(LOOKS),
            };
            if comes && user.principal.since <= midnight(self.day) {
                self.person(user, dice, sign_ins);
            }
        }
    }

    /// A person's day at the desk. Delegated administrators come to the portal only.
    fn person(&self, user: &User, dice: &mut Dice, sign_ins: &mut Vec<SignIn>) {
        let Some(mut first) = self.sign_in(user, dice) else { return };
        if user.post == Post::Delegated {
            sign_ins.push(first);
            return;
        }
        if dice.chance(OFFICE_SIGN_INS.0) {
            match dice.below(3) {
                0 => first.with(&OFFICE_HOME, &EXCHANGE),
                1 => first.with(&OFFICE_HOME, &SHAREPOINT),
                _ => first.with(&OFFICE, &EXCHANGE),
            };
            interruptions(&first, midnight(self.day), dice, sign_ins);
            sign_ins.push(first);
        }
        if dice.chance(OFFICE_SIGN_INS.1)
            && let Some(mut program) = self.sign_in(user, dice)
        {
            let (client, target) = dice.pick(&[(&TEAMS, &GRAPH), (&TEAMS, &GRAPH), (&OFFICE, &SHAREPOINT)]);
            program.with(client, target).non_interactive();
            if dice.chance(0.004) {
                program.answered(&BLOCKED_BY_POLICY);
            }
            sign_ins.push(program);
        }
        if dice.chance(PHONE_SIGN_INS) {
            self.phone(user, dice, sign_ins);
        }
    }

    /// The telephone uses its own network at home, and whatever there is on a journey.
    fn phone(&self, user: &User, dice: &mut Dice, sign_ins: &mut Vec<SignIn>) {
        let Some(mut mail) = self.sign_in(user, dice) else { return };
        if user.principal.addresses.contains(&mail.address) {
            mail.address.clone_from(&user.mobile);
            mail.whereabouts = self.customer.directory.whereabouts(&user.principal, &user.mobile);
        }
        let session = dice.guid();
        mail.with(&OUTLOOK_MOBILE, &EXCHANGE).non_interactive().on(user.phone.clone()).in_session(session);
        sign_ins.push(mail);
    }

    /// A sign-in from where the person is, at an hour at which people work there; none on the way.
    fn sign_in(&self, user: &User, dice: &mut Dice) -> Option<SignIn> {
        let noon = midnight(self.day) + TimeDelta::hours(12);
        let away = user.journeys.iter().find(|journey| (journey.leaves_at..journey.home_at).contains(&noon));
        let offset =
            away.map_or(self.customer.utc_offset_hours, |journey| journey.whereabouts.place.utc_offset_hours);
        let at = office_moment(self.day, offset, dice);
        let address = user.address_at(at)?.to_owned();
        let caller = user.principal.at(address);
        Some(SignIn::new(&self.customer.directory, at, &caller, dice))
    }

    /// Applications that have nothing to do with Azure, once a day; and on the day of a new secret the old
    /// one: it was too old before, or is shown once more.
    fn applications(&self, dice: &mut Dice, sign_ins: &mut Vec<SignIn>) {
        let today = midnight(self.day)..next_midnight(self.day);
        for app in &self.customer.directory.apps {
            // Those of pipelines sign in when they deploy. The others have no role in Azure.
            if app.service_principal.role.is_empty() && dice.chance(0.85) {
                let at = midnight(self.day) + TimeDelta::hours(4) + dice.seconds(0.0, 600.0);
                sign_ins.push(self.application(app, at, dice));
            }
            for (number, rotation) in app.rotations.iter().enumerate() {
                if !today.contains(rotation) || !dice.chance(0.3) {
                    continue;
                }
                let (at, answer) = match dice.chance(0.3) {
                    true => (*rotation - dice.seconds(60.0, 7_000.0), &SECRET_EXPIRED),
                    false => (*rotation + dice.seconds(60.0, 3_600.0), &WRONG_SECRET),
                };
                let mut stale = self.application(app, at, dice);
                stale.with_credential(app.key(number)).answered(answer);
                sign_ins.push(stale);
            }
        }
    }

    fn application(&self, app: &App, at: DateTime<Utc>, dice: &mut Dice) -> SignIn {
        let caller = app.service_principal.at_usual_address(dice);
        let mut sign_in = SignIn::new(&self.customer.directory, at, &caller, dice);
        sign_in.for_graph();
        sign_in
    }

    /// Somebody on the internet tries the passwords of one or two people, and does not get in.
    fn strangers(&self, dice: &mut Dice, sign_ins: &mut Vec<SignIn>) {
        let members: Vec<&User> = self.customer.directory.members_at(midnight(self.day)).collect();
        let address = address::anyone(dice);
        let whereabouts = Whereabouts {
            place: &WORLD[dice.below(WORLD.len())],
            autonomous_system: Network::Hosting.number(dice),
        };
        let device = Device::foreign(dice);
        let mut at = dice.moment(midnight(self.day), next_midnight(self.day) - TimeDelta::hours(1));
        let count = dice.between(1, 2) as usize;
        for user in dice.sample(&members, count) {
            for _ in 0..dice.between(1, 3) {
                at += dice.seconds(2.0, 300.0);
                let caller = Caller { principal: user.principal.clone(), address: Some(address.clone()) };
                let mut attempt = SignIn::new(&self.customer.directory, at, &caller, dice);
                let answer = dice.pick(&[&WRONG_PASSWORD, &WRONG_PASSWORD, &WRONG_PASSWORD, &LOCKED]);
                attempt.with(&OFFICE, &EXCHANGE).on(device.clone()).answered(answer);
                attempt.by_protocol(if dice.chance(0.5) { "ropc" } else { "none" });
                attempt.whereabouts = whereabouts;
                attempt.at_risk(Risk::None).asks_second_factor = false;
                sign_ins.push(attempt);
            }
        }
    }
}
