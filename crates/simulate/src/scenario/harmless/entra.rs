//! Honest sign-ins from far away, and honest changes of secrets.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;

use super::{a_little_later, change_ticket, in_office, lasting_machines, workdays};
use crate::catalog::answers::{SECOND_FACTOR_ASKED, WRONG_PASSWORD};
use crate::catalog::{Place, WORLD};
use crate::estate::{App, Caller, address};
use crate::scenario::Stage;
use crate::script::{Action, Secret};

/// Somebody who works on the subscription travels to another country, as fast as airliners fly, and works
/// from the hotel for some days: every address is new, and nothing else is.
pub(crate) fn business_trip(stage: &mut Stage<'_>) {
    let people: Vec<_> =
        stage.subscription.operators.iter().filter(|person| person.since < stage.start).cloned().collect();
    let person = stage.dice.pick(&people);
    stage.by(&person);
    let Some(day) = workdays(stage, 1).first().copied() else { return };
    let leaves_at = in_office(stage, day) + stage.dice.seconds(1_800.0, 14_400.0);
    let there = destination(stage);
    let stay = TimeDelta::hours(stage.dice.between(18, 130));
    let (traveller, arrives_at) = stage.travels(&person, there, leaves_at, stay);
    let mut at = arrives_at + stage.dice.seconds(900.0, 30_000.0).min(stay / 2);
    if stage.dice.chance(0.25) {
        stage.sign_in_as(&traveller, at).answered(&WRONG_PASSWORD);
        at += stage.dice.seconds(5.0, 40.0);
    }
    if person.has_second_factor {
        stage.sign_in_as(&traveller, at).answered(&SECOND_FACTOR_ASKED);
        at += stage.dice.seconds(8.0, 60.0);
    }
    stage.sign_in_as(&traveller, at);
    if stage.dice.chance(0.15) {
        // The telephone was left at home.
        let registered_at = at + stage.dice.seconds(60.0, 1_200.0);
        stage.directory_act(registered_at, &traveller, |by| by.registers_second_factor(&person));
    }
    let leaves_again_at = arrives_at + stay;
    for _ in 0..stage.dice.between(1, 9) {
        at += stage.dice.seconds(120.0, 20_000.0);
        if at >= leaves_again_at {
            break;
        }
        works(stage, &traveller, at);
    }
}

fn destination(stage: &mut Stage<'_>) -> &'static Place {
    let home = stage.customer.directory.city();
    let is_far = stage.dice.chance(0.4);
    let abroad: Vec<&'static Place> = WORLD
        .iter()
        .filter(|place| place.country != home.country)
        .filter(|place| (home.journey_to(place) > TimeDelta::hours(9)) == is_far)
        .collect();
    if abroad.is_empty() { &WORLD[0] } else { stage.dice.pick(&abroad) }
}

/// A little of what people do every day.
fn works(stage: &mut Stage<'_>, who: &Caller, at: chrono::DateTime<chrono::Utc>) {
    let code = stage.subscription.workload.code();
    let group = format!("rg-{code}-prod");
    let number = stage.dice.between(1, 6);
    let machines = lasting_machines(stage);
    let (operation, resource) = match stage.dice.below(4) {
        0 if !machines.is_empty() => {
            ("Microsoft.Compute/virtualMachines/restart/action", stage.dice.pick(&machines).id.clone())
        }
        1 => (
            "Microsoft.Web/sites/config/write",
            stage.subscription.resource(&group, "Microsoft.Web/sites", &format!("{code}{number:02}")),
        ),
        2 => (
            "Microsoft.Insights/metricAlerts/write",
            stage.subscription.resource(
                &group,
                "Microsoft.Insights/metricAlerts",
                &format!("{code}{number:02}"),
            ),
        ),
        _ => (
            "Microsoft.Resources/tags/write",
            stage.subscription.resource(&group, "Microsoft.Resources/tags", &format!("{code}{number:02}")),
        ),
    };
    stage.uses(&resource);
    let action = Action::new(at, who.clone(), operation, resource, &mut stage.dice);
    stage.script.actions.push(action);
}

/// A known administrator gives the pipeline's application a new secret, and often some others, too; the
/// pipeline deploys with it soon after, now and then from a new build agent; the old secret is removed.
pub(crate) fn secret_rotation(stage: &mut Stage<'_>) {
    let Some(app) = stage.app() else { return };
    let admin = Arc::clone(&stage.subscription.operators[0]);
    stage.by(&admin);
    stage.by(&app.service_principal);
    let Some(day) = workdays(stage, 1).first().copied() else { return };
    let ticket = stage.dice.chance(0.6).then(|| change_ticket(stage));
    let mut at = in_office(stage, day);
    let desk = stage.at_desk(&admin, at);
    let new = rotates(stage, &desk, app, at);
    let others: Vec<&App> =
        stage.customer.directory.apps.iter().filter(|other| other.name != app.name).collect();
    let more = stage.dice.between(0, 3) as usize;
    for other in stage.dice.sample(&others, more) {
        at = a_little_later(stage, at);
        rotates(stage, &desk, other, at);
    }
    let deployed_at = at + stage.dice.seconds(120.0, 9_000.0);
    let agent = if stage.dice.chance(0.3) {
        app.service_principal.at(address::service(&mut stage.dice))
    } else {
        app.service_principal.at_usual_address(&mut stage.dice)
    };
    let signed_in_at = deployed_at - stage.dice.seconds(2.0, 40.0);
    stage.sign_in_as(&agent, signed_in_at).with_credential(new);
    deploys(stage, &agent, deployed_at, ticket.as_deref());
}

/// A new secret beside the old one, which is removed hours or days later. The id of the new one.
fn rotates(stage: &mut Stage<'_>, desk: &Caller, app: &App, at: chrono::DateTime<chrono::Utc>) -> uuid::Uuid {
    let name = format!("{}-{}", app.name, at.format("%Y%m"));
    let old = Secret { key: app.key_at(at), name: "rotated" };
    let new = Secret { key: stage.dice.guid(), name: &name };
    stage.directory_act(at, desk, |by| by.changes_secrets(app, &[old], &[old, new]));
    stage.uses_secret(app, at, new.key);
    let removed_at = at + stage.dice.seconds(3_600.0, 25_000.0);
    let desk = stage.at_desk(&desk.principal, removed_at);
    stage.directory_act(removed_at, &desk, |by| by.changes_secrets(app, &[old, new], &[new]));
    new.key
}

fn deploys(stage: &mut Stage<'_>, agent: &Caller, at: chrono::DateTime<chrono::Utc>, ticket: Option<&str>) {
    let code = stage.subscription.workload.code();
    let group = format!("rg-{code}-prod");
    let name = format!("release-{}", stage.dice.between(1_000, 9_999));
    let deployment = stage.subscription.resource(&group, "Microsoft.Resources/deployments", &name);
    stage.uses(&deployment);
    let body = json!({"properties": {"mode": "Incremental"}});
    let mut parent =
        Action::new(at, agent.clone(), "Microsoft.Resources/deployments/write", deployment, &mut stage.dice)
            .accepted(true, &mut stage.dice)
            .asking(&body);
    parent.change_ticket = ticket.map(str::to_owned);
    let correlation = parent.correlation;
    stage.script.actions.push(parent);
    for number in 1..=stage.dice.between(1, 3) {
        let site = stage.subscription.resource(&group, "Microsoft.Web/sites", &format!("{code}{number:02}"));
        let child_at = at + stage.dice.seconds(2.0, 30.0);
        let child = Action::new(child_at, agent.clone(), "Microsoft.Web/sites/write", site, &mut stage.dice)
            .accepted(false, &mut stage.dice)
            .within(correlation);
        stage.script.actions.push(child);
    }
}
