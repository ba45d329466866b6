//! `series_score`: how strange each point of a series is, as a window function.

use std::sync::Arc;

use arrow_array::builder::{Float64Builder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, TimestampSecondType};
use arrow_array::{Array, ArrayRef, StructArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{PartitionEvaluator, Signature, TypeSignature, Volatility, WindowUDFImpl};
use series::{Aspect, Config, Scorer};

/// `series_score(at, value, smallest_change) over (partition by … order by at)`; `at` is a time or a day.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct SeriesScore {
    signature: Signature,
}

impl SeriesScore {
    pub(super) fn new() -> Self {
        let with = |at| TypeSignature::Exact(vec![at, DataType::Float64, DataType::Float64]);
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let forms = vec![with(time), with(DataType::Date32)];
        Self { signature: Signature::one_of(forms, Volatility::Immutable) }
    }
}

fn fields() -> Fields {
    let number = |name| Field::new(name, DataType::Float64, true);
    Fields::from(vec![
        number("score"),
        number("expected"),
        number("low"),
        number("high"),
        number("deviation"),
        Field::new("aspect", DataType::Utf8, true),
    ])
}

impl WindowUDFImpl for SeriesScore {
    fn name(&self) -> &str {
        "series_score"
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
        let [times, values, smallest] = columns else {
            return exec_err!("series_score takes a time, a value and the smallest change of interest");
        };
        let times = cast(times, &DataType::Timestamp(TimeUnit::Second, None))?;
        let times = times.as_primitive::<TimestampSecondType>();
        if times.null_count() > 0 {
            return exec_err!("series_score: a time is null");
        }
        if !times.values().is_sorted() {
            return exec_err!("series_score needs 'over (partition by … order by at)'");
        }
        let (values, smallest) =
            (values.as_primitive::<Float64Type>(), smallest.as_primitive::<Float64Type>());
        let smallest_change = if rows > 0 && smallest.is_valid(0) { smallest.value(0) } else { 0.0 };
        let mut scorer = Scorer::new(Config { smallest_change });
        let mut numbers: [Float64Builder; 5] = std::array::from_fn(|_| Float64Builder::with_capacity(rows));
        let mut aspects = StringBuilder::new();
        for row in 0..rows {
            // What is not known is a missing point.
            let value = if values.is_valid(row) { values.value(row) } else { f64::NAN };
            let scored = scorer.push(times.value(row), value);
            let [score, expected, low, high, deviation] = &mut numbers;
            score.append_value(scored.score);
            expected.append_option(scored.baseline.map(|baseline| baseline.expected));
            low.append_option(scored.baseline.map(|baseline| baseline.low));
            high.append_option(scored.baseline.map(|baseline| baseline.high));
            deviation.append_value(scored.deviation);
            aspects.append_value(name(scored.aspect));
        }
        let mut columns: Vec<ArrayRef> =
            numbers.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef).collect();
        columns.push(Arc::new(aspects.finish()));
        Ok(Arc::new(StructArray::new(fields(), columns, None)))
    }
}

fn name(aspect: Aspect) -> &'static str {
    match aspect {
        Aspect::Position => "position",
        Aspect::Novelty => "novelty",
        Aspect::Unrest => "unrest",
        Aspect::Jump => "jump",
        Aspect::Drift => "drift",
    }
}
