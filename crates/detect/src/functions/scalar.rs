//! A scalar function of several columns.

use std::hash::{Hash, Hasher};

use arrow_array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature};

/// A function from columns to a column.
#[derive(Debug)]
pub(super) struct ScalarFunction {
    name: &'static str,
    signature: Signature,
    returns: DataType,
    evaluate: fn(&[ArrayRef]) -> Result<ArrayRef>,
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
        Self { name, signature, returns, evaluate }
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
        Ok(ColumnarValue::Array((self.evaluate)(&columns)?))
    }
}
