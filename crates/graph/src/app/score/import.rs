//! Facts about tenants, from a file that an operator writes or saves from Microsoft Graph.
//!
//! The file is one JSON object with `requirements`, `customerInsights` or both. Their items are Graph's
//! own `securityRequirement` and `customerInsight`, so what Graph's API answers can be pasted in.
//! A list that is there takes the place of what was known; a list that is not leaves it. What is wrong
//! is told with its place, such as `requirements[1].score`, and then nothing is imported.

use std::collections::HashSet;

use alerts::Scope;
use alerts::score::{
    ComplianceStatus, CustomerInsight, RequirementDetails, RequirementState, RequirementType,
    SecurityRequirement,
};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use store::{SecurityFacts, Store, StoreError};

/// Most points that one requirement may give; keeps sums far from any limit.
const POINTS_MAX: u32 = 1_000_000;

/// Longest id of a requirement, in bytes.
const ID_BYTES_MAX: usize = 200;

/// Why facts were not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is no JSON.
    #[error("the file is not valid JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Something in it cannot be so.
    #[error("{place}: {problem}")]
    Content {
        /// Where, such as `requirements[1].score`.
        place: String,
        /// What is wrong, and what would do.
        problem: String,
    },
    /// Only the partner as a whole has facts.
    #[error("facts are about the partner as a whole; they cannot be imported for one reseller or customer")]
    Scope,
    /// The store failed.
    #[error("the store failed")]
    Store(#[source] StoreError),
}

/// How many facts were imported; `None` if the file does not tell of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportedFacts {
    /// Requirements.
    pub requirements: Option<usize>,
    /// Customers.
    pub customer_insights: Option<usize>,
}

/// Imports the facts of a file, all or none.
///
/// # Errors
///
/// [`ImportError`] with the place of what is wrong.
pub async fn import(
    store: &dyn Store,
    scope: &Scope,
    text: &str,
    now: DateTime<Utc>,
) -> Result<ImportedFacts, ImportError> {
    let facts = read(text, now)?;
    store.import_facts(scope, &facts).await.map_err(|error| match error {
        StoreError::OutOfScope { .. } => ImportError::Scope,
        other => ImportError::Store(other),
    })?;
    Ok(ImportedFacts {
        requirements: facts.requirements.as_ref().map(Vec::len),
        customer_insights: facts.customer_insights.as_ref().map(Vec::len),
    })
}

/// What a requirement says beside what its subtype adds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Base {
    id: Option<String>,
    #[serde(default)]
    action_url: String,
    #[serde(default)]
    help_url: String,
    #[serde(deserialize_with = "member")]
    compliance_status: ComplianceStatus,
    max_score: u32,
    score: u32,
    #[serde(deserialize_with = "member")]
    requirement_type: RequirementType,
    #[serde(deserialize_with = "member", default = "active")]
    state: RequirementState,
    updated_date_time: Option<DateTime<Utc>>,
}

/// The properties of [`Base`] on the wire.
const BASE_PROPERTIES: &[&str] = &[
    "id",
    "actionUrl",
    "helpUrl",
    "complianceStatus",
    "maxScore",
    "score",
    "requirementType",
    "state",
    "updatedDateTime",
];

/// A subtype that adds nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoDetails {}

fn active() -> RequirementState {
    RequirementState::Active
}

fn member<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err = alerts::UnknownMember>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

fn read(text: &str, now: DateTime<Utc>) -> Result<SecurityFacts, ImportError> {
    let Value::Object(lists) = serde_json::from_str(text)? else {
        return Err(wrong("the file", "must be a JSON object with requirements, customerInsights or both"));
    };
    let mut facts = SecurityFacts::default();
    for (name, list) in lists {
        match name.as_str() {
            "requirements" => {
                facts.requirements = Some(items(&name, list, |place, item| requirement(place, item, now))?);
            }
            "customerInsights" => facts.customer_insights = Some(items(&name, list, customer_insight)?),
            _ if name.contains('@') => {}
            _ => return Err(wrong(&name, "is unknown; use requirements or customerInsights")),
        }
    }
    no_repeats("requirements", "id", facts.requirements.iter().flatten().map(|one| one.id.as_str()))?;
    let tenants = facts.customer_insights.iter().flatten().map(|one| one.tenant_id.as_str());
    no_repeats("customerInsights", "tenantId", tenants)?;
    Ok(facts)
}

fn items<T>(
    name: &str,
    list: Value,
    read: impl Fn(&str, Map<String, Value>) -> Result<T, ImportError>,
) -> Result<Vec<T>, ImportError> {
    let Value::Array(items) = list else { return Err(wrong(name, "must be an array")) };
    let item = |(index, item)| {
        let place = format!("{name}[{index}]");
        match item {
            // Control information, such as `@odata.type`, is no property.
            Value::Object(item) => {
                read(&place, item.into_iter().filter(|(property, _)| !property.contains('@')).collect())
            }
            _ => Err(wrong(&place, "must be an object")),
        }
    };
    items.into_iter().enumerate().map(item).collect()
}

fn requirement(
    place: &str,
    item: Map<String, Value>,
    now: DateTime<Utc>,
) -> Result<SecurityRequirement, ImportError> {
    let (base, details): (Map<_, _>, Map<_, _>) =
        item.into_iter().partition(|(property, _)| BASE_PROPERTIES.contains(&property.as_str()));
    let base: Base = properties(place, base)?;
    check_points(place, &base)?;
    let details = match base.requirement_type {
        RequirementType::MfaEnforcedForAdmins => RequirementDetails::AdminsMfa(properties(place, details)?),
        RequirementType::MfaEnforcedForAdminsOfCustomers => {
            RequirementDetails::CustomersMfa(properties(place, details)?)
        }
        RequirementType::SpendingBudgetSetForCustomerAzureSubscriptions => {
            RequirementDetails::CustomersSpendingBudget(properties(place, details)?)
        }
        RequirementType::SecurityContactProvided => {
            properties::<NoDetails>(place, details)?;
            RequirementDetails::None {}
        }
        RequirementType::SecurityAlertsPromptlyResolved | RequirementType::UnknownFutureValue => {
            return Err(wrong(
                &format!("{place}.requirementType"),
                "'securityAlertsPromptlyResolved' is computed from the alerts and cannot be imported; leave it out",
            ));
        }
    };
    Ok(SecurityRequirement {
        id: requirement_id(place, base.id, base.requirement_type)?,
        action_url: base.action_url,
        help_url: base.help_url,
        compliance_status: base.compliance_status,
        max_score: base.max_score,
        score: base.score,
        requirement_type: base.requirement_type,
        state: base.state,
        updated_date_time: base.updated_date_time.unwrap_or(now),
        details,
    })
}

fn check_points(place: &str, base: &Base) -> Result<(), ImportError> {
    if base.max_score == 0 || base.max_score > POINTS_MAX {
        return Err(wrong(
            &format!("{place}.maxScore"),
            format!("must be from 1 to {POINTS_MAX}, not {}", base.max_score),
        ));
    }
    if base.score > base.max_score {
        return Err(wrong(
            &format!("{place}.score"),
            format!("must be at most maxScore, which is {}, not {}", base.max_score, base.score),
        ));
    }
    Ok(())
}

/// The id as given; the type names a requirement that has none.
fn requirement_id(place: &str, given: Option<String>, kind: RequirementType) -> Result<String, ImportError> {
    let Some(id) = given else { return Ok(kind.as_str().to_owned()) };
    let place = format!("{place}.id");
    if id == RequirementType::SecurityAlertsPromptlyResolved.as_str() {
        return Err(wrong(&place, format!("'{id}' is the id of the computed requirement; use another")));
    }
    let is_word = !id.is_empty() && !id.chars().any(|c| c.is_control() || c.is_whitespace() || c == '/');
    if !is_word || id.len() > ID_BYTES_MAX {
        return Err(wrong(
            &place,
            format!("must be one word of 1 to {ID_BYTES_MAX} bytes without '/'; or leave it out"),
        ));
    }
    Ok(id)
}

fn customer_insight(place: &str, item: Map<String, Value>) -> Result<CustomerInsight, ImportError> {
    properties(place, item)
}

/// Reads an object's properties, and says of which one is wrong where it stands.
fn properties<T: DeserializeOwned>(place: &str, properties: Map<String, Value>) -> Result<T, ImportError> {
    serde_path_to_error::deserialize(Value::Object(properties)).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { place.to_owned() } else { format!("{place}.{path}") };
        wrong(&place, error.into_inner().to_string())
    })
}

fn no_repeats<'a>(list: &str, key: &str, values: impl Iterator<Item = &'a str>) -> Result<(), ImportError> {
    let mut seen = HashSet::new();
    for (index, value) in values.enumerate() {
        if !seen.insert(value) {
            return Err(wrong(
                &format!("{list}[{index}].{key}"),
                format!("'{value}' is there already; each {key} may be there once"),
            ));
        }
    }
    Ok(())
}

fn wrong(place: &str, problem: impl Into<String>) -> ImportError {
    ImportError::Content { place: place.to_owned(), problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn now() -> DateTime<Utc> {
        "2031-02-03T04:05:06Z".parse().unwrap()
    }

    fn budget() -> Value {
        json!({
            "@odata.type": "#microsoft.graph.partner.security.customersSpendingBudgetSecurityRequirement",
            "requirementType": "spendingBudgetSetForCustomerAzureSubscriptions",
            "complianceStatus": "noncomplaint", "score": 3, "maxScore": 10,
            "customersWithSpendBudgetCount": 2, "totalCustomersCount": 6
        })
    }

    /// The budget requirement with one property set, or taken out if null.
    fn budget_with(property: &str, value: Value) -> Value {
        let mut item = budget();
        match value {
            Value::Null => drop(item.as_object_mut().unwrap().shift_remove(property)),
            value => item[property] = value,
        }
        json!({"requirements": [item]})
    }

    #[test]
    fn graphs_own_items_are_read() {
        let mfa = json!({
            "compliantAdminsCount": 1, "compliantNonAdminsCount": 2, "totalUsersCount": 3,
            "legacyPerUserMfaStatus": "disabled", "mfaConditionalAccessPolicyStatus": "enabled",
            "securityDefaultsStatus": "disabled"
        });
        let contact = json!({
            "id": "r-7", "requirementType": "securityContactProvided", "complianceStatus": "compliant",
            "score": 10, "maxScore": 10, "state": "preview", "actionUrl": "https://partner.example/contact",
            "helpUrl": "https://partner.example/help", "updatedDateTime": "2031-01-01T00:00:00Z"
        });
        let file = json!({
            "requirements": [budget(), contact],
            "customerInsights": [{"tenantId": "C-1", "mfa": mfa}, {"tenantId": "c-2"}]
        });
        let facts = read(&file.to_string(), now()).unwrap();
        insta::assert_json_snapshot!(
            json!({"requirements": facts.requirements, "customerInsights": facts.customer_insights})
        );
    }

    #[test]
    fn a_list_that_is_not_there_is_not_emptied() {
        assert_eq!(read("{}", now()).unwrap(), SecurityFacts::default());
        let facts = read("{\"requirements\": []}", now()).unwrap();
        assert_eq!((facts.requirements, facts.customer_insights), (Some(Vec::new()), None));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let check = |file: Value, expected: &str| {
            let found = read(&file.to_string(), now()).unwrap_err().to_string();
            assert_eq!(found, expected, "{file}");
        };
        check(json!([]), "the file: must be a JSON object with requirements, customerInsights or both");
        check(json!({"requirement": []}), "requirement: is unknown; use requirements or customerInsights");
        check(json!({"requirements": {}}), "requirements: must be an array");
        check(json!({"requirements": [7]}), "requirements[0]: must be an object");
        check(budget_with("score", Value::Null), "requirements[0]: missing field `score`");
        check(
            budget_with("score", json!("3")),
            "requirements[0].score: invalid type: string \"3\", expected u32",
        );
        check(
            budget_with("score", json!(11)),
            "requirements[0].score: must be at most maxScore, which is 10, not 11",
        );
        check(
            budget_with("maxScore", json!(0)),
            "requirements[0].maxScore: must be from 1 to 1000000, not 0",
        );
        check(
            budget_with("complianceStatus", json!("noncompliant")),
            "requirements[0].complianceStatus: 'noncompliant' is not a member of microsoft.graph.partner.security.complianceStatus; use one of compliant, noncomplaint",
        );
        check(
            budget_with("totalAdminsCount", json!(1)),
            "requirements[0].totalAdminsCount: unknown field `totalAdminsCount`, expected `customersWithSpendBudgetCount` or `totalCustomersCount`",
        );
        check(
            budget_with("requirementType", json!("securityAlertsPromptlyResolved")),
            "requirements[0].requirementType: 'securityAlertsPromptlyResolved' is computed from the alerts and cannot be imported; leave it out",
        );
        check(
            budget_with("id", json!("a/b")),
            "requirements[0].id: must be one word of 1 to 200 bytes without '/'; or leave it out",
        );
        check(
            json!({"requirements": [budget(), budget()]}),
            "requirements[1].id: 'spendingBudgetSetForCustomerAzureSubscriptions' is there already; each id may be there once",
        );
        check(
            json!({"customerInsights": [{"tenantId": "a"}, {"tenantId": "A"}]}),
            "customerInsights[1].tenantId: 'a' is there already; each tenantId may be there once",
        );
        check(
            json!({"customerInsights": [{"tenantId": "a", "mfa": {"compliantAdminsCount": -1}}]}),
            "customerInsights[0].mfa.compliantAdminsCount: invalid value: integer `-1`, expected u32",
        );
        check(
            json!({"customerInsights": [{"tenantId": ""}]}),
            "customerInsights[0].tenantId: customer tenant id is empty",
        );
        assert!(
            read("{\"a\": ", now()).unwrap_err().to_string().starts_with("the file is not valid JSON: EOF")
        );
    }
}
