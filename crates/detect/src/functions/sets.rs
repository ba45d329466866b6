//! How far sets are from each other.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, Float64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::exec_err;
use datafusion::logical_expr::{
    ArrayFunctionArgument, ArrayFunctionSignature, Signature, TypeSignature, Volatility,
};

use super::scalar::ScalarFunction;

/// `set_distance(list, list)`: the Jaccard distance of two lists of texts as sets.
pub(super) fn distance() -> ScalarFunction {
    let lists = TypeSignature::ArraySignature(ArrayFunctionSignature::Array {
        arguments: vec![ArrayFunctionArgument::Array, ArrayFunctionArgument::Array],
        array_coercion: None,
    });
    let signature = Signature::new(lists, Volatility::Immutable);
    ScalarFunction::new("set_distance", signature, DataType::Float64, |columns| {
        let [one, other] = columns else { return exec_err!("set_distance takes two lists") };
        let texts = |column: &ArrayRef| {
            cast(column, &DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))))
        };
        let (one, other) = (texts(one)?, texts(other)?);
        let (one, other) = (one.as_list::<i32>(), other.as_list::<i32>());
        let distances = (0..one.len()).map(|row| {
            let known = one.is_valid(row) && other.is_valid(row);
            known.then(|| jaccard(&one.value(row), &other.value(row)))
        });
        Ok(Arc::new(distances.collect::<Float64Array>()))
    })
}

/// 1 minus what both have, divided by what either has; two empty sets are the same.
fn jaccard(one: &ArrayRef, other: &ArrayRef) -> f64 {
    let one: HashSet<&str> = one.as_string::<i32>().iter().flatten().collect();
    let other: HashSet<&str> = other.as_string::<i32>().iter().flatten().collect();
    let shared = one.intersection(&other).count();
    let either = one.len() + other.len() - shared;
    if either == 0 { 0.0 } else { 1.0 - shared as f64 / either as f64 }
}
