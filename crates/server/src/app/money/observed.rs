//! Prices that the partner's own bills tell, and what its currencies are worth.

use alerts::money::{Amount, Currency, MachinePrice, PriceSource, Priority};
use arrow_array::cast::AsArray as _;
use arrow_array::types::{Decimal128Type, Float64Type, Int64Type};
use arrow_array::{Array as _, BooleanArray};
use chrono::{DateTime, TimeDelta, Utc};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use ingest::schema::Kind;
use store::ObservedPrices;

use super::MoneyError;
use super::look::{micros, text};
use crate::app::Instance;
use crate::app::detection::Events;

/// Bills of how many days tell prices.
const DAYS: i64 = 35;

/// What machines cost: what was paid for their hours. Hours that a reservation covers cost nothing and tell no price.
/// Those with a licence for Windows are left out, so that what is priced by the others is rather too little.
const PRICES: &str = "
select
  lower(vm_size) as size,
  coalesce(resource_region, '') as region,
  currency,
  lower(coalesce(meter_name, '')) like '%spot%'
    or lower(coalesce(meter_name, '')) like '%low priority%' as is_spot,
  sum(try_cast(cost as decimal(24, 6))) as cost,
  sum(usage_quantity) as hours,
  count(*) as lines
from money_lines
where vm_size is not null
  and currency is not null
  and cost > 0
  and usage_quantity > 0
  and lower(usage_unit) in ('hour', 'hours')
  and coalesce(charge_type, 'usage') = 'usage'
  and lower(coalesce(meter_category, 'virtual machines')) = 'virtual machines'
  and lower(concat_ws(' ', meter_sub_category, product)) not like '%windows%'
group by
  lower(vm_size),
  coalesce(resource_region, ''),
  currency,
  lower(coalesce(meter_name, '')) like '%spot%'
    or lower(coalesce(meter_name, '')) like '%low priority%'
having sum(usage_quantity) >= 1
order by size, region, currency, is_spot";

const WORTH: &str = "
select
  currency,
  sum(cost) as cost,
  sum(cost_usd) as cost_usd
from money_lines
where currency is not null
  and cost > 0
  and cost_usd > 0
group by currency
order by currency";

/// Reads prices from bills, if bills have come in since that was last done, and it was not done just now.
pub(super) async fn refresh(
    instance: &Instance,
    events: &Events<'_>,
    every: TimeDelta,
    now: DateTime<Utc>,
) -> Result<(), MoneyError> {
    let scope = instance.scope();
    if let Some(observed_at) = instance.store.prices_observed_at(&scope).await? {
        let is_recent = now - observed_at < every;
        if is_recent {
            return Ok(());
        }
        let totals = instance.store.totals(&scope).await?;
        let billed_at = totals.iter().find(|of| of.kind == Kind::Cost.name()).map(|of| of.last_arrived_at);
        if billed_at.is_none_or(|billed_at| billed_at <= observed_at) {
            return Ok(());
        }
    }
    let observed = observe(instance, events.session().await?, now).await?;
    instance.store.observe_prices(&scope, &observed, now).await?;
    Ok(())
}

async fn observe(
    instance: &Instance,
    session: &SessionContext,
    now: DateTime<Utc>,
) -> Result<ObservedPrices, DataFusionError> {
    let since = now - TimeDelta::days(DAYS);
    let lines = detect::visible_events(session, Kind::Cost, &instance.partner, since, now).await?;
    session.deregister_table("money_lines")?;
    session.register_table("money_lines", lines.into_view())?;
    let mut observed = ObservedPrices::default();
    for batch in session.sql(PRICES).await?.collect().await? {
        let (sizes, regions, currencies) =
            (text(&batch, "size")?, text(&batch, "region")?, text(&batch, "currency")?);
        let spots: &BooleanArray = batch["is_spot"].as_boolean();
        let costs = micros(&batch, "cost")?;
        let costs = costs.as_primitive::<Decimal128Type>();
        let hours = batch["hours"].as_primitive::<Float64Type>();
        let lines = cast(&batch["lines"], &DataType::Int64)?;
        let lines = lines.as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            let Ok(currency) = currencies.value(row).parse::<Currency>() else { continue };
            if !costs.is_valid(row) {
                continue;
            }
            let per_hour = Amount::of_price(costs.value(row) as f64 / 1_000_000.0 / hours.value(row));
            let Some(per_hour) = per_hour.filter(|price| !price.is_zero()) else { continue };
            observed.prices.push(MachinePrice {
                source: PriceSource::Observed,
                currency,
                size: sizes.value(row).to_owned(),
                region: regions.value(row).to_owned(),
                priority: if spots.value(row) { Priority::Spot } else { Priority::Regular },
                per_hour,
                lines: u64::try_from(lines.value(row)).unwrap_or_default(),
            });
        }
    }
    for batch in session.sql(WORTH).await?.collect().await? {
        let currencies = text(&batch, "currency")?;
        let (costs, dollars) =
            (batch["cost"].as_primitive::<Float64Type>(), batch["cost_usd"].as_primitive::<Float64Type>());
        for row in 0..batch.num_rows() {
            let worth = Amount::of_price(dollars.value(row) / costs.value(row));
            if let (Ok(currency), Some(worth)) = (currencies.value(row).parse::<Currency>(), worth) {
                observed.worth.push((currency, worth));
            }
        }
    }
    Ok(observed)
}
