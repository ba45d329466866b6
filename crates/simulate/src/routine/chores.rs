//! How each chore of the upkeep looks in the activity log.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::dice::Dice;
use crate::estate::{Caller, Chore, Habit, Machine, Subscription};
use crate::script::upkeep::{self, KEYED, POLICIES};
use crate::script::{Action, Role, extension, offerings, open_port};

/// Appends one thing of a habit. `number` tells the habits of a subscription apart: each has its own
/// accounts.
pub(super) fn perform(
    subscription: &Subscription,
    habit: &Habit,
    number: usize,
    (at, caller): (DateTime<Utc>, &Caller),
    dice: &mut Dice,
    actions: &mut Vec<Action>,
) {
    let mut scene = Scene { subscription, at, caller, dice, actions };
    match habit.chore {
        Chore::Roles => scene.role(),
        Chore::ReadKeys => scene.read_keys(number),
        Chore::RotateKeys => scene.rotate_keys(number),
        Chore::Diagnostics => scene.diagnostics(),
        Chore::Rules => scene.rule(),
        Chore::Extensions => scene.extension(),
        Chore::Commands => scene.command(),
        Chore::Deletions => scene.deletion(),
        Chore::Snapshots => scene.old_snapshot(),
        Chore::DiskCopies => scene.disk_copy(),
        Chore::Budgets => scene.budget(),
        Chore::PolicyDeploys => scene.policy_deploys(),
        Chore::Jobs => scene.job(),
        Chore::Quota => scene.quota(),
        Chore::Locks => scene.lock(),
        Chore::Containers => scene.container(),
        Chore::Pools => scene.pool(),
        Chore::Instances => scene.instance(),
    }
}

/// Somebody at a time.
struct Scene<'a> {
    subscription: &'a Subscription,
    at: DateTime<Utc>,
    caller: &'a Caller,
    dice: &'a mut Dice,
    actions: &'a mut Vec<Action>,
}

/// What people throw away: operation and type.
const THROWN_AWAY: [(&str, &str); 7] = [
    ("Microsoft.Compute/disks/delete", "Microsoft.Compute/disks"),
    ("Microsoft.Compute/snapshots/delete", "Microsoft.Compute/snapshots"),
    ("Microsoft.Network/networkInterfaces/delete", "Microsoft.Network/networkInterfaces"),
    ("Microsoft.Network/publicIPAddresses/delete", "Microsoft.Network/publicIPAddresses"),
    ("Microsoft.Web/sites/slots/delete", "Microsoft.Web/sites/slots"),
    ("Microsoft.Storage/storageAccounts/delete", "Microsoft.Storage/storageAccounts"),
    ("Microsoft.Insights/metricAlerts/delete", "Microsoft.Insights/metricAlerts"),
];

impl<'a> Scene<'a> {
    fn act(&mut self, operation: &'static str, resource: String) -> Action {
        Action::new(self.at, self.caller.clone(), operation, resource, self.dice)
    }

    /// Some time passes.
    fn wait(&mut self, low: f64, high: f64) {
        self.at += self.dice.seconds(low, high);
    }

    /// A machine that exists now, if there is one.
    fn machine(&mut self) -> Option<&'a Machine> {
        let at = self.at;
        let there = |machine: &&Machine| {
            machine.capacity.is_none() && machine.from < at && machine.until > at + TimeDelta::hours(1)
        };
        let all: Vec<&'a Machine> = self.subscription.script.machines.iter().filter(there).collect();
        if all.is_empty() { None } else { Some(self.dice.pick(&all)) }
    }

    /// Most roles go to groups and services, for data or for one resource group; few to people, and
    /// hardly any is a strong one. Some are taken back.
    fn role(&mut self) {
        let scope = match self.dice.below(10) {
            0..=4 => self.subscription.service("Microsoft.Storage/storageAccounts", 2),
            5..=8 => self.subscription.group(&self.subscription.main_group()),
            _ => self.subscription.whole(),
        };
        if self.dice.chance(0.3) {
            let id = self.dice.guid();
            let assignment = format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{id}");
            let delete = self.act("Microsoft.Authorization/roleAssignments/delete", assignment);
            self.actions.push(delete);
            return;
        }
        let role = match self.dice.below(40) {
            0..=11 => Role::StorageBlobDataContributor,
            12..=19 => Role::KeyVaultSecretsUser,
            20..=29 => Role::Reader,
            30..=33 => Role::MonitoringContributor,
            34..=35 => Role::VirtualMachineContributor,
            36..=38 => Role::Contributor,
            _ => Role::Owner,
        };
        let at = self.at;
        let people = self.subscription.operators.iter().filter(|person| person.since <= at);
        let candidates: Vec<_> = match self.dice.chance(0.25) {
            true => people.collect(),
            false => self.subscription.upkeep.grantees.iter().collect(),
        };
        let to = self.dice.pick(&candidates);
        let caller = self.caller.clone();
        let grant = Action::grant_role(self.at, caller, (role, to), &scope, self.dice);
        self.actions.push(grant);
    }

    /// Two accounts for each habit, so that who reads which is a habit, too.
    fn account(&mut self, number: usize, resource_type: &str) -> String {
        let account = 1 + (number * 2 + self.dice.below(2)) % 6;
        self.subscription.service(resource_type, account)
    }

    fn read_keys(&mut self, number: usize) {
        let account = self.account(number, KEYED[0].resource_type);
        let list = self.act(KEYED[0].list, account);
        self.actions.push(list);
    }

    fn rotate_keys(&mut self, number: usize) {
        let service = &KEYED[usize::from(self.dice.chance(0.25))];
        let account = self.account(number, service.resource_type);
        let regenerate = self.act(service.regenerate, account.clone());
        self.actions.push(regenerate);
        self.wait(2.0, 20.0);
        let list = self.act(service.list, account);
        self.actions.push(list);
    }

    fn diagnostics(&mut self) {
        let target_type = self.dice.pick(&[
            "Microsoft.Storage/storageAccounts",
            "Microsoft.KeyVault/vaults",
            "Microsoft.Sql/servers",
            "Microsoft.Web/sites",
        ]);
        let number = 1 + self.dice.below(6);
        let target = self.subscription.service(target_type, number);
        let setting = format!("{target}/providers/Microsoft.Insights/diagnosticSettings/send-to-law");
        let action = if self.dice.chance(0.12) {
            self.act("Microsoft.Insights/diagnosticSettings/delete", setting)
        } else {
            let body = upkeep::resource_logs(&self.subscription.log_workspace());
            self.act("Microsoft.Insights/diagnosticSettings/write", setting)
                .echoed(&body, "Microsoft.Insights/diagnosticSettings")
        };
        self.actions.push(action);
    }

    /// A web port for everybody, a database port for a network of the customer's own, and now and then
    /// a management port for the caller's office.
    fn rule(&mut self) {
        let office = self.caller.address.clone().unwrap_or_else(|| "10.0.0.4".to_owned());
        let network = format!("10.{}.0.0/16", self.dice.between(0, 30));
        let (name, port, source) = match self.dice.below(20) {
            0..=6 => ("allow-https", "443", "*".to_owned()),
            7..=12 => ("allow-sql", "1433", network),
            13..=16 => ("allow-app", "8080", network),
            17 => ("allow-ssh-office", "22", format!("{office}/32")),
            _ => ("allow-probe", "*", "AzureLoadBalancer".to_owned()),
        };
        let group = self.subscription.security_group(self.subscription.regions[0]);
        let rule = format!("{group}/securityRules/{name}-{:02}", self.dice.between(1, 9));
        let action = if self.dice.chance(0.2) {
            self.act("Microsoft.Network/networkSecurityGroups/securityRules/delete", rule)
                .accepted(false, self.dice)
        } else {
            let created = self.dice.chance(0.4);
            let body = open_port(port, &source, self.dice.between(10, 80) * 10);
            self.act("Microsoft.Network/networkSecurityGroups/securityRules/write", rule)
                .accepted(created, self.dice)
                .echoed(&body, "Microsoft.Network/networkSecurityGroups/securityRules")
        };
        self.actions.push(action);
    }

    fn extension(&mut self) {
        let Some(machine) = self.machine() else { return };
        let (publisher, kind, version) = self.dice.pick(&[
            ("Microsoft.Azure.Monitor", "AzureMonitorLinuxAgent", "1.29"),
            ("Microsoft.Azure.Monitor", "AzureMonitorLinuxAgent", "1.29"),
            ("Microsoft.GuestConfiguration", "ConfigurationforLinux", "1.0"),
            ("Microsoft.Azure.Extensions", "CustomScript", "2.1"),
        ]);
        let body = extension(machine.region, publisher, kind, version, json!({}));
        let created = self.dice.chance(0.6);
        let install = self
            .act(
                "Microsoft.Compute/virtualMachines/extensions/write",
                format!("{}/extensions/{kind}", machine.id),
            )
            .accepted(created, self.dice)
            .echoed(&body, "Microsoft.Compute/virtualMachines/extensions");
        self.actions.push(install);
    }

    fn command(&mut self) {
        let Some(machine) = self.machine() else { return };
        let run = self
            .act("Microsoft.Compute/virtualMachines/runCommand/action", machine.id.clone())
            .accepted(false, self.dice);
        self.actions.push(run);
    }

    fn deletion(&mut self) {
        let (operation, resource_type) = self.dice.pick(&THROWN_AWAY);
        let code = self.subscription.workload.code();
        let name = format!("{code}old{:04x}", self.dice.below(1 << 16));
        let resource = match resource_type.strip_suffix("/slots") {
            Some(site) => {
                format!("{}/slots/test{:02}", self.subscription.service(site, 1), self.dice.between(1, 9))
            }
            None => self.subscription.resource(&self.subscription.main_group(), resource_type, &name),
        };
        let delete = self.act(operation, resource).accepted(false, self.dice);
        self.actions.push(delete);
    }

    fn old_snapshot(&mut self) {
        let day = (self.at - TimeDelta::days(self.dice.between(30, 33))).format("%Y%m%d");
        let name =
            format!("snap-{}-{day}-{:02}", self.subscription.workload.code(), self.dice.between(1, 20));
        let snapshot = self.subscription.resource("rg-backup", "Microsoft.Compute/snapshots", &name);
        let delete = self.act("Microsoft.Compute/snapshots/delete", snapshot).accepted(false, self.dice);
        self.actions.push(delete);
    }

    fn disk_copy(&mut self) {
        let Some(machine) = self.machine() else { return };
        let name = format!("{}_OsDisk_1", machine.name);
        let disk = self.subscription.resource(&machine.group, "Microsoft.Compute/disks", &name);
        let begin = self
            .act("Microsoft.Compute/disks/beginGetAccess/action", disk.clone())
            .accepted(false, self.dice);
        self.actions.push(begin);
        self.wait(300.0, 3_600.0);
        let end = self.act("Microsoft.Compute/disks/endGetAccess/action", disk).accepted(false, self.dice);
        self.actions.push(end);
    }

    fn budget(&mut self) {
        let budget = self.subscription.of_whole("Microsoft.Consumption/budgets/budget-monthly");
        let contact = self.subscription.operators[0].caller.clone();
        let amount = self.dice.between(5, 90) * 100;
        let body = upkeep::budget(amount, self.dice.pick(&[80, 90, 100]), self.at.date_naive(), &contact);
        let write = self
            .act("Microsoft.Consumption/budgets/write", budget)
            .echoed(&body, "Microsoft.Consumption/budgets");
        self.actions.push(write);
    }

    /// What the policy finds missing, its deployment, and what that makes.
    fn policy_deploys(&mut self) {
        let target = self.subscription.service("Microsoft.Storage/storageAccounts", 1);
        let found = Action::policy_deploys(self.at, self.caller.clone(), target.clone(), self.dice);
        let correlation = found.correlation;
        self.actions.push(found);
        self.wait(1.0, 8.0);
        let name = format!("PolicyDeployment_{}", self.dice.below(1 << 40));
        let deployment = self.subscription.resource(
            &self.subscription.main_group(),
            "Microsoft.Resources/deployments",
            &name,
        );
        let deploy = self.act("Microsoft.Resources/deployments/write", deployment);
        let deploy = deploy.accepted(true, self.dice).within(correlation);
        self.actions.push(deploy);
        self.wait(2.0, 6.0);
        let policy = self.dice.pick(&[&POLICIES[2], &POLICIES[3]]);
        let setting = format!("{target}/providers/Microsoft.Insights/diagnosticSettings/{}", policy.name);
        let body = upkeep::resource_logs(&self.subscription.log_workspace());
        let write = self
            .act("Microsoft.Insights/diagnosticSettings/write", setting)
            .echoed(&body, "Microsoft.Insights/diagnosticSettings")
            .within(correlation);
        self.actions.push(write);
    }

    fn job(&mut self) {
        let account = self.subscription.automation_account();
        let runbook = self.dice.pick(&["Stop-IdleMachines", "Invoke-Cleanup", "Export-Usage"]);
        let job = format!("{account}/jobs/{}", self.dice.guid());
        let start = self
            .act("Microsoft.Automation/automationAccounts/jobs/write", job)
            .echoed(&upkeep::job(runbook), "Microsoft.Automation/automationAccounts/jobs");
        self.actions.push(start);
    }

    fn quota(&mut self) {
        let (_, sizes) = self.subscription.workload.machines();
        let family = self.dice.pick(&sizes).quota_family;
        let region = self.dice.pick(&self.subscription.regions);
        let quota = self.subscription.of_whole(&format!(
            "Microsoft.Compute/locations/{}/providers/Microsoft.Quota/quotas/{family}",
            region.id
        ));
        let body = upkeep::quota(family, self.dice.between(4, 20) * 10);
        let ask = self
            .act("Microsoft.Quota/quotas/write", quota)
            .accepted(false, self.dice)
            .echoed(&body, "Microsoft.Quota/quotas");
        self.actions.push(ask);
    }

    fn lock(&mut self) {
        let group = self.subscription.group(&self.subscription.main_group());
        let lock = format!("{group}/providers/Microsoft.Authorization/locks/do-not-delete");
        let lift = self.act("Microsoft.Authorization/locks/delete", lock.clone());
        self.actions.push(lift);
        self.wait(20.0, 300.0);
        self.deletion();
        self.wait(60.0, 900.0);
        let put_back = self
            .act("Microsoft.Authorization/locks/write", lock)
            .echoed(&upkeep::lock("Production"), "Microsoft.Authorization/locks");
        self.actions.push(put_back);
    }

    fn container(&mut self) {
        let name = format!("job-{:05}", self.dice.below(100_000));
        let group = format!("rg-{}-jobs", self.subscription.workload.code());
        let resource =
            self.subscription.resource(&group, "Microsoft.ContainerInstance/containerGroups", &name);
        let region = self.subscription.regions[0];
        let image = format!("{}/jobs/nightly:{}", self.subscription.registry(), self.dice.between(20, 400));
        let body = offerings::containers(region, &name, &image, self.dice.between(1, 4), "Never");
        let run = self
            .act("Microsoft.ContainerInstance/containerGroups/write", resource.clone())
            .accepted(true, self.dice)
            .echoed(&body, "Microsoft.ContainerInstance/containerGroups");
        self.actions.push(run);
        self.wait(240.0, 3_000.0);
        let delete = self
            .act("Microsoft.ContainerInstance/containerGroups/delete", resource)
            .accepted(false, self.dice);
        self.actions.push(delete);
    }

    fn pool(&mut self) {
        let (group, name) = self.subscription.batch_account();
        let account = self.subscription.resource(&group, "Microsoft.Batch/batchAccounts", &name);
        let package = format!("https://{}/packages/install.sh", self.subscription.registry());
        let body = offerings::pool("STANDARD_F8S_V2", self.dice.between(1, 6), 0, &package);
        let resize = self
            .act("Microsoft.Batch/batchAccounts/pools/write", format!("{account}/pools/nightly"))
            .accepted(false, self.dice)
            .echoed(&body, "Microsoft.Batch/batchAccounts/pools");
        self.actions.push(resize);
    }

    fn instance(&mut self) {
        let (person, _) = self.caller.principal.caller.split_once('@').unwrap_or(("analyst", ""));
        let (group, name) = self.subscription.learning_workspace();
        let workspace =
            self.subscription.resource(&group, "Microsoft.MachineLearningServices/workspaces", &name);
        let instance = format!("{workspace}/computes/ci-{}", person.replace('.', "-"));
        let operation = if self.dice.chance(0.5) {
            "Microsoft.MachineLearningServices/workspaces/computes/start/action"
        } else {
            "Microsoft.MachineLearningServices/workspaces/computes/stop/action"
        };
        let switch = self.act(operation, instance).accepted(false, self.dice);
        self.actions.push(switch);
    }
}
