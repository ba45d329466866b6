//! The events of a case: from TOML to tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::BinaryBuilder;
use arrow_array::{
    ArrayRef, BinaryArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field};
use chrono::{DateTime, TimeDelta, Utc};
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use ingest::schema::Kind;
use toml::{Table, Value};

use crate::duration;

/// An event of a case that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {event}: {problem}")]
pub struct EventError {
    /// Which one, from 1; 0 for the defaults.
    event: usize,
    /// What is wrong, and how to mend it.
    problem: String,
}

/// How many events one case may have after repetition.
const EVENTS_MAX: usize = 200_000;

/// How long after it happened an event comes in, unless it says otherwise.
const ARRIVES_AFTER: TimeDelta = TimeDelta::minutes(5);

/// The columns that are made, not written. The time of arrival has keys of its own.
const MADE: [&str; 4] = ["day", "event_id", "event_at", "arrived_at"];

/// Events of all kinds.
#[derive(Debug, Clone, Default)]
pub(super) struct Events {
    rows: BTreeMap<Kind, Vec<Row>>,
}

/// One event.
#[derive(Debug, Clone)]
struct Row {
    at: DateTime<Utc>,
    arrived_at: DateTime<Utc>,
    columns: Table,
}

impl Events {
    /// Reads the events, with the defaults of their kinds, and repeats those that say so.
    pub(super) fn read(defaults: &BTreeMap<String, Table>, events: &[Table]) -> Result<Self, EventError> {
        let mut read = Self::default();
        for (kind, columns) in defaults {
            let checked = kind_of(kind).and_then(|kind| check_columns(kind, columns));
            checked.map_err(|problem| EventError { event: 0, problem })?;
        }
        for (number, event) in events.iter().enumerate() {
            read.add(defaults, event).map_err(|problem| EventError { event: number + 1, problem })?;
        }
        Ok(read)
    }

    fn add(&mut self, defaults: &BTreeMap<String, Table>, event: &Table) -> Result<(), String> {
        let mut event = event.clone();
        let name = event.remove("kind").ok_or("the kind is missing")?;
        let name = name.as_str().ok_or("the kind must be a text")?;
        let kind = kind_of(name)?;
        let at: DateTime<Utc> = take(&mut event, "at")?.ok_or("the time 'at' is missing")?;
        let arrives = Arrives::take(&mut event)?;
        let repeat = Repeat::take(&mut event)?;
        let cycle: Table = take(&mut event, "cycle")?.unwrap_or_default();

        let mut columns = defaults.get(name).cloned().unwrap_or_default();
        columns.extend(event);
        check_columns(kind, &columns)?;
        check_columns(kind, &cycle)?;
        let rows = self.rows.entry(kind).or_default();
        if rows.len() + repeat.times > EVENTS_MAX {
            return Err(format!("there are more than {EVENTS_MAX} events"));
        }
        for n in 0..repeat.times {
            let at = at + repeat.every * i32::try_from(n).map_err(|_| "it repeats too often")?;
            let mut columns = columns.clone();
            for (column, values) in &cycle {
                let values = values.as_array().filter(|values| !values.is_empty());
                let values = values.ok_or_else(|| format!("cycle.{column} must be a list"))?;
                columns.insert(column.clone(), values[n % values.len()].clone());
            }
            number(&mut columns, n);
            rows.push(Row { at, arrived_at: arrives.of(at), columns });
        }
        Ok(())
    }

    /// Registers a table for every kind, empty ones too.
    pub(super) fn register(&self, session: &SessionContext) -> datafusion::common::Result<()> {
        for kind in Kind::ALL {
            let rows = self.rows.get(&kind).map_or(&[][..], Vec::as_slice);
            let columns = kind.schema().fields().iter().map(|field| column(field, rows)).collect();
            let batch = RecordBatch::try_new(kind.schema(), columns)?;
            let table = MemTable::try_new(kind.schema(), vec![vec![batch]])?;
            session.register_table(kind.name(), Arc::new(table))?;
        }
        Ok(())
    }
}

/// When events come in: so long after they happened, or all at one moment.
enum Arrives {
    After(TimeDelta),
    At(DateTime<Utc>),
}

impl Arrives {
    fn take(event: &mut Table) -> Result<Self, String> {
        match (take_span(event, "arrives_after")?, take(event, "arrives_at")?) {
            (Some(_), Some(_)) => Err("'arrives_after' and 'arrives_at' say the same; keep one".to_owned()),
            (after, None) => Ok(Self::After(after.unwrap_or(ARRIVES_AFTER))),
            (None, Some(at)) => Ok(Self::At(at)),
        }
    }

    /// When an event of that time comes in.
    fn of(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::After(after) => at + *after,
            Self::At(moment) => *moment,
        }
    }
}

/// `{ every = "1d", times = 28 }`
struct Repeat {
    every: TimeDelta,
    times: usize,
}

impl Repeat {
    fn take(event: &mut Table) -> Result<Self, String> {
        let Some(mut repeat) = take::<Table>(event, "repeat")? else {
            return Ok(Self { every: TimeDelta::zero(), times: 1 });
        };
        let every = take_span(&mut repeat, "every")?.ok_or("repeat lacks 'every'")?;
        let times = take::<usize>(&mut repeat, "times")?.ok_or("repeat lacks 'times'")?;
        match repeat.keys().next() {
            Some(key) => Err(format!("repeat has no '{key}'; it has 'every' and 'times'")),
            None => Ok(Self { every, times }),
        }
    }
}

fn take<T: serde::de::DeserializeOwned>(table: &mut Table, key: &str) -> Result<Option<T>, String> {
    table.remove(key).map(|value| value.try_into().map_err(|error| format!("'{key}': {error}"))).transpose()
}

fn take_span(table: &mut Table, key: &str) -> Result<Option<TimeDelta>, String> {
    let text: Option<String> = take(table, key)?;
    text.map(|text| duration::parse(&text).map_err(|error| format!("'{key}': {error}"))).transpose()
}

fn kind_of(name: &str) -> Result<Kind, String> {
    let all = Kind::ALL.map(Kind::name).join(", ");
    Kind::ALL
        .into_iter()
        .find(|kind| kind.name() == name)
        .ok_or_else(|| format!("'{name}' is no kind; use {all}"))
}

fn check_columns(kind: Kind, columns: &Table) -> Result<(), String> {
    for (name, value) in columns {
        let schema = kind.schema();
        let field = schema.field_with_name(name).ok().filter(|field| !MADE.contains(&field.name().as_str()));
        let field = field.ok_or_else(|| format!("events of kind {} have no column '{name}'", kind.name()))?;
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        let fits = |value: &Value| match field.data_type() {
            DataType::Int64 => value.is_integer(),
            DataType::Float64 => value.is_integer() || value.is_float(),
            DataType::Timestamp(..) => time_of(value).is_some(),
            _ => value.is_str(),
        };
        if !values.iter().all(fits) {
            return Err(format!("column '{name}' must be of type {}", field.data_type()));
        }
    }
    Ok(())
}

fn time_of(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str()?.parse().ok()
}

/// Puts the number of the repetition where a text says `{n}`.
fn number(columns: &mut Table, n: usize) {
    for (_, value) in columns.iter_mut() {
        if let Value::String(text) = value
            && text.contains("{n}")
        {
            *text = text.replace("{n}", &n.to_string());
        }
    }
}

fn column(field: &Field, rows: &[Row]) -> ArrayRef {
    let value = |row: &Row| row.columns.get(field.name()).cloned();
    let text = |row: &Row| value(row).and_then(|value| value.as_str().map(str::to_owned));
    let times = |time: fn(&Row) -> DateTime<Utc>| -> ArrayRef {
        let micros: TimestampMicrosecondArray =
            rows.iter().map(|row| Some(time(row).timestamp_micros())).collect();
        Arc::new(micros.with_timezone("UTC"))
    };
    match (field.name().as_str(), field.data_type()) {
        ("day", _) => {
            let day = |row: &Row| i32::try_from(row.at.timestamp().div_euclid(86_400)).ok();
            Arc::new(rows.iter().map(day).collect::<Date32Array>())
        }
        ("event_at", _) => times(|row| row.at),
        ("arrived_at", _) => times(|row| row.arrived_at),
        ("partner_tenant_id", _) => {
            let partner = |row: &Row| Some(text(row).unwrap_or_else(|| super::PARTNER.to_owned()));
            Arc::new(rows.iter().map(partner).collect::<StringArray>())
        }
        (_, DataType::Timestamp(..)) => {
            let micros = |row: &Row| Some(time_of(&value(row)?)?.timestamp_micros());
            let micros: TimestampMicrosecondArray = rows.iter().map(micros).collect();
            Arc::new(micros.with_timezone("UTC"))
        }
        ("statement_id", _) => {
            // Lines of which nothing else is said are of one statement, and add up.
            let statement = |row: &Row| text(row).unwrap_or_default().into_bytes();
            Arc::new(BinaryArray::from_iter_values(rows.iter().map(statement)))
        }
        (_, DataType::Binary) => {
            // Written as text where two events must share it; else each event has its own.
            let mut bytes = BinaryBuilder::new();
            for (number, row) in rows.iter().enumerate() {
                match text(row) {
                    Some(text) => bytes.append_value(text),
                    None => bytes.append_value((number as u128).to_be_bytes()),
                }
            }
            Arc::new(bytes.finish())
        }
        (_, DataType::Int64) => {
            Arc::new(rows.iter().map(|row| value(row)?.as_integer()).collect::<Int64Array>())
        }
        (_, DataType::Float64) => {
            let decimal =
                |value: Value| value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
            Arc::new(rows.iter().map(|row| decimal(value(row)?)).collect::<Float64Array>())
        }
        _ => Arc::new(rows.iter().map(text).collect::<StringArray>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Events, String> {
        let table: Table = toml::from_str(text).unwrap();
        let events: Vec<Table> = table["events"].clone().try_into().unwrap();
        let defaults =
            table.get("defaults").map_or_else(BTreeMap::new, |table| table.clone().try_into().unwrap());
        Events::read(&defaults, &events).map_err(|error| error.to_string())
    }

    #[test]
    fn an_event_repeats_with_its_number_and_its_cycle() {
        let events = read(
            r#"
            [defaults.cost]
            subscription_id = "s"
            [[events]]
            kind = "cost"
            at = "2031-02-27T00:00:00Z"
            repeat = { every = "1d", times = 3 }
            cycle = { cost = [1, 2.5] }
            resource_id = "/vm{n}"
            "#,
        )
        .unwrap();
        let rows: Vec<String> = events.rows[&Kind::Cost]
            .iter()
            .map(|row| format!("{} {}", row.at.date_naive(), row.columns.to_string().replace('\n', " ")))
            .collect();
        insta::assert_snapshot!(rows.join("\n"));
    }

    #[test]
    fn events_come_in_one_by_one_or_all_at_once() {
        let repeated = |arrives: &str| {
            let text = format!(
                "[[events]]\nkind = \"cost\"\nat = \"2031-02-01T00:00:00Z\"\n\
                 repeat = {{ every = \"1d\", times = 2 }}\n{arrives}"
            );
            let rows = read(&text).unwrap().rows.remove(&Kind::Cost).unwrap();
            rows.iter().map(|row| row.arrived_at.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(repeated(""), ["2031-02-01 00:05:00 UTC", "2031-02-02 00:05:00 UTC"]);
        assert_eq!(
            repeated("arrives_after = \"36h\""),
            ["2031-02-02 12:00:00 UTC", "2031-02-03 12:00:00 UTC"]
        );
        assert_eq!(repeated("arrives_at = \"2031-03-02T06:00:00Z\""), ["2031-03-02 06:00:00 UTC"; 2]);
    }

    #[test]
    fn what_is_wrong_with_an_event_is_named() {
        let check = |event: &str, expected: &str| {
            assert_eq!(read(&format!("[[events]]\n{event}")).unwrap_err(), format!("event 1: {expected}"));
        };
        check("at = \"2031-01-01T00:00:00Z\"", "the kind is missing");
        check(
            "kind = \"signin\"",
            "'signin' is no kind; use activity, cost, flow, sign_in, audit, dns, inventory, advisory, security_alert",
        );
        check("kind = \"cost\"", "the time 'at' is missing");
        let good = "kind = \"cost\"\nat = \"2031-01-01T00:00:00Z\"\n";
        check(&format!("{good}price = 3"), "events of kind cost have no column 'price'");
        check(&format!("{good}day = 3"), "events of kind cost have no column 'day'");
        check(
            &format!("{good}arrived_at = \"2031-01-02T00:00:00Z\""),
            "events of kind cost have no column 'arrived_at'",
        );
        check(
            &format!("{good}arrives_after = \"1h\"\narrives_at = \"2031-01-02T00:00:00Z\""),
            "'arrives_after' and 'arrives_at' say the same; keep one",
        );
        check(&format!("{good}cost = \"3\""), "column 'cost' must be of type Float64");
        check(
            &format!("{good}repeat = {{ every = \"1d\", times = 2, until = 3 }}"),
            "repeat has no 'until'; it has 'every' and 'times'",
        );
    }
}
