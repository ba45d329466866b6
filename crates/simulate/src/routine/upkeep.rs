//! The day's upkeep: what people and programs of a subscription do by habit and intruders do, too.
//!
//! It rolls dice of its own, so that a change here leaves the rest of the day as it is.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};

use super::chores;
use crate::calendar::{midnight, next_midnight, office_moment};
use crate::dice::Dice;
use crate::estate::{Caller, Customer, Habit, Subscription, When};
use crate::script::{Action, Failure};

/// Of a hundred chores so many fail: something else goes on with the resource.
const FAILURES_IN_A_HUNDRED: usize = 2;

/// Appends the day's upkeep, in no order.
pub(crate) fn upkeep(
    customer: &Customer,
    subscription: &Subscription,
    day: NaiveDate,
    actions: &mut Vec<Action>,
) {
    let purpose = format!("upkeep of {}", subscription.id);
    let mut dice = Dice::new(0, &purpose, day.num_days_from_ce() as u64);
    let dice = &mut dice;
    let business = customer.holidays.business(day);
    for (number, habit) in subscription.upkeep.habits.iter().enumerate() {
        let mean = if habit.when == When::Office { habit.a_day * business } else { habit.a_day };
        for _ in 0..dice.count(mean) {
            let at = moment(customer, day, habit.when, dice);
            // New colleagues have habits only once they are there.
            if habit.who.since <= at {
                sitting(subscription, number, habit, at, dice, actions);
            }
        }
    }
}

fn moment(customer: &Customer, day: NaiveDate, when: When, dice: &mut Dice) -> DateTime<Utc> {
    match when {
        When::Office => office_moment(day, customer.utc_offset_hours, dice),
        When::Night => midnight(day) + TimeDelta::hours(2) + dice.seconds(0.0, 9_000.0),
        When::Always => dice.moment(midnight(day), next_midnight(day) - TimeDelta::minutes(20)),
    }
}

/// One time at which somebody follows a habit: one or a few things after each other.
fn sitting(
    subscription: &Subscription,
    number: usize,
    habit: &Habit,
    at: DateTime<Utc>,
    dice: &mut Dice,
    actions: &mut Vec<Action>,
) {
    let caller: Caller = habit.who.at_usual_address(dice);
    let is_program = habit.who.principal_type == "ServicePrincipal";
    let mut at = at;
    for _ in 0..dice.between(habit.at_once.0, habit.at_once.1) {
        let before = actions.len();
        chores::perform(subscription, habit, number, (at, &caller), dice, actions);
        let fails = dice.below(100) < FAILURES_IN_A_HUNDRED;
        if fails && actions.get(before).is_some_and(|action| action.category == "Administrative") {
            // What would have followed from it is left out.
            actions.truncate(before + 1);
            let failed = actions.pop().map(|action| action.failed(Failure::conflict()));
            actions.extend(failed);
        }
        at += if is_program { dice.seconds(1.0, 30.0) } else { dice.seconds(20.0, 240.0) };
    }
}

#[cfg(test)]
mod tests;
