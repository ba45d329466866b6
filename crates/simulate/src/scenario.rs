//! Scenarios: attacks, and harmless things that look like them.
//!
//! A [`Kind`] is one class of scenario: a row in [`ATTACKS`] or [`HARMLESS`] and a function that writes
//! a script. [`plan()`] decides which happen where and when; [`Incident::play`] writes the script and
//! reads the label off it. To add a scenario, write its function and add its row.

mod attacks;
mod directory;
mod harmless;
mod plan;
mod stage;

pub(crate) use plan::{Incident, plan};
pub(crate) use stage::{Played, Stage};

use crate::estate::Subscription;

/// One class of scenario.
#[derive(Debug)]
pub(crate) struct Kind {
    /// The class, as labels call it.
    pub(crate) name: &'static str,
    /// Whether it is an attack.
    pub(crate) malicious: bool,
    /// How long before the end it must start for its evidence to show.
    pub(crate) tail_hours: i64,
    /// Whether it can happen in this subscription.
    pub(crate) fits: fn(&Subscription) -> bool,
    /// Writes its script.
    pub(crate) play: fn(&mut Stage<'_>),
}

fn anywhere(_: &Subscription) -> bool {
    true
}

/// Whether the customer exports Entra's logs.
fn has_entra_logs(subscription: &Subscription) -> bool {
    subscription.has_entra_logs
}

/// All attacks. The first two are those that also come fresh, in the last hours of the period: they
/// show within hours, in the activity log and in flow logs.
pub(crate) static ATTACKS: [Kind; 25] = [
    Kind { name: "gpu-fleet", malicious: true, tail_hours: 30, fits: anywhere, play: attacks::gpu_fleet },
    Kind {
        name: "hijacked-mining",
        malicious: true,
        tail_hours: 30,
        fits: attacks::has_machines_to_hijack,
        play: attacks::hijacked_mining,
    },
    Kind {
        name: "scale-set-burst",
        malicious: true,
        tail_hours: 30,
        fits: anywhere,
        play: attacks::scale_set_burst,
    },
    // Azure's own anomaly run waits 36 hours after the day is over; three days and a half leave one
    // whole day that even so can be judged.
    Kind {
        name: "hidden-compute",
        malicious: true,
        tail_hours: 84,
        fits: anywhere,
        play: attacks::hidden_compute,
    },
    Kind { name: "slow-burn", malicious: true, tail_hours: 120, fits: anywhere, play: attacks::slow_burn },
    attack("batch-pools", 36, anywhere, attacks::batch_pools),
    attack("container-mining", 36, anywhere, attacks::container_mining),
    attack("ml-compute", 36, anywhere, attacks::ml_compute),
    attack("kubernetes-mining", 36, anywhere, attacks::kubernetes_mining),
    // Two days may lie between the requests and the machines.
    attack("quota-grab", 84, anywhere, attacks::quota_grab),
    attack("run-command-miner", 30, attacks::has_lasting_machines, attacks::run_command_miner),
    attack("key-theft", 24, attacks::has_lasting_machines, attacks::key_theft),
    attack("ransom-deletion", 30, attacks::has_lasting_machines, attacks::ransom_deletion),
    attack("logging-off", 48, anywhere, attacks::logging_off),
    attack("subscription-hijack", 60, anywhere, attacks::subscription_hijack),
    attack("automation-backdoor", 96, anywhere, attacks::automation_backdoor),
    attack("rdp-open", 30, attacks::has_lasting_machines, attacks::rdp_open),
    attack("hidden-region", 120, anywhere, attacks::hidden_region),
    attack("elevate-and-grant", 24, anywhere, attacks::elevate_and_grant),
    attack("storage-exfiltration", 48, anywhere, attacks::storage_exfiltration),
    attack("hijacked-pipeline", 36, anywhere, attacks::hijacked_pipeline),
    attack("partner-account", 48, attacks::has_lasting_machines, attacks::partner_account),
    // A patient spray takes days.
    attack("password-spray", 120, has_entra_logs, attacks::password_spray),
    attack("stolen-token", 48, has_entra_logs, attacks::stolen_token),
    attack("app-backdoor", 84, has_entra_logs, attacks::app_backdoor),
];

const fn attack(
    name: &'static str,
    tail_hours: i64,
    fits: fn(&Subscription) -> bool,
    play: fn(&mut Stage<'_>),
) -> Kind {
    Kind { name, malicious: true, tail_hours, fits, play }
}

/// All look-alikes.
pub(crate) static HARMLESS: [Kind; 26] = [
    Kind {
        name: "planned-migration",
        malicious: false,
        tail_hours: 96,
        fits: anywhere,
        play: harmless::planned_migration,
    },
    Kind { name: "new-region", malicious: false, tail_hours: 48, fits: anywhere, play: harmless::new_region },
    Kind {
        name: "autoscale-burst",
        malicious: false,
        tail_hours: 36,
        fits: anywhere,
        play: harmless::autoscale_burst,
    },
    Kind {
        name: "month-end-batch",
        malicious: false,
        tail_hours: 48,
        fits: anywhere,
        play: harmless::month_end_batch,
    },
    Kind {
        name: "backup-upload",
        malicious: false,
        tail_hours: 36,
        fits: anywhere,
        play: harmless::backup_upload,
    },
    Kind {
        name: "monitoring-heartbeat",
        malicious: false,
        tail_hours: 48,
        fits: anywhere,
        play: harmless::monitoring_heartbeat,
    },
    Kind { name: "gpu-trial", malicious: false, tail_hours: 48, fits: anywhere, play: harmless::gpu_trial },
    look_alike("batch-render-job", 96, anywhere, harmless::batch_render_job),
    look_alike("container-release", 96, anywhere, harmless::container_release),
    look_alike("ml-training", 168, harmless::has_data_scientists, harmless::ml_training),
    look_alike("quota-raise-planned", 192, anywhere, harmless::quota_raise_planned),
    look_alike("new-administrator", 144, anywhere, harmless::new_administrator),
    look_alike("environment-teardown", 120, anywhere, harmless::environment_teardown),
    look_alike("backup-policy-change", 144, harmless::has_old_machines, harmless::backup_policy_change),
    look_alike("logging-migration", 96, anywhere, harmless::logging_migration),
    look_alike("key-rotation", 48, harmless::rotates_keys, harmless::key_rotation),
    look_alike("vendor-support", 144, harmless::has_old_machines, harmless::vendor_support),
    look_alike("patching", 72, harmless::patches_machines, harmless::patching),
    look_alike("firewall-opened-for-office", 96, anywhere, harmless::firewall_opened_for_office),
    look_alike("automation-rollout", 168, anywhere, harmless::automation_rollout),
    // It happens when the subscription is opened, a week or more before its start.
    look_alike("subscription-onboarding", 24, harmless::is_young, harmless::subscription_onboarding),
    look_alike("disaster-recovery-test", 120, harmless::has_old_machines, harmless::disaster_recovery_test),
    look_alike("cost-cleanup", 120, anywhere, harmless::cost_cleanup),
    look_alike("policy-rollout", 120, anywhere, harmless::policy_rollout),
    look_alike("business-trip", 120, has_entra_logs, harmless::business_trip),
    look_alike("secret-rotation", 72, has_entra_logs, harmless::secret_rotation),
];

const fn look_alike(
    name: &'static str,
    tail_hours: i64,
    fits: fn(&Subscription) -> bool,
    play: fn(&mut Stage<'_>),
) -> Kind {
    Kind { name, malicious: false, tail_hours, fits, play }
}
