//! The columns of cost records under all their names.

/// A column that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Date,
    PeriodEnd,
    SubscriptionId,
    SubscriptionName,
    CustomerTenantId,
    CustomerName,
    ResellerId,
    ResellerMpnId,
    ResourceId,
    ResourceGroup,
    Location,
    MeterRegion,
    MeterId,
    MeterCategory,
    MeterSubCategory,
    MeterName,
    ServiceFamily,
    ConsumedService,
    Product,
    UnitOfMeasure,
    Quantity,
    UsageQuantity,
    UsageUnit,
    BlockSize,
    UnitPrice,
    Cost,
    Currency,
    EffectiveCost,
    PricingCost,
    PricingCurrency,
    CostUsd,
    ChargeType,
    PublisherType,
    BenefitId,
    InvoiceNumber,
    AdditionalInfo,
    Tags,
}

impl Column {
    /// All columns, in order.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        ALIASES.iter().map(|(column, _)| *column)
    }

    /// Whether its values are numbers.
    pub(super) fn is_amount(self) -> bool {
        matches!(
            self,
            Self::Quantity
                | Self::UsageQuantity
                | Self::BlockSize
                | Self::UnitPrice
                | Self::Cost
                | Self::EffectiveCost
                | Self::PricingCost
                | Self::CostUsd
        )
    }
}

/// The number of columns that are read.
pub(super) const COLUMNS: usize = Column::Tags as usize + 1;

/// Names are compared folded: lower case, letters and digits only. The first name that a record has
/// wins, so the better source stands first: old EA files have a numeric `SubscriptionId` beside the
/// `SubscriptionGuid`, and Partner Center's `SubscriptionId` is that of the billing plan, beside the
/// `EntitlementId`, which is the Azure subscription.
pub(super) const ALIASES: &[(Column, &[&str])] = &[
    (Column::Date, &["date", "usagedate", "usagedatetime", "chargeperiodstart"]),
    (Column::PeriodEnd, &["billingperiodenddate", "billingperiodend", "chargeenddate"]),
    (Column::SubscriptionId, &["entitlementid", "subscriptionguid", "subscriptionid", "subaccountid"]),
    (Column::SubscriptionName, &["entitlementdescription", "subscriptionname", "subaccountname"]),
    (Column::CustomerTenantId, &["customertenantid", "xcustomerid", "customerid"]),
    (Column::CustomerName, &["customername", "xcustomername"]),
    (Column::ResellerId, &["xresellerid", "resellerid", "resellermpnid", "tier2mpnid"]),
    (Column::ResellerMpnId, &["resellermpnid", "tier2mpnid"]),
    (Column::ResourceId, &["resourceid", "instanceid", "resourceuri"]),
    (Column::ResourceGroup, &["resourcegroup", "resourcegroupname", "xresourcegroupname"]),
    (
        Column::Location,
        &["resourcelocation", "resourcelocationnormalized", "location", "regionid", "regionname"],
    ),
    (Column::MeterRegion, &["meterregion", "xskuregion"]),
    (Column::MeterId, &["meterid", "xskumeterid"]),
    (Column::MeterCategory, &["metercategory", "xskumetercategory"]),
    (Column::MeterSubCategory, &["metersubcategory", "xskumetersubcategory"]),
    (Column::MeterName, &["metername", "meter", "xskumetername", "skumeter"]),
    (Column::ServiceFamily, &["servicefamily", "xskuservicefamily", "servicecategory"]),
    (Column::ConsumedService, &["consumedservice", "xconsumedservice"]),
    (Column::Product, &["product", "productname", "chargedescription", "xskudescription"]),
    (Column::UnitOfMeasure, &["unitofmeasure", "unittype", "unit", "xpricingunitdescription", "pricingunit"]),
    (Column::Quantity, &["quantity", "pricingquantity", "consumedquantity", "usagequantity"]),
    // FOCUS has both quantities. Old EA files have this one alone, and it is the quantity as well.
    (Column::UsageQuantity, &["consumedquantity"]),
    (Column::UsageUnit, &["consumedunit"]),
    (Column::BlockSize, &["xpricingblocksize"]),
    (
        Column::UnitPrice,
        &[
            "effectiveprice",
            "effectiveunitprice",
            "xbilledunitprice",
            "contractedunitprice",
            "unitprice",
            "resourcerate",
        ],
    ),
    (
        Column::Cost,
        &["costinbillingcurrency", "cost", "pretaxcost", "extendedcost", "billingpretaxtotal", "billedcost"],
    ),
    (Column::Currency, &["billingcurrency", "billingcurrencycode", "currency", "currencycode"]),
    (Column::EffectiveCost, &["effectivecost"]),
    (Column::PricingCost, &["costinpricingcurrency", "pricingpretaxtotal"]),
    (Column::PricingCurrency, &["pricingcurrency", "pricingcurrencycode", "xpricingcurrency"]),
    (Column::CostUsd, &["costinusd", "xbilledcostinusd"]),
    (Column::ChargeType, &["chargetype", "chargecategory"]),
    (Column::PublisherType, &["publishertype", "xpublishercategory"]),
    (Column::BenefitId, &["benefitid", "reservationid"]),
    (Column::InvoiceNumber, &["invoicenumber"]),
    (Column::AdditionalInfo, &["additionalinfo", "xskudetails", "skupricedetails"]),
    (Column::Tags, &["tags"]),
];

/// Whose columns they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Cost Management: actual or amortised.
    CostManagement,
    /// FOCUS, of any provider.
    Focus,
    /// Partner Center's daily-rated usage.
    PartnerCenter,
}

/// Where each column stands in a line.
#[derive(Debug)]
pub(super) struct Columns {
    places: [Option<u32>; COLUMNS],
    /// How many fields each line should have.
    pub(super) width: usize,
    pub(super) family: Family,
}

impl Columns {
    /// Reads a header; `None` if it is none of a cost export.
    pub(super) fn find<'h>(header: impl Iterator<Item = &'h [u8]>) -> Option<Self> {
        let names: Vec<String> = header.map(folded).collect();
        let place = |name: &str| names.iter().position(|found| found == name);
        let mut places = [None; COLUMNS];
        for (column, aliases) in ALIASES {
            places[*column as usize] =
                aliases.iter().find_map(|alias| place(alias)).and_then(|place| u32::try_from(place).ok());
        }
        let family = if place("chargeperiodstart").is_some()
            && (place("billedcost").is_some() || place("effectivecost").is_some())
        {
            Family::Focus
        } else if place("entitlementid").is_some() {
            Family::PartnerCenter
        } else {
            Family::CostManagement
        };
        let columns = Self { places, width: names.len(), family };
        let has = |column: Column| columns.place(column).is_some();
        let counts_something = [Column::Cost, Column::PricingCost, Column::Quantity].into_iter().any(has);
        let says_of_what = [Column::SubscriptionId, Column::MeterId, Column::ResourceId].into_iter().any(has);
        (has(Column::Date) && counts_something && says_of_what).then_some(columns)
    }

    /// Where a column stands.
    #[inline]
    pub(super) fn place(&self, column: Column) -> Option<usize> {
        self.places[column as usize].map(|place| place as usize)
    }
}

/// A name in the form in which names are compared.
pub(super) fn folded(name: &[u8]) -> String {
    name.iter()
        .filter(|byte| byte.is_ascii_alphanumeric())
        .map(|byte| byte.to_ascii_lowercase() as char)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(header: &str) -> Option<Columns> {
        Columns::find(header.split(',').map(str::as_bytes))
    }

    #[test]
    fn headers_of_all_agreements_are_known() {
        let check = |header: &str, column: Column, expected: usize| {
            assert_eq!(find(header).unwrap().place(column), Some(expected), "{header}");
        };
        let old_ea = "SubscriptionId,Subscription Name,SubscriptionGuid,Date,Meter Id,Consumed Quantity,ExtendedCost,Instance ID";
        check(old_ea, Column::SubscriptionId, 2);
        check(old_ea, Column::Quantity, 5);
        check(old_ea, Column::Cost, 6);
        check(old_ea, Column::ResourceId, 7);
        let mca = "date,costInPricingCurrency,costInBillingCurrency,customerTenantId,SubscriptionId,quantity,billingCurrency";
        check(mca, Column::Cost, 2);
        check(mca, Column::PricingCost, 1);
        check(mca, Column::CustomerTenantId, 3);
        check("DATE,COST,METERID", Column::MeterId, 2);
        let focus = "BilledCost,ChargePeriodStart,ConsumedQuantity,PricingQuantity,SubAccountId,x_CustomerId";
        check(focus, Column::SubscriptionId, 4);
        check(focus, Column::Quantity, 3);
        check(focus, Column::UsageQuantity, 2);
        check(focus, Column::CustomerTenantId, 5);
        let usage = "SubscriptionId,UsageDate,Quantity,BillingPreTaxTotal,EntitlementId";
        check(usage, Column::SubscriptionId, 4);
    }

    #[test]
    fn families_are_told_apart() {
        let check =
            |header: &str, family: Family| assert_eq!(find(header).unwrap().family, family, "{header}");
        check("BilledCost,ChargePeriodStart,ResourceId", Family::Focus);
        check("UsageDate,Quantity,EntitlementId,SubscriptionId", Family::PartnerCenter);
        check("Date,Cost,SubscriptionId", Family::CostManagement);
    }

    #[test]
    fn other_tables_are_not_taken_for_costs() {
        assert!(find("date,price").is_none());
        assert!(find("Date,Cost").is_none(), "of what?");
        assert!(find("").is_none());
    }

    #[test]
    fn every_column_has_its_aliases_once() {
        for (at, (column, _)) in ALIASES.iter().enumerate() {
            assert_eq!(*column as usize, at, "{column:?}");
        }
        assert_eq!(ALIASES.len(), COLUMNS);
    }
}
