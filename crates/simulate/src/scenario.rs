//! Scenarios: attacks, and harmless things that look like them.
//!
//! A [`Kind`] is one class of scenario: a row in [`ATTACKS`] or [`HARMLESS`] and a function that writes
//! a script. [`plan()`] decides which happen where and when; [`Incident::play`] writes the script and
//! reads the label off it. To add a scenario, write its function and add its row.

mod attacks;
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

/// All attacks. The first two are those that also come fresh, in the last hours of the period: they
/// show within hours, in the activity log and in flow logs.
pub(crate) static ATTACKS: [Kind; 5] = [
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
];

/// All look-alikes.
pub(crate) static HARMLESS: [Kind; 7] = [
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
];
