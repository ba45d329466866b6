//! Honest work of those who run the platform: logs, policies, automation, a subscription taken over.

use std::sync::Arc;

use chrono::{DateTime, Days, TimeDelta, Utc};
use serde_json::json;

use super::access::grant;
use super::hand::Hand;
use super::{change_ticket, in_office, workdays};
use crate::calendar::midnight;
use crate::estate::{Caller, Hours, Machine, MachineSpec, Principal, Subscription};
use crate::scenario::Stage;
use crate::script::upkeep::{self, POLICIES};
use crate::script::{Action, Failure, Role, tags};

const SETTING: (&str, &str) =
    ("Microsoft.Insights/diagnosticSettings/write", "Microsoft.Insights/diagnosticSettings");
const SETTING_DELETE: &str = "Microsoft.Insights/diagnosticSettings/delete";
const ASSIGNMENT: (&str, &str) =
    ("Microsoft.Authorization/policyAssignments/write", "Microsoft.Authorization/policyAssignments");
const EXEMPTION: (&str, &str) =
    ("Microsoft.Authorization/policyExemptions/write", "Microsoft.Authorization/policyExemptions");
const BUDGET: (&str, &str) = ("Microsoft.Consumption/budgets/write", "Microsoft.Consumption/budgets");
const RUNBOOK: (&str, &str) = (
    "Microsoft.Automation/automationAccounts/runbooks/write",
    "Microsoft.Automation/automationAccounts/runbooks",
);
const SCHEDULE: (&str, &str) = (
    "Microsoft.Automation/automationAccounts/schedules/write",
    "Microsoft.Automation/automationAccounts/schedules",
);
const JOB_SCHEDULE: (&str, &str) = (
    "Microsoft.Automation/automationAccounts/jobSchedules/write",
    "Microsoft.Automation/automationAccounts/jobSchedules",
);
const JOB: (&str, &str) =
    ("Microsoft.Automation/automationAccounts/jobs/write", "Microsoft.Automation/automationAccounts/jobs");

/// Services whose logs are kept.
const LOGGED: [&str; 4] = [
    "Microsoft.KeyVault/vaults",
    "Microsoft.Storage/storageAccounts",
    "Microsoft.Sql/servers",
    "Microsoft.Web/sites",
];

/// Who runs the platform: the customer's first administrator or the partner's. Both are Owners.
fn platform_owner(stage: &mut Stage<'_>) -> Arc<Principal> {
    let subscription = stage.subscription;
    let partner = subscription.delegated.first().unwrap_or(&subscription.operators[0]);
    Arc::clone(stage.dice.pick(&[&subscription.operators[0], partner]))
}

/// Settings that send logs away are deleted and written anew with another workspace, on the
/// subscription and on many services: for seconds or hours nothing is logged. Some write first and
/// delete after.
pub(crate) fn logging_migration(stage: &mut Stage<'_>) {
    let owner = platform_owner(stage);
    let by_pipeline = stage.dice.chance(0.25);
    let team = if by_pipeline { Arc::clone(&stage.subscription.pipeline) } else { owner };
    let ticket = stage.dice.chance(0.6).then(|| change_ticket(stage));
    let Some(day) = workdays(stage, 1).first().copied() else { return };
    let at = in_office(stage, day);
    let mut hand = Hand::new(stage, &team, at).under(ticket.as_deref());
    let name = stage.dice.pick(&["law-central", "law-security", "law-platform"]);
    let workspace_type = "Microsoft.OperationalInsights/workspaces";
    let workspace = stage.subscription.resource("rg-monitoring", workspace_type, name);
    if stage.dice.chance(0.7) {
        hand.starts(stage, "Microsoft.OperationalInsights/workspaces/write", &workspace);
    }
    let mut targets = vec![stage.subscription.whole()];
    let types = stage.dice.between(1, 4) as usize;
    for resource_type in stage.dice.sample(&LOGGED, types) {
        let count = stage.dice.between(2, 6) as usize;
        targets.extend((1..=count).map(|number| stage.subscription.service(resource_type, number)));
    }
    let old = stage.dice.pick(&["default", "send-to-law", "audit", "to-siem"]);
    let order = stage.dice.below(3);
    if order == 0 {
        // All are deleted, and only then written anew.
        for target in &targets {
            hand.does(stage, SETTING_DELETE, &setting(target, old));
        }
        hand.pause(stage.dice.between(1, 150));
    }
    for target in &targets {
        let body = match target == &targets[0] {
            true => upkeep::activity_logs(&workspace),
            false => upkeep::resource_logs(&workspace),
        };
        if order == 1 {
            hand.does(stage, SETTING_DELETE, &setting(target, old));
        }
        hand.sets(stage, SETTING, &setting(target, "central"), &body);
        if order == 2 {
            hand.does(stage, SETTING_DELETE, &setting(target, old));
        }
    }
}

fn setting(target: &str, name: &str) -> String {
    format!("{target}/providers/Microsoft.Insights/diagnosticSettings/{name}")
}

/// Policies are assigned to many resource groups, older ones are taken away, some groups are exempted;
/// then Azure Policy deploys what it finds missing.
pub(crate) fn policy_rollout(stage: &mut Stage<'_>) {
    let team = platform_owner(stage);
    let ticket = stage.dice.chance(0.5).then(|| change_ticket(stage));
    let day_count = stage.dice.between(1, 3) as usize;
    let wanted = stage.dice.between(1, 3) as usize;
    let all: Vec<_> = POLICIES.iter().collect();
    let policies = stage.dice.sample(&all, wanted);
    let region = stage.subscription.regions[0];
    let groups = groups(stage);
    for day in workdays(stage, day_count) {
        let at = in_office(stage, day);
        let mut hand = Hand::new(stage, &team, at).under(ticket.as_deref());
        let count = stage.dice.between(4, 12) as usize;
        for group in stage.dice.sample(&groups, count) {
            let assignments = format!("{group}/providers/Microsoft.Authorization/policyAssignments");
            for policy in &policies {
                let assignment = format!("{assignments}/{}", policy.name);
                let body = upkeep::policy_assignment(policy, region);
                hand.sets(stage, ASSIGNMENT, &assignment, &body);
                if stage.dice.chance(0.2) {
                    let exemption =
                        format!("{group}/providers/Microsoft.Authorization/policyExemptions/legacy");
                    let until = day + Days::new(stage.dice.between(20, 180) as u64);
                    let body = upkeep::policy_exemption(&assignment, "Legacy workload", until);
                    hand.sets(stage, EXEMPTION, &exemption, &body);
                }
            }
            if stage.dice.chance(0.35) {
                let old = format!("{assignments}/old-{}", policies[0].name);
                hand.does(stage, "Microsoft.Authorization/policyAssignments/delete", &old);
            }
        }
        let evaluated_at = hand.at + TimeDelta::minutes(stage.dice.between(15, 300));
        remediate(stage, evaluated_at);
    }
}

/// Resource groups of the subscription, by name.
fn groups(stage: &mut Stage<'_>) -> Vec<String> {
    let code = stage.subscription.workload.code();
    let purposes = [
        "prod",
        "network",
        "backup",
        "monitoring",
        "jobs",
        "data",
        "test",
        "stage",
        "shared",
        "web",
        "api",
        "ml",
    ];
    purposes.iter().map(|purpose| stage.subscription.group(&format!("rg-{code}-{purpose}"))).collect()
}

/// Azure Policy deploys to some services what they lack.
fn remediate(stage: &mut Stage<'_>, at: DateTime<Utc>) {
    let policy = Arc::clone(&stage.subscription.upkeep.policy);
    let mut hand = Hand::new(stage, &policy, at);
    let workspace = stage.subscription.log_workspace();
    for number in 1..=stage.dice.between(1, 6) as usize {
        let target = stage.subscription.service("Microsoft.Storage/storageAccounts", number);
        hand.wait(stage, 1.0, 60.0);
        let found = Action::policy_deploys(hand.at, hand.caller.clone(), target.clone(), &mut stage.dice);
        stage.script.actions.push(found);
        hand.sets(stage, SETTING, &setting(&target, "policy-logs"), &upkeep::resource_logs(&workspace));
    }
}

/// A known administrator sets automation up: an account with an identity of its own that becomes
/// Contributor, runbooks and schedules; from then on the identity stops idle machines every evening.
pub(crate) fn automation_rollout(stage: &mut Stage<'_>) {
    let admin = Arc::clone(&stage.subscription.operators[0]);
    let ticket = stage.dice.chance(0.4).then(|| change_ticket(stage));
    let Some(day) = workdays(stage, 1).first().copied() else { return };
    let at = in_office(stage, day);
    let mut hand = Hand::new(stage, &admin, at).under(ticket.as_deref());
    let region = stage.subscription.regions[0];
    let name = stage.dice.pick(&["aa-operations", "aa-costs", "aa-schedules"]);
    let account_type = "Microsoft.Automation/automationAccounts";
    let account = stage.subscription.resource("rg-automation", account_type, name);
    if stage.dice.chance(0.5) {
        hand.makes_group(stage, "rg-automation");
    }
    let body = json!({
        "location": region.id,
        "identity": {"type": "SystemAssigned"},
        "properties": {"sku": {"name": "Basic"}, "publicNetworkAccess": true},
    });
    hand.makes(stage, ("Microsoft.Automation/automationAccounts/write", account_type), &account, &body);
    let identity = identity(stage);
    let scope = match stage.dice.below(2) {
        0 => stage.subscription.whole(),
        _ => stage.subscription.group(&stage.subscription.main_group()),
    };
    let role = stage.dice.pick(&[Role::Contributor, Role::Contributor, Role::VirtualMachineContributor]);
    grant(stage, &mut hand, role, &identity, &scope);
    let count = stage.dice.between(1, 4) as usize;
    let names = ["Stop-IdleMachines", "Remove-OldSnapshots", "Start-OfficeMachines", "Export-Usage"];
    for runbook in stage.dice.sample(&names, count) {
        publish(stage, &mut hand, &account, runbook);
    }
    let ready_at = hand.at;
    works_every_evening(stage, &identity, &account, ready_at);
}

fn identity(stage: &mut Stage<'_>) -> Arc<Principal> {
    let tenant = &stage.customer.tenant_id;
    let identity = Principal::application(tenant, "Contributor", vec![], stage.start, &mut stage.dice);
    Arc::new(identity)
}

/// A runbook, drafted, published, tied to a schedule and tried.
fn publish(stage: &mut Stage<'_>, hand: &mut Hand, account: &str, name: &str) {
    let region = stage.subscription.regions[0];
    let runbook = format!("{account}/runbooks/{name}");
    hand.sets(stage, RUNBOOK, &runbook, &upkeep::runbook(region, "Keeps the subscription tidy"));
    for _ in 0..stage.dice.between(1, 3) {
        let draft = format!("{runbook}/draft/content");
        hand.starts(stage, "Microsoft.Automation/automationAccounts/runbooks/draft/content/write", &draft);
    }
    hand.starts(stage, "Microsoft.Automation/automationAccounts/runbooks/publish/action", &runbook);
    let schedule = format!("daily-{}", name.to_lowercase());
    let body = upkeep::schedule(hand.at + TimeDelta::hours(8), "Day");
    hand.sets(stage, SCHEDULE, &format!("{account}/schedules/{schedule}"), &body);
    let link = format!("{account}/jobSchedules/{}", stage.dice.guid());
    hand.sets(stage, JOB_SCHEDULE, &link, &upkeep::job_schedule(name, &schedule));
    if stage.dice.chance(0.7) {
        let job = format!("{account}/jobs/{}", stage.dice.guid());
        hand.sets(stage, JOB, &job, &upkeep::job(name));
    }
    if stage.dice.chance(0.25) {
        let hook = format!("{account}/webhooks/{name}-hook");
        hand.does(stage, "Microsoft.Automation/automationAccounts/webhooks/write", &hook);
    }
}

/// What the new identity does from the first evening on.
fn works_every_evening(
    stage: &mut Stage<'_>,
    identity: &Arc<Principal>,
    account: &str,
    ready_at: DateTime<Utc>,
) {
    let machines: Vec<&Machine> = super::lasting_machines(stage).into_iter().take(4).collect();
    let hour = stage.dice.between(17, 20);
    for evening in 0..stage.dice.between(3, 9) as u64 {
        let day = ready_at.date_naive() + Days::new(evening);
        let at = midnight(day) + TimeDelta::hours(hour) + stage.dice.seconds(0.0, 120.0);
        if at < ready_at {
            continue;
        }
        let mut hand = Hand::new(stage, identity, at);
        let job = format!("{account}/jobs/{}", stage.dice.guid());
        hand.sets(stage, JOB, &job, &upkeep::job("Stop-IdleMachines"));
        for machine in machines.iter().filter(|machine| machine.hours != Hours::Always) {
            hand.starts(stage, "Microsoft.Compute/virtualMachines/deallocate/action", &machine.id);
        }
    }
}

/// Whether it was opened within the period, so that its first days are in the records.
pub(crate) fn is_young(subscription: &Subscription) -> bool {
    let filled_before = |machine: &Machine| machine.from < subscription.since;
    !subscription.script.machines.iter().any(filled_before)
}

/// The partner sets a new subscription up in its first days: groups, roles, policies, budgets, logs and
/// the first machines, all by somebody from another tenant and all without any history.
pub(crate) fn subscription_onboarding(stage: &mut Stage<'_>) {
    let Some(partner) = stage.subscription.delegated.first().cloned() else { return };
    // A subscription of this kind has its first day within the period: that is when it happens.
    let opened = stage.subscription.since + stage.dice.seconds(10_000.0, 30_000.0);
    let mut hand = Hand::new(stage, &partner, opened);
    let code = stage.subscription.workload.code();
    let region = stage.subscription.regions[0];
    for provider in
        ["Microsoft.Compute", "Microsoft.Network", "Microsoft.Storage", "Microsoft.PolicyInsights"]
    {
        let resource = stage.subscription.of_whole(provider);
        let operation = match provider {
            "Microsoft.Compute" => "Microsoft.Compute/register/action",
            "Microsoft.Network" => "Microsoft.Network/register/action",
            "Microsoft.Storage" => "Microsoft.Storage/register/action",
            _ => "Microsoft.PolicyInsights/register/action",
        };
        hand.does(stage, operation, &resource);
    }
    for purpose in ["prod", "network", "monitoring", "backup"] {
        hand.makes_group(stage, &format!("rg-{code}-{purpose}"));
    }
    first_roles(stage, &mut hand);
    hand.wait(stage, 300.0, 6_000.0);
    let whole = stage.subscription.whole();
    for policy in &POLICIES {
        let assignment =
            format!("{whole}/providers/Microsoft.Authorization/policyAssignments/{}", policy.name);
        hand.sets(stage, ASSIGNMENT, &assignment, &upkeep::policy_assignment(policy, region));
    }
    let workspace = stage.subscription.log_workspace();
    hand.starts(stage, "Microsoft.OperationalInsights/workspaces/write", &workspace);
    hand.sets(stage, SETTING, &setting(&whole, "activity"), &upkeep::activity_logs(&workspace));
    let budget = stage.subscription.of_whole("Microsoft.Consumption/budgets/budget-monthly");
    let contact = stage.subscription.operators[0].caller.clone();
    let amount = stage.dice.between(5, 60) * 100;
    hand.sets(stage, BUDGET, &budget, &upkeep::budget(amount, 80, hand.at.date_naive(), &contact));
    hand.wait(stage, 600.0, 20_000.0);
    first_machines(stage, &mut hand);
}

/// Roles for the customer's people, its pipeline, its teams.
fn first_roles(stage: &mut Stage<'_>, hand: &mut Hand) {
    let subscription = stage.subscription;
    let whole = subscription.whole();
    grant(stage, hand, Role::Owner, &subscription.operators[0], &whole);
    grant(stage, hand, Role::Contributor, &subscription.pipeline, &whole);
    let present: Vec<_> =
        subscription.operators.iter().skip(1).filter(|person| person.since < hand.at).collect();
    for person in present {
        grant(stage, hand, Role::Contributor, person, &whole);
    }
    for team in &subscription.upkeep.grantees {
        if stage.dice.chance(0.6) {
            let role = stage.dice.pick(&[Role::Reader, Role::Contributor, Role::MonitoringContributor]);
            grant(stage, hand, role, team, &whole);
        }
    }
}

/// Two to six machines of usual sizes; now and then one is refused first, because a new subscription has
/// little quota.
fn first_machines(stage: &mut Stage<'_>, hand: &mut Hand) {
    let (_, sizes) = stage.subscription.workload.machines();
    let group = format!("rg-{}-shared", stage.subscription.workload.code());
    for number in 1..=stage.dice.between(2, 6) {
        hand.wait(stage, 60.0, 900.0);
        let spec = MachineSpec {
            name: format!("vm-base-{number:02}"),
            group: &group,
            region: stage.subscription.regions[0],
            size: stage.dice.pick(&sizes),
            from: hand.at,
            until: stage.forever(),
            tags: tags(&[("env", "prod"), ("costCenter", "CC1000")]),
        };
        let machine = stage.subscription.machine(spec, &mut stage.dice);
        let caller: Caller = hand.caller.clone();
        if stage.dice.chance(0.2) {
            let mut refused = Action::create_machine(&machine, caller.clone(), &mut stage.dice);
            refused.at -= TimeDelta::seconds(40);
            let failure = Failure::quota(&machine, &mut stage.dice);
            stage.script.actions.push(refused.failed(failure));
        }
        stage.script.actions.push(Action::create_machine(&machine, caller, &mut stage.dice));
        stage.script.machines.push(machine);
    }
}
