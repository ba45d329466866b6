//! `setting`: a number that the operator may choose, for all, for a customer, for a subscription.

use std::sync::Arc;

use alerts::DetectorSetting;
use arrow_array::cast::AsArray;
use arrow_array::{Float64Array, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use crate::manifest::Setting;

/// `setting(name, customer_tenant_id, subscription_id)`, for one detector.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct SettingFunction {
    signature: Signature,
    known: Vec<Known>,
}

/// A setting, and the values that hold for it, the narrowest first.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Known {
    name: String,
    default: Number,
    values: Vec<Value>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Value {
    customer: Option<String>,
    subscription: Option<String>,
    value: Number,
}

/// A number that can tell plans apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Number(u64);

impl Number {
    fn of(value: f64) -> Self {
        Self(value.to_bits())
    }

    fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl SettingFunction {
    /// For a detector that declares these settings, with the values that the operator gave.
    pub(crate) fn new(declared: &[Setting], given: &[DetectorSetting]) -> Self {
        let known = declared.iter().map(|setting| Known::new(setting, given)).collect();
        Self { signature: Signature::string(3, Volatility::Immutable), known }
    }

    fn named(&self, name: &str) -> Option<&Known> {
        self.known.iter().find(|known| known.name == name)
    }
}

impl Known {
    fn new(declared: &Setting, given: &[DetectorSetting]) -> Self {
        let mut values: Vec<Value> = given
            .iter()
            .filter(|setting| setting.name == declared.name)
            .map(|setting| Value {
                customer: setting.customer_tenant_id.as_ref().map(|id| id.as_str().to_owned()),
                subscription: setting.subscription_id.as_ref().map(|id| id.as_str().to_owned()),
                value: Number::of(setting.value),
            })
            .collect();
        values.sort_by_key(|value| (value.subscription.is_none(), value.customer.is_none()));
        Self { name: declared.name.clone(), default: Number::of(declared.default), values }
    }

    fn value(&self, customer: Option<&str>, subscription: Option<&str>) -> f64 {
        let holds = |value: &&Value| {
            (value.customer.is_none() || value.customer.as_deref() == customer)
                && (value.subscription.is_none() || value.subscription.as_deref() == subscription)
        };
        self.values.iter().find(holds).map_or(self.default, |value| value.value).get()
    }

    fn is_the_same_for_all(&self) -> bool {
        self.values.iter().all(|value| value.customer.is_none() && value.subscription.is_none())
    }
}

impl ScalarUDFImpl for SettingFunction {
    fn name(&self) -> &str {
        "setting"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let name = arguments.scalar_arguments.first().copied().flatten();
        match name.and_then(|name| name.try_as_str().flatten()) {
            Some(name) if self.named(name).is_some() => {}
            Some(name) => return plan_err!("there is no setting '{name}' in the manifest's [settings]"),
            None => {
                return plan_err!(
                    "the name of a setting must be a text that stands there, such as 'points_min'"
                );
            }
        }
        Ok(Arc::new(Field::new(self.name(), DataType::Float64, false)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [name, customers, subscriptions] = arguments.args.as_slice() else {
            return exec_err!("setting takes a name, a customer and a subscription");
        };
        let ColumnarValue::Scalar(name) = name else {
            return exec_err!("the name of a setting must be a text");
        };
        let Some(known) = name.try_as_str().flatten().and_then(|name| self.named(name)) else {
            return exec_err!("there is no setting {name}");
        };
        if known.is_the_same_for_all() {
            return Ok(ColumnarValue::Scalar(ScalarValue::Float64(Some(known.value(None, None)))));
        }
        let texts = |column: &ColumnarValue| cast(&column.to_array(arguments.number_rows)?, &DataType::Utf8);
        let (customers, subscriptions) = (texts(customers)?, texts(subscriptions)?);
        let (customers, subscriptions): (&StringArray, &StringArray) =
            (customers.as_string(), subscriptions.as_string());
        let pairs = customers.iter().zip(subscriptions.iter());
        let values: Float64Array =
            pairs.map(|(customer, subscription)| Some(known.value(customer, subscription))).collect();
        Ok(ColumnarValue::Array(Arc::new(values)))
    }
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::ScalarUDF;
    use datafusion::prelude::SessionContext;

    use super::*;

    fn given(customer: Option<&str>, subscription: Option<&str>, value: f64) -> DetectorSetting {
        DetectorSetting {
            detector_id: "d".to_owned(),
            name: "points_min".to_owned(),
            customer_tenant_id: customer.map(|id| id.parse().unwrap()),
            subscription_id: subscription.map(|id| id.parse().unwrap()),
            value,
            reason: "known".to_owned(),
            author: "ann".to_owned(),
            changed_at: chrono::DateTime::UNIX_EPOCH,
        }
    }

    async fn values(given: &[DetectorSetting], name: &str) -> Result<Vec<f64>> {
        let declared = [Setting { name: "points_min".to_owned(), default: 4.0, meaning: String::new() }];
        let session = SessionContext::new();
        session.register_udf(ScalarUDF::from(SettingFunction::new(&declared, given)));
        let sql = format!(
            "select setting('{name}', customer, subscription) as value
             from (values ('c1', 's1', 1), ('c1', 's2', 2), ('c2', 's3', 3), (null, null, 4)) as t (customer, subscription, n)
             order by n"
        );
        let batches = session.sql(&sql).await?.collect().await?;
        let values = |batch: &arrow_array::RecordBatch| {
            batch["value"].as_primitive::<datafusion::arrow::datatypes::Float64Type>().values().to_vec()
        };
        Ok(batches.iter().flat_map(values).collect())
    }

    #[tokio::test]
    async fn the_narrowest_value_holds() {
        assert_eq!(values(&[], "points_min").await.unwrap(), [4.0; 4]);
        assert_eq!(values(&[given(None, None, 5.0)], "points_min").await.unwrap(), [5.0; 4]);
        let all = [given(None, None, 5.0), given(Some("c1"), None, 6.0), given(None, Some("s2"), 7.0)];
        assert_eq!(values(&all, "points_min").await.unwrap(), [6.0, 7.0, 5.0, 5.0]);
        let mut other = given(None, None, 9.0);
        other.name = "other".to_owned();
        assert_eq!(values(&[other], "points_min").await.unwrap(), [4.0; 4]);
    }

    #[tokio::test]
    async fn a_setting_that_is_not_declared_is_refused_when_the_query_is_planned() {
        let error = values(&[], "points").await.unwrap_err().to_string();
        assert!(error.contains("there is no setting 'points' in the manifest's [settings]"), "{error}");
    }
}
