//! Reading lists of customers: a CSV file, or what Partner Center and Graph reply.

use std::collections::HashMap;
use std::str::FromStr;

use alerts::{CustomerTenantId, ResellerTenantId};
use csv::{Position, StringRecord};
use serde::Deserialize;
use serde_json::Value;
use store::{Customer, CustomerSubscription};

/// Customers of a file, and what of it could not be used.
#[derive(Debug, Default)]
pub struct CustomerList {
    /// The customers, in the order of the file, each once.
    pub customers: Vec<Customer>,
    /// The subscriptions that it says are theirs.
    pub subscriptions: Vec<CustomerSubscription>,
    /// Entries that are no customers, with the reason.
    pub rejected: Vec<RejectedCustomer>,
}

/// An entry that is no customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedCustomer {
    /// Its line in a CSV file, its number in a JSON list, from 1.
    pub place: u64,
    /// What is wrong with it and how to mend it.
    pub reason: String,
}

/// The file is no list of customers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoCustomerList(String);

/// A column of a CSV file, with the names that it goes by: compared without letter case, blanks, `_` and `-`.
type Aliases = (Field, &'static [&'static str]);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Field {
    Tenant,
    Name,
    Domain,
    Reseller,
    ResellerMpnId,
    Country,
    Subscription,
    SubscriptionName,
}

const COLUMNS: &[Aliases] = &[
    (Field::Tenant, &["customertenantid", "tenantid", "customerid", "microsoftid", "tenant"]),
    (Field::Name, &["customername", "companyname", "displayname", "name", "customer"]),
    (Field::Domain, &["domain", "primarydomainname", "customerdomainname", "defaultdomainname"]),
    (Field::Reseller, &["resellertenantid", "indirectresellertenantid", "reseller"]),
    (Field::ResellerMpnId, &["resellermpnid", "mpnid", "resellerid", "partnerid"]),
    (Field::Country, &["country", "customercountry", "countrycode"]),
    (Field::Subscription, &["subscriptionid", "azuresubscriptionid", "entitlementid"]),
    (Field::SubscriptionName, &["subscriptionname", "entitlementdescription"]),
];

/// Reads a list of customers: CSV with a header, of which several lines may name one customer with a subscription
/// each, or the JSON that Partner Center (`GET /v1/customers`) or
/// Graph (`GET /tenantRelationships/delegatedAdminCustomers`) replies.
///
/// # Errors
///
/// [`NoCustomerList`] if the text is none of these. Single entries that cannot be used are in the list.
pub fn read(text: &str) -> Result<CustomerList, NoCustomerList> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with(['{', '[']) { read_json(text) } else { read_csv(text) }
}

fn read_csv(text: &str) -> Result<CustomerList, NoCustomerList> {
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| NoCustomerList(format!("not a CSV file: {error}")))?;
    let columns = columns(header);
    if !columns.contains_key(&Field::Tenant) {
        let names: Vec<&str> = header.iter().collect();
        return Err(NoCustomerList(format!(
            "no column has the customers' tenants; name one customerTenantId. The columns are: {}",
            names.join(", ")
        )));
    }
    let mut list = Listing::default();
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, Position::line);
                let field = |field| text_of(&record, &columns, field);
                list.add(line, field(Field::Tenant).unwrap_or_default(), field);
            }
            Err(error) => {
                let place = error.position().map_or(0, Position::line);
                list.reject(place, format!("not a line of CSV: {error}"));
            }
        }
    }
    Ok(list.found)
}

fn columns(header: &StringRecord) -> HashMap<Field, usize> {
    let plain = |name: &str| -> String {
        let kept = name.chars().filter(|character| !matches!(character, ' ' | '_' | '-'));
        kept.collect::<String>().to_lowercase()
    };
    let names: Vec<String> = header.iter().map(plain).collect();
    let place =
        |aliases: &[&str]| aliases.iter().find_map(|alias| names.iter().position(|name| name == alias));
    COLUMNS.iter().filter_map(|(field, aliases)| Some((*field, place(aliases)?))).collect()
}

fn text_of(record: &StringRecord, columns: &HashMap<Field, usize>, field: Field) -> Option<String> {
    let text = record.get(*columns.get(&field)?)?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// A customer as Partner Center and Graph have it; other members are passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: Option<String>,
    tenant_id: Option<String>,
    display_name: Option<String>,
    company_profile: Option<CompanyProfile>,
    /// Of an indirect provider's customers.
    associated_partner_id: Option<String>,
    associated_partner_mpn_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CompanyProfile {
    tenant_id: Option<String>,
    domain: Option<String>,
    company_name: Option<String>,
}

fn read_json(text: &str) -> Result<CustomerList, NoCustomerList> {
    let document: Value =
        serde_json::from_str(text).map_err(|error| NoCustomerList(format!("not valid JSON: {error}")))?;
    let entries = match document {
        Value::Array(entries) => entries,
        Value::Object(mut reply) => match reply.remove("items").or_else(|| reply.remove("value")) {
            Some(Value::Array(entries)) => entries,
            _ => {
                return Err(NoCustomerList(
                    "no list of customers: neither items nor value is one".to_owned(),
                ));
            }
        },
        _ => return Err(NoCustomerList("no list of customers".to_owned())),
    };
    let mut list = Listing::default();
    for (place, entry) in (1..).zip(entries) {
        match Entry::deserialize(entry) {
            Ok(entry) => list.add_entry(place, entry),
            Err(error) => list.reject(place, format!("no customer: {error}")),
        }
    }
    Ok(list.found)
}

/// A list under way.
#[derive(Default)]
struct Listing {
    found: CustomerList,
    /// Where each customer stands in the list.
    places: HashMap<CustomerTenantId, usize>,
}

impl Listing {
    fn reject(&mut self, place: u64, reason: String) {
        self.found.rejected.push(RejectedCustomer { place, reason });
    }

    fn add_entry(&mut self, place: u64, entry: Entry) {
        let profile = entry.company_profile;
        let of_profile = profile.as_ref().and_then(|profile| profile.tenant_id.clone());
        let tenant = entry.tenant_id.or(of_profile).or(entry.id).unwrap_or_default();
        let profile = profile.unwrap_or(CompanyProfile { tenant_id: None, domain: None, company_name: None });
        self.add(place, tenant, |field| match field {
            Field::Name => entry.display_name.clone().or_else(|| profile.company_name.clone()),
            Field::Domain => profile.domain.clone(),
            Field::Reseller => entry.associated_partner_id.clone(),
            Field::ResellerMpnId => entry.associated_partner_mpn_id.clone(),
            Field::Tenant | Field::Country | Field::Subscription | Field::SubscriptionName => None,
        });
    }

    fn add(&mut self, place: u64, tenant: String, text: impl Fn(Field) -> Option<String>) {
        let text =
            |field| text(field).map(|text: String| text.trim().to_owned()).filter(|text| !text.is_empty());
        let read = customer(&tenant, &text).and_then(|customer| {
            let subscription = subscription(&customer, &text)?;
            Ok((customer, subscription))
        });
        match read {
            Ok((customer, subscription)) => {
                self.found.subscriptions.extend(subscription);
                self.keep(customer);
            }
            Err(reason) => self.reject(place, reason),
        }
    }

    /// Adds a customer, or what this entry says of one that an entry before named.
    fn keep(&mut self, told: Customer) {
        let Some(at) = self.places.get(&told.customer_tenant_id) else {
            self.places.insert(told.customer_tenant_id.clone(), self.found.customers.len());
            self.found.customers.push(told);
            return;
        };
        let known = &mut self.found.customers[*at];
        *known = Customer {
            customer_tenant_id: told.customer_tenant_id,
            name: told.name.or(known.name.take()),
            domain: told.domain.or(known.domain.take()),
            reseller_tenant_id: told.reseller_tenant_id.or(known.reseller_tenant_id.take()),
            reseller_mpn_id: told.reseller_mpn_id.or(known.reseller_mpn_id.take()),
            country: told.country.or(known.country.take()),
        };
    }
}

/// The subscription that an entry names, if it names one.
fn subscription(
    customer: &Customer,
    text: &dyn Fn(Field) -> Option<String>,
) -> Result<Option<CustomerSubscription>, String> {
    let Some(id) = text(Field::Subscription) else { return Ok(None) };
    let subscription_id = id.parse().map_err(|_| {
        let shown: String = id.chars().take(60).collect();
        format!("the subscription '{shown}' is no subscription id, such as a GUID")
    })?;
    Ok(Some(CustomerSubscription {
        subscription_id,
        name: text(Field::SubscriptionName),
        customer_tenant_id: customer.customer_tenant_id.clone(),
    }))
}

fn customer(tenant: &str, text: &dyn Fn(Field) -> Option<String>) -> Result<Customer, String> {
    if tenant.trim().is_empty() {
        return Err("no tenant; fill in the customer's tenant id".to_owned());
    }
    Ok(Customer {
        customer_tenant_id: id::<CustomerTenantId>("tenant", tenant)?,
        name: text(Field::Name),
        domain: text(Field::Domain),
        reseller_tenant_id: text(Field::Reseller)
            .map(|reseller| id::<ResellerTenantId>("reseller's tenant", &reseller))
            .transpose()?,
        reseller_mpn_id: text(Field::ResellerMpnId),
        country: text(Field::Country),
    })
}

fn id<T: FromStr>(what: &str, text: &str) -> Result<T, String> {
    let shown: String = text.chars().take(60).collect();
    text.trim().parse().map_err(|_| format!("the {what} '{shown}' is no tenant id, such as a GUID"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> (Vec<String>, Vec<String>) {
        let list = read(text).unwrap();
        let customers = list.customers.iter().map(|customer| {
            let reseller = customer.reseller_tenant_id.as_ref().map(ToString::to_string);
            let texts =
                [&customer.name, &customer.domain, &reseller, &customer.reseller_mpn_id, &customer.country];
            let texts: Vec<&str> = texts.iter().map(|text| text.as_deref().unwrap_or("-")).collect();
            format!("{}: {}", customer.customer_tenant_id, texts.join(", "))
        });
        let rejected = list.rejected.iter().map(|entry| format!("{}: {}", entry.place, entry.reason));
        (customers.collect(), rejected.collect())
    }

    #[test]
    fn a_csv_file_is_read_by_its_header() {
        let text = "\u{feff}Company name, Customer Tenant ID ,Primary domain name,MPN ID,Reseller Tenant ID\n\
                    Contoso,C-1,contoso.example,4711,R-1\n\
                    Fabrikam,,,,\n\
                    \"Tailspin, Ltd\",c-2\n\
                    Odd,two words,,,\n";
        let (customers, rejected) = shown(text);
        assert_eq!(
            customers,
            ["c-1: Contoso, contoso.example, r-1, 4711, -", "c-2: Tailspin, Ltd, -, -, -, -"]
        );
        assert_eq!(
            rejected,
            [
                "3: no tenant; fill in the customer's tenant id",
                "5: the tenant 'two words' is no tenant id, such as a GUID",
            ]
        );
    }

    #[test]
    fn several_lines_name_one_customer_with_a_subscription_each() {
        let text = "customerTenantId,name,Subscription ID,subscriptionName,country\n\
                    C-1,Contoso,S-1,Production,\n\
                    c-1,,s-2,,NO\n\
                    c-2,Fabrikam,,,\n\
                    c-2,,two words,,\n";
        let (customers, rejected) = shown(text);
        assert_eq!(customers, ["c-1: Contoso, -, -, -, NO", "c-2: Fabrikam, -, -, -, -"]);
        assert_eq!(rejected, ["5: the subscription 'two words' is no subscription id, such as a GUID"]);
        let subscriptions: Vec<String> = read(text)
            .unwrap()
            .subscriptions
            .into_iter()
            .map(|one| format!("{} {:?} of {}", one.subscription_id, one.name, one.customer_tenant_id))
            .collect();
        assert_eq!(subscriptions, ["s-1 Some(\"Production\") of c-1", "s-2 None of c-1"]);
    }

    #[test]
    fn replies_of_partner_center_and_graph_are_read() {
        let text = r#"{"totalCount":2,"items":[
            {"id":"C-1","companyProfile":{"tenantId":"c-1","domain":"contoso.example","companyName":"Contoso"},
             "relationshipToPartner":"reseller","associatedPartnerId":"r-1"},
            {"id":7}]}"#;
        let (customers, rejected) = shown(text);
        assert_eq!(customers, ["c-1: Contoso, contoso.example, r-1, -, -"]);
        assert!(rejected[0].starts_with("2: no customer: "), "{rejected:?}");
        let text = r#"{"value":[{"id":"c-1","tenantId":"c-1","displayName":"Contoso"},{}]}"#;
        let (customers, rejected) = shown(text);
        assert_eq!((customers.len(), rejected.len()), (1, 1));
    }

    #[test]
    fn what_is_no_list_is_said() {
        for (text, reason) in [
            ("name,city\nx,y\n", "The columns are: name, city"),
            ("{\"error\":{}}", "neither items nor value"),
            ("{", "not valid JSON"),
            ("", "no column has the customers' tenants"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
