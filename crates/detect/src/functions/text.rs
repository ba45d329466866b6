//! A scalar function of one text.

use std::hash::{Hash, Hasher};

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

/// A function from a text to whatever `evaluate` makes of a column of texts.
#[derive(Debug)]
pub(super) struct TextFunction {
    name: &'static str,
    signature: Signature,
    returns: DataType,
    evaluate: fn(&StringArray) -> ArrayRef,
}

/// The name tells functions apart: there is one of each.
impl PartialEq for TextFunction {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for TextFunction {}

impl Hash for TextFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl TextFunction {
    pub(super) fn new(name: &'static str, returns: DataType, evaluate: fn(&StringArray) -> ArrayRef) -> Self {
        let signature = Signature::one_of(vec![TypeSignature::String(1)], Volatility::Immutable);
        Self { name, signature, returns, evaluate }
    }
}

impl ScalarUDFImpl for TextFunction {
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
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        // Readers of Parquet hand out views, queries make plain text; one form is enough here.
        let texts = cast(&arrays[0], &DataType::Utf8)?;
        Ok(ColumnarValue::Array((self.evaluate)(texts.as_string::<i32>())))
    }
}
