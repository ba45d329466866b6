//! Who keeps a subscription in order beside its people and its pipeline, and how often each does what.
//!
//! Administrators and programs do by habit what intruders do, too: they read keys, give roles, open
//! ports, delete things. Each subscription has habits of its own, drawn from [`CUSTOMS`]: some of its
//! people and programs do a chore week by week, others never do it.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::dice::Dice;
use crate::estate::{Principal, Workload, address};

/// Days of an average month, and the share of a workday that an average day of it is.
const DAYS_A_MONTH: f64 = 30.0;
const AVERAGE_BUSINESS: f64 = 0.73;

/// The programs of a subscription, its teams, and the habits of all.
#[derive(Debug)]
pub(crate) struct Upkeep {
    /// Makes keys anew.
    pub(crate) rotation: Arc<Principal>,
    /// Patches machines.
    pub(crate) patching: Arc<Principal>,
    /// Copies and prunes disks.
    pub(crate) backup: Arc<Principal>,
    /// The customer's own software, which reads its keys when it starts.
    pub(crate) software: Arc<Principal>,
    /// The identity under which Azure Policy deploys what is missing.
    pub(crate) policy: Arc<Principal>,
    /// Groups and identities of services that get roles now and then; they never call.
    pub(crate) grantees: Vec<Arc<Principal>>,
    /// What is done how often, by whom.
    pub(crate) habits: Vec<Habit>,
}

/// Something that somebody does again and again.
#[derive(Debug, Clone)]
pub(crate) struct Habit {
    /// What.
    pub(crate) chore: Chore,
    /// Who.
    pub(crate) who: Arc<Principal>,
    /// How often on a day on which the office is full; on each day, if no office is needed.
    pub(crate) a_day: f64,
    /// How many things at once, from and to.
    pub(crate) at_once: (i64, i64),
    /// At what time.
    pub(crate) when: When,
}

/// The time of day of a habit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// With the office.
    Office,
    /// In the small hours, every day.
    Night,
    /// At any time, every day.
    Always,
}

/// What is done by habit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Chore {
    /// Gives somebody a role, or takes it back.
    Roles,
    /// Reads the keys of storage accounts.
    ReadKeys,
    /// Makes keys anew.
    RotateKeys,
    /// Sends the logs of a resource somewhere.
    Diagnostics,
    /// Changes a rule of a security group.
    Rules,
    /// Installs an extension on a machine.
    Extensions,
    /// Runs a command on a machine.
    Commands,
    /// Deletes one thing that is not needed any more.
    Deletions,
    /// Deletes old snapshots.
    Snapshots,
    /// Takes a disk's content out, through a link that is valid for a while.
    DiskCopies,
    /// Changes a budget.
    Budgets,
    /// Deploys what a policy says is missing.
    PolicyDeploys,
    /// Starts a runbook.
    Jobs,
    /// Asks for more processors.
    Quota,
    /// Lifts a lock, deletes, and locks again.
    Locks,
    /// Runs a container for as long as a job takes.
    Containers,
    /// Resizes a pool of Azure Batch.
    Pools,
    /// Starts and stops a compute instance of machine learning.
    Instances,
}

/// Who may have a habit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// The customer's first administrator: an Owner.
    Administrator,
    /// One of the customer's people, always the same.
    Operator,
    /// The partner's administrator.
    Delegated,
    Pipeline,
    Automation,
    Rotation,
    Patching,
    Backup,
    Software,
    Policy,
}

/// A habit that a subscription may have.
struct Custom {
    chore: Chore,
    who: Who,
    /// The share of subscriptions that have it.
    share: f64,
    /// How often in thirty days, from and to.
    a_month: (f64, f64),
    at_once: (i64, i64),
    when: When,
}

const fn custom(
    chore: Chore,
    who: Who,
    share: f64,
    a_month: (f64, f64),
    at_once: (i64, i64),
    when: When,
) -> Custom {
    Custom { chore, who, share, a_month, at_once, when }
}

/// What is usual somewhere. The rates are rough and meant to differ between subscriptions.
static CUSTOMS: [Custom; 34] = [
    custom(Chore::Roles, Who::Administrator, 0.75, (0.5, 4.0), (1, 2), When::Office),
    custom(Chore::Roles, Who::Delegated, 0.25, (0.3, 1.5), (1, 3), When::Office),
    custom(Chore::ReadKeys, Who::Software, 0.55, (3.0, 20.0), (1, 2), When::Always),
    custom(Chore::ReadKeys, Who::Pipeline, 0.35, (2.0, 12.0), (1, 2), When::Office),
    custom(Chore::ReadKeys, Who::Operator, 0.45, (1.0, 10.0), (1, 2), When::Office),
    custom(Chore::ReadKeys, Who::Operator, 0.25, (0.7, 5.0), (1, 4), When::Office),
    custom(Chore::ReadKeys, Who::Delegated, 0.1, (0.5, 2.0), (1, 2), When::Office),
    custom(Chore::ReadKeys, Who::Backup, 0.15, (2.0, 10.0), (1, 3), When::Night),
    custom(Chore::RotateKeys, Who::Rotation, 0.35, (2.0, 6.0), (1, 3), When::Night),
    custom(Chore::RotateKeys, Who::Administrator, 0.1, (0.2, 0.8), (1, 2), When::Office),
    custom(Chore::Diagnostics, Who::Pipeline, 0.4, (0.5, 4.0), (1, 3), When::Office),
    custom(Chore::Diagnostics, Who::Administrator, 0.25, (0.3, 2.0), (1, 2), When::Office),
    custom(Chore::Rules, Who::Operator, 0.5, (0.7, 5.0), (1, 2), When::Office),
    custom(Chore::Rules, Who::Pipeline, 0.25, (0.5, 4.0), (1, 4), When::Office),
    custom(Chore::Extensions, Who::Policy, 0.5, (0.5, 4.0), (1, 2), When::Always),
    custom(Chore::Extensions, Who::Operator, 0.2, (0.3, 2.0), (1, 2), When::Office),
    custom(Chore::Commands, Who::Patching, 0.35, (2.0, 6.0), (1, 3), When::Night),
    custom(Chore::Commands, Who::Operator, 0.2, (0.4, 3.0), (1, 2), When::Office),
    custom(Chore::Deletions, Who::Operator, 0.55, (0.7, 4.0), (1, 2), When::Office),
    custom(Chore::Deletions, Who::Pipeline, 0.45, (0.7, 5.0), (1, 2), When::Office),
    custom(Chore::Snapshots, Who::Backup, 0.25, (2.0, 8.0), (1, 3), When::Night),
    custom(Chore::DiskCopies, Who::Backup, 0.12, (1.0, 5.0), (1, 2), When::Night),
    custom(Chore::DiskCopies, Who::Operator, 0.06, (0.2, 1.0), (1, 1), When::Office),
    custom(Chore::Budgets, Who::Administrator, 0.35, (0.3, 1.5), (1, 1), When::Office),
    custom(Chore::Budgets, Who::Delegated, 0.2, (0.3, 1.2), (1, 1), When::Office),
    custom(Chore::PolicyDeploys, Who::Policy, 0.45, (1.0, 5.0), (1, 2), When::Always),
    custom(Chore::Jobs, Who::Automation, 0.4, (4.0, 28.0), (1, 1), When::Night),
    custom(Chore::Jobs, Who::Operator, 0.12, (0.5, 3.0), (1, 1), When::Office),
    custom(Chore::Quota, Who::Administrator, 0.12, (0.2, 1.0), (1, 2), When::Office),
    custom(Chore::Locks, Who::Administrator, 0.15, (0.3, 1.5), (1, 1), When::Office),
    custom(Chore::Containers, Who::Pipeline, 0.15, (2.0, 9.0), (1, 2), When::Office),
    custom(Chore::Pools, Who::Pipeline, 0.12, (2.0, 12.0), (1, 1), When::Always),
    custom(Chore::Pools, Who::Operator, 0.05, (0.5, 3.0), (1, 1), When::Office),
    custom(Chore::Instances, Who::Operator, 0.6, (4.0, 18.0), (1, 1), When::Office),
];

/// Workloads whose people train models and run batches of their own.
fn computes(workload: Workload) -> bool {
    matches!(workload, Workload::Analytics | Workload::DataPlatform)
}

impl Upkeep {
    /// The upkeep of a subscription. The subscription's id is as random as the seed is, so it names the
    /// dice; nothing else of the estate changes with them.
    pub(crate) fn new(
        subscription_id: &str,
        tenant_id: &str,
        workload: Workload,
        since: DateTime<Utc>,
        people: &Known<'_>,
    ) -> Self {
        let mut dice = Dice::new(0, &format!("upkeep of {subscription_id}"), 0);
        let dice = &mut dice;
        let mut program = |role, lives_in_azure| {
            let addresses = if lives_in_azure { vec![] } else { vec![address::service(dice)] };
            Principal::application(tenant_id, role, addresses, since, dice)
        };
        let mut upkeep = Self {
            rotation: Arc::new(program("Storage Account Key Operator Service Role", false)),
            patching: Arc::new(program("Virtual Machine Contributor", false)),
            backup: Arc::new(program("Contributor", false)),
            software: Arc::new(program("Contributor", false)),
            policy: Arc::new(program("Contributor", true)),
            grantees: (0..4).map(|_| program("Reader", true)).map(Arc::new).collect(),
            habits: Vec::new(),
        };
        for team in upkeep.grantees.iter_mut().take(2).filter_map(Arc::get_mut) {
            team.principal_type = "Group";
        }
        for custom in &CUSTOMS {
            let fits = match custom.chore {
                Chore::Instances => computes(workload),
                _ => true,
            };
            if fits && dice.chance(custom.share) {
                let habit = upkeep.habit(custom, people, dice);
                upkeep.habits.extend(habit);
            }
        }
        upkeep
    }

    fn habit(&self, custom: &Custom, people: &Known<'_>, dice: &mut Dice) -> Option<Habit> {
        let who = match custom.who {
            Who::Administrator => people.operators.first()?,
            Who::Operator => &dice.pick(people.operators),
            Who::Delegated => people.delegated.first()?,
            Who::Pipeline => people.pipeline,
            Who::Automation => people.automation,
            Who::Rotation => &self.rotation,
            Who::Patching => &self.patching,
            Who::Backup => &self.backup,
            Who::Software => &self.software,
            Who::Policy => &self.policy,
        };
        let a_month = dice.real(custom.a_month.0, custom.a_month.1);
        let average = if custom.when == When::Office { AVERAGE_BUSINESS } else { 1.0 };
        Some(Habit {
            chore: custom.chore,
            who: Arc::clone(who),
            a_day: a_month / DAYS_A_MONTH / average,
            at_once: custom.at_once,
            when: custom.when,
        })
    }

    /// Whether a principal does something by habit.
    pub(crate) fn is_habit(&self, chore: Chore, who: &Arc<Principal>) -> bool {
        self.habits.iter().any(|habit| habit.chore == chore && Arc::ptr_eq(&habit.who, who))
    }
}

/// Who works on a subscription anyway.
pub(crate) struct Known<'a> {
    /// People of the customer; the first is an Owner.
    pub(crate) operators: &'a [Arc<Principal>],
    /// The partner's people.
    pub(crate) delegated: &'a [Arc<Principal>],
    /// The build pipeline.
    pub(crate) pipeline: &'a Arc<Principal>,
    /// The identity of nightly jobs.
    pub(crate) automation: &'a Arc<Principal>,
}
