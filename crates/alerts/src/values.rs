//! What an alert from elsewhere may not hold, though its types allow it.
//!
//! JSON spells a NUL character, which no text of PostgreSQL holds, and no filter can ask for. Times of
//! Graph are those of .NET, whose years go from 1 to 9999; later ones have no form that its clients read.

use chrono::{DateTime, Datelike as _, Utc};
use serde_json::{Map, Value};

use crate::{AlertId, PartnerSecurityAlert};

/// The years that a time of Graph may be in.
const YEARS: std::ops::RangeInclusive<i32> = 1..=9999;

/// A value that cannot be taken in, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("alert {id}: {property} {problem}")]
pub struct ValueError {
    /// The alert.
    pub id: AlertId,
    /// The path to the property, such as `activityLogs[0]/updatedBy`.
    pub property: String,
    /// What is wrong with it.
    pub problem: ValueProblem,
}

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueProblem {
    /// A text holds U+0000.
    #[error("holds a NUL character (\\u0000), which no database keeps in a text; take it out")]
    Nul,
    /// A time is too early or too late.
    #[error("is in the year {0}; years go from {first} to {last}", first = YEARS.start(), last = YEARS.end())]
    Year(i32),
}

/// The path to a property, and what is wrong with it.
type Found = (String, ValueProblem);

impl PartnerSecurityAlert {
    /// Checks the values of an alert from elsewhere.
    ///
    /// # Errors
    ///
    /// [`ValueError`], which names the first property whose value cannot be taken in.
    pub fn check_values(&self) -> Result<(), ValueError> {
        let error = |(property, problem)| ValueError { id: self.id.clone(), property, problem };
        self.texts().map_err(error)?;
        self.times().map_err(error)
    }

    /// Identities are not looked at: they hold no control characters.
    fn texts(&self) -> Result<(), Found> {
        let optional = |name: &str, value: &Option<String>| text(name, value.as_deref().unwrap_or_default());
        text("alertType", &self.alert_type)?;
        text("displayName", &self.display_name)?;
        optional("description", &self.description)?;
        optional("catalogOfferId", &self.catalog_offer_id)?;
        optional("resolvedBy", &self.resolved_by)?;
        for (index, resource) in self.affected_resources.iter().enumerate() {
            text(&format!("affectedResources[{index}]/resourceId"), &resource.resource_id)?;
            text(&format!("affectedResources[{index}]/resourceType"), &resource.resource_type)?;
        }
        for (index, entry) in self.activity_logs.iter().enumerate() {
            text(&format!("activityLogs[{index}]/updatedBy"), &entry.updated_by)?;
        }
        self.additional_details.as_ref().map_or(Ok(()), |members| object("additionalDetails", members))
    }

    fn times(&self) -> Result<(), Found> {
        let optional = |name, value: Option<DateTime<Utc>>| value.map_or(Ok(()), |at| time(name, at));
        time("detectedDateTime", self.detected_date_time)?;
        optional("firstObservedDateTime", self.first_observed_date_time)?;
        optional("lastObservedDateTime", self.last_observed_date_time)?;
        optional("resolvedOnDateTime", self.resolved_on_date_time)?;
        for (index, entry) in self.activity_logs.iter().enumerate() {
            time(&format!("activityLogs[{index}]/updatedDateTime"), entry.updated_date_time)?;
        }
        Ok(())
    }
}

fn text(property: &str, text: &str) -> Result<(), Found> {
    if text.contains('\0') { Err((property.to_owned(), ValueProblem::Nul)) } else { Ok(()) }
}

fn time(property: &str, at: DateTime<Utc>) -> Result<(), Found> {
    if YEARS.contains(&at.year()) {
        Ok(())
    } else {
        Err((property.to_owned(), ValueProblem::Year(at.year())))
    }
}

/// A member of the open type, with all that is in it.
fn any(property: &str, value: &Value) -> Result<(), Found> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        Value::String(string) => text(property, string),
        Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(index, item)| any(&format!("{property}[{index}]"), item))
        }
        Value::Object(members) => object(property, members),
    }
}

fn object(property: &str, members: &Map<String, Value>) -> Result<(), Found> {
    members.iter().try_for_each(|(name, value)| {
        let property = format!("{property}/{}", name.escape_debug());
        text(&property, name)?;
        any(&property, value)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::alert::sample;

    /// The sample with its properties replaced by those of `with`.
    fn check(with: Value) -> Result<(), String> {
        let mut wire = serde_json::to_value(sample().body).unwrap();
        for (name, value) in with.as_object().unwrap() {
            wire[name] = value.clone();
        }
        let body: PartnerSecurityAlert = serde_json::from_value(wire).unwrap();
        body.check_values().map_err(|error| error.to_string())
    }

    fn refuses(with: Value, property: &str) {
        let error = check(with).unwrap_err();
        let start = format!("alert 7c1f0a52-0b1e-4a39-9a55-2f6f1d0c9e11: {property} ");
        assert!(error.starts_with(&start), "{error}");
    }

    #[test]
    fn a_text_with_a_nul_is_named() {
        assert_eq!(
            check(json!({"description": "a\0b"})).unwrap_err(),
            "alert 7c1f0a52-0b1e-4a39-9a55-2f6f1d0c9e11: description holds a NUL character (\\u0000), which no \
             database keeps in a text; take it out"
        );
        let log = |by: &str| {
            json!({"statusFrom": "active", "statusTo": "resolved", "updatedBy": by,
                   "updatedDateTime": "2031-01-01T00:00:00Z"})
        };
        refuses(json!({"alertType": "\0"}), "alertType");
        refuses(json!({"displayName": "a\0"}), "displayName");
        refuses(json!({"catalogOfferId": "a\0"}), "catalogOfferId");
        refuses(json!({"resolvedBy": "a\0"}), "resolvedBy");
        let resource = |id: &str, kind: &str| json!({"resourceId": id, "resourceType": kind});
        let resources = |last: Value| json!({"affectedResources": [resource("/a", "b"), last]});
        refuses(resources(resource("/a\0", "b")), "affectedResources[1]/resourceId");
        refuses(resources(resource("/a", "\0")), "affectedResources[1]/resourceType");
        refuses(json!({"activityLogs": [log("ann"), log("b\0b")]}), "activityLogs[1]/updatedBy");
        let details = |details: Value| json!({"additionalDetails": details});
        refuses(details(json!({"Odd": "x\0"})), "additionalDetails/Odd");
        refuses(details(json!({"Odd": [1, {"in": [null, "x\0"]}]})), "additionalDetails/Odd[1]/in[1]");
        refuses(details(json!({"O\0d": 1})), "additionalDetails/O\\0d");
        // What only spells a NUL is none.
        assert_eq!(check(details(json!({"Plain": "\\u0000", "More": [true, {"a": 1.5}]}))), Ok(()));
    }

    #[test]
    fn a_time_that_graph_cannot_write_is_named() {
        for property in
            ["detectedDateTime", "firstObservedDateTime", "lastObservedDateTime", "resolvedOnDateTime"]
        {
            for (time, year) in [
                ("+10000-01-01T00:00:00Z", 10_000),
                ("0000-12-31T23:59:59Z", 0),
                ("-0001-01-01T00:00:00Z", -1),
            ] {
                let error = check(json!({ property: time })).unwrap_err();
                let end = format!(": {property} is in the year {year}; years go from 1 to 9999");
                assert!(error.ends_with(&end), "{error}");
            }
            assert_eq!(check(json!({ property: "0001-01-01T00:00:00Z" })), Ok(()));
            assert_eq!(check(json!({ property: "9999-12-31T23:59:59.999999Z" })), Ok(()));
        }
        // The year is that of the time in UTC, in which it is kept.
        refuses(json!({"detectedDateTime": "9999-12-31T23:00:00-02:00"}), "detectedDateTime");
        let log = json!({"statusFrom": "active", "statusTo": "resolved", "updatedBy": "ann",
                         "updatedDateTime": "+12031-01-01T00:00:00Z"});
        refuses(json!({"activityLogs": [log]}), "activityLogs[0]/updatedDateTime");
    }
}
