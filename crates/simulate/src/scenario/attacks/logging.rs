//! The lights are turned off first.

use serde_json::json;

use super::compute::{Rig, build, dear_sizes};
use super::hasty_name;
use super::targets::services;
use super::worker::{Worker, entry, found_after};
use crate::scenario::Stage;

/// The plans of Defender for Cloud.
const PLANS: [&str; 6] =
    ["VirtualMachines", "StorageAccounts", "Arm", "KeyVaults", "Containers", "SqlServers"];

/// Settings that send logs away, flow logs, Defender's plans, budgets and alerts are removed; minutes
/// to hours later machines are made. MITRE T1562.001, T1562.008; Storm-0501 looked for what Defender
/// covers before it acted (Microsoft, August 2025).
///
/// One of several flow logs goes, and that of the new machines was never made: their talk is not seen.
pub(crate) fn logging_off(stage: &mut Stage<'_>) {
    let caller = entry(stage);
    let mut worker = Worker::new(stage, caller);
    let steps: [fn(&mut Stage<'_>, &mut Worker); 5] =
        [flow_logs_off, defender_off, budgets_off, alerts_off, alerts_hidden];
    let step_count = stage.dice.between(2, 5) as usize;
    let chosen = stage.dice.sample(&steps, step_count);
    diagnostics_off(stage, &mut worker);
    for step in chosen {
        worker.wait(stage, 10.0, 600.0);
        step(stage, &mut worker);
    }
    worker.wait(stage, 300.0, 40_000.0);
    let group = hasty_name(stage);
    worker.makes_group(stage, &group);
    let region_count = stage.dice.between(1, 3) as usize;
    let regions = stage.unused_regions(region_count);
    let sizes = dear_sizes(stage);
    let rig = Rig {
        group: &group,
        regions: &regions,
        sizes: &sizes,
        count: stage.dice.between(3, 16),
        refused_share: stage.dice.real(0.0, 0.3),
        pool: None,
    };
    build(stage, &mut worker, &rig);
    found_after(stage, 24, 140);
}

/// The subscription's own settings, or those of some of its services, or both.
pub(super) fn diagnostics_off(stage: &mut Stage<'_>, worker: &mut Worker) {
    const OPERATION: &str = "Microsoft.Insights/diagnosticSettings/delete";
    let of_subscription = stage.dice.chance(0.7);
    if of_subscription {
        let name = stage.dice.pick(&["to-siem", "activity-to-workspace", "audit", "security-export"]);
        let setting =
            format!("{}/providers/Microsoft.Insights/diagnosticSettings/{name}", stage.subscription.whole());
        worker.does(stage, OPERATION, &setting);
    }
    if of_subscription && stage.dice.chance(0.4) {
        return;
    }
    let resource_type = stage.dice.pick(&["Microsoft.KeyVault/vaults", "Microsoft.Storage/storageAccounts"]);
    let count = stage.dice.between(1, 5) as usize;
    for service in services(stage, resource_type, count) {
        let setting = format!("{service}/providers/Microsoft.Insights/diagnosticSettings/default");
        worker.does(stage, OPERATION, &setting);
    }
}

fn flow_logs_off(stage: &mut Stage<'_>, worker: &mut Worker) {
    let code = stage.subscription.workload.code();
    for region in &stage.subscription.regions {
        let watcher = stage.subscription.resource(
            "NetworkWatcherRG",
            "Microsoft.Network/networkWatchers",
            &format!("NetworkWatcher_{}", region.id),
        );
        let log = format!("{watcher}/flowLogs/vnet-{code}-mgmt-flowlog");
        worker.starts(stage, "Microsoft.Network/networkWatchers/flowLogs/delete", &log);
    }
}

fn defender_off(stage: &mut Stage<'_>, worker: &mut Worker) {
    let count = stage.dice.between(1, 5) as usize;
    for plan in stage.dice.sample(&PLANS, count) {
        let resource = stage.subscription.of_whole(&format!("Microsoft.Security/pricings/{plan}"));
        stage.uses(&resource);
        let body = json!({"properties": {"pricingTier": "Free"}});
        let change = worker
            .act(stage, "Microsoft.Security/pricings/write", resource)
            .echoed(&body, "Microsoft.Security/pricings");
        stage.script.actions.push(change);
    }
}

fn budgets_off(stage: &mut Stage<'_>, worker: &mut Worker) {
    for name in ["monthly", "team"].into_iter().take(stage.dice.between(1, 2) as usize) {
        let budget = stage.subscription.of_whole(&format!("Microsoft.Consumption/budgets/{name}"));
        worker.does(stage, "Microsoft.Consumption/budgets/delete", &budget);
    }
}

fn alerts_off(stage: &mut Stage<'_>, worker: &mut Worker) {
    const RULES: [(&str, &str, &str); 3] = [
        ("Microsoft.Insights/activityLogAlerts/delete", "Microsoft.Insights/activityLogAlerts", "new-owner"),
        ("Microsoft.Insights/metricAlerts/delete", "Microsoft.Insights/metricAlerts", "cpu-high"),
        ("Microsoft.Insights/ActionGroups/Delete", "Microsoft.Insights/actionGroups", "on-call"),
    ];
    let count = stage.dice.between(1, 3) as usize;
    for (operation, resource_type, name) in stage.dice.sample(&RULES, count) {
        let rule = stage.subscription.resource("rg-monitoring", resource_type, name);
        worker.does(stage, operation, &rule);
    }
}

fn alerts_hidden(stage: &mut Stage<'_>, worker: &mut Worker) {
    let rule = stage.subscription.of_whole("Microsoft.Security/alertsSuppressionRules/noise");
    stage.uses(&rule);
    let body = json!({
        "properties": {
            "alertType": stage.dice.pick(&["*", "VM_CryptoCoinMinerActivity", "ARM_SuspiciousComputeCreation"]),
            "reason": "FalsePositive",
            "state": "Enabled",
            "comment": "noise",
        },
    });
    let write = worker.act(stage, "Microsoft.Security/alertsSuppressionRules/write", rule).asking(&body);
    stage.script.actions.push(write);
}
