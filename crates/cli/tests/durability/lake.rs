//! What the lake in a data directory holds.

use std::collections::BTreeMap;
use std::path::Path;

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::prelude::SessionContext;
use lake::Lake;

/// How many rows and how many different events each batch has in the lake.
pub(crate) fn rows_by_batch(data: &Path) -> BTreeMap<String, (u64, u64)> {
    tokio::runtime::Runtime::new().unwrap().block_on(read(data))
}

async fn read(data: &Path) -> BTreeMap<String, (u64, u64)> {
    let session = SessionContext::new();
    Lake::in_directory(&data.join("lake")).unwrap().register(&session).await.unwrap();
    let query =
        "select resource_group, count(*), count(distinct resource_id) from activity group by resource_group";
    let mut rows = BTreeMap::new();
    for batch in session.sql(query).await.unwrap().collect().await.unwrap() {
        let names = cast(batch.column(0), &DataType::Utf8).unwrap();
        let [all, different] = [1, 2].map(|at| batch.column(at).as_primitive::<Int64Type>().clone());
        for (at, name) in names.as_string::<i32>().iter().enumerate() {
            let counts = (all.value(at) as u64, different.value(at) as u64);
            rows.insert(name.unwrap().to_owned(), counts);
        }
    }
    rows
}
