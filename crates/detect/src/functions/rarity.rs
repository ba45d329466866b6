//! `rarity`: how often a value was seen before, as a window function.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{Float64Builder, Int64Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, StructArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{PartitionEvaluator, Signature, Volatility, WindowUDFImpl};

const HOUR_MICROS: i64 = 3_600_000_000;

/// A history may be this long.
const HOURS_MAX: i64 = 24 * 3_660;

/// `rarity(value, at, history_hours, gap_hours) over (partition by … order by at)`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Rarity {
    signature: Signature,
}

impl Rarity {
    pub(super) fn new() -> Self {
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let arguments = vec![DataType::Utf8, time, DataType::Int64, DataType::Int64];
        Self { signature: Signature::exact(arguments, Volatility::Immutable) }
    }
}

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("seen", DataType::Int64, true),
        Field::new("rows", DataType::Int64, true),
        Field::new("share", DataType::Float64, true),
    ])
}

impl WindowUDFImpl for Rarity {
    fn name(&self) -> &str {
        "rarity"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(&self, _arguments: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(WholePartition))
    }

    fn field(&self, arguments: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(arguments.name(), DataType::Struct(fields()), true)))
    }
}

/// Counts in one pass: rows enter the history when they are older than the gap, and leave it when they are too old.
#[derive(Debug)]
struct WholePartition;

impl PartitionEvaluator for WholePartition {
    fn evaluate_all(&mut self, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        if rows == 0 {
            return Ok(arrow_array::new_empty_array(&DataType::Struct(fields())));
        }
        let [values, times, history, gap] = columns else {
            return exec_err!("rarity takes a value, a time, and the hours of the history and of the gap");
        };
        let (history, gap) = (hours("history", history, 1)?, hours("gap", gap, 0)?);
        if gap >= history {
            return exec_err!("rarity: the gap of {gap} hours leaves nothing of a history of {history}");
        }
        let values = values.as_string::<i32>();
        let times = cast(times, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
        let times = times.as_primitive::<TimestampMicrosecondType>();
        if times.null_count() > 0 {
            return exec_err!("rarity: a time is null");
        }
        if !times.values().is_sorted() {
            return exec_err!("rarity needs 'over (partition by … order by at)'");
        }

        let mut counts: HashMap<&str, i64> = HashMap::new();
        let (mut entered, mut left) = (0, 0);
        let mut seen = Int64Builder::with_capacity(rows);
        let mut all = Int64Builder::with_capacity(rows);
        let mut share = Float64Builder::with_capacity(rows);
        for row in 0..rows {
            let at = times.value(row);
            while entered < row && times.value(entered) < at && times.value(entered) <= at - gap * HOUR_MICROS
            {
                if values.is_valid(entered) {
                    *counts.entry(values.value(entered)).or_default() += 1;
                }
                entered += 1;
            }
            while left < entered && times.value(left) < at - history * HOUR_MICROS {
                if values.is_valid(left)
                    && let Some(count) = counts.get_mut(values.value(left))
                {
                    *count -= 1;
                }
                left += 1;
            }
            let rows_before = (entered - left) as i64;
            let count = values.is_valid(row).then(|| counts.get(values.value(row)).copied().unwrap_or(0));
            seen.append_option(count);
            all.append_value(rows_before);
            share.append_option(
                count.filter(|_| rows_before > 0).map(|count| count as f64 / rows_before as f64),
            );
        }
        let columns: Vec<ArrayRef> =
            vec![Arc::new(seen.finish()), Arc::new(all.finish()), Arc::new(share.finish())];
        Ok(Arc::new(StructArray::new(fields(), columns, None)))
    }
}

fn hours(name: &str, column: &ArrayRef, least: i64) -> Result<i64> {
    let column = column.as_primitive::<Int64Type>();
    let hours = if column.is_valid(0) { column.value(0) } else { -1 };
    if !(least..=HOURS_MAX).contains(&hours) {
        return exec_err!("rarity: the {name} must be {least} to {HOURS_MAX} hours, not {hours}");
    }
    Ok(hours)
}
