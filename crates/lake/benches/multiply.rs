//! Makes a large estate of a small one: `cargo bench -p cli -p lake --bench multiply -- FROM TO COPIES FIRST_DAY HOUR ACTIVITY FLOW [KIND]`.
//!
//! Reads the lake in the folder FROM and writes each customer COPIES times into the lake in TO, under other ids: of
//! tenants, subscriptions, people and resources. Events are the same otherwise. What lies before the day
//! FIRST_DAY is left out of flow logs. In the hour that begins at HOUR, events are repeated at other seconds
//! until there are ACTIVITY events of the activity log and FLOW flows. With KIND, that table alone is written. `benches/detect-estate` is what runs it.

#![expect(clippy::print_stdout, reason = "a benchmark's result goes to stdout")]

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array as _, ArrayRef, BinaryArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_schema::{DataType, Schema};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use datafusion::prelude::SessionContext;
use ingest::schema::Kind;
use lake::Lake;

type Failure = Box<dyn std::error::Error>;

/// Kinds of which the hour holds many events.
const REPEATED: [Kind; 2] = [Kind::Activity, Kind::Flow];

/// Texts that name somebody or something of one customer.
const IDS: [&str; 20] = [
    "subscription_id",
    "customer_tenant_id",
    "caller",
    "caller_id",
    "caller_tenant_id",
    "correlation_id",
    "user_id",
    "user_principal_name",
    "service_principal_id",
    "session_id",
    "device_id",
    "actor",
    "actor_id",
    "actor_tenant_id",
    "target",
    "target_id",
    "mac",
    "machine_id",
    "tenant_id",
    "name",
];

/// Addresses that people and programs come from: customers share none.
const ADDRESSES: [&str; 3] = ["caller_ip", "ip", "actor_ip"];

/// Rows of an append, at most.
const CHUNK_ROWS: usize = 500_000;

const SUBSCRIPTIONS: &str = "/subscriptions/";

struct Plan {
    from: String,
    to: String,
    copies: u8,
    flows_since: NaiveDate,
    hour: DateTime<Utc>,
    /// Of activity and of flow.
    in_hour: [usize; 2],
    /// The only table to write.
    kind: Option<String>,
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let [from, to, copies, first_day, hour, activity, flow, kind @ ..] = arguments.as_slice() else {
        println!("name FROM TO COPIES FIRST_DAY HOUR ACTIVITY FLOW [KIND]; nothing was written");
        return Ok(());
    };
    let plan = Plan {
        from: from.clone(),
        to: to.clone(),
        copies: copies.parse()?,
        flows_since: first_day.parse()?,
        hour: hour.parse()?,
        in_hour: [activity.parse()?, flow.parse()?],
        kind: kind.first().cloned(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(&plan))
}

async fn run(plan: &Plan) -> Result<(), Failure> {
    let from = Lake::in_directory(Path::new(&plan.from))?;
    let to = Lake::in_directory(Path::new(&plan.to))?;
    let session = SessionContext::new();
    from.register(&session).await?;
    let wanted = |kind: &Kind| plan.kind.as_ref().is_none_or(|name| name == kind.name());
    for kind in Kind::ALL.into_iter().filter(wanted) {
        let Some((mut day, last)) = from.summary(kind).await?.days else { continue };
        if kind == Kind::Flow {
            day = day.max(plan.flows_since);
        }
        let mut rows = 0;
        while day <= last {
            let events = events_of(&session, kind, day).await?;
            rows += write_copies(&to, kind, &events, plan).await?;
            day += TimeDelta::days(1);
        }
        println!("{}: {rows} events", kind.name());
    }
    for (kind, rows) in REPEATED.into_iter().zip(plan.in_hour).filter(|(kind, _)| wanted(kind)) {
        let rows = repeat_hour(&to, kind, plan.hour, rows).await?;
        println!("{}: {rows} more in the hour from {}", kind.name(), plan.hour);
    }
    Ok(())
}

/// The events of a day, by account and time, as a lake that was compacted has them.
async fn events_of(session: &SessionContext, kind: Kind, day: NaiveDate) -> Result<RecordBatch, Failure> {
    let schema = kind.schema();
    let account = match schema.field_with_name("subscription_id") {
        Ok(_) => "coalesce(subscription_id, customer_tenant_id)",
        Err(_) => "customer_tenant_id",
    };
    let sql = format!("select * from {} where day = '{day}' order by {account}, event_at", kind.name());
    let batches = session.sql(&sql).await?.collect().await?;
    Ok(datafusion::arrow::compute::concat_batches(&schema, &batches)?)
}

async fn write_copies(to: &Lake, kind: Kind, events: &RecordBatch, plan: &Plan) -> Result<u64, Failure> {
    let at_once = (CHUNK_ROWS / events.num_rows().max(1)).clamp(1, usize::from(plan.copies));
    let copies: Vec<u8> = (0..plan.copies).collect();
    let mut rows = 0;
    for some in copies.chunks(at_once) {
        let batches = some.iter().map(|copy| copied(events, *copy)).collect::<Result<Vec<_>, _>>()?;
        rows += to.append(kind, batches).await?.stored;
    }
    Ok(rows)
}

/// The same events of other customers.
fn copied(events: &RecordBatch, copy: u8) -> Result<RecordBatch, Failure> {
    changed(events, |name, column| match column.data_type() {
        DataType::Binary => marked(column, [copy, 0, 0]),
        DataType::Utf8 if IDS.contains(&name) => texts(column, |text| renamed(text, 0, copy)),
        DataType::Utf8 if ADDRESSES.contains(&name) => texts(column, |address| elsewhere(address, copy)),
        DataType::Utf8 if name == "resource_id" => texts(column, |text| match text.find(SUBSCRIPTIONS) {
            Some(at) => renamed(text, at + SUBSCRIPTIONS.len(), copy),
            None => text.to_owned(),
        }),
        _ => Arc::clone(column),
    })
}

/// The text with two other characters at the place given, different ones for each copy.
fn renamed(text: &str, at: usize, copy: u8) -> String {
    match (text.get(..at), text.get(at + 2..)) {
        (Some(before), Some(after)) => format!("{before}{copy:02x}{after}"),
        _ => text.to_owned(),
    }
}

/// An address of another network, as far away as the copy's number says.
fn elsewhere(address: &str, copy: u8) -> String {
    match address.parse() {
        Ok(IpAddr::V4(address)) if !address.is_private() => {
            let [a, b, c, d] = address.octets();
            Ipv4Addr::new(a, b.wrapping_add(copy.wrapping_mul(16)), c, d).to_string()
        }
        Ok(IpAddr::V6(_)) => renamed(address, 2, copy),
        _ => address.to_owned(),
    }
}

/// Repeats what there is in the hour until there are as many events as wanted.
async fn repeat_hour(to: &Lake, kind: Kind, hour: DateTime<Utc>, wanted: usize) -> Result<u64, Failure> {
    let session = SessionContext::new();
    to.register(&session).await?;
    let sql = format!(
        "select * from {} where day = '{}' and event_at >= '{}' and event_at < '{}'",
        kind.name(),
        hour.date_naive(),
        hour.to_rfc3339(),
        (hour + TimeDelta::hours(1)).to_rfc3339()
    );
    let batches = session.sql(&sql).await?.collect().await?;
    let events = datafusion::arrow::compute::concat_batches(&kind.schema(), &batches)?;
    let mut left = wanted.saturating_sub(events.num_rows());
    let (mut round, mut rows) = (0u16, 0);
    while left > 0 && events.num_rows() > 0 {
        round += 1;
        let some = events.slice(0, left.min(events.num_rows()).min(CHUNK_ROWS));
        left -= some.num_rows();
        rows += to.append(kind, vec![repeated(&some, hour, round)?]).await?.stored;
    }
    Ok(rows)
}

/// The same events at other seconds of the hour.
fn repeated(events: &RecordBatch, hour: DateTime<Utc>, round: u16) -> Result<RecordBatch, Failure> {
    let start = hour.timestamp_micros();
    let [high, low] = round.to_be_bytes();
    changed(events, |name, column| match (name, column.data_type()) {
        ("event_at", _) => {
            let moved = |at: i64| start + (at - start + i64::from(round) * 7_919_000) % 3_600_000_000;
            let times = column.as_primitive::<TimestampMicrosecondType>().iter().map(|at| at.map(moved));
            Arc::new(times.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        }
        (_, DataType::Binary) => marked(column, [0, high, low]),
        _ => Arc::clone(column),
    })
}

fn changed(
    events: &RecordBatch,
    change: impl Fn(&str, &ArrayRef) -> ArrayRef,
) -> Result<RecordBatch, Failure> {
    let schema: Arc<Schema> = events.schema();
    let columns = schema.fields().iter().zip(events.columns());
    let columns = columns.map(|(field, column)| change(field.name(), column)).collect();
    Ok(RecordBatch::try_new(schema, columns)?)
}

fn texts(column: &ArrayRef, change: impl Fn(&str) -> String) -> ArrayRef {
    let texts = column.as_string::<i32>().iter().map(|text| text.map(&change));
    Arc::new(texts.collect::<StringArray>())
}

/// Other ids. Their last bytes may count lines, so that others are changed.
fn marked(column: &ArrayRef, with: [u8; 3]) -> ArrayRef {
    let ids = column.as_binary::<i32>().iter().map(|id| {
        let mut id = id?.to_vec();
        for (byte, mark) in id.iter_mut().skip(4).zip(with) {
            *byte ^= mark;
        }
        Some(id)
    });
    Arc::new(ids.collect::<BinaryArray>())
}
