//! Tables that other versions wrote.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use datafusion::prelude::SessionContext;
use deltalake::kernel::StructType;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::{DeltaTable, DeltaTableBuilder};
use ingest::schema::{DAY, Kind};
use lake::{Appended, Lake, LakeError};
use url::Url;

use crate::events::{Event, batch, ids, lake, query};

const OLD: Event = Event(1, "sub-a", "2026-11-20T08:00:00Z");
const NEW: Event = Event(2, "sub-a", "2026-11-20T09:00:00Z");

/// Makes a table of the kind as another version would, with columns taken away and others of texts
/// added, and with the first event in it.
pub(crate) async fn other_version(directory: &Path, kind: Kind, without: &[&str], with: &[&str]) {
    let known = batch(kind, &[OLD]);
    let mut fields = Vec::new();
    let mut columns = Vec::new();
    for (field, column) in kind.schema().fields().iter().zip(known.columns()) {
        if !without.contains(&field.name().as_str()) {
            fields.push(field.as_ref().clone());
            columns.push(column.clone());
        }
    }
    for name in with {
        fields.push(Field::new(*name, DataType::Utf8, true));
        columns.push(Arc::new(StringArray::from(vec!["theirs"])));
    }
    let event = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
    let schema: StructType = event.schema().try_into_kernel().unwrap();
    let table = empty_table(directory, kind)
        .create()
        .with_columns(schema.fields().cloned())
        .with_partition_columns([DAY])
        .await
        .unwrap();
    table.write([event]).await.unwrap();
}

fn empty_table(directory: &Path, kind: Kind) -> DeltaTable {
    let location = Url::from_directory_path(directory.join("events").join(kind.name())).unwrap();
    DeltaTableBuilder::from_url(location).unwrap().build().unwrap()
}

/// The table as Delta has it, with all of its columns.
pub(crate) async fn loaded_table(directory: &Path, kind: Kind) -> DeltaTable {
    let mut table = empty_table(directory, kind);
    table.load().await.unwrap();
    table
}

async fn registered_schema(lake: &Lake, kind: Kind) -> Schema {
    let session = SessionContext::new();
    lake.register(&session).await.unwrap();
    session.table_provider(kind.name()).await.unwrap().schema().as_ref().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_came_since_are_null_and_then_added() {
    let (directory, lake) = lake();
    let kind = Kind::Activity;
    other_version(directory.path(), kind, &["caller_ip", "properties"], &[]).await;

    assert_eq!(registered_schema(&lake, kind).await, *kind.schema());
    let sql = "select subscription_id, caller_ip, operation from activity where day = '2026-11-20' order by event_id";
    let expected_before = "\
+-----------------+-----------+-------------+
| subscription_id | caller_ip | operation   |
+-----------------+-----------+-------------+
| sub-a           |           | operation 0 |
+-----------------+-----------+-------------+";
    assert_eq!(query(&lake, sql).await, expected_before);

    let appended = lake.append(kind, vec![batch(kind, &[OLD, NEW])]).await.unwrap();
    assert_eq!(appended, Appended { stored: 1, duplicates: 1 });
    assert_eq!(registered_schema(&lake, kind).await, *kind.schema());
    let expected_after = "\
+-----------------+-------------+-------------+
| subscription_id | caller_ip   | operation   |
+-----------------+-------------+-------------+
| sub-a           |             | operation 0 |
| sub-a           | caller_ip 1 | operation 1 |
+-----------------+-------------+-------------+";
    assert_eq!(query(&lake, sql).await, expected_after);
    let all = query(&lake, "select * from activity").await;
    assert_eq!(all.lines().count(), 6, "{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_of_a_later_version_are_left_alone() {
    let (directory, lake) = lake();
    let kind = Kind::Flow;
    other_version(directory.path(), kind, &[], &["from_the_future"]).await;
    let appended = lake.append(kind, vec![batch(kind, &[OLD, NEW])]).await.unwrap();
    assert_eq!(appended, Appended { stored: 1, duplicates: 1 });
    assert_eq!(ids(&lake, kind).await, [1, 2]);
    assert_eq!(registered_schema(&lake, kind).await, *kind.schema());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_of_another_type_is_refused_by_name() {
    let (directory, lake) = lake();
    let kind = Kind::Flow;
    other_version(directory.path(), kind, &["bytes_sent"], &["bytes_sent"]).await;
    let errors = [
        lake.append(kind, vec![batch(kind, &[NEW])]).await.unwrap_err(),
        lake.register(&SessionContext::new()).await.unwrap_err(),
    ];
    for error in errors {
        assert!(
            matches!(&error, LakeError::Column { column, found, expected, .. }
                if column == "bytes_sent" && found == "Utf8" && expected == "Int64"),
            "{error}"
        );
    }
}
