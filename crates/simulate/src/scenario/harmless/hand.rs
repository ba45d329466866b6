//! Somebody honest at work: one thing after the other, under a change or without one.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::estate::{Caller, Principal};
use crate::scenario::Stage;
use crate::script::Action;

/// Seconds between two operations of a program: at once, or a while apart.
const PROGRAM_PACES: [(f64, f64); 3] = [(0.4, 4.0), (1.0, 12.0), (15.0, 90.0)];
/// Of a person: a script, the portal in a hurry, the portal with thought.
const PERSON_PACES: [(f64, f64); 4] = [(1.0, 8.0), (8.0, 60.0), (25.0, 240.0), (60.0, 600.0)];

/// One who asks for one operation after the other.
pub(super) struct Hand {
    pub(super) caller: Caller,
    /// When the last operation was asked for.
    pub(super) at: DateTime<Utc>,
    /// Seconds between two.
    pace: (f64, f64),
    ticket: Option<String>,
}

impl Hand {
    /// Somebody at a usual address, from now on, at a pace by chance.
    pub(super) fn new(stage: &mut Stage<'_>, who: &Arc<Principal>, at: DateTime<Utc>) -> Self {
        stage.by(who);
        let paces: &[(f64, f64)] = if who.is_person() { &PERSON_PACES } else { &PROGRAM_PACES };
        Self { caller: who.at_usual_address(&mut stage.dice), at, pace: stage.dice.pick(paces), ticket: None }
    }

    /// The same, under a change, if there is one.
    pub(super) fn under(mut self, ticket: Option<&str>) -> Self {
        self.ticket = ticket.map(str::to_owned);
        self
    }

    /// Does nothing for so many seconds.
    pub(super) fn wait(&mut self, stage: &mut Stage<'_>, low: f64, high: f64) {
        self.at += stage.dice.seconds(low, high);
    }

    /// Does nothing for so many minutes.
    pub(super) fn pause(&mut self, minutes: i64) {
        self.at += TimeDelta::minutes(minutes);
    }

    /// The next operation, to be shaped further.
    pub(super) fn act(&mut self, stage: &mut Stage<'_>, operation: &'static str, resource: &str) -> Action {
        self.wait(stage, self.pace.0, self.pace.1);
        stage.uses(resource);
        let caller = self.caller.clone();
        Action::new(self.at, caller, operation, resource.to_owned(), &mut stage.dice)
            .under(self.ticket.as_deref())
    }

    /// The next operation, done at once.
    pub(super) fn does(&mut self, stage: &mut Stage<'_>, operation: &'static str, resource: &str) {
        let action = self.act(stage, operation, resource);
        stage.script.actions.push(action);
    }

    /// The next operation, settled later, on a resource that is there.
    pub(super) fn starts(&mut self, stage: &mut Stage<'_>, operation: &'static str, resource: &str) {
        let action = self.act(stage, operation, resource).accepted(false, &mut stage.dice);
        stage.script.actions.push(action);
    }

    /// Writes something with a body that is done at once: a setting.
    pub(super) fn sets(
        &mut self,
        stage: &mut Stage<'_>,
        (operation, resource_type): (&'static str, &str),
        resource: &str,
        body: &Value,
    ) {
        let action = self.act(stage, operation, resource).echoed(body, resource_type);
        stage.script.actions.push(action);
    }

    /// Makes a resource.
    pub(super) fn makes(
        &mut self,
        stage: &mut Stage<'_>,
        (operation, resource_type): (&'static str, &str),
        resource: &str,
        body: &Value,
    ) {
        let action = self.act(stage, operation, resource);
        let action = action.accepted(true, &mut stage.dice).echoed(body, resource_type);
        stage.script.actions.push(action);
    }

    /// A new resource group.
    pub(super) fn makes_group(&mut self, stage: &mut Stage<'_>, name: &str) {
        let path = stage.subscription.group(name);
        self.does(stage, "Microsoft.Resources/subscriptions/resourceGroups/write", &path);
    }
}
