//! Events on their way in: checked, without repeats, and in the order in which files keep them.
//!
//! Files are sorted by subscription and minute within a day. Detectors group by subscription, so their
//! rows lie together, compress better, and row groups of other subscriptions can be skipped.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch, StringArray};
use datafusion::arrow::compute::interleave_record_batch;
use ingest::schema::{DAY, Kind};

use crate::LakeError;
use crate::known::{DayIds, EventId, IdHashing};

/// Length of an `event_id` in bytes.
const EVENT_ID_BYTES: usize = 16;

const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// Within a minute, rows stay in the order in which they came. Readers skip pages of thousands of rows, so that a
/// finer order would be of no use to them; and records that come in the order of time are written as they are.
const SORTED_TO_MICROSECONDS: i64 = 60_000_000;

/// The column of the table of costs that names the statement of a line. The id of a line is made of it.
pub(crate) const STATEMENT: &str = "statement_id";

/// More statements than this in one append are not named one by one.
const STATEMENTS_MAX: usize = 64;

const TOO_MANY_ROWS: &str = "more than 4 billion rows at once; append in chunks";

/// Days since 1970, as in the `day` column.
pub(crate) type Day = i32;

/// What tells an event from all others: its partition and its id.
type EventKey = (Day, EventId);

/// Checked events of one kind.
pub(crate) struct Incoming {
    batches: Vec<RecordBatch>,
    /// The batch of each row, and its place in it. Rows are numbered through all batches.
    places: Vec<(u32, u32)>,
    /// The first row of each event.
    row_of: HashMap<EventKey, u32, IdHashing>,
    /// The rows of `row_of`, in the order in which they are to be written.
    order: Vec<u32>,
    days: DayIds,
    /// The least and the greatest time of each day.
    times: BTreeMap<Day, (i64, i64)>,
}

impl Incoming {
    /// Checks the batches, and drops what they hold twice.
    pub(crate) fn new(kind: Kind, batches: &[RecordBatch]) -> Result<Self, LakeError> {
        let malformed = |problem: String| LakeError::Malformed { kind, problem };
        let mut checked = Vec::with_capacity(batches.len());
        for (index, batch) in batches.iter().enumerate() {
            checked.push(check_columns(kind, batch).map_err(|p| malformed(format!("batch {index}: {p}")))?);
        }
        let mut places = Vec::new();
        for (batch, rows) in (0u32..).zip(checked.iter().map(RecordBatch::num_rows)) {
            let rows = u32::try_from(rows).map_err(|_| malformed(TOO_MANY_ROWS.to_owned()))?;
            places.extend((0..rows).map(|row| (batch, row)));
        }
        u32::try_from(places.len()).map_err(|_| malformed(TOO_MANY_ROWS.to_owned()))?;
        let mut keys = Vec::with_capacity(places.len());
        for batch in &checked {
            add_event_keys(batch, &mut keys).map_err(malformed)?;
        }

        let mut row_of = HashMap::with_capacity_and_hasher(keys.len(), IdHashing);
        let mut order = Vec::with_capacity(keys.len());
        let mut days: DayIds = BTreeMap::new();
        for (row, key) in (0u32..).zip(keys) {
            if let std::collections::hash_map::Entry::Vacant(first) = row_of.entry(key) {
                first.insert(row);
                order.push(row);
                days.entry(key.0).or_default().push(key.1);
            }
        }
        sort_for_files(&checked, &mut order);
        let times = times_of_days(&checked);
        Ok(Self { batches: checked, places, row_of, order, days, times })
    }

    /// How many rows came in, repeats included.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// The day of a row.
    pub(crate) fn day(&self, row: u32) -> Day {
        let (batch, row) = self.places[row as usize];
        // The first column of every kind, as was checked.
        self.batches[batch as usize].column(0).as_primitive::<Date32Type>().value(row as usize)
    }

    /// When the first and the last event of a day happened, in microseconds since 1970.
    pub(crate) fn times_of(&self, day: Day) -> Option<(i64, i64)> {
        self.times.get(&day).copied()
    }

    /// When the first and the last event happened.
    pub(crate) fn times(&self) -> Option<(i64, i64)> {
        self.times.values().copied().reduce(|(first, last), (from, until)| (first.min(from), last.max(until)))
    }

    /// The statements of costs that the events are part of; `None` if they are none or many.
    pub(crate) fn statements(&self) -> Option<BTreeSet<Vec<u8>>> {
        let mut found = BTreeSet::new();
        for batch in &self.batches {
            let mut last: Option<&[u8]> = None;
            for id in batch.column_by_name(STATEMENT)?.as_binary::<i32>().iter().flatten() {
                if last != Some(id) {
                    found.insert(id.to_vec());
                    last = Some(id);
                }
            }
            if found.len() > STATEMENTS_MAX {
                return None;
            }
        }
        Some(found)
    }

    /// The ids of each day, without repeats.
    pub(crate) fn days(&self) -> &DayIds {
        &self.days
    }

    /// The row of an event, if it is among these.
    pub(crate) fn row(&self, day: Day, id: EventId) -> Option<u32> {
        self.row_of.get(&(day, id)).copied()
    }

    /// The rows to write, in order: all but repeats and those that `known` marks, which has an entry
    /// for each row.
    pub(crate) fn fresh(&self, known: &[bool]) -> Vec<u32> {
        self.order.iter().copied().filter(|row| !known[*row as usize]).collect()
    }

    /// The rows named, in the order named.
    pub(crate) fn take(&self, rows: &[u32]) -> Result<RecordBatch, arrow_schema::ArrowError> {
        if let Some(run) = self.run(rows) {
            return Ok(run);
        }
        let places: Vec<(usize, usize)> = rows
            .iter()
            .map(|row| self.places[*row as usize])
            .map(|(batch, row)| (batch as usize, row as usize))
            .collect();
        // Straight from the batches: to join them first would copy everything once more.
        interleave_record_batch(&self.batches.iter().collect::<Vec<_>>(), &places)
    }

    /// Rows that stand one after the other as they came, as those of a file in the order of time do: nothing is
    /// copied then.
    fn run(&self, rows: &[u32]) -> Option<RecordBatch> {
        let (first, last) = (*rows.first()?, *rows.last()?);
        let (batch, start) = self.places[first as usize];
        let is_run =
            self.places[last as usize].0 == batch && rows.windows(2).all(|pair| pair[1] == pair[0] + 1);
        is_run.then(|| self.batches[batch as usize].slice(start as usize, rows.len()))
    }
}

/// The batch under the schema of the kind: same names, types and order, and no null where none may be.
fn check_columns(kind: Kind, batch: &RecordBatch) -> Result<RecordBatch, String> {
    let schema = kind.schema();
    let given = batch.schema();
    if given.fields().len() != schema.fields().len() {
        return Err(format!("{} columns instead of {}", given.fields().len(), schema.fields().len()));
    }
    for (given, wanted) in given.fields().iter().zip(schema.fields()) {
        if given.name() != wanted.name() {
            return Err(format!("column '{}' where '{}' should be", given.name(), wanted.name()));
        }
        if given.data_type() != wanted.data_type() {
            let (name, given, wanted) = (given.name(), given.data_type(), wanted.data_type());
            return Err(format!("column '{name}' is {given} instead of {wanted}"));
        }
    }
    RecordBatch::try_new(schema, batch.columns().to_vec()).map_err(|error| error.to_string())
}

/// Adds the key of each row, in the order of the rows.
fn add_event_keys(rows: &RecordBatch, keys: &mut Vec<EventKey>) -> Result<(), String> {
    let days = column(rows, DAY)?.as_primitive::<Date32Type>();
    let times = column(rows, "event_at")?.as_primitive::<TimestampMicrosecondType>();
    let ids = column(rows, "event_id")?.as_binary::<i32>();
    for row in 0..rows.num_rows() {
        let day = days.value(row);
        // A row under the wrong day would be invisible to every query that names its day.
        if times.value(row).div_euclid(MICROSECONDS_PER_DAY) != i64::from(day) {
            return Err(format!("row {}: 'day' is not the UTC day of 'event_at'", keys.len()));
        }
        let id = event_id(ids.value(row)).ok_or_else(|| {
            let (row, length) = (keys.len(), ids.value(row).len());
            format!("row {row}: 'event_id' has {length} bytes instead of {EVENT_ID_BYTES}")
        })?;
        keys.push((day, id));
    }
    Ok(())
}

/// An id from the bytes of the `event_id` column; `None` if they are not 16.
pub(crate) fn event_id(bytes: &[u8]) -> Option<EventId> {
    <[u8; EVENT_ID_BYTES]>::try_from(bytes).ok().map(EventId::from_be_bytes)
}

fn column<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a Arc<dyn Array>, String> {
    rows.column_by_name(name).ok_or_else(|| format!("no column '{name}'"))
}

/// When the first and the last event of each day happened.
fn times_of_days(batches: &[RecordBatch]) -> BTreeMap<Day, (i64, i64)> {
    let mut times: BTreeMap<Day, (i64, i64)> = BTreeMap::new();
    for batch in batches {
        let Some(of_batch) = batch.column_by_name("event_at") else { continue };
        for time in of_batch.as_primitive::<TimestampMicrosecondType>().values() {
            // The day of a row is that of its time, as was checked.
            let day = i32::try_from(time.div_euclid(MICROSECONDS_PER_DAY)).unwrap_or_default();
            let (first, last) = times.entry(day).or_insert((*time, *time));
            (*first, *last) = ((*first).min(*time), (*last).max(*time));
        }
    }
    times
}

/// Sorts row numbers by day, subscription and minute; rows without a subscription come first.
///
/// A chunk names few subscriptions many times, so their names are ranked once and the sort compares
/// numbers only.
fn sort_for_files(batches: &[RecordBatch], order: &mut [u32]) {
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for batch in batches {
        let mut last = None;
        // Rows of a subscription come in runs.
        for name in subscriptions(batch).into_iter().flatten().flatten() {
            if last != Some(name) {
                names.insert(name);
                last = Some(name);
            }
        }
    }
    let rank_of: HashMap<&str, u32> = names.into_iter().zip(1u32..).collect();
    let mut keys: Vec<(i32, u32, i64)> = Vec::with_capacity(order.len());
    for batch in batches {
        let days = batch.column_by_name(DAY).map(|days| days.as_primitive::<Date32Type>());
        let times = batch.column_by_name("event_at").map(|at| at.as_primitive::<TimestampMicrosecondType>());
        let (Some(days), Some(times), Some(subscriptions)) = (days, times, subscriptions(batch)) else {
            return; // Order is a matter of speed only.
        };
        let mut last: Option<(&str, u32)> = None;
        for (name, (day, time)) in subscriptions.iter().zip(days.values().iter().zip(times.values())) {
            let rank = match (name, last) {
                (None, _) => 0,
                (Some(name), Some((known, rank))) if known == name => rank,
                (Some(name), _) => {
                    let rank = rank_of.get(name).copied().unwrap_or(0);
                    last = Some((name, rank));
                    rank
                }
            };
            keys.push((*day, rank, time.div_euclid(SORTED_TO_MICROSECONDS)));
        }
    }
    order.sort_unstable_by_key(|row| (keys[*row as usize], *row));
}

fn subscriptions(batch: &RecordBatch) -> Option<&StringArray> {
    Some(batch.column_by_name("subscription_id")?.as_string::<i32>())
}
