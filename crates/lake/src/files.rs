//! How events lie in Parquet files.

use deltalake::parquet::basic::{Compression, ZstdLevel};
use deltalake::parquet::file::properties::WriterProperties;
use deltalake::parquet::schema::types::ColumnPath;

/// Rows in a row group: the unit that a reader skips or takes. Large enough to compress well, small
/// enough that a day of one large customer is cut into several.
const ROW_GROUP_ROWS: usize = 131_072;

/// Columns of which the log keeps the least and the greatest value a file, to leave out files without
/// opening them. The others have their statistics in the files; in the log they would only be bulk.
pub(crate) const LOGGED_STATISTICS: &str =
    "event_at,arrived_at,partner_tenant_id,customer_tenant_id,subscription_id";

/// Columns of 16-byte hashes of single events. They neither compress nor repeat, so that trying costs time
/// for nothing.
const HASH_COLUMNS: [&str; 1] = ["event_id"];

/// Zstandard at its fastest level, dictionaries for all columns but hashes.
pub(crate) fn writer_properties() -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_enabled(true)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS));
    for column in HASH_COLUMNS {
        properties = properties
            .set_column_dictionary_enabled(ColumnPath::from(column), false)
            .set_column_compression(ColumnPath::from(column), Compression::UNCOMPRESSED);
    }
    properties.build()
}
