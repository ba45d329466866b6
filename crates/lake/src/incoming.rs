//! Events on their way in: checked, without repeats, and in the order in which files keep them.
//!
//! Files are sorted by subscription and minute within a day. Detectors group by subscription, so their
//! rows lie together, compress better, and row groups of other subscriptions can be skipped.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher as _;
use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Schema};
use chrono::NaiveDate;
use datafusion::arrow::compute::{cast, interleave};
use hashbrown::{HashMap, HashTable};
use ingest::schema::{DAY, Kind};
use ingest::{Texts, repeated_text};

use crate::LakeError;
use crate::known::{EventId, IdHashing};
use crate::texts::gather;

/// Length of an `event_id` in bytes.
const EVENT_ID_BYTES: usize = 16;

const MICROSECONDS_PER_MINUTE: i64 = 60_000_000;
const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// The column of the table of costs that names the statement of a line. The id of a line is made of it.
pub(crate) const STATEMENT: &str = "statement_id";

/// More statements than this in one append are not named one by one.
const STATEMENTS_MAX: usize = 64;

const TOO_MANY_ROWS: &str = "more than 4 billion rows at once; append in chunks";

/// Days since 1970, as in the `day` column.
pub(crate) type Day = i32;

/// Checked events of one kind.
///
/// Rows are numbered through all batches.
pub(crate) struct Incoming {
    batches: Vec<RecordBatch>,
    /// The number of the first row of each batch.
    starts: Vec<u32>,
    /// The id of each row.
    ids: Vec<EventId>,
    /// The first row of each event, by its day and id.
    firsts: HashTable<u32>,
    /// Those rows, in the order in which they are to be written.
    order: Vec<u32>,
    days: BTreeMap<Day, OfDay>,
}

/// The events of one day.
struct OfDay {
    /// Where they stand in the order.
    places: Range<usize>,
    /// When the first and the last of them happened, in microseconds since 1970.
    times: (i64, i64),
}

impl Incoming {
    /// Checks the batches, and drops what they hold twice.
    pub(crate) fn new(kind: Kind, batches: &[RecordBatch]) -> Result<Self, LakeError> {
        let malformed = |problem: String| LakeError::Malformed { kind, problem };
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        u32::try_from(rows).map_err(|_| malformed(TOO_MANY_ROWS.to_owned()))?;
        let mut incoming = Self {
            batches: Vec::with_capacity(batches.len()),
            starts: Vec::with_capacity(batches.len()),
            ids: Vec::with_capacity(rows),
            firsts: HashTable::with_capacity(rows),
            order: Vec::new(),
            days: BTreeMap::new(),
        };
        for (index, batch) in batches.iter().enumerate() {
            let batch = check_columns(kind, batch).map_err(|p| malformed(format!("batch {index}: {p}")))?;
            incoming.starts.push(incoming.ids.len() as u32);
            add_ids(&batch, &mut incoming.ids).map_err(malformed)?;
            incoming.batches.push(batch);
        }
        let firsts = incoming.find_firsts();
        incoming.sort_for_files(firsts);
        Ok(incoming)
    }

    /// How many rows came in, repeats included.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The batch of a row, and its place in it.
    fn place(&self, row: u32) -> (usize, usize) {
        place(&self.starts, row)
    }

    /// The day of a row.
    pub(crate) fn day(&self, row: u32) -> Day {
        let (batch, row) = self.place(row);
        days(&self.batches[batch])[row]
    }

    /// The days that events fall on.
    pub(crate) fn days(&self) -> impl Iterator<Item = Day> {
        self.days.keys().copied()
    }

    /// How many events fall on each day.
    pub(crate) fn counts(&self) -> BTreeMap<Day, usize> {
        self.days.iter().map(|(day, of_day)| (*day, of_day.places.len())).collect()
    }

    /// When the first and the last event of a day happened, in microseconds since 1970.
    pub(crate) fn times_of(&self, day: Day) -> Option<(i64, i64)> {
        self.days.get(&day).map(|of_day| of_day.times)
    }

    /// The events of a day, each once: row and id.
    pub(crate) fn events_of(&self, day: Day) -> impl Iterator<Item = (u32, EventId)> {
        let rows = self.days.get(&day).map_or(&[][..], |day| &self.order[day.places.clone()]);
        rows.iter().map(|row| (*row, self.ids[*row as usize]))
    }

    /// When the first and the last event happened.
    pub(crate) fn times(&self) -> Option<(i64, i64)> {
        let times = self.days.values().map(|day| day.times);
        times.reduce(|(first, last), (from, until)| (first.min(from), last.max(until)))
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

    /// The row of an event, if it is among these.
    pub(crate) fn row(&self, day: Day, id: EventId) -> Option<u32> {
        let is_it = |row: &u32| self.ids[*row as usize] == id && self.day(*row) == day;
        self.firsts.find(IdHashing.hash_one(id), is_it).copied()
    }

    /// The rows to write, in order: all but repeats and those that `known` marks, which has an entry
    /// for each row.
    pub(crate) fn fresh(&self, known: &[bool]) -> Vec<u32> {
        self.order.iter().copied().filter(|row| !known[*row as usize]).collect()
    }

    /// The rows named, in the order named, to be taken `rows_per_part` at a time.
    pub(crate) fn select(&self, rows: &[u32], rows_per_part: usize) -> Selection<'_> {
        let places: Vec<(usize, usize)> = rows.iter().map(|row| self.place(*row)).collect();
        let runs = places.chunks(rows_per_part).map(|part| self.run(part)).collect();
        Selection { batches: &self.batches, places, rows_per_part, runs }
    }

    /// The batch of rows that stand in it one after the other as they came, and where; so do those of a file in the
    /// order of time, of which nothing need be copied.
    fn run(&self, places: &[(usize, usize)]) -> Option<(usize, Range<usize>)> {
        let (batch, start) = *places.first()?;
        let is_run = places.iter().zip(start..).all(|(place, row)| *place == (batch, row));
        is_run.then(|| (batch, start..start + places.len()))
    }

    /// Finds the first row of each event; gives these rows.
    fn find_firsts(&mut self) -> Vec<u32> {
        let ids = &self.ids;
        let day_of: Vec<&[Day]> = self.batches.iter().map(days).collect();
        let day = |row: u32| {
            let (batch, row) = place(&self.starts, row);
            day_of[batch][row]
        };
        let mut firsts = Vec::with_capacity(ids.len());
        for row in 0..ids.len() as u32 {
            let id = ids[row as usize];
            let entry = self.firsts.entry(
                IdHashing.hash_one(id),
                |other| ids[*other as usize] == id && day(*other) == day(row),
                |other| IdHashing.hash_one(ids[*other as usize]),
            );
            if let hashbrown::hash_table::Entry::Vacant(place) = entry {
                place.insert(row);
                firsts.push(row);
            }
        }
        firsts
    }

    /// Puts rows into the order of files: by day, subscription and minute, rows without a subscription first.
    ///
    /// Within a minute, rows stay in the order in which they came. Readers skip pages of thousands of rows, so
    /// that a finer order would be of no use to them; and records that come in the order of time are written as they
    /// are.
    fn sort_for_files(&mut self, firsts: Vec<u32>) {
        let ranks = Ranks::of(&self.batches);
        let mut keys = Vec::with_capacity(self.len());
        for batch in &self.batches {
            let (days, times) = (days(batch), times(batch));
            let subscriptions = ranks.of_rows(batch);
            keys.extend(days.iter().zip(times).zip(subscriptions).map(|((day, time), rank)| {
                let minute = time.rem_euclid(MICROSECONDS_PER_DAY) / MICROSECONDS_PER_MINUTE;
                (*day, rank, minute as u16)
            }));
        }
        let mut sorted: Vec<((Day, u32, u16), u32)> =
            firsts.into_iter().map(|row| (keys[row as usize], row)).collect();
        sorted.sort_unstable();
        let mut start = 0;
        for of_day in sorted.chunk_by(|one, next| one.0.0 == next.0.0) {
            let places = start..start + of_day.len();
            start = places.end;
            self.days.insert(of_day[0].0.0, OfDay { places, times: (i64::MAX, i64::MIN) });
        }
        self.order = sorted.into_iter().map(|(_, row)| row).collect();
        for batch in &self.batches {
            for (day, time) in days(batch).iter().zip(times(batch)) {
                if let Some(OfDay { times: (first, last), .. }) = self.days.get_mut(day) {
                    (*first, *last) = ((*first).min(*time), (*last).max(*time));
                }
            }
        }
    }
}

/// Some of the rows, in the order in which they are to be written.
pub(crate) struct Selection<'a> {
    batches: &'a [RecordBatch],
    /// The batch of each row, and its place in it.
    places: Vec<(usize, usize)>,
    rows_per_part: usize,
    /// Of each part, where its rows stand one after the other, if they do.
    runs: Vec<Option<(usize, Range<usize>)>>,
}

impl Selection<'_> {
    /// The batch of each row, and its place in it.
    pub(crate) fn places(&self) -> &[(usize, usize)] {
        &self.places
    }

    /// A column of the kind, of all batches.
    pub(crate) fn column(&self, at: usize) -> Vec<&ArrayRef> {
        self.batches.iter().map(|batch| batch.column(at)).collect()
    }

    /// The rows part by part.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let parts = self.places.chunks(self.rows_per_part).zip(&self.runs);
        parts.map(|(places, run)| Part { batches: self.batches, places, run: run.as_ref() })
    }
}

/// Part of a selection.
pub(crate) struct Part<'a> {
    batches: &'a [RecordBatch],
    places: &'a [(usize, usize)],
    run: Option<&'a (usize, Range<usize>)>,
}

impl Part<'_> {
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// A column of the kind; texts are plain.
    pub(crate) fn take(&self, at: usize) -> Result<ArrayRef, ArrowError> {
        if let Some((batch, rows)) = self.run {
            let run = self.batches[*batch].column(at).slice(rows.start, rows.len());
            return if *run.data_type() == repeated_text() { cast(&run, &DataType::Utf8) } else { Ok(run) };
        }
        // Straight from the batches: to join them first would copy everything once more.
        let columns: Vec<&dyn Array> = self.batches.iter().map(|batch| &**batch.column(at)).collect();
        match columns.iter().map(|column| Texts::of(*column)).collect::<Option<Vec<Texts<'_>>>>() {
            Some(texts) => Ok(gather(&texts, self.places)),
            None => interleave(&columns, self.places),
        }
    }
}

/// How the log writes a day: `2026-11-23`. `None` if no calendar has it.
pub(crate) fn partition_name(day: Day) -> Option<String> {
    NaiveDate::from_epoch_days(day).map(|date| date.format("%Y-%m-%d").to_string())
}

/// The batch of a row, and its place in it, from the number of the first row of each batch.
fn place(starts: &[u32], row: u32) -> (usize, usize) {
    let batch = starts.partition_point(|start| *start <= row) - 1;
    (batch, (row - starts[batch]) as usize)
}

/// Subscriptions in the order of their names. A chunk names few of them many times, so that they are compared once
/// and rows are sorted by numbers.
struct Ranks<'a>(HashMap<&'a str, u32>);

impl<'a> Ranks<'a> {
    fn of(batches: &'a [RecordBatch]) -> Self {
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for batch in batches {
            let mut last = None;
            // Rows of a subscription come in runs.
            for name in subscriptions(batch).flatten() {
                if last != Some(name) {
                    names.insert(name);
                    last = Some(name);
                }
            }
        }
        Self(names.into_iter().zip(1..).collect())
    }

    /// The rank of each row's subscription; 0 of none.
    fn of_rows(&self, batch: &RecordBatch) -> impl Iterator<Item = u32> {
        let mut last: (Option<&str>, u32) = (None, 0);
        subscriptions(batch).map(move |name| {
            if name != last.0 {
                last = (name, name.and_then(|name| self.0.get(name).copied()).unwrap_or_default());
            }
            last.1
        })
    }
}

/// The batch under the schema of the kind: same names, types and order, and no null where none may be. Texts may
/// be repeated ones.
fn check_columns(kind: Kind, batch: &RecordBatch) -> Result<RecordBatch, String> {
    let schema = kind.schema();
    let given = batch.schema();
    if given.fields().len() != schema.fields().len() {
        return Err(format!("{} columns instead of {}", given.fields().len(), schema.fields().len()));
    }
    let mut fields = Vec::with_capacity(schema.fields().len());
    for (given, wanted) in given.fields().iter().zip(schema.fields()) {
        if given.name() != wanted.name() {
            return Err(format!("column '{}' where '{}' should be", given.name(), wanted.name()));
        }
        let is_text = *wanted.data_type() == DataType::Utf8 && *given.data_type() == repeated_text();
        if given.data_type() != wanted.data_type() && !is_text {
            let (name, given, wanted) = (given.name(), given.data_type(), wanted.data_type());
            return Err(format!("column '{name}' is {given} instead of {wanted}"));
        }
        fields.push(wanted.as_ref().clone().with_data_type(given.data_type().clone()));
    }
    RecordBatch::try_new(Schema::new(fields).into(), batch.columns().to_vec())
        .map_err(|error| error.to_string())
}

/// Adds the id of each row, in the order of the rows.
fn add_ids(rows: &RecordBatch, ids: &mut Vec<EventId>) -> Result<(), String> {
    let of_rows = column(rows, "event_id").as_binary::<i32>();
    for ((day, time), bytes) in days(rows).iter().zip(times(rows)).zip(of_rows.iter().flatten()) {
        // A row under the wrong day would be invisible to every query that names its day.
        if time.div_euclid(MICROSECONDS_PER_DAY) != i64::from(*day) {
            return Err(format!("row {}: 'day' is not the UTC day of 'event_at'", ids.len()));
        }
        let id = event_id(bytes).ok_or_else(|| {
            format!("row {}: 'event_id' has {} bytes instead of {EVENT_ID_BYTES}", ids.len(), bytes.len())
        })?;
        ids.push(id);
    }
    Ok(())
}

/// An id from the bytes of the `event_id` column; `None` if they are not 16.
pub(crate) fn event_id(bytes: &[u8]) -> Option<EventId> {
    <[u8; EVENT_ID_BYTES]>::try_from(bytes).ok().map(EventId::from_be_bytes)
}

/// A column that every table has, of a batch whose columns were checked.
fn column<'a>(rows: &'a RecordBatch, name: &str) -> &'a ArrayRef {
    rows.column_by_name(name).expect("every kind has the common columns, and the batch was checked for them")
}

fn days(rows: &RecordBatch) -> &[Day] {
    column(rows, DAY).as_primitive::<Date32Type>().values()
}

/// In microseconds since 1970.
fn times(rows: &RecordBatch) -> &[i64] {
    column(rows, "event_at").as_primitive::<TimestampMicrosecondType>().values()
}

fn subscriptions(rows: &RecordBatch) -> impl Iterator<Item = Option<&str>> {
    Texts::of(column(rows, "subscription_id")).into_iter().flat_map(Texts::iter)
}
