//! The columns of a cost export under all their names.

use csv::ByteRecord;

/// A column that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Date,
    PeriodEnd,
    SubscriptionId,
    SubscriptionName,
    CustomerTenantId,
    CustomerName,
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
    PartNumber,
    UnitOfMeasure,
    Quantity,
    UnitPrice,
    Cost,
    Currency,
    ChargeType,
    PublisherType,
    Frequency,
    ReservationId,
    BenefitId,
    ServiceInfo2,
    AdditionalInfo,
    Tags,
}

/// The number of columns that are read.
const COLUMNS: usize = Column::Tags as usize + 1;

/// Names are compared folded: lower case, letters and digits only. The first name that a file has
/// wins, so the better source stands first: old EA files have a numeric `SubscriptionId` beside the
/// `SubscriptionGuid`, MCA files have costs in several currencies.
const ALIASES: &[(Column, &[&str])] = &[
    (Column::Date, &["date", "usagedate", "usagedatetime"]),
    (Column::PeriodEnd, &["billingperiodenddate", "billingperiodend"]),
    (Column::SubscriptionId, &["subscriptionguid", "subscriptionid"]),
    (Column::SubscriptionName, &["subscriptionname"]),
    (Column::CustomerTenantId, &["customertenantid"]),
    (Column::CustomerName, &["customername"]),
    (Column::ResellerMpnId, &["resellermpnid"]),
    (Column::ResourceId, &["resourceid", "instanceid"]),
    (Column::ResourceGroup, &["resourcegroup", "resourcegroupname"]),
    (Column::Location, &["resourcelocation", "resourcelocationnormalized", "location"]),
    (Column::MeterRegion, &["meterregion"]),
    (Column::MeterId, &["meterid"]),
    (Column::MeterCategory, &["metercategory"]),
    (Column::MeterSubCategory, &["metersubcategory"]),
    (Column::MeterName, &["metername", "meter"]),
    (Column::ServiceFamily, &["servicefamily"]),
    (Column::ConsumedService, &["consumedservice"]),
    (Column::Product, &["product", "productname"]),
    (Column::PartNumber, &["partnumber"]),
    (Column::UnitOfMeasure, &["unitofmeasure", "unit"]),
    (Column::Quantity, &["quantity", "consumedquantity", "usagequantity"]),
    (Column::UnitPrice, &["effectiveprice", "unitprice", "resourcerate"]),
    (Column::Cost, &["costinbillingcurrency", "cost", "pretaxcost", "extendedcost", "costinpricingcurrency"]),
    (Column::Currency, &["billingcurrency", "billingcurrencycode", "currency", "currencycode"]),
    (Column::ChargeType, &["chargetype"]),
    (Column::PublisherType, &["publishertype"]),
    (Column::Frequency, &["frequency"]),
    (Column::ReservationId, &["reservationid"]),
    (Column::BenefitId, &["benefitid"]),
    (Column::ServiceInfo2, &["serviceinfo2"]),
    (Column::AdditionalInfo, &["additionalinfo"]),
    (Column::Tags, &["tags"]),
];

/// What the header of a CSV says of it.
#[derive(Debug)]
pub(crate) enum Header {
    /// A cost export with these columns.
    Cost(Box<Columns>),
    /// Something else that is known; the reason to give.
    Other(&'static str),
}

/// Where each column stands in a line.
#[derive(Debug)]
pub(crate) struct Columns {
    places: [Option<usize>; COLUMNS],
    /// How many fields each line should have.
    pub(crate) width: usize,
}

impl Columns {
    /// Reads a header line; `None` if it is no header that is known.
    pub(crate) fn find(header: &ByteRecord) -> Option<Header> {
        let names: Vec<String> = header.iter().map(folded).collect();
        let place = |name: &str| names.iter().position(|found| found == name);
        if place("chargeperiodstart").is_some() && place("billedcost").is_some() {
            return Some(Header::Other("a FOCUS cost export; this kind is not read yet, export actual cost"));
        }
        if place("entitlementid").is_some() && place("chargestartdate").is_some() {
            return Some(Header::Other("a Partner Center usage file; this kind is not read yet"));
        }
        let mut places = [None; COLUMNS];
        for (column, aliases) in ALIASES {
            places[*column as usize] = aliases.iter().find_map(|alias| place(alias));
        }
        let columns = Self { places, width: names.len() };
        let has = |column: Column| columns.places[column as usize].is_some();
        let counts_something = has(Column::Cost) || has(Column::Quantity);
        let says_of_what = has(Column::SubscriptionId) || has(Column::MeterId) || has(Column::ResourceId);
        (has(Column::Date) && counts_something && says_of_what).then(|| Header::Cost(Box::new(columns)))
    }

    /// The field of a column, without white space around it, unless blank.
    pub(crate) fn field<'r>(&self, record: &'r ByteRecord, column: Column) -> Option<&'r [u8]> {
        let place = self.places[column as usize]?;
        record.get(place).map(<[u8]>::trim_ascii).filter(|field| !field.is_empty())
    }
}

fn folded(name: &[u8]) -> String {
    name.iter()
        .filter(|byte| byte.is_ascii_alphanumeric())
        .map(|byte| byte.to_ascii_lowercase() as char)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_all_agreements_are_known() {
        let check = |header: &str, column: Column, expected: usize| {
            let record = ByteRecord::from(header.split(',').collect::<Vec<_>>());
            match Columns::find(&record) {
                Some(Header::Cost(columns)) => {
                    assert_eq!(columns.places[column as usize], Some(expected), "{header}");
                }
                other => panic!("{header}: {other:?}"),
            }
        };
        let old_ea = "SubscriptionId,Subscription Name,SubscriptionGuid,Date,Meter Id,Consumed Quantity,ExtendedCost,Instance ID";
        check(old_ea, Column::SubscriptionId, 2);
        check(old_ea, Column::Quantity, 5);
        check(old_ea, Column::Cost, 6);
        check(old_ea, Column::ResourceId, 7);
        let mca = "date,costInPricingCurrency,costInBillingCurrency,customerTenantId,SubscriptionId,quantity,billingCurrency";
        check(mca, Column::Cost, 2);
        check(mca, Column::CustomerTenantId, 3);
        check("DATE,COST,METERID", Column::MeterId, 2);
    }

    #[test]
    fn other_tables_are_not_taken_for_costs() {
        let find = |header: &str| Columns::find(&ByteRecord::from(header.split(',').collect::<Vec<_>>()));
        assert!(find("date,price").is_none());
        assert!(find("Date,Cost").is_none(), "of what?");
        assert!(find("").is_none());
        assert!(
            matches!(find("BilledCost,ChargePeriodStart,ResourceId"), Some(Header::Other(why)) if why.contains("FOCUS"))
        );
    }

    #[test]
    fn every_column_has_its_aliases_once() {
        for (at, (column, _)) in ALIASES.iter().enumerate() {
            assert_eq!(*column as usize, at, "{column:?}");
        }
        assert_eq!(ALIASES.len(), COLUMNS);
    }
}
