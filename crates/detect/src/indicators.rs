//! Indicator tables: addresses, ports and names that are known to be bad, as detectors read them.
//!
//! Today there is one, `mining_pools`, with the columns `address`, `port`, `name` and `source`. A row
//! with an address matches that address, on that port if one is given. A row with a port alone is a
//! port that pools like to use: a hint, not a proof. A row with a name alone waits for something that
//! knows addresses, such as DNS logs or the operator's own feed; flow logs know no names.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use serde::Deserialize;

use crate::files::{FileError, Files};

/// The tables that detectors can name.
pub(crate) const TABLES: [&str; 1] = ["mining_pools"];

/// The indicators of one or more sources.
#[derive(Debug, Clone, Default)]
pub struct Indicators {
    mining_pools: Vec<MiningPool>,
}

/// One row of `mining_pools`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct MiningPool {
    address: Option<IpAddr>,
    port: Option<u16>,
    name: Option<String>,
    source: String,
}

/// The row as it is written, in a file or a case; what is not known is empty.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WrittenPool {
    address: String,
    port: String,
    name: String,
    source: String,
}

/// Why indicators cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum IndicatorError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file is none of the tables.
    #[error("{file} is no indicator table; name it {}", TABLES.map(|table| format!("{table}.csv")).join(" or "))]
    UnknownTable {
        /// The file.
        file: String,
    },
    /// A row makes no sense.
    #[error("{file}, line {line}: {problem}")]
    Row {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong, and how to mend it.
        problem: String,
    },
}

/// Ports of the everyday web; without an address they would match nearly everything.
const EVERYDAY_PORTS: [u16; 3] = [53, 80, 443];

impl Indicators {
    /// The indicators that come with the program.
    #[must_use]
    pub fn builtin() -> Self {
        let files = Files::embedded();
        let mut indicators = Self::default();
        for (path, text) in &files.texts {
            if let Some(file) = path.strip_prefix("indicators/") {
                indicators
                    .add(file, &files.name(path), text)
                    .expect("the built-in indicators are loaded by a test of this crate");
            }
        }
        indicators
    }

    /// Adds the tables of a folder, such as `mining_pools.csv`, to those there are.
    ///
    /// # Errors
    ///
    /// [`IndicatorError`] for the first thing that is wrong.
    pub fn with_folder(mut self, folder: &Path) -> Result<Self, IndicatorError> {
        let files = Files::of_folder(folder)?;
        for (path, text) in files.texts.iter().filter(|(path, _)| path.ends_with(".csv")) {
            self.add(path, &files.name(path), text)?;
        }
        Ok(self)
    }

    /// Adds one row of `mining_pools`, written as in the file.
    pub(crate) fn add_mining_pool(&mut self, pool: &WrittenPool) -> Result<(), String> {
        self.mining_pools.push(MiningPool::read(pool)?);
        Ok(())
    }

    fn add(&mut self, path: &str, file: &str, text: &str) -> Result<(), IndicatorError> {
        if path.strip_suffix(".csv") != Some("mining_pools") {
            return Err(IndicatorError::UnknownTable { file: file.to_owned() });
        }
        let wrong = |line, problem| IndicatorError::Row { file: file.to_owned(), line, problem };
        let unreadable = |error: csv::Error| {
            wrong(
                error.position().map_or(1, csv::Position::line),
                format!("{error}; the columns are address, port, name, source"),
            )
        };
        let mut rows =
            csv::ReaderBuilder::new().trim(csv::Trim::All).comment(Some(b'#')).from_reader(text.as_bytes());
        let headers = rows.headers().map_err(unreadable)?.clone();
        for row in rows.records() {
            let row = row.map_err(unreadable)?;
            let line = row.position().map_or(1, csv::Position::line);
            let pool: WrittenPool = row.deserialize(Some(&headers)).map_err(unreadable)?;
            self.mining_pools.push(MiningPool::read(&pool).map_err(|problem| wrong(line, problem))?);
        }
        Ok(())
    }

    /// Registers the tables in a session, in place of those that were there.
    ///
    /// # Errors
    ///
    /// If DataFusion refuses them.
    pub fn register(&self, session: &SessionContext) -> datafusion::common::Result<()> {
        let batch = self.mining_pool_batch()?;
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
        session.deregister_table("mining_pools")?;
        session.register_table("mining_pools", Arc::new(table))?;
        Ok(())
    }

    fn mining_pool_batch(&self) -> Result<RecordBatch, arrow_schema::ArrowError> {
        let pools = &self.mining_pools;
        let schema = Schema::new(vec![
            Field::new("address", DataType::Utf8, true),
            Field::new("port", DataType::Int64, true),
            Field::new("name", DataType::Utf8, true),
            Field::new("source", DataType::Utf8, false),
        ]);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(pools.iter().map(|pool| pool.address.map(|ip| ip.to_string())).collect::<StringArray>()),
            Arc::new(pools.iter().map(|pool| pool.port.map(i64::from)).collect::<Int64Array>()),
            Arc::new(pools.iter().map(|pool| pool.name.clone()).collect::<StringArray>()),
            Arc::new(pools.iter().map(|pool| Some(pool.source.clone())).collect::<StringArray>()),
        ];
        RecordBatch::try_new(Arc::new(schema), columns)
    }
}

impl MiningPool {
    fn read(written: &WrittenPool) -> Result<Self, String> {
        let present = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let address = present(&written.address)
            .map(|text| {
                text.parse::<IpAddr>()
                    .map_err(|_| format!("'{text}' is no IP address; leave it empty if unknown"))
            })
            .transpose()?;
        let port = present(&written.port)
            .map(|text| match text.parse::<u16>() {
                Ok(port) if port > 0 => Ok(port),
                _ => Err(format!("'{text}' is no port; give 1 to 65535 or leave it empty")),
            })
            .transpose()?;
        let name = present(&written.name);
        if address.is_none() && port.is_none() && name.is_none() {
            return Err("the row is empty; give an address, a port or a name".to_owned());
        }
        if let (None, Some(port)) = (address, port)
            && EVERYDAY_PORTS.contains(&port)
        {
            return Err(format!("port {port} alone would match nearly everything; give an address too"));
        }
        let source = present(&written.source).ok_or("the source is missing; say where the row comes from")?;
        Ok(Self { address, port, name, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_indicators_load() {
        let indicators = Indicators::builtin();
        assert!(indicators.mining_pools.iter().any(|pool| pool.port == Some(3333) && pool.address.is_none()));
        assert!(indicators.mining_pools.iter().any(|pool| pool.name.is_some()));
    }

    #[test]
    fn a_folder_adds_rows() {
        let folder = tempfile::tempdir().unwrap();
        let text = "address,port,name,source\n# ours\n198.51.100.7, 3333 ,pool.example,our feed\n";
        std::fs::write(folder.path().join("mining_pools.csv"), text).unwrap();
        let indicators = Indicators::builtin().with_folder(folder.path()).unwrap();
        let last = indicators.mining_pools.last().unwrap();
        assert_eq!(last.name.as_deref(), Some("pool.example"));
        assert_eq!(last.port, Some(3333));
        assert!(indicators.mining_pool_batch().unwrap().num_rows() > 1);
    }

    #[test]
    fn a_bad_row_is_named() {
        let check = |row: &str, expected: &str| {
            let text = format!("address,port,name,source\n{row}\n");
            let error = Indicators::default().add("mining_pools.csv", "pools.csv", &text).unwrap_err();
            assert_eq!(error.to_string(), format!("pools.csv, line 2: {expected}"));
        };
        check("pool.example,3333,,x", "'pool.example' is no IP address; leave it empty if unknown");
        check(",0,,x", "'0' is no port; give 1 to 65535 or leave it empty");
        check(",443,,x", "port 443 alone would match nearly everything; give an address too");
        check(",3333,,", "the source is missing; say where the row comes from");
        check(",,,x", "the row is empty; give an address, a port or a name");
        let error = Indicators::default().add("bad_hosts.csv", "bad_hosts.csv", "").unwrap_err();
        assert_eq!(error.to_string(), "bad_hosts.csv is no indicator table; name it mining_pools.csv");
    }
}
