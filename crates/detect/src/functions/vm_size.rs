//! The parts of a virtual machine size name, see [`crate::vm_size`].

use std::sync::Arc;

use arrow_array::{Int64Array, StringArray};
use datafusion::arrow::datatypes::DataType;

use super::scalar::ScalarFunction;
use crate::vm_size::parse;

pub(super) fn vcpus() -> ScalarFunction {
    ScalarFunction::of_text("vm_size_vcpus", DataType::Int64, |names| {
        Arc::new(names.iter().map(|name| parse(name?)?.vcpus.map(i64::from)).collect::<Int64Array>())
    })
}

pub(super) fn family() -> ScalarFunction {
    ScalarFunction::of_text("vm_size_family", DataType::Utf8, |names| {
        Arc::new(names.iter().map(|name| Some(parse(name?)?.family)).collect::<StringArray>())
    })
}

pub(super) fn accelerator() -> ScalarFunction {
    ScalarFunction::of_text("vm_size_accelerator", DataType::Utf8, |names| {
        Arc::new(names.iter().map(|name| parse(name?)?.accelerator).collect::<StringArray>())
    })
}
