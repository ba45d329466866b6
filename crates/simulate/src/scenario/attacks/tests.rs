//! Every attack, played many times over.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};

use crate::calendar::Period;
use crate::dice::Dice;
use crate::estate::{Customer, Partner};
use crate::scenario::{ATTACKS, Incident, Kind, Played};
use crate::settings::Settings;

/// Seeds on which each kind is played.
const SEEDS: u64 = 24;

/// What each kind must hold: operations that occur in every instance, and whether it costs anything.
const MUST_HOLD: [(&str, &[&str], bool); 20] = [
    (
        "batch-pools",
        &["Microsoft.Batch/batchAccounts/write", "Microsoft.Batch/batchAccounts/pools/write"],
        true,
    ),
    ("container-mining", &["Microsoft.ContainerInstance/containerGroups/write"], true),
    (
        "ml-compute",
        &[
            "Microsoft.MachineLearningServices/workspaces/write",
            "Microsoft.MachineLearningServices/workspaces/computes/write",
        ],
        true,
    ),
    (
        "kubernetes-mining",
        &[
            "Microsoft.ContainerService/managedClusters/write",
            "Microsoft.ContainerService/managedClusters/agentPools/write",
            "Microsoft.Compute/virtualMachineScaleSets/write",
        ],
        true,
    ),
    ("quota-grab", &["Microsoft.Compute/virtualMachines/write"], true),
    ("run-command-miner", &[], false),
    ("key-theft", &["Microsoft.Storage/storageAccounts/listKeys/action"], false),
    (
        "ransom-deletion",
        &[
            "Microsoft.Authorization/locks/delete",
            "Microsoft.RecoveryServices/vaults/backupconfig/write",
            "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/delete",
            "Microsoft.Compute/snapshots/delete",
            "Microsoft.Compute/restorePointCollections/delete",
            "Microsoft.Storage/storageAccounts/delete",
            "Microsoft.Resources/subscriptions/resourceGroups/delete",
        ],
        false,
    ),
    (
        "logging-off",
        &["Microsoft.Insights/diagnosticSettings/delete", "Microsoft.Compute/virtualMachines/write"],
        true,
    ),
    (
        "subscription-hijack",
        &[
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Subscription/updateTenant/action",
            "Microsoft.Compute/virtualMachines/write",
        ],
        true,
    ),
    (
        "automation-backdoor",
        &[
            "Microsoft.Automation/automationAccounts/write",
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Automation/automationAccounts/runbooks/write",
            "Microsoft.Automation/automationAccounts/runbooks/publish/action",
            "Microsoft.Compute/virtualMachines/write",
        ],
        true,
    ),
    ("rdp-open", &["Microsoft.Network/networkSecurityGroups/securityRules/write"], false),
    ("hidden-region", &["Microsoft.Compute/virtualMachines/write"], true),
    (
        "elevate-and-grant",
        &["Microsoft.Authorization/elevateAccess/action", "Microsoft.Authorization/roleAssignments/write"],
        false,
    ),
    (
        "storage-exfiltration",
        &["Microsoft.Storage/storageAccounts/write", "Microsoft.Storage/storageAccounts/listKeys/action"],
        true,
    ),
    (
        "hijacked-pipeline",
        &["Microsoft.Resources/deployments/write", "Microsoft.Compute/virtualMachines/write"],
        true,
    ),
    ("partner-account", &[], false),
    ("password-spray", &[], false),
    ("stolen-token", &[], false),
    ("app-backdoor", &["Microsoft.Compute/virtualMachines/write"], true),
];

fn settings(seed: u64) -> Settings {
    Settings {
        seed,
        customers: 5,
        days: 40,
        end: "2026-03-20T14:30:00Z".parse().unwrap(),
        partner_tenant_id: "0f0e0d0c-0000-4000-8000-0000000000aa".parse().unwrap(),
    }
}

/// A few customers of a seed.
struct World {
    settings: Settings,
    period: Period,
    customers: Vec<Customer>,
}

/// Made once: customers take longer than the attacks on them.
static WORLDS: LazyLock<Vec<World>> = LazyLock::new(|| {
    let world = |seed| {
        let settings = settings(seed);
        let period = Period::new(&settings);
        let partner = Partner::new(&settings, &period);
        let customers = (0..settings.customers)
            .map(|number| Customer::new(&settings, &period, &partner, number))
            .collect();
        World { settings, period, customers }
    };
    (1..=SEEDS).map(world).collect()
});

/// Plays a kind on each seed, wherever it fits first.
fn on_many_seeds(name: &str, mut check: impl FnMut(&Incident, &World, &Customer, &Played)) {
    let kind: &'static Kind = ATTACKS.iter().find(|kind| kind.name == name).unwrap();
    for world in WORLDS.iter() {
        let seed = world.settings.seed;
        let mut dice = Dice::new(seed, "when", 0);
        let place = world.customers.iter().find_map(|customer| {
            let index = customer.subscriptions.iter().position(|known| (kind.fits)(known))?;
            Some((customer, index))
        });
        let Some((customer, subscription)) = place else { continue };
        let latest = world.period.end - TimeDelta::hours(kind.tail_hours);
        let start: DateTime<Utc> = dice.moment(world.period.start() + TimeDelta::days(14), latest);
        let scenario = format!("{name}-{seed:02}");
        let incident = Incident { scenario, kind, customer: customer.number, subscription, start };
        let played = incident.play(&world.settings, &world.period, customer);
        check(&incident, world, customer, &played);
    }
}

#[test]
fn every_attack_can_be_played_on_any_seed() {
    for kind in &ATTACKS {
        let mut count = 0;
        on_many_seeds(kind.name, |incident, world, customer, played| {
            let period = &world.period;
            count += 1;
            let name = &incident.scenario;
            let script = &played.script;
            assert!(
                !script.actions.is_empty() || !script.usages.is_empty() || kind.name == "hijacked-mining"
            );
            let label = played.label.as_ref().unwrap_or_else(|| panic!("{name} has no label"));
            assert!(label.from <= label.first_event && label.first_event <= label.until, "{label:?}");
            assert!(period.start() <= label.from && label.until <= period.end, "{label:?}");
            let home = format!("/subscriptions/{}", customer.subscriptions[incident.subscription].id);
            assert!(!label.resources.is_empty(), "{name}");
            for resource in &label.resources {
                assert!(resource.starts_with(&home), "{name}: {resource}");
            }
            for action in &script.actions {
                assert!(action.at >= label.first_event, "{name}: {action:?}");
                let of_tenant =
                    kind.name == "elevate-and-grant" && action.resource.starts_with("/providers/");
                assert!(of_tenant || action.resource.starts_with(&home), "{name}: {action:?}");
                for body in [&action.request, &action.response].into_iter().flatten() {
                    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(body).unwrap();
                }
            }
        });
        assert!(count >= SEEDS * 3 / 4, "{} finds a place on {count} seeds only", kind.name);
    }
}

#[test]
fn every_attack_holds_what_makes_it_one() {
    for (name, operations, costs) in &MUST_HOLD {
        on_many_seeds(name, |incident, world, customer, played| {
            let done: BTreeSet<&str> = played.script.actions.iter().map(|action| action.operation).collect();
            for operation in *operations {
                assert!(done.contains(operation), "{}: no {operation} in {done:?}", incident.scenario);
            }
            let script = &played.script;
            let billed = script.machines.iter().map(|machine| machine.from);
            let billed = billed.chain(script.usages.iter().map(|usage| usage.from));
            assert!(!costs || billed.clone().any(|from| from < world.period.end), "{}", incident.scenario);
            let label = played.label.as_ref().unwrap();
            assert!(!label.principals.is_empty(), "{label:?}");
            // Nobody acts but those whom the label names, and the administrator who ends it.
            let admin = &customer.subscriptions[incident.subscription].operators[0].caller;
            for action in &script.actions {
                let who = &action.caller.as_ref().unwrap().principal.caller;
                assert!(who == admin || label.principals.contains(who), "{}: {who}", incident.scenario);
            }
        });
    }
}

#[test]
fn attacks_that_offer_a_choice_keep_to_it() {
    let each_has_one_of = |name: &str, operations: &[&str]| {
        let mut seen = BTreeSet::new();
        on_many_seeds(name, |incident, _, _, played| {
            let done = played.script.actions.iter().map(|action| action.operation);
            let chosen: BTreeSet<&str> = done.filter(|done| operations.contains(done)).collect();
            assert!(!chosen.is_empty(), "{}", incident.scenario);
            seen.extend(chosen);
        });
        assert_eq!(seen.len(), operations.len(), "{name}: only {seen:?}");
    };
    let on_machines = [
        "Microsoft.Compute/virtualMachines/runCommand/action",
        "Microsoft.Compute/virtualMachines/runCommands/write",
        "Microsoft.Compute/virtualMachines/extensions/write",
    ];
    each_has_one_of("run-command-miner", &on_machines);
    each_has_one_of("rdp-open", &on_machines);
    each_has_one_of(
        "quota-grab",
        &[
            "Microsoft.Quota/quotas/write",
            "Microsoft.Capacity/resourceProviders/locations/serviceLimits/write",
            "Microsoft.Support/supportTickets/write",
        ],
    );
    each_has_one_of(
        "key-theft",
        &[
            "Microsoft.Compute/disks/beginGetAccess/action",
            "Microsoft.Compute/snapshots/beginGetAccess/action",
        ],
    );
}

#[test]
fn the_partner_does_several_things() {
    on_many_seeds("partner-account", |incident, _, customer, played| {
        let partner = &customer.subscriptions[incident.subscription].delegated[0].caller;
        let theirs = played.script.actions.iter().filter(|action| {
            action.caller.as_ref().is_some_and(|caller| caller.principal.caller == *partner)
        });
        let done: BTreeSet<&str> = theirs.map(|action| action.operation).collect();
        assert!(done.len() >= 3, "{}: {done:?}", incident.scenario);
    });
}

#[test]
fn no_two_instances_are_alike() {
    for (name, ..) in &MUST_HOLD {
        let mut shapes = BTreeSet::new();
        let mut addresses = BTreeSet::new();
        on_many_seeds(name, |incident, world, customer, played| {
            let script = &played.script;
            let span = played.label.as_ref().map(|label| (label.until - label.first_event).num_minutes());
            shapes.insert((script.actions.len(), script.machines.len(), script.usages.len(), span));
            addresses.extend(script.actions.first().and_then(|first| first.caller.clone()?.address));
            // The same dice, the same story.
            let again = incident.play(&world.settings, &world.period, customer);
            assert_eq!(format!("{script:?}"), format!("{:?}", again.script), "{name}");
        });
        assert!(shapes.len() as u64 >= SEEDS * 3 / 4, "{name}: {shapes:?}");
        assert!(addresses.len() as u64 >= SEEDS / 2, "{name}: {addresses:?}");
    }
}
