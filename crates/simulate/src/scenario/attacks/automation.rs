//! A back door that Azure itself opens.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;

use super::compute::{Rig, build, dear_sizes};
use super::hasty_name;
use super::worker::{Worker, found_after, stolen_owner};
use crate::estate::{Caller, Principal};
use crate::scenario::Stage;
use crate::script::{Action, Role};

/// An automation account with an identity of its own, a runbook and a webhook or schedule: whoever knows
/// the address has a worker inside, without any account of a person. Hours to days later that identity
/// makes machines. Azure Threat Research Matrix AZT503.3, AZT505.1, AZT302.3; MITRE T1546, T1053, T1098.003.
pub(crate) fn automation_backdoor(stage: &mut Stage<'_>) {
    let caller = stolen_owner(stage);
    let mut worker = Worker::new(stage, caller);
    let is_own = stage.dice.chance(0.6);
    let group = if is_own { hasty_name(stage) } else { stage.subscription.main_group() };
    if is_own {
        worker.makes_group(stage, &group);
    }
    let name = stage.dice.pick(&["aa-maintenance", "automation1", "aa-sync", "updates", "aa-prod"]);
    let account = stage.subscription.resource(&group, "Microsoft.Automation/automationAccounts", name);
    let identity = account_identity(stage);
    make_account(stage, &mut worker, &account);
    worker.wait(stage, 20.0, 900.0);
    let (scope, role) =
        (stage.subscription.whole(), stage.dice.pick(&[Role::Contributor, Role::Contributor, Role::Owner]));
    let grant =
        Action::grant_role(worker.at, worker.caller.clone(), (role, &identity), &scope, &mut stage.dice);
    stage.uses(&grant.resource);
    stage.script.actions.push(grant);
    publish(stage, &mut worker, &account);

    let caller = Caller { principal: identity, address: None };
    let mut inside = worker.successor(stage, caller);
    inside.wait(stage, 1_800.0, 200_000.0);
    let rounds = stage.dice.between(1, 3);
    let (sizes, pool) = (dear_sizes(stage), stage.pool());
    let region_count = stage.dice.between(1, 3) as usize;
    let regions = stage.unused_regions(region_count);
    for round in 0..rounds {
        let group = hasty_name(stage);
        inside.makes_group(stage, &group);
        let rig = Rig {
            group: &group,
            regions: &regions,
            sizes: &sizes,
            count: stage.dice.between(2, 9),
            refused_share: stage.dice.real(0.0, 0.3),
            pool: Some(&pool),
        };
        build(stage, &mut inside, &rig);
        if round + 1 < rounds {
            inside.at += TimeDelta::hours(stage.dice.between(2, 26));
        }
    }
    found_after(stage, 50, 220);
}

fn account_identity(stage: &mut Stage<'_>) -> Arc<Principal> {
    let tenant = &stage.customer.tenant_id;
    let identity = Principal::application(tenant, "Contributor", vec![], stage.start, &mut stage.dice);
    stage.by(&identity);
    Arc::new(identity)
}

fn make_account(stage: &mut Stage<'_>, worker: &mut Worker, account: &str) {
    let region = stage.subscription.regions[0];
    stage.uses(account);
    let body = json!({
        "location": region.id,
        "identity": {"type": "SystemAssigned"},
        "properties": {"sku": {"name": "Basic"}, "publicNetworkAccess": true},
    });
    let create = worker
        .act(stage, "Microsoft.Automation/automationAccounts/write", account.to_owned())
        .accepted(true, &mut stage.dice)
        .echoed(&body, "Microsoft.Automation/automationAccounts");
    stage.script.actions.push(create);
}

/// A runbook, and what starts it.
fn publish(stage: &mut Stage<'_>, worker: &mut Worker, account: &str) {
    let region = stage.subscription.regions[0];
    let name = stage.dice.pick(&["Sync-Data", "Update-All", "job1", "Get-AzureVMTutorial", "cleanup"]);
    let kind = stage.dice.pick(&["PowerShell", "PowerShell72", "Python3"]);
    let runbook = format!("{account}/runbooks/{name}");
    stage.uses(&runbook);
    let body = json!({
        "location": region.id,
        "properties": {"runbookType": kind, "logProgress": false, "logVerbose": false, "draft": {}},
    });
    let create = worker.act(stage, "Microsoft.Automation/automationAccounts/runbooks/write", runbook.clone());
    stage.script.actions.push(create.asking(&body));
    let draft = format!("{runbook}/draft/content");
    worker.starts(stage, "Microsoft.Automation/automationAccounts/runbooks/draft/content/write", &draft);
    worker.starts(stage, "Microsoft.Automation/automationAccounts/runbooks/publish/action", &runbook);
    if stage.dice.chance(0.7) {
        let hook = format!("{account}/webhooks/{:06x}", stage.dice.below(1 << 24));
        let body = json!({
            "name": hook.rsplit('/').next(),
            "properties": {"isEnabled": true, "expiryTime": "2035-01-01T00:00:00Z", "runbook": {"name": name}},
        });
        worker.does(stage, "Microsoft.Automation/automationAccounts/webhooks/action", &hook);
        stage.uses(&hook);
        let write =
            worker.act(stage, "Microsoft.Automation/automationAccounts/webhooks/write", hook).asking(&body);
        stage.script.actions.push(write);
    } else {
        let schedule = format!("{account}/schedules/hourly");
        worker.does(stage, "Microsoft.Automation/automationAccounts/schedules/write", &schedule);
        let link = format!("{account}/jobSchedules/{}", stage.dice.guid());
        worker.does(stage, "Microsoft.Automation/automationAccounts/jobSchedules/write", &link);
    }
    if stage.dice.chance(0.6) {
        let job = format!("{account}/jobs/{}", stage.dice.guid());
        worker.does(stage, "Microsoft.Automation/automationAccounts/jobs/write", &job);
    }
}
