//! Look-alikes: what honest people and machines do that looks like an attack on one of its sides.

mod access;
mod care;
mod compute;
mod entra;
mod environments;
mod hand;
mod offerings;
mod platform;
mod thrift;
mod traffic;

pub(crate) use access::{has_old_machines, key_rotation, new_administrator, rotates_keys, vendor_support};
pub(crate) use care::{backup_policy_change, firewall_opened_for_office, patches_machines, patching};
pub(crate) use compute::{autoscale_burst, gpu_trial, month_end_batch, new_region, planned_migration};
pub(crate) use entra::{business_trip, secret_rotation};
pub(crate) use environments::{disaster_recovery_test, environment_teardown};
pub(crate) use offerings::{batch_render_job, container_release, has_data_scientists, ml_training};
pub(crate) use platform::{
    automation_rollout, is_young, logging_migration, policy_rollout, subscription_onboarding,
};
pub(crate) use thrift::{cost_cleanup, quota_raise_planned};
pub(crate) use traffic::{backup_upload, monitoring_heartbeat};

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

use crate::calendar::office_moment;
use crate::estate::Machine;
use crate::scenario::Stage;

/// The number of a change in the customer's ticket system.
fn change_ticket(stage: &mut Stage<'_>) -> String {
    format!("CHG{:07}", stage.dice.between(10_000, 99_999))
}

/// The next `count` workdays of the customer from the start on.
fn workdays(stage: &Stage<'_>, count: usize) -> Vec<NaiveDate> {
    let first = stage.start.date_naive() + Days::new(1);
    let holidays = &stage.customer.holidays;
    first.iter_days().take(count * 4 + 14).filter(|day| holidays.is_workday(*day)).take(count).collect()
}

/// A moment in the office hours of a day.
fn in_office(stage: &mut Stage<'_>, day: NaiveDate) -> DateTime<Utc> {
    office_moment(day, stage.customer.utc_offset_hours, &mut stage.dice)
}

/// An hour or so later, for things done one after the other.
fn a_little_later(stage: &mut Stage<'_>, at: DateTime<Utc>) -> DateTime<Utc> {
    at + stage.dice.seconds(40.0, 600.0).max(TimeDelta::seconds(1))
}

/// Machines that were there before the start and stay.
fn lasting_machines<'a>(stage: &Stage<'a>) -> Vec<&'a Machine> {
    let there = |machine: &&Machine| {
        machine.capacity.is_none() && machine.from < stage.start && machine.until > stage.period.end
    };
    stage.subscription.script.machines.iter().filter(there).collect()
}

#[cfg(test)]
mod tests;
