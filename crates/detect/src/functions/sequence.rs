//! `sequence_within`: whether steps came in their order within a time, as an aggregate.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};
use datafusion::common::scalar::ScalarStructBuilder;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};

/// `sequence_within(step, at, steps, seconds)`: `steps` are names with `>` between them.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct SequenceWithin {
    signature: Signature,
}

impl SequenceWithin {
    pub(super) fn new() -> Self {
        let arguments = vec![DataType::Utf8, time(), DataType::Utf8, DataType::Int64];
        Self { signature: Signature::exact(arguments, Volatility::Immutable) }
    }
}

fn time() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn fields() -> Fields {
    Fields::from(vec![Field::new("first_at", time(), true), Field::new("last_at", time(), true)])
}

impl AggregateUDFImpl for SequenceWithin {
    fn name(&self) -> &str {
        "sequence_within"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(fields()))
    }

    fn accumulator(&self, _arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::<Steps>::default())
    }

    fn state_fields(&self, _arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let list = |name| Field::new_list(name, Field::new_list_field(DataType::Int64, true), true);
        let fields = [
            Field::new("steps", DataType::Utf8, true),
            Field::new("within_s", DataType::Int64, true),
            list("times"),
            list("places"),
        ];
        Ok(fields.into_iter().map(Arc::new).collect())
    }
}

/// The events that are steps, as times and places in the sequence.
#[derive(Debug, Default)]
struct Steps {
    wanted: String,
    within_s: i64,
    events: Vec<(i64, i64)>,
}

impl Steps {
    fn names(&self) -> Vec<&str> {
        self.wanted.split('>').map(str::trim).collect()
    }

    /// The first time that the sequence is complete: when it began, as late as possible, and when it ended.
    ///
    /// `begun[k]` is the latest beginning of a run of the steps 0 to k that is still in time.
    fn first_complete(&self) -> Option<(i64, i64)> {
        let names = self.names();
        let within = self.within_s.saturating_mul(1_000_000);
        let mut events = self.events.clone();
        events.sort_unstable();
        let mut begun: Vec<Option<i64>> = vec![None; names.len()];
        for (at, place) in events {
            let name = names.get(usize::try_from(place).ok()?)?;
            // From the end, so that one event is not two steps of the same name.
            for step in (0..names.len()).rev().filter(|step| names[*step] == *name) {
                let beginning = match step {
                    0 => Some(at),
                    later => begun[later - 1].filter(|begun| at - begun <= within),
                };
                if beginning > begun[step] {
                    begun[step] = beginning;
                }
                if step == names.len() - 1
                    && let Some(beginning) = beginning
                {
                    return Some((beginning, at));
                }
            }
        }
        None
    }
}

impl Accumulator for Steps {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let [steps, times, wanted, within] = columns else {
            return exec_err!("sequence_within takes a step, a time, the steps and the seconds");
        };
        if steps.is_empty() {
            return Ok(());
        }
        let (wanted, within) = (wanted.as_string::<i32>(), within.as_primitive::<Int64Type>());
        if wanted.is_null(0) || within.is_null(0) || within.value(0) < 0 {
            return exec_err!("sequence_within: the steps must be a text, the seconds a number from 0 up");
        }
        wanted.value(0).clone_into(&mut self.wanted);
        self.within_s = within.value(0);
        let times = cast(times, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
        let times = times.as_primitive::<TimestampMicrosecondType>();
        let mut found = Vec::new();
        let names = self.names();
        for (row, step) in steps.as_string::<i32>().iter().enumerate() {
            let place = step.and_then(|step| names.iter().position(|name| *name == step));
            if let Some(place) = place
                && times.is_valid(row)
            {
                found.push((times.value(row), place as i64));
            }
        }
        self.events.extend(found);
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let complete = self.first_complete();
        let at = |micros| ScalarValue::TimestampMicrosecond(micros, Some("UTC".into()));
        let fields = fields();
        let values = [complete.map(|(first, _)| first), complete.map(|(_, last)| last)];
        let builder =
            fields.iter().zip(values).fold(ScalarStructBuilder::new(), |builder, (field, micros)| {
                builder.with_scalar(Arc::clone(field), at(micros))
            });
        builder.build()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.wanted.capacity() + self.events.capacity() * size_of::<(i64, i64)>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let list = |pick: fn(&(i64, i64)) -> i64| {
            let values: Vec<ScalarValue> =
                self.events.iter().map(|event| ScalarValue::from(pick(event))).collect();
            ScalarValue::List(ScalarValue::new_list_nullable(&values, &DataType::Int64))
        };
        Ok(vec![
            ScalarValue::from(self.wanted.as_str()),
            ScalarValue::from(self.within_s),
            list(|event| event.0),
            list(|event| event.1),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [wanted, within, times, places] = states else {
            return exec_err!("sequence_within: a state has four parts");
        };
        let (wanted, within) = (wanted.as_string::<i32>(), within.as_primitive::<Int64Type>());
        let (times, places) = (times.as_list::<i32>(), places.as_list::<i32>());
        for row in 0..wanted.len() {
            let (times, places) = (times.value(row), places.value(row));
            if times.is_empty() {
                continue;
            }
            wanted.value(row).clone_into(&mut self.wanted);
            self.within_s = within.value(row);
            let (times, places) = (times.as_primitive::<Int64Type>(), places.as_primitive::<Int64Type>());
            self.events.extend(times.values().iter().copied().zip(places.values().iter().copied()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_found_in_their_order() {
        let check = |steps: &str, within_s, story: &str, expected: Option<(i64, i64)>| {
            let mut found = Steps { wanted: steps.to_owned(), within_s, events: Vec::new() };
            let names: Vec<String> = found.names().into_iter().map(str::to_owned).collect();
            // `a1 b3`: step a at second 1, step b at second 3.
            found.events = story
                .split_whitespace()
                .filter_map(|event| {
                    let (name, at) = event.split_at(1);
                    let place = names.iter().position(|one| one == name)?;
                    Some((at.parse::<i64>().ok()? * 1_000_000, place as i64))
                })
                .collect();
            let seconds = found.first_complete().map(|(first, last)| (first / 1_000_000, last / 1_000_000));
            assert_eq!(seconds, expected, "{steps} within {within_s} in {story}");
        };
        check("a > b > c", 10, "a1 b3 c5", Some((1, 5)));
        check("a > b > c", 10, "c5 b3 a1", Some((1, 5)));
        check("a > b > c", 10, "b1 a3 c5", None);
        check("a > b > c", 3, "a1 b3 c5", None);
        // The latest beginning counts.
        check("a > b", 3, "a1 a8 b9", Some((8, 9)));
        check("a > b > c", 4, "a1 b2 a8 b9 c10", Some((8, 10)));
        // A later beginning that is not complete takes nothing from an earlier one.
        check("a > b > c", 10, "a1 b2 a3 c4", Some((1, 4)));
        // The same step twice needs two events.
        check("a > a", 10, "a1", None);
        check("a > a", 10, "a1 a4", Some((1, 4)));
        check("a", 0, "a7", Some((7, 7)));
        check("a > b", 10, "", None);
    }
}
