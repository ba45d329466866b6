//! `setting`: a number that the operator may choose, for all, for a customer, for a subscription.

use std::hash::{Hash, Hasher};
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

/// The name of the function.
pub(crate) const SETTING: &str = "setting";

/// `setting(name, customer_tenant_id, subscription_id)`, for one detector.
#[derive(Debug)]
pub(crate) struct SettingFunction {
    signature: Signature,
    declared: Vec<Setting>,
    chosen: Vec<DetectorSetting>,
}

/// A session has one, that of its detector.
impl PartialEq for SettingFunction {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for SettingFunction {}

impl Hash for SettingFunction {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl SettingFunction {
    /// For a detector that declares these settings, with the numbers that the operator chose.
    pub(crate) fn new(declared: &[Setting], chosen: &[DetectorSetting]) -> Self {
        // Texts of one kind would make views of all three where columns are views, and the name would be no text
        // that stands there.
        let signature = Signature::exact(vec![DataType::Utf8; 3], Volatility::Immutable);
        Self { signature, declared: declared.to_vec(), chosen: chosen.to_vec() }
    }

    fn declared(&self, name: &ScalarValue) -> Option<&Setting> {
        let name = name.try_as_str().flatten()?;
        self.declared.iter().find(|setting| setting.name == name)
    }
}

impl ScalarUDFImpl for SettingFunction {
    fn name(&self) -> &str {
        SETTING
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        match arguments.scalar_arguments.first().copied().flatten() {
            Some(name) if self.declared(name).is_some() => {}
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
        let Some(setting) = self.declared(name) else { return exec_err!("there is no setting {name}") };
        let value = |customer: Option<&str>, subscription: Option<&str>| {
            let chosen = DetectorSetting::narrowest(&self.chosen, &setting.name, customer, subscription);
            chosen.map_or(setting.default, |chosen| chosen.value)
        };
        if self.chosen.iter().all(|chosen| chosen.name != setting.name) {
            return Ok(ColumnarValue::Scalar(ScalarValue::Float64(Some(setting.default))));
        }
        let texts = |column: &ColumnarValue| cast(&column.to_array(arguments.number_rows)?, &DataType::Utf8);
        let (customers, subscriptions) = (texts(customers)?, texts(subscriptions)?);
        let (customers, subscriptions): (&StringArray, &StringArray) =
            (customers.as_string(), subscriptions.as_string());
        let values: Float64Array = customers
            .iter()
            .zip(subscriptions.iter())
            .map(|(customer, subscription)| Some(value(customer, subscription)))
            .collect();
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
        let of_texts = values_of("Utf8", given, name).await?;
        assert_eq!(values_of("Utf8View", given, name).await?, of_texts);
        Ok(of_texts)
    }

    async fn values_of(texts: &str, given: &[DetectorSetting], name: &str) -> Result<Vec<f64>> {
        let declared = [Setting {
            name: "points_min".to_owned(),
            default: 4.0,
            min: None,
            max: None,
            meaning: String::new(),
        }];
        let session = SessionContext::new();
        session.register_udf(ScalarUDF::from(SettingFunction::new(&declared, given)));
        let sql = format!(
            "select setting('{name}', arrow_cast(customer, '{texts}'), arrow_cast(subscription, '{texts}')) as value
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
