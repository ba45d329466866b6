//! From the rows of a query to findings: the contract between a detector's SQL and the rest.
//!
//! A query gives one row a finding. These columns have a meaning; every other one is evidence and
//! becomes an entry of `additionalDetails`, named in Graph's manner (`new_regions` is `NewRegions`;
//! a name with capitals stays as it is) with its value as text (lists as JSON text).
//!
//! | column | type | |
//! | --- | --- | --- |
//! | `subscription_id` | text | required, never null |
//! | `first_observed_at`, `last_observed_at` | time | required, never null |
//! | `description` | text | required, never null |
//! | `resources` | list of texts | resource paths |
//! | `customer_tenant_id` | text | |
//! | `severity`, `confidence` | text | Graph's words; where null, the manifest's |
//!
//! The columns of the manifest's `grouping` must be there too; they are evidence as well.

use std::collections::BTreeSet;

use alerts::{Confidence, Finding, PartnerTenantId, ResourceId, Severity, SubscriptionId};
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_schema::{ArrowError, DataType, Schema, TimeUnit};
use chrono::{DateTime, Utc};
use datafusion::arrow::compute::cast;
use serde_json::{Map, Value};

use crate::Manifest;

/// The columns that become fields of a finding.
pub(crate) const RESERVED: [&str; 8] = [
    "subscription_id",
    "first_observed_at",
    "last_observed_at",
    "description",
    "resources",
    "customer_tenant_id",
    "severity",
    "confidence",
];

const REQUIRED: [&str; 4] = ["subscription_id", "first_observed_at", "last_observed_at", "description"];

/// A query that gives something other than findings. Names the column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// A column that every query must give.
    #[error("the query lacks the column '{column}'; every query gives {}", REQUIRED.join(", "))]
    Missing {
        /// The column.
        column: String,
    },
    /// A column of the grouping.
    #[error("the query lacks the column '{column}', which the manifest's 'grouping' names")]
    MissingGrouping {
        /// The column.
        column: String,
    },
    /// A column of another type than its meaning asks for.
    #[error("column '{column}' is of type {found}; it must be {wanted}")]
    Type {
        /// The column.
        column: String,
        /// What it is.
        found: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// A null where there must be a value.
    #[error("column '{column}' is null in a row; filter such rows or give a value")]
    Null {
        /// The column.
        column: String,
    },
    /// A text that is none of Graph's words.
    #[error("column '{column}': {problem}")]
    Word {
        /// The column.
        column: String,
        /// What is wrong, and which words there are.
        problem: String,
    },
    /// A column whose values have no text.
    #[error(
        "column '{column}' is of type {found}, which cannot be evidence; use text, numbers, times or lists of them"
    )]
    NoText {
        /// The column.
        column: String,
        /// What it is.
        found: String,
    },
}

/// What all findings of a run have in common.
pub(crate) struct Context<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) partner: &'a PartnerTenantId,
}

/// Checks the columns of a query before it runs.
pub(crate) fn check(manifest: &Manifest, schema: &Schema) -> Result<(), ShapeError> {
    for column in REQUIRED {
        if schema.column_with_name(column).is_none() {
            return Err(ShapeError::Missing { column: column.to_owned() });
        }
    }
    for column in &manifest.grouping {
        if schema.column_with_name(column).is_none() {
            return Err(ShapeError::MissingGrouping { column: column.clone() });
        }
    }
    for field in schema.fields() {
        let kind = field.data_type();
        let wanted = match field.name().as_str() {
            "first_observed_at" | "last_observed_at" if !matches!(kind, DataType::Timestamp(..)) => "a time",
            "resources" if !is_text_list(kind) => "a list of texts",
            "subscription_id" | "description" | "customer_tenant_id" | "severity" | "confidence"
                if !is_text(kind) =>
            {
                "text"
            }
            name if !RESERVED.contains(&name) && !has_text(kind) => {
                return Err(ShapeError::NoText { column: name.to_owned(), found: kind.to_string() });
            }
            _ => continue,
        };
        return Err(ShapeError::Type { column: field.name().clone(), found: kind.to_string(), wanted });
    }
    Ok(())
}

fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null)
}

fn is_text_list(kind: &DataType) -> bool {
    match kind {
        DataType::List(item) | DataType::LargeList(item) => is_text(item.data_type()),
        DataType::Null => true,
        _ => false,
    }
}

/// Whether values of a type can be evidence.
fn has_text(kind: &DataType) -> bool {
    match kind {
        DataType::List(item) | DataType::LargeList(item) => has_text(item.data_type()),
        DataType::Boolean | DataType::Date32 | DataType::Timestamp(..) => true,
        other => is_text(other) || other.is_numeric(),
    }
}

/// The findings of one batch of rows, in the order of the rows.
///
/// A row whose subscription is no id, which only a broken record can cause, is left out: one such
/// record must not silence a detector.
pub(crate) fn read(context: &Context<'_>, batch: &RecordBatch) -> Result<Vec<Finding>, ShapeError> {
    let columns = Columns::of(batch)?;
    let mut findings = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let subscription = columns.required("subscription_id", &columns.subscription, row)?;
        match subscription.parse::<SubscriptionId>() {
            Ok(subscription) => findings.push(columns.finding(context, row, subscription)?),
            Err(problem) => tracing::warn!(
                detector.id = %context.manifest.id,
                "Left out a finding of detector {}: {problem}",
                context.manifest.id
            ),
        }
    }
    Ok(findings)
}

/// What findings are ordered by: a total order, so that two runs over the same events read the same.
pub(crate) fn order(finding: &Finding) -> (&SubscriptionId, DateTime<Utc>, DateTime<Utc>, &str, &str) {
    (
        &finding.subscription_id,
        finding.last_observed_at,
        finding.first_observed_at,
        &finding.grouping_key,
        &finding.description,
    )
}

/// The columns of a batch, the reserved ones in the type of their meaning.
struct Columns<'a> {
    batch: &'a RecordBatch,
    subscription: StringArray,
    first_observed_at: TimestampMicrosecondArray,
    last_observed_at: TimestampMicrosecondArray,
    description: StringArray,
    resources: Option<ArrayRef>,
    customer: Option<StringArray>,
    severity: Option<StringArray>,
    confidence: Option<StringArray>,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, ShapeError> {
        let optional =
            |name: &str| batch.column_by_name(name).is_some().then(|| texts(batch, name)).transpose();
        Ok(Self {
            batch,
            subscription: texts(batch, "subscription_id")?,
            first_observed_at: times(batch, "first_observed_at")?,
            last_observed_at: times(batch, "last_observed_at")?,
            description: texts(batch, "description")?,
            resources: batch.column_by_name("resources").cloned(),
            customer: optional("customer_tenant_id")?,
            severity: optional("severity")?,
            confidence: optional("confidence")?,
        })
    }

    fn required<'b>(&self, name: &str, column: &'b StringArray, row: usize) -> Result<&'b str, ShapeError> {
        value(column, row).ok_or_else(|| ShapeError::Null { column: name.to_owned() })
    }

    fn finding(
        &self,
        context: &Context<'_>,
        row: usize,
        subscription_id: SubscriptionId,
    ) -> Result<Finding, ShapeError> {
        let manifest = context.manifest;
        Ok(Finding {
            detector_id: manifest.id.clone(),
            alert_type: manifest.alert_type.clone(),
            title: manifest.title.clone(),
            description: self.required("description", &self.description, row)?.to_owned(),
            severity: word::<Severity>("severity", self.severity.as_ref(), row)?.unwrap_or(manifest.severity),
            confidence: word::<Confidence>("confidence", self.confidence.as_ref(), row)?
                .unwrap_or(manifest.confidence),
            partner_tenant_id: context.partner.clone(),
            customer_tenant_id: self
                .customer
                .as_ref()
                .and_then(|column| value(column, row))
                .and_then(|text| text.parse().ok()),
            reseller_tenant_id: None,
            subscription_id,
            grouping_key: self.grouping_key(manifest, row)?,
            first_observed_at: moment("first_observed_at", &self.first_observed_at, row)?,
            last_observed_at: moment("last_observed_at", &self.last_observed_at, row)?,
            resources: self.resources(row)?,
            details: self.details(manifest, row)?,
        })
    }

    /// `caller=u-1`, or `caller=u-1;region=x`; empty if the manifest groups by subscription alone.
    fn grouping_key(&self, manifest: &Manifest, row: usize) -> Result<String, ShapeError> {
        let mut parts = Vec::with_capacity(manifest.grouping.len());
        for name in &manifest.grouping {
            let column = self
                .batch
                .column_by_name(name)
                .ok_or_else(|| ShapeError::MissingGrouping { column: name.clone() })?;
            let text = self.evidence(name, column, row)?.unwrap_or_default();
            parts.push(format!("{name}={text}"));
        }
        Ok(parts.join(";"))
    }

    /// Sorted and each once; a path that is no resource id is left out.
    fn resources(&self, row: usize) -> Result<Vec<ResourceId>, ShapeError> {
        let Some(column) = self.resources.as_ref().filter(|column| column.is_valid(row)) else {
            return Ok(Vec::new());
        };
        let Some(list) = list_item(column, row) else {
            return Ok(Vec::new());
        };
        let texts = cast(&list, &DataType::Utf8).map_err(|error| unreadable("resources", &error))?;
        let sorted: BTreeSet<ResourceId> =
            texts.as_string::<i32>().iter().flatten().filter_map(|text| text.parse().ok()).collect();
        Ok(sorted.into_iter().collect())
    }

    fn details(&self, manifest: &Manifest, row: usize) -> Result<Map<String, Value>, ShapeError> {
        let mut details = Map::new();
        for (field, column) in self.batch.schema().fields().iter().zip(self.batch.columns()) {
            let name = field.name();
            if RESERVED.contains(&name.as_str()) {
                continue;
            }
            if let Some(text) = self.evidence(name, column, row)? {
                details.insert(pascal_case(name), Value::String(text));
            }
        }
        details.insert("DetectorId".to_owned(), manifest.id.clone().into());
        details.insert("DetectorVersion".to_owned(), manifest.version.to_string().into());
        Ok(details)
    }

    /// A value as text; `None` for null.
    fn evidence(&self, name: &str, column: &ArrayRef, row: usize) -> Result<Option<String>, ShapeError> {
        Ok(match json(name, column, row)? {
            Value::Null => None,
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        })
    }
}

/// A value as JSON: texts and times as strings, numbers as numbers, lists as arrays.
fn json(name: &str, column: &ArrayRef, row: usize) -> Result<Value, ShapeError> {
    if column.is_null(row) {
        return Ok(Value::Null);
    }
    if let Some(items) = list_item(column, row) {
        return (0..items.len())
            .map(|item| json(name, &items, item))
            .collect::<Result<_, _>>()
            .map(Value::Array);
    }
    let one = column.slice(row, 1);
    let read = |kind: &DataType| cast(&one, kind).map_err(|error| unreadable(name, &error));
    Ok(match column.data_type() {
        DataType::Boolean => Value::Bool(one.as_boolean().value(0)),
        DataType::Timestamp(..) => {
            let micros = read(&time_type())?.as_primitive::<TimestampMicrosecondType>().value(0);
            DateTime::<Utc>::from_timestamp_micros(micros)
                .map_or(Value::Null, |at| at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true).into())
        }
        kind if kind.is_integer() => {
            read(&DataType::Int64)?.as_primitive::<arrow_array::types::Int64Type>().value(0).into()
        }
        kind if kind.is_numeric() => {
            let number = read(&DataType::Float64)?.as_primitive::<arrow_array::types::Float64Type>().value(0);
            rounded(number)
        }
        _ => read(&DataType::Utf8)?.as_string::<i32>().value(0).into(),
    })
}

/// Four decimals are enough for evidence, and whole numbers carry none.
fn rounded(number: f64) -> Value {
    let rounded = (number * 10_000.0).round() / 10_000.0;
    if rounded.fract() == 0.0 && rounded.abs() < 1e15 {
        return (rounded as i64).into();
    }
    serde_json::Number::from_f64(rounded).map_or(Value::Null, Value::Number)
}

fn list_item(column: &ArrayRef, row: usize) -> Option<ArrayRef> {
    column
        .as_list_opt::<i32>()
        .map(|lists| lists.value(row))
        .or_else(|| column.as_list_opt::<i64>().map(|lists| lists.value(row)))
}

fn pascal_case(name: &str) -> String {
    if name.chars().any(char::is_uppercase) {
        return name.to_owned();
    }
    name.split('_')
        .map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_uppercase().chain(letters).collect::<String>())
                .unwrap_or_default()
        })
        .collect()
}

fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, ShapeError> {
    batch.column_by_name(name).ok_or_else(|| ShapeError::Missing { column: name.to_owned() })
}

fn texts(batch: &RecordBatch, name: &str) -> Result<StringArray, ShapeError> {
    let texts = cast(column(batch, name)?, &DataType::Utf8).map_err(|error| unreadable(name, &error))?;
    Ok(texts.as_string::<i32>().clone())
}

fn times(batch: &RecordBatch, name: &str) -> Result<TimestampMicrosecondArray, ShapeError> {
    let times = cast(column(batch, name)?, &time_type()).map_err(|error| unreadable(name, &error))?;
    Ok(times.as_primitive::<TimestampMicrosecondType>().clone())
}

fn unreadable(name: &str, error: &ArrowError) -> ShapeError {
    ShapeError::Word { column: name.to_owned(), problem: error.to_string() }
}

fn value(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

fn moment(name: &str, column: &TimestampMicrosecondArray, row: usize) -> Result<DateTime<Utc>, ShapeError> {
    column
        .is_valid(row)
        .then(|| DateTime::from_timestamp_micros(column.value(row)))
        .flatten()
        .ok_or_else(|| ShapeError::Null { column: name.to_owned() })
}

fn word<W: std::str::FromStr<Err = alerts::UnknownMember>>(
    name: &str,
    column: Option<&StringArray>,
    row: usize,
) -> Result<Option<W>, ShapeError> {
    let Some(text) = column.and_then(|column| value(column, row)) else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|error: alerts::UnknownMember| ShapeError::Word {
        column: name.to_owned(),
        problem: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_graphs() {
        for (column, name) in
            [("new_regions", "NewRegions"), ("VM_IP", "VM_IP"), ("vcpus", "Vcpus"), ("a__b_", "AB")]
        {
            assert_eq!(pascal_case(column), name);
        }
    }

    #[test]
    fn numbers_have_few_decimals() {
        for (number, text) in
            [(3.0, "3"), (2.5, "2.5"), (1.0 / 3.0, "0.3333"), (f64::NAN, "null"), (-0.0, "0")]
        {
            assert_eq!(rounded(number).to_string(), text);
        }
    }
}
