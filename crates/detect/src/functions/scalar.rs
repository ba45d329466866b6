//! A scalar function of one text, or of several columns.

use std::hash::{Hash, Hasher};

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

/// A function from columns to a column.
#[derive(Debug)]
pub(super) struct ScalarFunction {
    name: &'static str,
    signature: Signature,
    returns: DataType,
    evaluate: Evaluate,
}

#[derive(Debug)]
enum Evaluate {
    Columns(fn(&[ArrayRef]) -> Result<ArrayRef>),
    Text(fn(&StringArray) -> ArrayRef),
}

/// The name tells functions apart: there is one of each.
impl PartialEq for ScalarFunction {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for ScalarFunction {}

impl Hash for ScalarFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarFunction {
    pub(super) fn new(
        name: &'static str,
        signature: Signature,
        returns: DataType,
        evaluate: fn(&[ArrayRef]) -> Result<ArrayRef>,
    ) -> Self {
        Self { name, signature, returns, evaluate: Evaluate::Columns(evaluate) }
    }

    /// A function from a text, in whatever form a column has it.
    pub(super) fn of_text(
        name: &'static str,
        returns: DataType,
        evaluate: fn(&StringArray) -> ArrayRef,
    ) -> Self {
        let signature = Signature::one_of(vec![TypeSignature::String(1)], Volatility::Immutable);
        Self { name, signature, returns, evaluate: Evaluate::Text(evaluate) }
    }
}

impl ScalarUDFImpl for ScalarFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&arguments.args)?;
        Ok(ColumnarValue::Array(match self.evaluate {
            Evaluate::Columns(evaluate) => evaluate(&columns)?,
            // Readers of Parquet hand out views, queries make plain text; one form is enough here.
            Evaluate::Text(evaluate) => evaluate(cast(&columns[0], &DataType::Utf8)?.as_string::<i32>()),
        }))
    }
}
