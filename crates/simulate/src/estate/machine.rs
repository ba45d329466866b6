//! Virtual machines and scale sets: who pays for them, when they run, how they are reached.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};

use crate::calendar::{Holidays, hours_in_day, midnight};
use crate::catalog::{Region, Size};

/// What is paid for spare capacity, against the list price.
pub(crate) const SPOT_FACTOR: f64 = 0.28;

/// A virtual machine, or a scale set of several.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    /// Path of the resource.
    pub(crate) id: String,
    /// Last part of the path.
    pub(crate) name: String,
    /// Its resource group.
    pub(crate) group: String,
    /// Where it is.
    pub(crate) region: &'static Region,
    /// What it is.
    pub(crate) size: &'static Size,
    /// How many instances a scale set has; `None` for a single machine.
    pub(crate) capacity: Option<u32>,
    /// Whether it is spare capacity at a discount.
    pub(crate) spot: bool,
    /// Whether a reservation covers it: it then costs nothing by the hour.
    pub(crate) reserved: bool,
    /// When it runs, while it exists.
    pub(crate) hours: Hours,
    /// When it is made.
    pub(crate) from: DateTime<Utc>,
    /// When it is deleted.
    pub(crate) until: DateTime<Utc>,
    /// Its tags: JSON text.
    pub(crate) tags: String,
    /// Its network interface.
    pub(crate) nic: Nic,
}

/// A network interface.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Nic {
    /// `000D3A1B2C3D`
    pub(crate) mac: String,
    /// `10.3.0.4`
    pub(crate) address: String,
    /// The region of its network.
    pub(crate) region: &'static Region,
}

/// When a machine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hours {
    /// Day and night.
    Always,
    /// On workdays, for so many hours from seven in the morning.
    Office(u8),
}

impl Machine {
    /// The hours for which the machine is billed on a day, up to a moment. All instances together.
    pub(crate) fn billed_hours(&self, day: NaiveDate, until: DateTime<Utc>, holidays: &Holidays) -> f64 {
        let until = until.min(self.until);
        let hours = match self.hours {
            Hours::Always => hours_in_day(day, self.from, until),
            Hours::Office(hours) if holidays.is_workday(day) => {
                let open = midnight(day) + TimeDelta::hours(7);
                // A few minutes more or less each day, without dice: it must not depend on who asks.
                let minutes = i64::from(hours) * 60 + i64::from(day.ordinal() * 7 % 40) - 20;
                hours_in_day(day, self.from.max(open), until.min(open + TimeDelta::minutes(minutes)))
            }
            Hours::Office(_) => 0.0,
        };
        hours * f64::from(self.capacity.unwrap_or(1))
    }

    /// What it costs while it runs, all instances together, at list prices.
    pub(crate) fn usd_per_hour(&self) -> f64 {
        let discount = if self.spot { SPOT_FACTOR } else { 1.0 };
        let instances = f64::from(self.capacity.unwrap_or(1));
        self.size.hourly_usd * self.region.price_factor * discount * instances
    }

    /// Provider and type in the resource's path.
    pub(crate) fn resource_type(&self) -> &'static str {
        if self.capacity.is_some() {
            "Microsoft.Compute/virtualMachineScaleSets"
        } else {
            "Microsoft.Compute/virtualMachines"
        }
    }

    /// Whether it exists at some time of the day.
    pub(crate) fn exists_on(&self, day: NaiveDate) -> bool {
        self.from < midnight(day) + TimeDelta::days(1) && self.until > midnight(day)
    }
}
