//! Asking for more quota: on the way of many attacks, and first of all in one of them.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::compute::{Rig, build};
use super::hasty_name;
use super::worker::{Worker, entry, found_after};
use crate::catalog::{Region, Size, SizeClass, of_class};
use crate::estate::Caller;
use crate::scenario::Stage;
use crate::script::{Action, Failure};

/// The service of Microsoft's support that raises quotas, and its topic for processors of machines.
const SUPPORT_SERVICE: &str = "/providers/Microsoft.Support/services/06bfd9d3-516b-d5c6-5802-169c800dec89";
const SUPPORT_TOPIC: &str = "e12e3d1d-7fa0-af33-c6d0-3c50df9658a3";

/// By which door the request comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    /// The quota service.
    Quota,
    /// The service before it.
    Capacity,
    /// A support ticket.
    Ticket,
}

/// Many requests for more quota in many regions within hours, and machines some hours to two days later
/// where it was given. Microsoft found that pattern before fleets of miners (July 2023,
/// "Cryptojacking: Understanding and defending against cloud compute resource abuse"); MITRE T1578.005.
pub(crate) fn quota_grab(stage: &mut Stage<'_>) {
    let caller = entry(stage);
    let mut worker = Worker::new(stage, caller);
    let class = if stage.dice.chance(0.75) { SizeClass::Gpu } else { SizeClass::Large };
    let size_count = stage.dice.between(1, 2) as usize;
    let sizes = stage.dice.sample(&of_class(class), size_count);
    let region_count = stage.dice.between(6, 14) as usize;
    let regions = stage.unused_regions(region_count);
    let door = stage.dice.pick(&[Door::Quota, Door::Quota, Door::Capacity, Door::Ticket]);
    let granted_share = stage.dice.real(0.2, 0.7);
    let mut granted: Vec<&'static Region> = Vec::new();
    for region in &regions {
        for size in &sizes {
            worker.wait(stage, 3.0, 60.0);
            // Somewhere it must be given, or the rest would not follow.
            let is_given = granted.is_empty() || stage.dice.chance(granted_share);
            if ask(stage, &mut worker, door, region, size, is_given) && !granted.contains(region) {
                granted.push(region);
            }
        }
    }

    worker.wait(stage, 3_600.0, 150_000.0);
    let group = hasty_name(stage);
    worker.makes_group(stage, &group);
    let pool = stage.pool();
    let rig = Rig {
        group: &group,
        regions: &granted,
        sizes: &sizes,
        count: stage.dice.between(4, 24),
        refused_share: stage.dice.real(0.0, 0.2),
        pool: Some(&pool),
    };
    build(stage, &mut worker, &rig);
    found_after(stage, 48, 200);
}

/// Asks for a family in a region, and says whether it was given.
fn ask(
    stage: &mut Stage<'_>,
    worker: &mut Worker,
    door: Door,
    region: &'static Region,
    size: &'static Size,
    is_given: bool,
) -> bool {
    let limit = new_limit(stage, size);
    let family = size.quota_family;
    let (operation, resource, body) = match door {
        Door::Quota => {
            let path = quota_path(region.id, family);
            ("Microsoft.Quota/quotas/write", stage.subscription.of_whole(&path), quota_body(family, limit))
        }
        Door::Capacity => {
            let path = format!(
                "Microsoft.Capacity/resourceProviders/Microsoft.Compute/locations/{}/serviceLimits/{family}",
                region.id
            );
            let body = json!({
                "properties": {"limit": limit, "unit": "Count", "name": {"value": family}},
            });
            (
                "Microsoft.Capacity/resourceProviders/locations/serviceLimits/write",
                stage.subscription.of_whole(&path),
                body,
            )
        }
        Door::Ticket => {
            let path = format!("Microsoft.Support/supportTickets/q{:08x}", stage.dice.below(1 << 32));
            let body = ticket(region, size, limit);
            ("Microsoft.Support/supportTickets/write", stage.subscription.of_whole(&path), body)
        }
    };
    stage.uses(&resource);
    let request = worker.act(stage, operation, resource).asking(&body);
    // A ticket is always taken; what becomes of it, the log does not say.
    let is_taken = is_given || door == Door::Ticket;
    let request = if is_taken {
        request.accepted(door == Door::Ticket, &mut stage.dice)
    } else {
        request.failed(Failure::no_more_quota(family, region.id))
    };
    stage.script.actions.push(request);
    is_given
}

fn new_limit(stage: &mut Stage<'_>, size: &Size) -> i64 {
    i64::from(size.vcpus) * stage.dice.between(4, 40)
}

fn quota_path(region: &str, family: &str) -> String {
    format!("Microsoft.Compute/locations/{region}/providers/Microsoft.Quota/quotas/{family}")
}

fn quota_body(family: &str, limit: i64) -> Value {
    json!({
        "properties": {
            "limit": {"limitObjectType": "LimitValue", "value": limit},
            "name": {"value": family},
        },
    })
}

fn ticket(region: &Region, size: &Size, limit: i64) -> Value {
    let payload = json!({"SKU": size.series, "NewLimit": limit}).to_string();
    json!({
        "properties": {
            "title": "Quota request for Compute-VM",
            "description": "More cores for a project",
            "severity": "minimal",
            "serviceId": SUPPORT_SERVICE,
            "problemClassificationId": format!("{SUPPORT_SERVICE}/problemClassifications/{SUPPORT_TOPIC}"),
            "quotaTicketDetails": {
                "quotaChangeRequestVersion": "1.0",
                "quotaChangeRequests": [{"region": region.name, "payload": payload}],
            },
        },
    })
}

/// Asks for more quota in the middle of something else; sometimes Azure gives it.
pub(super) fn ask_for_quota(
    stage: &mut Stage<'_>,
    caller: &Caller,
    region: &str,
    family: &str,
    delay: TimeDelta,
) {
    let resource = stage.subscription.of_whole(&quota_path(region, family));
    let at: DateTime<Utc> = stage.start + delay;
    let limit = stage.dice.between(2, 20) * 48;
    let action = Action::new(at, caller.clone(), "Microsoft.Quota/quotas/write", resource, &mut stage.dice)
        .asking(&quota_body(family, limit));
    let granted = stage.dice.chance(0.35);
    let action = if granted {
        action.accepted(false, &mut stage.dice)
    } else {
        action.failed(Failure::no_more_quota(family, region))
    };
    stage.script.actions.push(action);
}
