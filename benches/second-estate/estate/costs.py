"""Rows of the daily cost export of a cloud solution provider."""

import functools
import uuid
from datetime import timedelta

from estate.azure import PRICES, REGION_FACTORS, REGIONS, series
from estate.clock import DAY, DAYS, START, date_of
from estate.formats import compact_json

COST_COLUMNS = [
    "invoiceId", "previousInvoiceId", "billingAccountId", "billingAccountName", "billingProfileId",
    "billingProfileName", "invoiceSectionId", "invoiceSectionName", "resellerName", "resellerMpnId", "costCenter",
    "billingPeriodEndDate", "billingPeriodStartDate", "servicePeriodEndDate", "servicePeriodStartDate", "date",
    "serviceFamily", "productOrderId", "productOrderName", "consumedService", "meterId", "meterName",
    "meterCategory", "meterSubCategory", "meterRegion", "ProductId", "ProductName", "SubscriptionId",
    "subscriptionName", "publisherType", "publisherId", "publisherName", "resourceGroupName", "ResourceId",
    "resourceLocation", "location", "effectivePrice", "quantity", "unitOfMeasure", "chargeType", "billingCurrency",
    "pricingCurrency", "costInBillingCurrency", "costInPricingCurrency", "costInUsd", "paygCostInBillingCurrency",
    "paygCostInUsd", "exchangeRatePricingToBilling", "exchangeRateDate", "isAzureCreditEligible", "serviceInfo1",
    "serviceInfo2", "additionalInfo", "tags", "PayGPrice", "frequency", "term", "reservationId", "reservationName",
    "pricingModel", "unitPrice", "costAllocationRuleName", "benefitId", "benefitName", "provider",
    "customerTenantId", "customerName", "partnerTenantId", "partnerName", "partnerEarnedCreditApplied",
    "partnerEarnedCreditRate",
]  # fmt: skip

EUROS_A_DOLLAR = 0.9178


@functools.cache
def meter_id(key):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "meter/" + key))


def write_cost(
    estate,
    subscription,
    day,
    category,
    subcategory,
    meter,
    region,
    resource,
    quantity,
    unit,
    price,
    info=None,
    charge="Usage",
    family="Compute",
    provider="Microsoft.Compute",
    term="",
    benefit="",
    product=None,
    model="OnDemand",
    frequency="UsageBased",
):
    """One row: price in US dollars a unit; use that a reservation covers (model Reservation) costs nothing."""
    if not 0 <= day < DAYS:
        return
    day_begin = START + day * DAY
    if START + (day + 1) * DAY <= subscription.born:
        return
    if estate.label:
        estate.label.see_cost(day_begin, resource)
    date = date_of(day_begin)
    date_text = date.strftime("%m/%d/%Y")
    first_of_month = date.replace(day=1)
    last_of_month = (first_of_month + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    place = REGIONS.get(region, "")
    effective_price = 0.0 if model == "Reservation" else price
    dollars = quantity * effective_price
    list_dollars = quantity * price
    earns_credit = model != "Reservation" and charge == "Usage"
    values = {
        "billingAccountId": estate.billing_account,
        "billingAccountName": estate.partner.name,
        "billingProfileId": estate.billing_profile,
        "billingProfileName": "EUR - CSP",
        "billingPeriodEndDate": last_of_month.strftime("%m/%d/%Y"),
        "billingPeriodStartDate": first_of_month.strftime("%m/%d/%Y"),
        "servicePeriodEndDate": date_text,
        "servicePeriodStartDate": date_text,
        "date": date_text,
        "serviceFamily": family,
        "productOrderId": subscription.product_order,
        "productOrderName": "Azure plan",
        "consumedService": provider,
        "meterId": meter_id(category + subcategory + meter + region),
        "meterName": meter,
        "meterCategory": category,
        "meterSubCategory": subcategory,
        "meterRegion": place,
        "ProductId": "DZH318Z0" + meter_id(category + subcategory + meter)[:6].upper(),
        "ProductName": product or f"{category} - {subcategory or meter} - {place}".strip(" -"),
        "SubscriptionId": subscription.id,
        "subscriptionName": subscription.name,
        "publisherType": "Azure",
        "publisherName": "Microsoft",
        "resourceGroupName": resource.split("/")[4] if resource.count("/") > 4 else "",
        "ResourceId": resource,
        "resourceLocation": region,
        "location": place,
        "effectivePrice": f"{effective_price:.8g}",
        "quantity": f"{quantity:.6g}",
        "unitOfMeasure": unit,
        "chargeType": charge,
        "billingCurrency": "EUR",
        "pricingCurrency": "USD",
        "costInBillingCurrency": f"{dollars * EUROS_A_DOLLAR:.8f}",
        "costInPricingCurrency": f"{dollars:.8f}",
        "costInUsd": f"{dollars:.8f}",
        "paygCostInBillingCurrency": f"{list_dollars * EUROS_A_DOLLAR:.8f}",
        "paygCostInUsd": f"{list_dollars:.8f}",
        "exchangeRatePricingToBilling": str(EUROS_A_DOLLAR),
        "exchangeRateDate": first_of_month.strftime("%m/%d/%Y"),
        "isAzureCreditEligible": "True",
        "additionalInfo": compact_json(info) if info else "",
        "PayGPrice": f"{price:.8g}",
        "frequency": frequency,
        "term": term,
        "reservationId": benefit,
        "pricingModel": model,
        "unitPrice": f"{price:.8g}",
        "benefitId": benefit,
        "provider": "Azure",
        "customerTenantId": subscription.customer.tenant_id,
        "customerName": subscription.customer.name,
        "partnerTenantId": estate.partner.tenant_id,
        "partnerName": estate.partner.name,
        "partnerEarnedCreditApplied": "True" if earns_credit else "False",
        "partnerEarnedCreditRate": "15" if earns_credit else "0",
    }
    row = [values.get(column, "") for column in COST_COLUMNS]
    estate.costs[date.strftime("%Y%m")].append((day, subscription.id, row))
    estate.counts["cost"] += 1


def machine_cost(
    estate,
    subscription,
    day,
    resource,
    size,
    region,
    hours,
    spot=False,
    provider="Microsoft.Compute",
    model="OnDemand",
):
    """The row of a machine, or of several of the same size, for the hours that they ran on a day."""
    if hours <= 0.01:
        return
    write_cost(
        estate,
        subscription,
        day,
        category="Virtual Machines",
        subcategory=series(size),
        meter=size.replace("Standard_", "").replace("_", " ") + (" Spot" if spot else ""),
        region=region,
        resource=resource,
        quantity=round(hours, 4),
        unit="1 Hour",
        price=PRICES[size] * (0.2 if spot else 1) * REGION_FACTORS.get(region, 1.0),
        info={
            "UsageType": "ComputeHR",
            "ImageType": "Canonical",
            "ServiceType": size,
            "VMName": resource.split("/")[-1],
            "VMProperties": None,
            "VCPUs": 0,
            "CPUs": 0,
        },
        provider=provider,
        model=model,
    )
