//! What those ask for who keep a subscription in order: bodies of budgets, policies, logging, backup,
//! automation and the like, as Azure's REST reference has them (bicep-types-az, samples of each
//! provider). Requests that carry no body in the activity log have none here: keys, commands, deletions.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use serde_json::{Value, json};

use crate::catalog::Region;
use crate::dice::Dice;
use crate::estate::Caller;
use crate::script::{Action, Failure};

/// A built-in policy. Its id is the same in every tenant.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// How assignments of it are called.
    pub(crate) name: &'static str,
    /// The GUID of its definition.
    definition: &'static str,
    /// What the portal calls it.
    title: &'static str,
}

/// Policies that partners assign.
pub(crate) static POLICIES: [Policy; 4] = [
    Policy {
        name: "allowed-locations",
        definition: "e56962a6-4747-49cd-b67b-bf8b01975c4c",
        title: "Allowed locations",
    },
    Policy {
        name: "require-tag",
        definition: "871b6d14-10aa-478d-b590-94f262ecfa99",
        title: "Require a tag on resources",
    },
    Policy {
        name: "secure-transfer",
        definition: "404c3081-a854-4457-ae30-26a93ef643f9",
        title: "Secure transfer to storage accounts should be enabled",
    },
    Policy {
        name: "monitor-agent",
        definition: "a4034bc6-ae50-406d-bf76-50f4ee5a7811",
        title: "Configure Linux virtual machines to run Azure Monitor Agent with system-assigned managed \
                identity-based authentication",
    },
];

/// A service whose accounts have two keys: type, and how its keys are read and made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keyed {
    /// Provider and type.
    pub(crate) resource_type: &'static str,
    /// Reads both keys.
    pub(crate) list: &'static str,
    /// Makes one of them anew.
    pub(crate) regenerate: &'static str,
}

/// Services with keys; the first is the most common.
pub(crate) static KEYED: [Keyed; 4] = [
    Keyed {
        resource_type: "Microsoft.Storage/storageAccounts",
        list: "Microsoft.Storage/storageAccounts/listKeys/action",
        regenerate: "Microsoft.Storage/storageAccounts/regeneratekey/action",
    },
    Keyed {
        resource_type: "Microsoft.DocumentDB/databaseAccounts",
        list: "Microsoft.DocumentDB/databaseAccounts/listKeys/action",
        regenerate: "Microsoft.DocumentDB/databaseAccounts/regenerateKey/action",
    },
    Keyed {
        resource_type: "Microsoft.CognitiveServices/accounts",
        list: "Microsoft.CognitiveServices/accounts/listKeys/action",
        regenerate: "Microsoft.CognitiveServices/accounts/regenerateKey/action",
    },
    Keyed {
        resource_type: "Microsoft.Cache/redis",
        list: "Microsoft.Cache/redis/listKeys/action",
        regenerate: "Microsoft.Cache/redis/regenerateKey/action",
    },
];

impl Action {
    /// The same, under a change, if there is one.
    pub(crate) fn under(mut self, ticket: Option<&str>) -> Self {
        self.change_ticket = ticket.map(str::to_owned);
        self
    }

    /// What Azure Policy writes when it finds that something is missing and makes it.
    pub(crate) fn policy_deploys(
        at: DateTime<Utc>,
        policy: Caller,
        resource: String,
        dice: &mut Dice,
    ) -> Self {
        let operation = "Microsoft.Authorization/policies/deployIfNotExists/action";
        Self::new(at, policy, operation, resource, dice).noted_as("Policy")
    }
}

impl Failure {
    /// What should go is used by something.
    pub(crate) fn in_use(resource: &str) -> Self {
        let name = resource.rsplit('/').next().unwrap_or(resource);
        Self {
            http: "Conflict",
            code: "OperationNotAllowed",
            message: format!("{name} is in use and cannot be deleted."),
        }
    }
}

/// Logs of a resource, sent to a workspace.
pub(crate) fn resource_logs(workspace: &str) -> Value {
    json!({
        "properties": {
            "workspaceId": workspace,
            "logs": [{"categoryGroup": "allLogs", "enabled": true}],
            "metrics": [{"category": "AllMetrics", "enabled": true}],
        },
    })
}

/// The subscription's own activity log, sent to a workspace.
pub(crate) fn activity_logs(workspace: &str) -> Value {
    const CATEGORIES: [&str; 8] = [
        "Administrative",
        "Security",
        "ServiceHealth",
        "Alert",
        "Recommendation",
        "Policy",
        "Autoscale",
        "ResourceHealth",
    ];
    let logs: Vec<Value> =
        CATEGORIES.iter().map(|category| json!({"category": category, "enabled": true})).collect();
    json!({"properties": {"workspaceId": workspace, "logs": logs}})
}

/// A monthly budget with a mail at some percentage.
pub(crate) fn budget(amount: i64, percent: i64, today: NaiveDate, contact: &str) -> Value {
    let first = today - Days::new(u64::from(today.day0()));
    json!({
        "properties": {
            "category": "Cost",
            "amount": amount,
            "timeGrain": "Monthly",
            "timePeriod": {
                "startDate": format!("{first}T00:00:00Z"),
                "endDate": format!("{}T00:00:00Z", first + Months::new(36)),
            },
            "notifications": {
                (format!("Actual_GreaterThan_{percent}_Percent")): {
                    "enabled": true,
                    "operator": "GreaterThan",
                    "threshold": percent,
                    "thresholdType": "Actual",
                    "contactEmails": [contact],
                },
            },
        },
    })
}

/// A policy, assigned.
pub(crate) fn policy_assignment(policy: &Policy, region: &Region) -> Value {
    let parameters = match policy.name {
        "allowed-locations" => json!({"listOfAllowedLocations": {"value": [region.id]}}),
        "require-tag" => json!({"tagName": {"value": "costCenter"}}),
        _ => json!({}),
    };
    json!({
        "location": region.id,
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "displayName": policy.title,
            "policyDefinitionId":
                format!("/providers/Microsoft.Authorization/policyDefinitions/{}", policy.definition),
            "enforcementMode": "Default",
            "parameters": parameters,
        },
    })
}

/// A way round an assigned policy, for a time.
pub(crate) fn policy_exemption(assignment: &str, reason: &str, until: NaiveDate) -> Value {
    json!({
        "properties": {
            "policyAssignmentId": assignment,
            "exemptionCategory": "Waiver",
            "displayName": reason,
            "expiresOn": format!("{until}T00:00:00Z"),
            "assignmentScopeValidation": "Default",
        },
    })
}

/// More processors of a family.
pub(crate) fn quota(family: &str, limit: i64) -> Value {
    json!({
        "properties": {
            "name": {"value": family},
            "limit": {"limitObjectType": "LimitValue", "value": limit},
        },
    })
}

/// A lock against deletion.
pub(crate) fn lock(notes: &str) -> Value {
    json!({"properties": {"level": "CanNotDelete", "notes": notes}})
}

/// How often a machine is saved and how long that is kept.
pub(crate) fn backup_policy(hour: i64, days_kept: i64) -> Value {
    let time = format!("2026-01-01T{hour:02}:00:00Z");
    json!({
        "properties": {
            "backupManagementType": "AzureIaasVM",
            "policyType": "V2",
            "instantRpRetentionRangeInDays": 2,
            "timeZone": "UTC",
            "schedulePolicy": {
                "schedulePolicyType": "SimpleSchedulePolicyV2",
                "scheduleRunFrequency": "Daily",
                "dailySchedule": {"scheduleRunTimes": [time]},
            },
            "retentionPolicy": {
                "retentionPolicyType": "LongTermRetentionPolicy",
                "dailySchedule": {
                    "retentionTimes": [time],
                    "retentionDuration": {"count": days_kept, "durationType": "Days"},
                },
            },
        },
    })
}

/// A machine, saved under a policy.
pub(crate) fn protected_item(machine_id: &str, policy_id: &str) -> Value {
    json!({
        "properties": {
            "protectedItemType": "Microsoft.Compute/virtualMachines",
            "sourceResourceId": machine_id,
            "policyId": policy_id,
        },
    })
}

/// A runbook as a draft.
pub(crate) fn runbook(region: &Region, description: &str) -> Value {
    json!({
        "location": region.id,
        "properties": {
            "description": description,
            "runbookType": "PowerShell",
            "logProgress": false,
            "logVerbose": false,
            "draft": {},
        },
    })
}

/// A schedule.
pub(crate) fn schedule(from: DateTime<Utc>, frequency: &str) -> Value {
    json!({
        "properties": {
            "description": "",
            "startTime": from.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "frequency": frequency,
            "interval": 1,
            "timeZone": "UTC",
        },
    })
}

/// A runbook, tied to a schedule.
pub(crate) fn job_schedule(runbook: &str, schedule: &str) -> Value {
    json!({"properties": {"runbook": {"name": runbook}, "schedule": {"name": schedule}}})
}

/// One run of a runbook.
pub(crate) fn job(runbook: &str) -> Value {
    json!({"properties": {"runbook": {"name": runbook}, "parameters": {}, "runOn": ""}})
}
