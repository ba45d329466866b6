//! Reading: every value as it was written, empty tables, extent, sizes, and what a filter leaves out.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::DataType;
use chrono::{NaiveDate, TimeDelta};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use ingest::schema::Kind;
use lake::{CompactionOptions, TableSummary};

use crate::compact::{eager, later};
use crate::events::{Event, batch, lake, query, time};

const EVENTS: [Event; 4] = [
    Event(1, "sub-a", "2026-11-19T08:00:00.000001Z"),
    Event(2, "sub-a", "2026-11-20T00:00:00Z"),
    Event(3, "sub-b", "2026-11-20T23:59:59.999999Z"),
    Event(4, "sub-b", "2026-11-21T12:00:00Z"),
];

/// The rows of a query, in one batch.
async fn rows(session: &SessionContext, sql: &str) -> RecordBatch {
    let batches = session.sql(sql).await.unwrap().collect().await.unwrap();
    concat_batches(&batches[0].schema(), &batches).unwrap()
}

/// Detectors are tested on in-memory tables of `Kind::schema`; the lake must not differ from them in
/// any value or type.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_is_what_an_in_memory_table_gives() {
    let (_directory, lake) = lake();
    for kind in Kind::ALL {
        lake.append(kind, vec![batch(kind, &EVENTS)]).await.unwrap();
        let on_lake = SessionContext::new();
        lake.register(&on_lake).await.unwrap();
        let table = on_lake.table_provider(kind.name()).await.unwrap();
        assert_eq!(table.schema(), kind.schema(), "{}", kind.name());

        let in_memory = SessionContext::new();
        let same = MemTable::try_new(kind.schema(), vec![vec![batch(kind, &EVENTS)]]).unwrap();
        in_memory.register_table(kind.name(), Arc::new(same)).unwrap();
        for columns in ["*", "resource_group, day, event_at"] {
            let sql = format!("select {columns} from {} order by event_id", kind.name());
            let (found, expected) = (rows(&on_lake, &sql).await, rows(&in_memory, &sql).await);
            assert_eq!(found.schema(), expected.schema(), "{sql}");
            assert_eq!(found, expected, "{sql}");
        }
    }
}

/// How many rows a batch below has; three of them fill more than one row group, each of several pages.
const LARGE: usize = 50_000;

/// A large batch whose columns of texts are, in turn, of one text, of a few, of many, of texts of which each is its own,
/// and absent; with the same numbers in each kind of column.
fn large(kind: Kind, batch: usize, are_repeated: bool) -> RecordBatch {
    let schema = kind.schema();
    let rows = batch * LARGE..(batch + 1) * LARGE;
    // Neighbours differ, so that the order of files is another.
    let scattered = |row: usize| row.wrapping_mul(2_654_435_761) % 1_000_003;
    let columns = schema.fields().iter().enumerate().map(|(at, field)| -> ArrayRef {
        let text = |row: usize| match at % 5 {
            _ if !field.is_nullable() => Some("always".to_owned()),
            0 => Some("one".to_owned()),
            1 => (scattered(row) % 7 > 2).then(|| format!("few {}", scattered(row) % 40)),
            2 => (row % 90 < 60).then(|| format!("many {}", scattered(row) % 9_000)),
            3 => Some(format!("a text of its own, {row}, é")),
            _ => None,
        };
        let number = |row: usize| (row % 11 != 3).then(|| scattered(row) as i64 % 300);
        let day = 20_000 + (scattered(batch) % 2) as i32;
        match (field.name().as_str(), field.data_type()) {
            ("day", _) => Arc::new(Date32Array::from_iter_values(rows.clone().map(|_| day))),
            ("event_id", _) => {
                Arc::new(BinaryArray::from_iter_values(rows.clone().map(|row| (row as u128).to_be_bytes())))
            }
            (_, DataType::Timestamp(..)) => Arc::new(
                TimestampMicrosecondArray::from_iter_values(
                    rows.clone().map(|row| i64::from(day) * 86_400_000_000 + scattered(row) as i64 * 86_001),
                )
                .with_timezone("UTC"),
            ),
            (_, DataType::Utf8) if are_repeated => {
                let texts: Vec<Option<String>> = rows.clone().map(text).collect();
                ingest::repeated(texts.iter().map(Option::as_deref))
            }
            (_, DataType::Utf8) => Arc::new(rows.clone().map(text).collect::<StringArray>()),
            (_, DataType::Int64) => Arc::new(rows.clone().map(number).collect::<Int64Array>()),
            (_, DataType::Float64) => {
                let decimals = rows.clone().map(|row| number(row).map(|number| number as f64 / 8.0));
                Arc::new(decimals.collect::<Float64Array>())
            }
            (_, DataType::Binary) => {
                Arc::new(BinaryArray::from_iter_values(rows.clone().map(|row| [row as u8; 16])))
            }
            (name, other) => panic!("no values for column {name} of type {other}"),
        }
    });
    RecordBatch::try_from_iter(schema.fields().iter().map(|field| field.name()).zip(columns)).unwrap()
}

/// Repeated texts are written by our own encoder, also where pages, row groups and batches end.
#[tokio::test(flavor = "multi_thread")]
async fn large_files_are_read_as_they_were_written() {
    let (_directory, lake) = lake();
    for kind in Kind::ALL {
        lake.append(kind, (0..3).map(|batch| large(kind, batch, true)).collect()).await.unwrap();
        let on_lake = SessionContext::new();
        lake.register(&on_lake).await.unwrap();
        let in_memory = SessionContext::new();
        let plain: Vec<RecordBatch> = (0..3)
            .map(|batch| {
                RecordBatch::try_new(kind.schema(), large(kind, batch, false).columns().to_vec()).unwrap()
            })
            .collect();
        let same = MemTable::try_new(kind.schema(), vec![plain]).unwrap();
        in_memory.register_table(kind.name(), Arc::new(same)).unwrap();
        let name = kind.name();
        let filter = "subscription_id like 'few 3%' and event_at < timestamp '2024-10-05T12:00:00Z'";
        for sql in [
            format!("select * from {name} order by event_id"),
            format!("select * from {name} where {filter} order by event_id"),
        ] {
            let (found, expected) = (rows(&on_lake, &sql).await, rows(&in_memory, &sql).await);
            assert!(found.num_rows() > 100, "{sql}");
            assert!(found == expected, "{sql}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_does_not_exist_is_empty() {
    let (directory, lake) = lake();
    let session = SessionContext::new();
    lake.register(&session).await.unwrap();
    for kind in Kind::ALL {
        let table = session.table_provider(kind.name()).await.unwrap();
        assert_eq!(table.schema(), kind.schema());
        assert_eq!(lake.extent(kind).await.unwrap(), None);
    }
    let counted = query(&lake, "select count(*) as n from flow where day > '2026-01-01'").await;
    assert_eq!(counted, "+---+\n| n |\n+---+\n| 0 |\n+---+");
    assert!(!directory.path().join("events").exists(), "reading creates nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn registering_again_shows_later_appends() {
    let (_directory, lake) = lake();
    let session = SessionContext::new();
    let count = "select event_id from cost";
    lake.append(Kind::Cost, vec![batch(Kind::Cost, &EVENTS[..1])]).await.unwrap();
    lake.register(&session).await.unwrap();
    lake.append(Kind::Cost, vec![batch(Kind::Cost, &EVENTS[1..])]).await.unwrap();
    assert_eq!(rows(&session, count).await.num_rows(), 1, "a registered table stands still");
    lake.register(&session).await.unwrap();
    assert_eq!(rows(&session, count).await.num_rows(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn extent_and_sizes() {
    let (_directory, lake) = lake();
    lake.append(Kind::Flow, vec![batch(Kind::Flow, &EVENTS[1..])]).await.unwrap();
    lake.append(Kind::Flow, vec![batch(Kind::Flow, &EVENTS[..2])]).await.unwrap();
    let extent = lake.extent(Kind::Flow).await.unwrap().unwrap();
    assert_eq!(extent, (time("2026-11-19T08:00:00.000001Z"), time("2026-11-21T12:00:00Z")));

    let tables = lake.describe().await.unwrap();
    assert_eq!(tables.iter().map(|table| table.kind).collect::<Vec<_>>(), Kind::ALL);
    let day = |day| NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
    let flow = TableSummary {
        kind: Kind::Flow,
        rows: 4,
        files: 3,
        small_files: 0,
        bytes: tables[2].bytes,
        days: Some((day(19), day(21))),
        version: Some(2),
    };
    assert_eq!(tables[2], flow);
    assert!(flow.bytes > 1000, "{} bytes", flow.bytes);
    assert_eq!((tables[0].rows, tables[0].days, tables[0].version), (0, None, None));
}

/// The physical plan of a query.
async fn plan(session: &SessionContext, sql: &str) -> String {
    let plan = session.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
    datafusion::physical_plan::displayable(plan.as_ref()).indent(false).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_leave_out_files_and_projections_leave_out_columns() {
    let (_directory, lake) = lake();
    lake.append(Kind::Activity, vec![batch(Kind::Activity, &EVENTS)]).await.unwrap();
    let session = SessionContext::new();
    lake.register(&session).await.unwrap();
    let cases = [
        ("true", 3),
        ("day >= date '2026-11-20'", 2),
        ("day >= '2026-11-20' and day < '2026-11-21'", 1),
        ("day between date '2026-11-20' and date '2026-11-20'", 1),
        ("event_at >= timestamp '2026-11-21T00:00:00Z'", 1),
        ("subscription_id = 'sub-a'", 2),
    ];
    for (filter, files) in cases {
        let plan = plan(&session, &format!("select operation from activity where {filter}")).await;
        assert_eq!(plan.matches(".parquet").count(), files, "{filter}:\n{plan}");
        let projected = plan.lines().find(|line| line.contains(".parquet")).unwrap();
        assert!(projected.contains("operation"), "{plan}");
        assert!(!projected.contains("properties"), "{plan}");
    }
}

/// What an append of costs asks: whether a merged file has lines of a statement. Its extremes do not tell, since the
/// statement lies between others.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_a_merged_file_does_not_have_is_told_without_reading_lines() {
    let (_directory, lake) = lake();
    // The statement of event n is 16 times the byte !n.
    for number in [0, 255] {
        let event = Event(number, "sub-a", "2026-11-20T08:00:00Z");
        lake.append(Kind::Cost, vec![batch(Kind::Cost, &[event])]).await.unwrap();
    }
    let kept = CompactionOptions { superseded_kept: TimeDelta::days(36_500), ..eager() };
    assert_eq!(lake.compact(Kind::Cost, &kept, later()).await.unwrap().files_after, 1);
    let session = SessionContext::new();
    lake.register(&session).await.unwrap();
    for (statement, pruned) in [("80", 1), ("ff", 0)] {
        let sql = format!(
            "explain analyze select event_id from cost where statement_id in (x'{}')",
            statement.repeat(16)
        );
        let rows = session.sql(&sql).await.unwrap().collect().await.unwrap();
        let plan = pretty_format_batches(&rows).unwrap().to_string();
        let metric = plan.split_once("row_groups_pruned_bloom_filter=").expect(&plan).1;
        let expected = format!("1 total → {} matched", 1 - pruned);
        assert!(metric.starts_with(&expected), "{statement}: {metric}");
    }
}
