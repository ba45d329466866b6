//! Compute that no record of a machine gives away: only the bill shows it.

use chrono::TimeDelta;

use super::hasty_name;
use crate::catalog::meter;
use crate::estate::Rhythm;
use crate::scenario::Stage;

/// Machine learning, batch or container compute, taken with a key of the service itself, which the
/// activity log does not see. Several times what the subscription costs otherwise.
pub(crate) fn hidden_compute(stage: &mut Stage<'_>) {
    let (key, kind) =
        stage.dice.pick(&[("ml-compute", "mlw"), ("batch-compute", "batch"), ("container-vcpu", "aci")]);
    let meter = meter(key);
    let ordinary_usd = stage.subscription.ordinary_usd_a_day();
    let stolen_usd = (ordinary_usd * stage.dice.real(2.0, 7.0)).max(stage.dice.real(150.0, 600.0));
    let region =
        if stage.dice.chance(0.5) { stage.unused_regions(1)[0] } else { stage.subscription.regions[0] };
    let per_day = stolen_usd / (meter.unit_usd * region.price_factor);
    let lasts = TimeDelta::hours(stage.dice.between(60, 150));
    let name = format!("{kind}-{}", hasty_name(stage));
    let group = format!("rg-{}-prod", stage.subscription.workload.code());
    let mut usage = stage.subscription.usage(meter, &group, &name, per_day, stage.start + lasts);
    usage.from = stage.start;
    usage.region = region;
    usage.rhythm = Rhythm::Flat;
    usage.noise = stage.dice.real(0.03, 0.15);
    stage.script.usages.push(usage);
}
