//! The day's administration: deployments, restarts, keys, scaling, backups, policy noise, failures.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::calendar::{midnight, next_midnight, office_moment};
use crate::dice::Dice;
use crate::estate::{Caller, Customer, Principal, Subscription, Workload, address};
use crate::script::{Action, Failure, Outcome, offerings};

/// Actions of a subscription on a busy day at average size. Two or three records each.
const ACTIONS_A_BUSY_DAY: f64 = 5.0;

/// Appends the day's ordinary actions, in no order.
pub(crate) fn ordinary_actions(
    customer: &Customer,
    subscription: &Subscription,
    day: NaiveDate,
    dice: &mut Dice,
    actions: &mut Vec<Action>,
) {
    let routine = Day { customer, subscription, day };
    let size = (subscription.script.machines.len() as f64 / 6.0).clamp(0.6, 2.5);
    let business = customer.holidays.business(day);
    for _ in 0..dice.count(ACTIONS_A_BUSY_DAY * size * (0.12 + 0.88 * business)) {
        routine.office_action(dice, actions);
    }
    routine.night(dice, actions);
    routine.scaling(business, dice, actions);
    routine.platform(dice, actions);
}

struct Day<'a> {
    customer: &'a Customer,
    subscription: &'a Subscription,
    day: NaiveDate,
}

/// What people and pipelines do everywhere: operation, provider and type, whether it is accepted first,
/// weight. What intruders do, too, is a habit of some and stands in [`mod@super::upkeep`].
const OFFICE_OPERATIONS: [(&str, &str, bool, usize); 14] = [
    ("Microsoft.Resources/deployments/validate/action", "Microsoft.Resources/deployments", false, 9),
    ("Microsoft.Web/sites/config/write", "Microsoft.Web/sites", false, 7),
    ("Microsoft.Web/sites/restart/action", "Microsoft.Web/sites", false, 3),
    ("Microsoft.Resources/tags/write", "Microsoft.Resources/tags", false, 3),
    ("Microsoft.Sql/servers/databases/write", "Microsoft.Sql/servers/databases", true, 3),
    ("Microsoft.Network/loadBalancers/write", "Microsoft.Network/loadBalancers", true, 2),
    ("Microsoft.Network/publicIPAddresses/write", "Microsoft.Network/publicIPAddresses", true, 1),
    ("Microsoft.Compute/disks/write", "Microsoft.Compute/disks", true, 2),
    ("Microsoft.Compute/snapshots/write", "Microsoft.Compute/snapshots", true, 2),
    ("Microsoft.KeyVault/vaults/write", "Microsoft.KeyVault/vaults", false, 1),
    ("Microsoft.Insights/metricAlerts/write", "Microsoft.Insights/metricAlerts", false, 2),
    ("Microsoft.Insights/actionGroups/write", "Microsoft.Insights/actionGroups", false, 1),
    (
        "Microsoft.ContainerInstance/containerGroups/write",
        "Microsoft.ContainerInstance/containerGroups",
        true,
        2,
    ),
    ("Microsoft.Storage/storageAccounts/write", "Microsoft.Storage/storageAccounts", true, 2),
];

impl Day<'_> {
    fn office_action(&self, dice: &mut Dice, actions: &mut Vec<Action>) {
        let at = office_moment(self.day, self.customer.utc_offset_hours, dice);
        match dice.below(20) {
            0..=3 => self.deployment(at, dice, actions),
            4..=6 => self.machine_care(at, dice, actions),
            _ => {
                let caller = self.somebody(at, dice);
                let action = self.simple(at, caller, dice);
                actions.push(action);
            }
        }
    }

    /// A person or the pipeline. Now and then a person works from somewhere new.
    fn somebody(&self, at: DateTime<Utc>, dice: &mut Dice) -> Caller {
        if dice.chance(0.5) {
            return self.subscription.pipeline.at_usual_address(dice);
        }
        let person = self.subscription.operator(at, dice);
        let travels = dice.chance(0.01);
        if travels { person.at(address::anyone(dice)) } else { person.at_usual_address(dice) }
    }

    fn simple(&self, at: DateTime<Utc>, caller: Caller, dice: &mut Dice) -> Action {
        let total: usize = OFFICE_OPERATIONS.iter().map(|(.., weight)| weight).sum();
        let mut left = dice.below(total);
        let mut chosen = &OFFICE_OPERATIONS[0];
        for operation in &OFFICE_OPERATIONS {
            if left < operation.3 {
                chosen = operation;
                break;
            }
            left -= operation.3;
        }
        let (operation, resource_type, accepted, _) = *chosen;
        let resource = self.resource(resource_type, dice.between(1, 6));
        let action = Action::new(at, caller, operation, resource, dice);
        match dice.below(100) {
            0..=1 => action.failed(Failure::conflict()),
            2 => action.failed(Failure::authorization(operation)),
            3 => action.failed(Failure::policy(resource_type)),
            _ if accepted => {
                let created = dice.chance(0.2);
                let action = action.accepted(created, dice);
                match self.body(resource_type) {
                    Some(body) => action.echoed(&body, resource_type),
                    None => action,
                }
            }
            _ => action,
        }
    }

    /// What is asked for, of the types that intruders make, too.
    fn body(&self, resource_type: &str) -> Option<Value> {
        let region = self.subscription.regions[0];
        let code = self.subscription.workload.code();
        Some(match resource_type {
            "Microsoft.ContainerInstance/containerGroups" => {
                let image = format!("{}/{code}/worker:latest", self.subscription.registry());
                offerings::containers(region, "worker", &image, 1, "OnFailure")
            }
            "Microsoft.Storage/storageAccounts" => json!({
                "location": region.id,
                "kind": "StorageV2",
                "sku": {"name": "Standard_LRS"},
                "properties": {"minimumTlsVersion": "TLS1_2", "supportsHttpsTrafficOnly": true},
            }),
            "Microsoft.Compute/disks" => json!({
                "location": region.id,
                "sku": {"name": "Premium_LRS"},
                "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 128},
            }),
            "Microsoft.Compute/snapshots" => {
                let disk = self.resource("Microsoft.Compute/disks", 1);
                json!({
                    "location": region.id,
                    "properties": {"creationData": {"createOption": "Copy", "sourceResourceId": disk}},
                })
            }
            "Microsoft.Network/publicIPAddresses" => json!({
                "location": region.id,
                "sku": {"name": "Standard", "tier": "Regional"},
                "properties": {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"},
            }),
            _ => return None,
        })
    }

    fn resource(&self, resource_type: &str, number: i64) -> String {
        let code = self.subscription.workload.code();
        self.subscription.resource(&format!("rg-{code}-prod"), resource_type, &format!("{code}{number:02}"))
    }

    /// A template deployment: itself, some children with its correlation, and what policy says of them.
    fn deployment(&self, at: DateTime<Utc>, dice: &mut Dice, actions: &mut Vec<Action>) {
        let caller = self.subscription.pipeline.at_usual_address(dice);
        let name = format!("release-{}", dice.between(1000, 9999));
        let code = self.subscription.workload.code();
        let resource =
            self.subscription.resource(&format!("rg-{code}-prod"), "Microsoft.Resources/deployments", &name);
        let parent = Action::new(at, caller.clone(), "Microsoft.Resources/deployments/write", resource, dice)
            .accepted(true, dice);
        let correlation = parent.correlation;
        actions.push(parent);
        const CHILDREN: [(&str, &str); 3] = [
            ("Microsoft.Web/sites/write", "Microsoft.Web/sites"),
            ("Microsoft.Insights/components/write", "Microsoft.Insights/components"),
            ("Microsoft.Storage/storageAccounts/write", "Microsoft.Storage/storageAccounts"),
        ];
        for number in 0..dice.between(1, 2) {
            let (operation, resource_type) = dice.pick(&CHILDREN);
            let child_at = at + TimeDelta::seconds(2 + number * 3) + dice.seconds(0.0, 2.0);
            let child = Action::new(
                child_at,
                caller.clone(),
                operation,
                self.resource(resource_type, number + 1),
                dice,
            );
            if dice.chance(0.5) {
                actions.push(self.audited(&child, &caller, dice));
            }
            actions.push(child.accepted(false, dice).within(correlation));
        }
    }

    /// What Azure Policy writes beside an action that it only watches.
    fn audited(&self, action: &Action, caller: &Caller, dice: &mut Dice) -> Action {
        let operation = dice.pick(&[
            "Microsoft.Authorization/policies/audit/action",
            "Microsoft.Authorization/policies/auditIfNotExists/action",
        ]);
        let at = action.at + dice.seconds(0.3, 0.9);
        let mut audit = Action::new(at, caller.clone(), operation, action.resource.clone(), dice);
        audit.category = "Policy";
        audit.outcome = Outcome::Noted;
        audit.within(action.correlation)
    }

    /// Restarts of machines, and changes to them that look like their making but are not.
    fn machine_care(&self, at: DateTime<Utc>, dice: &mut Dice, actions: &mut Vec<Action>) {
        let script = &self.subscription.script;
        let there: Vec<_> =
            script.machines.iter().filter(|machine| machine.from < at && machine.until > at).collect();
        if there.is_empty() {
            return;
        }
        let machine = dice.pick(&there);
        let caller = self.subscription.operator(at, dice).at_usual_address(dice);
        if machine.capacity.is_none() && dice.chance(0.6) {
            let operation = "Microsoft.Compute/virtualMachines/restart/action";
            actions.push(Action::new(at, caller, operation, machine.id.clone(), dice).accepted(false, dice));
        } else {
            actions.push(Action::update_machine(at, machine, caller, dice));
        }
    }

    /// Nightly backup, and office machines that automation starts and stops.
    fn night(&self, dice: &mut Dice, actions: &mut Vec<Action>) {
        let caller = || Caller { principal: Arc::clone(&self.subscription.automation), address: None };
        let at = midnight(self.day) + TimeDelta::hours(1) + dice.seconds(0.0, 1200.0);
        let vault = self.subscription.resource("rg-backup", "Microsoft.RecoveryServices/vaults", "rsv-main");
        let operation = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/backup/action";
        actions.push(Action::new(at, caller(), operation, vault, dice));
        if self.subscription.workload == Workload::DevTest && self.customer.holidays.is_workday(self.day) {
            for (hour, operation) in [
                (7, "Microsoft.Compute/virtualMachines/start/action"),
                (18, "Microsoft.Compute/virtualMachines/deallocate/action"),
            ] {
                let at = midnight(self.day) + TimeDelta::hours(hour) + dice.seconds(0.0, 300.0);
                let id = self.subscription.script.machines[0].id.clone();
                actions.push(Action::new(at, caller(), operation, id, dice).accepted(false, dice));
            }
        }
    }

    /// Scale sets grow in the morning and shrink in the evening, by their own identity.
    fn scaling(&self, business: f64, dice: &mut Dice, actions: &mut Vec<Action>) {
        let sets = self.subscription.script.machines.iter().filter(|machine| machine.capacity.is_some());
        for set in sets {
            for hour in [6, 19] {
                if !dice.chance(0.3 + 0.5 * business) {
                    continue;
                }
                let at = midnight(self.day) + TimeDelta::hours(hour) + dice.seconds(0.0, 5400.0);
                let mut scaled = set.clone();
                scaled.capacity = set.capacity.map(|capacity| capacity + dice.between(0, 2) as u32);
                actions.push(Action::update_machine(at, &scaled, self.automation(), dice));
            }
        }
    }

    fn automation(&self) -> Caller {
        let principal: &Arc<Principal> = &self.subscription.automation;
        Caller { principal: Arc::clone(principal), address: None }
    }

    /// What the platform reports by itself: nobody called.
    fn platform(&self, dice: &mut Dice, actions: &mut Vec<Action>) {
        if !dice.chance(0.12) {
            return;
        }
        let at = dice.moment(midnight(self.day), next_midnight(self.day) - TimeDelta::minutes(5));
        let (operation, category) = dice.pick(&[
            ("Microsoft.Resourcehealth/healthevent/Activated/action", "ResourceHealth"),
            ("Microsoft.ServiceHealth/maintenance/action", "ServiceHealth"),
            ("Microsoft.Advisor/generateRecommendations/action", "Recommendation"),
        ]);
        let mut action = Action::new(
            at,
            self.automation(),
            operation,
            format!("/subscriptions/{}", self.subscription.id),
            dice,
        );
        action.caller = None;
        action.category = category;
        action.outcome = Outcome::Noted;
        actions.push(action);
    }
}
