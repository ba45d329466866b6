//! Rows become Parquet files in memory.
//!
//! Repeated texts are written as they are ([`texts`]), all other columns by Parquet's own writer. Delta's writer of
//! record batches would take plain texts only.

mod hybrid;
mod logged;
mod texts;

use std::sync::Arc;

use arrow_array::new_null_array;
use arrow_schema::{DataType, Schema, SchemaRef};
use deltalake::parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use deltalake::parquet::arrow::{ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata};
use deltalake::parquet::errors::{ParquetError, Result};
use deltalake::parquet::file::metadata::ParquetMetaData;
use deltalake::parquet::file::properties::{EnabledStatistics, WriterPropertiesPtr};
use deltalake::parquet::file::writer::SerializedFileWriter;
use deltalake::parquet::schema::types::SchemaDescriptor;
use ingest::schema::{DAY, Kind};
use tokio::task::yield_now;
use zstd::bulk::Compressor;

pub(crate) use self::logged::add_of;
use crate::files::{ROW_GROUP_ROWS, compression_level, writer_properties};
use crate::incoming::{Incoming, Selection};

/// How many rows are copied and encoded at a time: few enough to stay in the processor's cache.
const ROWS_PER_BATCH: usize = 8 * 1024;

/// Makes files of one table.
pub(crate) struct FileEncoder {
    /// The columns of a file: those of the table but for the day, which its folder tells.
    schema: SchemaRef,
    /// Where each of them is among the columns of the kind; `None` where this version knows no such column.
    sources: Vec<Option<usize>>,
    columns: SchemaDescriptor,
    properties: WriterPropertiesPtr,
}

/// A file, and what it says of itself.
pub(crate) struct EncodedFile {
    pub(crate) bytes: Vec<u8>,
    pub(crate) metadata: ParquetMetaData,
}

impl FileEncoder {
    /// For a kind's table with these columns.
    pub(crate) fn new(kind: Kind, table: &Schema) -> Result<Self> {
        let fields = table.fields().iter().filter(|field| field.name() != DAY);
        let schema = Arc::new(Schema::new(fields.cloned().collect::<Vec<_>>()));
        let known = kind.schema();
        let sources = schema.fields().iter().map(|field| known.index_of(field.name()).ok()).collect();
        let columns = ArrowSchemaConverter::new().convert(&schema)?;
        let mut properties = writer_properties(kind);
        add_encoded_arrow_schema_to_metadata(&schema, &mut properties);
        Ok(Self { schema, sources, columns, properties: Arc::new(properties) })
    }

    /// Encodes rows in the order given. Lets other tasks pass every few milliseconds.
    pub(crate) async fn encode(&self, incoming: &Incoming, rows: &[u32]) -> Result<EncodedFile> {
        let root = self.columns.root_schema_ptr();
        let mut file = SerializedFileWriter::new(Vec::new(), root, self.properties.clone())?;
        let factory = ArrowRowGroupWriterFactory::new(&file, self.schema.clone());
        let level = compression_level().compression_level();
        let mut compressor = Compressor::new(level).map_err(|e| ParquetError::External(e.into()))?;
        for (index, rows) in rows.chunks(ROW_GROUP_ROWS).enumerate() {
            let selected = incoming.select(rows, ROWS_PER_BATCH);
            let writers = factory.create_column_writers(index)?;
            let mut group = file.next_row_group()?;
            for (at, writer) in writers.into_iter().enumerate() {
                let repeated = match self.sources[at].filter(|_| self.may_be_repeated(at)) {
                    Some(source) => {
                        let batches = selected.column(source);
                        texts::encode_repeated(
                            &self.columns.column(at),
                            &batches,
                            selected.places(),
                            &mut compressor,
                        )?
                    }
                    None => None,
                };
                match repeated {
                    Some(chunk) => group.append_column(&chunk.bytes, chunk.close)?,
                    None => self.write_plain(at, writer, &selected).await?.append_to_row_group(&mut group)?,
                }
                yield_now().await;
            }
            group.close()?;
        }
        let metadata = file.finish()?;
        Ok(EncodedFile { bytes: std::mem::take(file.inner_mut()), metadata })
    }
    /// Whether a column is one of texts whose values are told apart, and of which readers want no more than that:
    /// the least and greatest values are kept by Parquet's own writer.
    fn may_be_repeated(&self, at: usize) -> bool {
        let column = self.columns.column(at);
        *self.schema.field(at).data_type() == DataType::Utf8
            && self.properties.dictionary_enabled(column.path())
            && self.properties.statistics_enabled(column.path()) == EnabledStatistics::None
    }

    async fn write_plain(
        &self,
        at: usize,
        mut writer: ArrowColumnWriter,
        selected: &Selection<'_>,
    ) -> Result<ArrowColumnChunk> {
        let field = self.schema.field(at);
        for part in selected.parts() {
            let column = match self.sources[at] {
                Some(source) => part.take(source)?,
                None => new_null_array(field.data_type(), part.len()),
            };
            for leaf in compute_leaves(field, &column)? {
                writer.write(&leaf)?;
            }
            yield_now().await;
        }
        writer.close()
    }
}
