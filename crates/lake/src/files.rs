//! How events lie in Parquet files.

use deltalake::parquet::basic::{Compression, Encoding, ZstdLevel};
use deltalake::parquet::file::properties::{EnabledStatistics, WriterProperties};
use deltalake::parquet::schema::types::ColumnPath;
use ingest::schema::Kind;

use crate::incoming::STATEMENT;

/// Rows in a row group: the unit that a reader skips or takes. Large enough to compress well, small
/// enough that a day of one large customer is cut into several.
pub(crate) const ROW_GROUP_ROWS: usize = 131_072;

/// How columns are compressed: Zstandard, as fast as it usually goes.
pub(crate) fn compression_level() -> ZstdLevel {
    ZstdLevel::default()
}

/// Columns of which the log keeps the least and the greatest value a file, to leave out files without
/// opening them. The others would only be bulk.
pub(crate) const LOGGED_STATISTICS: &str = "event_at,arrived_at,customer_tenant_id,subscription_id";

/// Columns that have their least and greatest values in the files, beside those of the log: what the order of
/// the rows, or of appends, brings together. Of all others they tell next to nothing, and cost a
/// comparison for each value that is written.
const OTHER_STATISTICS: [&str; 1] = [STATEMENT];

/// Columns of 16-byte hashes of single events. They neither compress nor repeat, so that trying costs time
/// for nothing.
const HASH_COLUMNS: [&str; 1] = ["event_id"];

/// Texts of which each is its own: a dictionary would only be begun and given up.
const TEXTS_THAT_DIFFER: [&str; 1] = ["properties"];

/// Numbers that hardly repeat, or that grow from row to row: their differences are small.
const NUMBERS_THAT_DIFFER: [&str; 6] =
    ["event_at", "src_port", "packets_sent", "bytes_sent", "packets_received", "bytes_received"];

/// How many statements a day of one row group has, at most, for their filter to be of use.
const STATEMENTS_IN_FILTER: u64 = 256;

/// Dictionaries where values repeat; compressed.
pub(crate) fn writer_properties(kind: Kind) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(compression_level()))
        .set_dictionary_enabled(true)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS));
    for column in LOGGED_STATISTICS.split(',').chain(OTHER_STATISTICS) {
        properties =
            properties.set_column_statistics_enabled(ColumnPath::from(column), EnabledStatistics::Page);
    }
    for column in HASH_COLUMNS {
        properties = properties
            .set_column_dictionary_enabled(ColumnPath::from(column), false)
            .set_column_compression(ColumnPath::from(column), Compression::UNCOMPRESSED);
    }
    for column in TEXTS_THAT_DIFFER {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(column), false);
    }
    for column in NUMBERS_THAT_DIFFER {
        properties = properties
            .set_column_dictionary_enabled(ColumnPath::from(column), false)
            .set_column_encoding(ColumnPath::from(column), Encoding::DELTA_BINARY_PACKED);
    }
    if kind == Kind::Cost {
        // Whether a statement was taken in before is asked with each append; merged files hold many.
        properties = properties
            .set_column_bloom_filter_enabled(ColumnPath::from(STATEMENT), true)
            .set_column_bloom_filter_max_ndv(ColumnPath::from(STATEMENT), STATEMENTS_IN_FILTER);
    }
    properties.build()
}
