//! Every look-alike, played many times over.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use chrono::TimeDelta;

use crate::calendar::Period;
use crate::dice::Dice;
use crate::estate::{Customer, Partner, Subscription};
use crate::scenario::{HARMLESS, Incident, Kind, Played};
use crate::script::Action;
use crate::settings::Settings;

/// Seeds on which each kind is played.
const SEEDS: u64 = 16;
/// Instances that a kind needs at least, on all seeds together: not every subscription fits.
const FEWEST: usize = 6;

/// What each of the newer kinds must hold in every instance.
const MUST_HOLD: [(&str, &[&str]); 17] = [
    (
        "batch-render-job",
        &["Microsoft.Batch/batchAccounts/pools/write", "Microsoft.Batch/batchAccounts/pools/delete"],
    ),
    (
        "container-release",
        &[
            "Microsoft.ContainerInstance/containerGroups/write",
            "Microsoft.ContainerInstance/containerGroups/delete",
        ],
    ),
    ("ml-training", &["Microsoft.MachineLearningServices/workspaces/computes/write"]),
    ("quota-raise-planned", &["Microsoft.Quota/quotas/write", "Microsoft.Compute/virtualMachines/write"]),
    ("new-administrator", &["Microsoft.Authorization/roleAssignments/write"]),
    ("environment-teardown", &["Microsoft.Resources/subscriptions/resourceGroups/delete"]),
    (
        "backup-policy-change",
        &[
            "Microsoft.RecoveryServices/vaults/backupPolicies/write",
            "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/write",
            "Microsoft.Compute/snapshots/delete",
        ],
    ),
    (
        "logging-migration",
        &["Microsoft.Insights/diagnosticSettings/delete", "Microsoft.Insights/diagnosticSettings/write"],
    ),
    (
        "key-rotation",
        &[
            "Microsoft.Storage/storageAccounts/listKeys/action",
            "Microsoft.Storage/storageAccounts/regeneratekey/action",
        ],
    ),
    (
        "vendor-support",
        &[
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Compute/virtualMachines/runCommand/action",
            "Microsoft.Authorization/roleAssignments/delete",
        ],
    ),
    (
        "patching",
        &[
            "Microsoft.Compute/virtualMachines/runCommand/action",
            "Microsoft.Compute/virtualMachines/installPatches/action",
        ],
    ),
    ("firewall-opened-for-office", &["Microsoft.Network/networkSecurityGroups/securityRules/write"]),
    (
        "automation-rollout",
        &[
            "Microsoft.Automation/automationAccounts/write",
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Automation/automationAccounts/runbooks/publish/action",
            "Microsoft.Automation/automationAccounts/jobs/write",
        ],
    ),
    (
        "subscription-onboarding",
        &[
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/policyAssignments/write",
            "Microsoft.Consumption/budgets/write",
            "Microsoft.Compute/virtualMachines/write",
        ],
    ),
    ("disaster-recovery-test", &["Microsoft.Compute/virtualMachines/write"]),
    ("cost-cleanup", &["Microsoft.Consumption/budgets/write", "Microsoft.Consumption/budgets/delete"]),
    ("policy-rollout", &["Microsoft.Authorization/policyAssignments/write"]),
];

/// Kinds in which somebody acts who was not there before: that is their point.
const WITH_STRANGERS: [&str; 3] = ["new-administrator", "vendor-support", "automation-rollout"];

/// Kinds in which somebody acts from where they never were before.
const AWAY_FROM_HOME: [&str; 2] = ["business-trip", "secret-rotation"];

/// Kinds that leave no action of their own, only traffic and cost.
const WITHOUT_ACTIONS: [&str; 1] = ["backup-upload"];

fn settings(seed: u64) -> Settings {
    Settings {
        seed,
        customers: 20,
        days: 60,
        end: "2026-03-20T14:30:00Z".parse().unwrap(),
        partner_tenant_id: "0f0e0d0c-0000-4000-8000-0000000000aa".parse().unwrap(),
    }
}

/// A look-alike that was played.
struct Instance {
    scenario: String,
    kind: &'static Kind,
    customer: Arc<Customer>,
    subscription: usize,
    period: Period,
    played: Played,
}

impl Instance {
    fn subscription(&self) -> &Subscription {
        &self.customer.subscriptions[self.subscription]
    }

    fn actions(&self) -> &[Action] {
        &self.played.script.actions
    }
}

/// Each kind on each seed, in the first subscription that fits.
static PLAYED: LazyLock<Vec<Instance>> = LazyLock::new(|| (1..=SEEDS).flat_map(play_all).collect());

fn play_all(seed: u64) -> Vec<Instance> {
    let settings = settings(seed);
    let period = Period::new(&settings);
    let partner = Partner::new(&settings, &period);
    let customers: Vec<Arc<Customer>> = (0..settings.customers)
        .map(|number| Arc::new(Customer::new(&settings, &period, &partner, number)))
        .collect();
    let mut dice = Dice::new(seed, "when", 0);
    let mut played = Vec::new();
    for kind in &HARMLESS {
        let latest = period.end - TimeDelta::hours(kind.tail_hours);
        let start = dice.moment(period.start() + TimeDelta::days(1), latest);
        let fits = |subscription: &Subscription| {
            let is_old = subscription.since == period.start();
            (kind.fits)(subscription) && (is_old || subscription.since + TimeDelta::days(7) <= start)
        };
        let found = customers.iter().find_map(|customer| {
            customer.subscriptions.iter().position(fits).map(|subscription| (customer, subscription))
        });
        let Some((customer, subscription)) = found else { continue };
        let scenario = format!("{}-{seed:02}", kind.name);
        let incident = Incident { scenario, kind, customer: customer.number, subscription, start };
        played.push(Instance {
            played: incident.play(&settings, &period, customer),
            scenario: incident.scenario,
            kind,
            customer: Arc::clone(customer),
            subscription,
            period: period.clone(),
        });
    }
    played
}

#[test]
fn every_kind_plays_and_is_labelled_as_harmless() {
    for kind in &HARMLESS {
        assert!(!kind.malicious);
        let count = PLAYED.iter().filter(|instance| instance.kind.name == kind.name).count();
        assert!(count >= FEWEST, "{} was played {count} times", kind.name);
    }
    for instance in PLAYED.iter() {
        let Instance { scenario, kind, customer, period, .. } = instance;
        let label = instance.played.label.as_ref().unwrap_or_else(|| panic!("{scenario} shows nothing"));
        assert!(!label.malicious && label.kind == kind.name, "{label:?}");
        assert_eq!(label.customer_tenant, customer.tenant_id);
        assert!(label.from <= label.first_event && label.first_event <= label.until, "{label:?}");
        assert!(period.start() <= label.from && label.until <= period.end, "{label:?}");
        assert!(!label.resources.is_empty(), "{label:?}");
        let shown: Vec<_> = instance.actions().iter().filter(|action| action.at < period.end).collect();
        assert!(!shown.is_empty() || WITHOUT_ACTIONS.contains(&kind.name), "{scenario} does nothing");
        for action in shown {
            assert!(label.first_event <= action.at, "{scenario}: {action:?}");
            let caller = &action.caller.as_ref().unwrap().principal.caller;
            assert!(label.principals.contains(caller), "{scenario} by {caller}: {:?}", label.principals);
        }
    }
}

fn known(instance: &Instance) -> BTreeSet<&str> {
    let subscription = instance.subscription();
    let upkeep = &subscription.upkeep;
    let programs = [&upkeep.rotation, &upkeep.patching, &upkeep.backup, &upkeep.software, &upkeep.policy];
    let own = [&subscription.pipeline, &subscription.automation];
    let people = subscription.operators.iter().chain(&subscription.delegated);
    programs.into_iter().chain(own).chain(people).map(|one| one.caller.as_str()).collect()
}

#[test]
fn callers_are_known_and_at_their_usual_addresses() {
    for instance in PLAYED.iter() {
        let known = known(instance);
        let mut strangers = BTreeSet::new();
        for action in instance.actions() {
            let caller = action.caller.as_ref().unwrap();
            let is_away = AWAY_FROM_HOME.contains(&instance.kind.name);
            if let Some(address) = caller.address.as_ref().filter(|_| !is_away) {
                assert!(caller.principal.addresses.contains(address), "{action:?}");
            }
            let (_, verb) = action.operation.rsplit_once('/').unwrap();
            let says_who_may = action.operation.starts_with("Microsoft.Authorization/")
                && ["write", "delete"].contains(&verb);
            assert!(!says_who_may || caller.principal.role == "Owner", "{action:?}");
            if !known.contains(caller.principal.caller.as_str()) {
                strangers.insert(&caller.principal.caller);
            }
        }
        let expected = usize::from(WITH_STRANGERS.contains(&instance.kind.name));
        assert_eq!(strangers.len(), expected, "{}: {strangers:?}", instance.scenario);
    }
}

#[test]
fn each_kind_does_what_its_name_says_and_no_two_are_alike() {
    for (name, operations) in MUST_HOLD {
        let mut shapes = BTreeSet::new();
        let mut count = 0;
        for instance in PLAYED.iter().filter(|instance| instance.kind.name == name) {
            let done: BTreeSet<&str> = instance.actions().iter().map(|action| action.operation).collect();
            for operation in operations {
                assert!(done.contains(operation), "{} has no {operation}", instance.scenario);
            }
            let label = instance.played.label.as_ref().unwrap();
            let minutes = (label.until - label.first_event).num_minutes();
            shapes.insert((instance.actions().len(), minutes));
            count += 1;
        }
        assert!(shapes.len() * 4 >= count * 3, "{name} often looks alike: {shapes:?}");
    }
}

#[test]
fn requests_and_replies_are_json_and_paths_fit_their_operations() {
    for instance in PLAYED.iter() {
        let whole = instance.subscription().whole();
        for action in instance.actions() {
            for body in [&action.request, &action.response].into_iter().flatten() {
                serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(body).unwrap();
            }
            assert!(action.resource.starts_with(&whole), "{action:?}");
            let (provider, _) = action.operation.split_once('/').unwrap();
            let is_of_any_path = ["Microsoft.Resources", "Microsoft.Authorization"].contains(&provider);
            assert!(is_of_any_path || action.resource.contains(provider), "{action:?}");
        }
    }
}

#[test]
fn a_port_for_the_office_is_open_to_nobody_else() {
    for instance in PLAYED.iter().filter(|instance| instance.kind.name == "firewall-opened-for-office") {
        let office = &instance.subscription().operators[0].addresses[0];
        let done = instance.actions().iter().filter(|action| action.response.is_some());
        for body in done.filter_map(|action| action.request.as_ref()) {
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            let source = body["properties"]["sourceAddressPrefix"].as_str().unwrap();
            assert!(source.starts_with(office.as_str()), "{body}");
        }
    }
}
