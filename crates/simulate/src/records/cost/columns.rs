//! The columns of the two kinds of cost file, in the order in which they are written.

use std::borrow::Cow;

use chrono::{Datelike, Days, Months, NaiveDate};
use uuid::Uuid;

use super::Line;
use crate::estate::CostShape;

/// The name space of meter ids, which follow from the meter's names.
const METER_SPACE: Uuid = Uuid::from_u128(0x61c4_17d2_5c8e_4f0a_b3a9_2e5d_4470_cc03);

/// A header, and how its value is made.
type Column = (&'static str, fn(&Line<'_>) -> Cow<'static, str>);

/// The columns of a kind of file.
pub(super) fn of(shape: CostShape) -> &'static [Column] {
    match shape {
        CostShape::Partner => PARTNER,
        CostShape::Enterprise => ENTERPRISE,
    }
}

fn owned(text: &str) -> Cow<'static, str> {
    Cow::Owned(text.to_owned())
}

fn empty(_: &Line<'_>) -> Cow<'static, str> {
    Cow::Borrowed("")
}

fn number(value: f64) -> Cow<'static, str> {
    Cow::Owned(value.to_string())
}

fn iso(day: NaiveDate) -> Cow<'static, str> {
    Cow::Owned(day.to_string())
}

/// `03/31/2026`
fn month_first(day: NaiveDate) -> Cow<'static, str> {
    Cow::Owned(format!("{:02}/{:02}/{}", day.month(), day.day(), day.year()))
}

fn period_start(day: NaiveDate) -> NaiveDate {
    day - Days::new(u64::from(day.day0()))
}

fn period_end(day: NaiveDate) -> NaiveDate {
    period_start(day) + Months::new(1) - Days::new(1)
}

fn meter_id(line: &Line<'_>) -> Cow<'static, str> {
    let charge = line.charge;
    let name = [charge.category, &charge.sub_category, &charge.meter_name, charge.region.id].join("\n");
    Cow::Owned(Uuid::new_v5(&METER_SPACE, name.as_bytes()).to_string())
}

fn product(line: &Line<'_>) -> Cow<'static, str> {
    let charge = line.charge;
    Cow::Owned(format!(
        "{} - {} - {} - {}",
        charge.category, charge.sub_category, charge.meter_name, charge.region.meter_name
    ))
}

fn resource_name(line: &Line<'_>) -> Cow<'static, str> {
    owned(line.charge.resource.rsplit('/').next().unwrap_or_default())
}

fn effective_price(line: &Line<'_>) -> Cow<'static, str> {
    let covered = !line.charge.reservation_id.is_empty();
    number(if covered { 0.0 } else { line.charge.unit_price })
}

fn in_usd(line: &Line<'_>) -> Cow<'static, str> {
    number(crate::dice::rounded(line.charge.cost / line.customer.currency.1, 6))
}

fn reseller_name(line: &Line<'_>) -> Cow<'static, str> {
    line.customer.reseller.map_or(Cow::Borrowed(""), |index| owned(&line.partner.resellers[index].name))
}

fn reseller_mpn_id(line: &Line<'_>) -> Cow<'static, str> {
    line.customer.reseller.map_or(Cow::Borrowed(""), |index| owned(&line.partner.resellers[index].mpn_id))
}

/// A partner's file.
const PARTNER: &[Column] = &[
    ("billingAccountId", |l| owned(&l.partner.billing_account_id)),
    ("billingAccountName", |l| owned(&l.partner.name)),
    ("billingPeriodStartDate", |l| iso(period_start(l.day))),
    ("billingPeriodEndDate", |l| iso(period_end(l.day))),
    ("billingProfileId", |_| Cow::Borrowed("SKYL-PROF-01")),
    ("resellerName", reseller_name),
    ("resellerMpnId", reseller_mpn_id),
    ("partnerName", |l| owned(&l.partner.name)),
    ("partnerTenantId", |l| owned(&l.partner.tenant_id)),
    ("customerName", |l| owned(&l.customer.name)),
    ("customerTenantId", |l| owned(&l.customer.tenant_id)),
    ("subscriptionId", |l| owned(&l.subscription.id)),
    ("subscriptionName", |l| owned(&l.subscription.name)),
    ("date", |l| iso(l.day)),
    ("product", product),
    ("meterId", meter_id),
    ("serviceFamily", |l| Cow::Borrowed(l.charge.service_family)),
    ("meterCategory", |l| Cow::Borrowed(l.charge.category)),
    ("meterSubCategory", |l| owned(&l.charge.sub_category)),
    ("meterRegion", |l| Cow::Borrowed(l.charge.region.meter_name)),
    ("meterName", |l| owned(&l.charge.meter_name)),
    ("quantity", |l| number(l.charge.quantity)),
    ("unitOfMeasure", |l| Cow::Borrowed(l.charge.unit)),
    ("effectivePrice", effective_price),
    ("payGPrice", |l| number(l.charge.unit_price)),
    ("costInBillingCurrency", |l| number(l.charge.cost)),
    ("costInPricingCurrency", in_usd),
    ("costInUsd", in_usd),
    ("billingCurrency", |l| Cow::Borrowed(l.customer.currency.0)),
    ("pricingCurrency", |_| Cow::Borrowed("USD")),
    ("exchangeRatePricingToBilling", |l| number(l.customer.currency.1)),
    ("exchangeRateDate", |l| iso(period_start(l.day))),
    ("resourceLocation", |l| Cow::Borrowed(l.charge.region.id)),
    ("consumedService", |l| Cow::Borrowed(l.charge.consumed_service)),
    ("resourceGroupName", |l| owned(&l.charge.group)),
    ("resourceId", |l| owned(&l.charge.resource)),
    ("additionalInfo", |l| owned(&l.charge.additional_info)),
    ("tags", |l| owned(&l.charge.tags)),
    ("reservationId", |l| Cow::Borrowed(l.charge.reservation_id)),
    ("isAzureCreditEligible", |_| Cow::Borrowed("True")),
    ("partnerEarnedCreditApplied", |_| Cow::Borrowed("1")),
    ("partnerEarnedCreditRate", |_| Cow::Borrowed("0.15")),
    ("chargeType", |l| Cow::Borrowed(l.charge.charge_type)),
    ("frequency", |_| Cow::Borrowed("UsageBased")),
    ("publisherType", |l| Cow::Borrowed(l.charge.publisher_type)),
];

/// An enterprise's file of the older kind.
const ENTERPRISE: &[Column] = &[
    ("BillingAccountId", |l| owned(&l.partner.billing_account_id)),
    ("BillingAccountName", |l| owned(&l.partner.name)),
    ("BillingPeriodStartDate", |l| month_first(period_start(l.day))),
    ("BillingPeriodEndDate", |l| month_first(period_end(l.day))),
    ("BillingProfileId", |_| Cow::Borrowed("SKYL-PROF-01")),
    ("AccountName", |l| owned(&l.customer.name)),
    ("SubscriptionId", |l| owned(&l.subscription.id)),
    ("SubscriptionName", |l| owned(&l.subscription.name)),
    ("Date", |l| month_first(l.day)),
    ("Product", product),
    ("PartNumber", empty),
    ("MeterId", meter_id),
    ("ServiceFamily", |l| Cow::Borrowed(l.charge.service_family)),
    ("MeterCategory", |l| Cow::Borrowed(l.charge.category)),
    ("MeterSubCategory", |l| owned(&l.charge.sub_category)),
    ("MeterRegion", |l| Cow::Borrowed(l.charge.region.meter_name)),
    ("MeterName", |l| owned(&l.charge.meter_name)),
    ("Quantity", |l| number(l.charge.quantity)),
    ("EffectivePrice", effective_price),
    ("Cost", |l| number(l.charge.cost)),
    ("UnitPrice", |l| number(l.charge.unit_price)),
    ("BillingCurrency", |l| Cow::Borrowed(l.customer.currency.0)),
    ("ResourceLocation", |l| Cow::Borrowed(l.charge.region.meter_name)),
    ("AvailabilityZone", empty),
    ("ConsumedService", |l| Cow::Borrowed(l.charge.consumed_service)),
    ("ResourceId", |l| owned(&l.charge.resource)),
    ("ResourceName", resource_name),
    ("ServiceInfo1", empty),
    ("ServiceInfo2", empty),
    ("AdditionalInfo", |l| owned(&l.charge.additional_info)),
    ("Tags", |l| owned(&l.charge.tags)),
    ("CostCenter", empty),
    ("UnitOfMeasure", |l| Cow::Borrowed(l.charge.unit)),
    ("ResourceGroup", |l| owned(&l.charge.group)),
    ("ReservationId", |l| Cow::Borrowed(l.charge.reservation_id)),
    ("OfferId", |_| Cow::Borrowed("MS-AZR-0017P")),
    ("IsAzureCreditEligible", |_| Cow::Borrowed("True")),
    ("PublisherName", |_| Cow::Borrowed("Microsoft")),
    ("ChargeType", |l| Cow::Borrowed(l.charge.charge_type)),
    ("Frequency", |_| Cow::Borrowed("UsageBased")),
    ("PublisherType", |l| Cow::Borrowed(l.charge.publisher_type)),
];
