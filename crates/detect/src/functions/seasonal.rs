//! `seasonal_score`: the baseline as a window function.

use std::sync::Arc;

use arrow_array::builder::{Float64Builder, Int64Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, StructArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{PartitionEvaluator, Signature, Volatility, WindowUDFImpl};

use crate::baseline::{Day, Shape, score_series};

/// A series may span this many days; more is a mistake in the data, such as a year 9999.
const DAYS_MAX: i64 = 36_600;

/// A period and a history may be this long, in days.
const SHAPE_DAYS_MAX: i64 = 3_660;

/// `seasonal_score(day, value, period, history) over (partition by … order by day)`.
///
/// One row a day; days without a row are zero, a null value is an unknown day.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct SeasonalScore {
    signature: Signature,
}

impl SeasonalScore {
    pub(super) fn new() -> Self {
        let arguments = vec![DataType::Date32, DataType::Float64, DataType::Int64, DataType::Int64];
        Self { signature: Signature::exact(arguments, Volatility::Immutable) }
    }
}

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("expected", DataType::Float64, true),
        Field::new("spread", DataType::Float64, true),
        Field::new("score", DataType::Float64, true),
        Field::new("history_days", DataType::Int64, true),
    ])
}

impl WindowUDFImpl for SeasonalScore {
    fn name(&self) -> &str {
        "seasonal_score"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(&self, _arguments: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(WholeSeries))
    }

    fn field(&self, arguments: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(arguments.name(), DataType::Struct(fields()), true)))
    }
}

/// Scores one partition, which is one series, at once.
#[derive(Debug)]
struct WholeSeries;

impl PartitionEvaluator for WholeSeries {
    fn evaluate_all(&mut self, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        if rows == 0 {
            return Ok(arrow_array::new_empty_array(&DataType::Struct(fields())));
        }
        let [days, values, periods, histories] = columns else {
            return exec_err!("seasonal_score takes a day, a value, a period and a history");
        };
        let shape =
            Shape { period: shape_days("period", periods)?, history: shape_days("history", histories)? };
        let days = ascending(days)?;
        let first = days[0];
        let mut series = vec![Day::Absent; (days[days.len() - 1] - first + 1) as usize];
        let values = values.as_primitive::<Float64Type>();
        for (row, day) in days.iter().enumerate() {
            series[(day - first) as usize] =
                if values.is_null(row) { Day::Unknown } else { Day::Value(values.value(row)) };
        }

        let scores = score_series(&series, shape);
        let mut expected = Float64Builder::with_capacity(rows);
        let mut spread = Float64Builder::with_capacity(rows);
        let mut score = Float64Builder::with_capacity(rows);
        let mut history_days = Int64Builder::with_capacity(rows);
        for day in days {
            let day = &scores[(day - first) as usize];
            expected.append_option(day.expected);
            spread.append_value(day.spread);
            score.append_value(day.score);
            history_days.append_value(day.history_days as i64);
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(expected.finish()),
            Arc::new(spread.finish()),
            Arc::new(score.finish()),
            Arc::new(history_days.finish()),
        ];
        Ok(Arc::new(StructArray::new(fields(), columns, None)))
    }
}

/// The days of the rows, strictly ascending and within bounds.
fn ascending(days: &ArrayRef) -> Result<Vec<i64>> {
    let days = days.as_primitive::<Date32Type>();
    let days: Vec<i64> = days
        .iter()
        .map(|day| day.map(i64::from).ok_or_else(|| exec_datafusion_err!("seasonal_score: a day is null")))
        .collect::<Result<_>>()?;
    if !days.is_sorted_by(|earlier, later| earlier < later) {
        return exec_err!("seasonal_score needs one row a day and 'over (partition by … order by day)'");
    }
    if days[days.len() - 1] - days[0] >= DAYS_MAX {
        return exec_err!("seasonal_score: a series spans more than {DAYS_MAX} days");
    }
    Ok(days)
}

fn shape_days(name: &str, column: &ArrayRef) -> Result<usize> {
    let column = column.as_primitive::<Int64Type>();
    let days = if column.is_valid(0) { column.value(0) } else { 0 };
    if !(1..=SHAPE_DAYS_MAX).contains(&days) {
        return exec_err!("seasonal_score: the {name} must be 1 to {SHAPE_DAYS_MAX} days, not {days}");
    }
    Ok(days as usize)
}
