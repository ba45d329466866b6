//! What is believable about habits.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::*;
use crate::calendar::Period;
use crate::estate::{Chore, Partner};
use crate::routine::ordinary_actions;
use crate::settings::Settings;

const CUSTOMERS: u32 = 60;
const DAYS: u32 = 60;

fn settings() -> Settings {
    Settings {
        seed: 11,
        customers: CUSTOMERS,
        days: DAYS,
        end: "2026-05-01T00:00:00Z".parse().unwrap(),
        partner_tenant_id: "0f0e0d0c-0000-4000-8000-0000000000aa".parse().unwrap(),
    }
}

fn customers() -> (Period, Vec<Customer>) {
    let settings = settings();
    let period = Period::new(&settings);
    let partner = Partner::new(&settings, &period);
    let all = (0..CUSTOMERS).map(|number| Customer::new(&settings, &period, &partner, number)).collect();
    (period, all)
}

fn records(actions: &[Action]) -> usize {
    use crate::script::Outcome;
    let count = |action: &Action| match action.outcome {
        Outcome::Done | Outcome::Failed(_) => 2,
        Outcome::Accepted { .. } => 3,
        Outcome::Noted => 1,
    };
    actions.iter().map(count).sum()
}

fn upkeep_of(customer: &Customer, subscription: &Subscription, days: &[NaiveDate]) -> Vec<Action> {
    let mut actions = Vec::new();
    for day in days {
        upkeep(customer, subscription, *day, &mut actions);
    }
    actions
}

#[test]
fn the_same_day_comes_out_the_same() {
    let (period, customers) = customers();
    let days: Vec<NaiveDate> = period.days().collect();
    let again = self::customers().1;
    for (customer, twin) in customers.iter().zip(&again) {
        let texts = |customer: &Customer| -> Vec<String> {
            let subscription = &customer.subscriptions[0];
            let actions = upkeep_of(customer, subscription, &days);
            actions.iter().map(|action| format!("{action:?}")).collect()
        };
        assert_eq!(texts(customer), texts(twin));
    }
}

#[test]
fn it_makes_a_day_longer_by_less_than_a_third() {
    let (period, customers) = customers();
    let (mut before, mut added) = (0, 0);
    for customer in &customers {
        for subscription in &customer.subscriptions {
            let mut dice = Dice::new(1, "volume", 0);
            let mut actions = Vec::new();
            for day in period.days() {
                ordinary_actions(customer, subscription, day, &mut dice, &mut actions);
            }
            before += records(&actions) + records(&subscription.script.actions);
            added += records(&upkeep_of(customer, subscription, &period.days().collect::<Vec<_>>()));
        }
    }
    let growth = added as f64 / before as f64;
    assert!((0.1..0.33).contains(&growth), "{growth}: {added} on {before}");
}

/// A chore's own operation, once each time.
fn sign(chore: Chore) -> &'static [&'static str] {
    match chore {
        Chore::Roles => &[
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
        ],
        Chore::RotateKeys => &[
            "Microsoft.Storage/storageAccounts/regeneratekey/action",
            "Microsoft.DocumentDB/databaseAccounts/regenerateKey/action",
        ],
        Chore::Rules => &[
            "Microsoft.Network/networkSecurityGroups/securityRules/write",
            "Microsoft.Network/networkSecurityGroups/securityRules/delete",
        ],
        Chore::Extensions => &["Microsoft.Compute/virtualMachines/extensions/write"],
        Chore::Commands => &["Microsoft.Compute/virtualMachines/runCommand/action"],
        Chore::DiskCopies => &["Microsoft.Compute/disks/beginGetAccess/action"],
        Chore::Budgets => &["Microsoft.Consumption/budgets/write"],
        Chore::PolicyDeploys => &["Microsoft.Authorization/policies/deployIfNotExists/action"],
        Chore::Jobs => &["Microsoft.Automation/automationAccounts/jobs/write"],
        Chore::Quota => &["Microsoft.Quota/quotas/write"],
        Chore::Locks => &["Microsoft.Authorization/locks/delete"],
        Chore::Containers => &["Microsoft.ContainerInstance/containerGroups/write"],
        Chore::Pools => &["Microsoft.Batch/batchAccounts/pools/write"],
        Chore::Instances => &[
            "Microsoft.MachineLearningServices/workspaces/computes/start/action",
            "Microsoft.MachineLearningServices/workspaces/computes/stop/action",
        ],
        // Their operations also come with other chores.
        Chore::ReadKeys | Chore::Diagnostics | Chore::Deletions | Chore::Snapshots => &[],
    }
}

const COUNTED: [Chore; 14] = [
    Chore::Roles,
    Chore::RotateKeys,
    Chore::Rules,
    Chore::Extensions,
    Chore::Commands,
    Chore::DiskCopies,
    Chore::Budgets,
    Chore::PolicyDeploys,
    Chore::Jobs,
    Chore::Quota,
    Chore::Locks,
    Chore::Containers,
    Chore::Pools,
    Chore::Instances,
];

#[test]
fn some_do_a_chore_at_its_rate_and_others_never() {
    let (period, customers) = customers();
    let days: Vec<NaiveDate> = period.days().collect();
    // Of each chore: how often it was done, how often it should have been, and by how many not at all.
    let mut counts: BTreeMap<Chore, (f64, f64, usize)> = BTreeMap::new();
    for customer in &customers {
        for subscription in customer.subscriptions.iter().filter(|one| one.since == period.start()) {
            let actions = upkeep_of(customer, subscription, &days);
            for chore in COUNTED {
                let operations = sign(chore);
                let done = actions.iter().filter(|action| operations.contains(&action.operation)).count();
                let (all, wanted, never) = counts.entry(chore).or_default();
                *all += done as f64;
                let habits: Vec<_> =
                    subscription.upkeep.habits.iter().filter(|habit| habit.chore == chore).collect();
                for habit in &habits {
                    let busy: f64 = days.iter().map(|day| customer.holidays.business(*day)).sum();
                    let days = if habit.when == When::Office { busy } else { days.len() as f64 };
                    let each = (habit.at_once.0 + habit.at_once.1) as f64 / 2.0;
                    *wanted += habit.a_day * days * each;
                }
                if habits.is_empty() {
                    assert_eq!(done, 0, "{chore:?} by nobody who does it");
                    *never += 1;
                }
            }
        }
    }
    for (chore, (done, wanted, never)) in counts {
        let tolerance = 0.08 * wanted + 4.0 * wanted.sqrt();
        assert!((done - wanted).abs() < tolerance, "{chore:?}: {done} instead of {wanted}");
        assert!(never >= 5, "{chore:?} is done everywhere but in {never} subscriptions");
    }
}

#[test]
fn everybody_is_known_and_there() {
    let (period, customers) = customers();
    let days: Vec<NaiveDate> = period.days().collect();
    for customer in &customers {
        for subscription in &customer.subscriptions {
            for action in upkeep_of(customer, subscription, &days) {
                let caller = action.caller.as_ref().unwrap();
                assert!(caller.principal.since <= action.at, "{action:?}");
                if let Some(address) = &caller.address {
                    assert!(caller.principal.addresses.contains(address), "{action:?}");
                }
                let gives_roles = action.operation.starts_with("Microsoft.Authorization/roleAssignments");
                assert!(!gives_roles || caller.principal.role == "Owner", "{action:?}");
                for body in [&action.request, &action.response].into_iter().flatten() {
                    serde_json::from_str::<serde_json::Value>(body).unwrap();
                }
            }
        }
    }
}
