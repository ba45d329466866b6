//! What happens over time, in six nouns: actions, machines, usages and conversations; and, in Entra,
//! sign-ins and changes to the directory.
//!
//! Both the ordinary life of a subscription and every scenario are scripts. Days are made from scripts
//! by one path ([`crate::records`]), so an attack's records look like anyone's, and a label's times can
//! be read off its script instead of being claimed.

mod acts;
mod directory_act;
pub(crate) mod offerings;
mod sign_in;
pub(crate) mod upkeep;

pub(crate) use acts::{Role, extension, open_port};
pub(crate) use directory_act::{Actor, By, Change, DirectoryAct, DirectoryRole, Secret, Target};
pub(crate) use sign_in::{Risk, SignIn, Way};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::dice::Dice;
use crate::estate::{Caller, Conversation, Journey, Machine, Usage};

/// What happens over time in one subscription.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// Operations on resources: activity log.
    pub(crate) actions: Vec<Action>,
    /// Machines: cost by the hour.
    pub(crate) machines: Vec<Machine>,
    /// Everything else that is billed: cost.
    pub(crate) usages: Vec<Usage>,
    /// Traffic with a fixed rhythm: flow logs.
    pub(crate) conversations: Vec<Conversation>,
    /// Sign-ins: Entra's sign-in logs. Those of the ordinary life follow from its actions.
    pub(crate) sign_ins: Vec<SignIn>,
    /// Changes to the directory: Entra's audit log.
    pub(crate) directory_acts: Vec<DirectoryAct>,
    /// Journeys of people: what they do on them in their ordinary life comes from there.
    pub(crate) journeys: Vec<Journey>,
    /// Secrets that applications use from a time on: service principal, time, id of the secret.
    pub(crate) new_secrets: Vec<(Uuid, DateTime<Utc>, Uuid)>,
}

impl Script {
    /// The object ids of all who do something in it.
    pub(crate) fn players(&self) -> impl Iterator<Item = Uuid> {
        let callers = self.actions.iter().filter_map(|action| action.caller.as_ref());
        let signed_in = self.sign_ins.iter().map(|sign_in| &sign_in.principal);
        callers.map(|caller| &caller.principal).chain(signed_in).map(|principal| principal.object_id)
    }
}

/// One operation on one resource, as its caller sees it; several records in the activity log.
#[derive(Debug, Clone)]
pub(crate) struct Action {
    /// When the request came.
    pub(crate) at: DateTime<Utc>,
    /// How long until it was settled.
    pub(crate) took: TimeDelta,
    /// Who asked; `None` for what the platform reports by itself.
    pub(crate) caller: Option<Caller>,
    /// `Microsoft.Compute/virtualMachines/write`
    pub(crate) operation: &'static str,
    /// Path of the resource.
    pub(crate) resource: String,
    /// `Administrative`, `Policy`, …
    pub(crate) category: &'static str,
    /// How it went.
    pub(crate) outcome: Outcome,
    /// Groups all actions of one deployment.
    pub(crate) correlation: Uuid,
    /// JSON text of the request, if the log keeps it.
    pub(crate) request: Option<String>,
    /// JSON text of the reply, if the log keeps it.
    pub(crate) response: Option<String>,
    /// The sentence that the log keeps of it, if any.
    pub(crate) message: Option<String>,
    /// The number of the change that allows it, if the caller's tool writes one.
    pub(crate) change_ticket: Option<String>,
}

/// How an action went.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// Start and Success.
    Done,
    /// Start, Accept (with the reply) and Success. `created` tells a new resource from a changed one.
    Accepted {
        /// Whether the resource is new.
        created: bool,
    },
    /// Start and Failure.
    Failed(Failure),
    /// One record, by the platform or by Azure Policy.
    Noted,
}

/// Why an action failed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    /// `Conflict`, `Forbidden`: HTTP's word.
    pub(crate) http: &'static str,
    /// `QuotaExceeded`
    pub(crate) code: &'static str,
    /// A sentence.
    pub(crate) message: String,
}

impl Action {
    /// An action that is done at once.
    pub(crate) fn new(
        at: DateTime<Utc>,
        caller: Caller,
        operation: &'static str,
        resource: String,
        dice: &mut Dice,
    ) -> Self {
        Self {
            at,
            took: dice.seconds(0.2, 3.0),
            caller: Some(caller),
            operation,
            resource,
            category: "Administrative",
            outcome: Outcome::Done,
            correlation: dice.guid(),
            request: None,
            response: None,
            message: None,
            change_ticket: None,
        }
    }

    /// The same, but accepted first and settled later.
    pub(crate) fn accepted(mut self, created: bool, dice: &mut Dice) -> Self {
        self.outcome = Outcome::Accepted { created };
        self.took = dice.seconds(12.0, 150.0);
        self
    }

    /// The same, but failed.
    pub(crate) fn failed(mut self, failure: Failure) -> Self {
        self.outcome = Outcome::Failed(failure);
        self.response = None;
        self
    }

    /// The same, as part of a deployment.
    pub(crate) fn within(mut self, correlation: Uuid) -> Self {
        self.correlation = correlation;
        self
    }

    /// When its last record is written.
    pub(crate) fn settled_at(&self) -> DateTime<Utc> {
        if self.outcome == Outcome::Noted { self.at } else { self.at + self.took }
    }

    /// The making of a machine.
    pub(crate) fn create_machine(machine: &Machine, caller: Caller, dice: &mut Dice) -> Self {
        let mut action = Self::new(machine.from, caller, write_operation(machine), machine.id.clone(), dice);
        let request = machine_body(machine);
        let mut response = request.clone();
        response["id"] = json!(machine.id);
        response["name"] = json!(machine.name);
        response["type"] = json!(machine.resource_type());
        response["properties"]["provisioningState"] = json!("Creating");
        action.request = Some(request.to_string());
        action.response = Some(response.to_string());
        action.accepted(true, dice)
    }

    /// A change to a machine that exists, such as a new tag: the same operation as its making, but
    /// nothing is created.
    pub(crate) fn update_machine(
        at: DateTime<Utc>,
        machine: &Machine,
        caller: Caller,
        dice: &mut Dice,
    ) -> Self {
        let mut action = Self::create_machine(machine, caller, dice);
        action.at = at;
        action.request = None;
        action.outcome = Outcome::Accepted { created: false };
        action
    }

    /// The deletion of a machine.
    pub(crate) fn delete_machine(machine: &Machine, caller: Caller, dice: &mut Dice) -> Self {
        let operation = match machine.capacity {
            Some(_) => "Microsoft.Compute/virtualMachineScaleSets/delete",
            None => "Microsoft.Compute/virtualMachines/delete",
        };
        Self::new(machine.until, caller, operation, machine.id.clone(), dice).accepted(false, dice)
    }
}

fn write_operation(machine: &Machine) -> &'static str {
    match machine.capacity {
        Some(_) => "Microsoft.Compute/virtualMachineScaleSets/write",
        None => "Microsoft.Compute/virtualMachines/write",
    }
}

fn machine_body(machine: &Machine) -> Value {
    let tags: Value = serde_json::from_str(&machine.tags).expect("tags are JSON made by this crate");
    let priority = if machine.spot { "Spot" } else { "Regular" };
    match machine.capacity {
        Some(capacity) => json!({
            "location": machine.region.id,
            "tags": tags,
            "sku": {"name": machine.size.name, "tier": "Standard", "capacity": capacity},
            "properties": {"virtualMachineProfile": {"priority": priority}},
        }),
        None => json!({
            "location": machine.region.id,
            "tags": tags,
            "properties": {
                "hardwareProfile": {"vmSize": machine.size.name},
                "priority": priority,
                "osProfile": {"computerName": machine.name, "adminUsername": "azureuser"},
            },
        }),
    }
}

impl Failure {
    /// The region has no room for another machine of this family.
    pub(crate) fn quota(machine: &Machine, dice: &mut Dice) -> Self {
        let limit = dice.between(0, 3) * 50;
        let wanted = machine.size.vcpus * machine.capacity.unwrap_or(1);
        let family = machine.size.quota_family;
        Self {
            http: "Conflict",
            code: if dice.chance(0.5) { "QuotaExceeded" } else { "OperationNotAllowed" },
            message: format!(
                "Approved {family} Cores quota in {} is {limit}; the request needs {wanted} more than is left.",
                machine.region.id
            ),
        }
    }

    /// The region does not have this size.
    pub(crate) fn sku(machine: &Machine) -> Self {
        Self {
            http: "Conflict",
            code: "SkuNotAvailable",
            message: format!("{} is not available in {} now.", machine.size.name, machine.region.id),
        }
    }

    /// A policy forbids it.
    pub(crate) fn policy(what: &str) -> Self {
        Self {
            http: "Forbidden",
            code: "RequestDisallowedByPolicy",
            message: format!("{what} is disallowed by policy."),
        }
    }

    /// The caller may not do it.
    pub(crate) fn authorization(operation: &str) -> Self {
        Self {
            http: "Forbidden",
            code: "AuthorizationFailed",
            message: format!("The caller may not perform {operation} here."),
        }
    }

    /// Something else is going on with the resource.
    pub(crate) fn conflict() -> Self {
        Self {
            http: "Conflict",
            code: "AnotherOperationInProgress",
            message: "Another operation on the resource is in progress.".to_owned(),
        }
    }
}

/// Tags as JSON text.
pub(crate) fn tags(pairs: &[(&str, &str)]) -> String {
    let map: serde_json::Map<String, Value> =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    Value::Object(map).to_string()
}
