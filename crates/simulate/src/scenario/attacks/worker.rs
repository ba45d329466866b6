//! Somebody with access that is not theirs, at work: who it is, from where, and how fast.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::intruder;
use crate::estate::{Caller, Principal, address};
use crate::scenario::Stage;
use crate::script::Action;

/// Seconds between two operations: a script, a tool with pauses, a person at the portal, a patient one.
const PACES: [(f64, f64); 7] =
    [(0.4, 4.0), (0.4, 4.0), (3.0, 30.0), (3.0, 30.0), (25.0, 260.0), (25.0, 260.0), (200.0, 1_500.0)];

/// One who asks for one operation after the other.
pub(super) struct Worker {
    pub(super) caller: Caller,
    /// When the last operation was asked for.
    pub(super) at: DateTime<Utc>,
    /// Seconds between two.
    pace: (f64, f64),
}

impl Worker {
    /// Begins at the stage's start, at a pace by chance.
    pub(super) fn new(stage: &mut Stage<'_>, caller: Caller) -> Self {
        Self { caller, at: stage.start, pace: stage.dice.pick(&PACES) }
    }

    /// One who takes over from here.
    pub(super) fn successor(&self, stage: &mut Stage<'_>, caller: Caller) -> Self {
        Self { caller, at: self.at, pace: stage.dice.pick(&PACES) }
    }

    /// Does nothing for so many seconds.
    pub(super) fn wait(&mut self, stage: &mut Stage<'_>, low: f64, high: f64) {
        self.at += stage.dice.seconds(low, high);
    }

    /// The next operation, to be shaped further.
    pub(super) fn act(&mut self, stage: &mut Stage<'_>, operation: &'static str, resource: String) -> Action {
        self.at += stage.dice.seconds(self.pace.0, self.pace.1);
        Action::new(self.at, self.caller.clone(), operation, resource, &mut stage.dice)
    }

    /// The next operation, done at once, on a resource that is there.
    pub(super) fn does(&mut self, stage: &mut Stage<'_>, operation: &'static str, resource: &str) {
        stage.uses(resource);
        let action = self.act(stage, operation, resource.to_owned());
        stage.script.actions.push(action);
    }

    /// The next operation, settled later, on a resource that is there.
    pub(super) fn starts(&mut self, stage: &mut Stage<'_>, operation: &'static str, resource: &str) {
        stage.uses(resource);
        let action = self.act(stage, operation, resource.to_owned()).accepted(false, &mut stage.dice);
        stage.script.actions.push(action);
    }

    /// A new resource group.
    pub(super) fn makes_group(&mut self, stage: &mut Stage<'_>, name: &str) {
        self.wait(stage, self.pace.0, self.pace.1);
        stage.make_group(name, self.at, self.caller.clone());
    }
}

/// Who has come in: a person's account, a new guest's, or the secret of the pipeline.
pub(super) fn entry(stage: &mut Stage<'_>) -> Caller {
    match stage.dice.below(10) {
        0..=3 => stolen_account(stage),
        4..=7 => intruder(stage),
        _ => leaked_secret(stage),
    }
}

/// The account of a person who works on the subscription, used from where that person never was.
pub(super) fn stolen_account(stage: &mut Stage<'_>) -> Caller {
    let victim = stage.known_person();
    away_from_home(stage, &victim)
}

/// The account of the customer's first administrator: an Owner, who may say who else may do what.
pub(super) fn stolen_owner(stage: &mut Stage<'_>) -> Caller {
    let victim = Arc::clone(&stage.subscription.operators[0]);
    away_from_home(stage, &victim)
}

/// The pipeline's service principal, used from where no build ever ran.
pub(super) fn leaked_secret(stage: &mut Stage<'_>) -> Caller {
    let pipeline = Arc::clone(&stage.subscription.pipeline);
    away_from_home(stage, &pipeline)
}

/// A principal at an address that is not its own: rented, or somebody's line at home that is for sale.
pub(super) fn away_from_home(stage: &mut Stage<'_>, victim: &Arc<Principal>) -> Caller {
    stage.by(victim);
    victim.at(strange_address(stage))
}

pub(super) fn strange_address(stage: &mut Stage<'_>) -> String {
    if stage.dice.chance(0.7) { address::hostile(&mut stage.dice) } else { address::anyone(&mut stage.dice) }
}

/// Ends the attack after so many hours, if that is before the end: most are found. What would be ended
/// later goes on.
pub(super) fn found_after(stage: &mut Stage<'_>, low: i64, high: i64) {
    let at = stage.start + TimeDelta::hours(stage.dice.between(low, high));
    if at < stage.period.end - TimeDelta::hours(1) {
        stage.contain(at);
    }
}
