//! The options that say which installation a command works on.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use ingest::schema::Kind;
use server::app::Instance;
use server::config::{DataDir, Settings, StoreLocation};

/// Which installation to work on.
#[derive(Debug, Clone, Args)]
pub(crate) struct Installation {
    /// Folder in which alerts, events, quarantine and the signing key are kept
    #[arg(long, value_name = "DIR", env = "TENANTWATCH_DATA_DIR", default_value = "tenantwatch-data")]
    pub data_dir: PathBuf,

    /// Settings file; DIR/tenantwatch.toml if it is there
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Where alerts are kept: sqlite (in DIR), or the address of a PostgreSQL server and database
    ///
    /// Such as postgres://user@host/database?sslmode=require. Other users of the machine can read
    /// what stands on a command line, so set TENANTWATCH_STORE if it holds a password.
    #[arg(long, value_name = "STORE", env = "TENANTWATCH_STORE", hide_env_values = true)]
    pub store: Option<StoreLocation>,

    /// Folder with detectors of your own, beside the built-in ones (may be repeated)
    #[arg(long = "detectors", value_name = "DIR")]
    pub detectors: Vec<PathBuf>,
}

impl Installation {
    pub(crate) fn data_dir(&self) -> DataDir {
        DataDir::new(&self.data_dir)
    }

    pub(crate) fn settings(&self) -> anyhow::Result<Settings> {
        let mut settings = Settings::load(self.config.as_deref(), &self.data_dir())?;
        if let Some(store) = &self.store {
            settings.store = store.clone();
        }
        settings.detector_folders.extend(self.detectors.iter().cloned());
        Ok(settings)
    }

    pub(crate) async fn open(&self) -> anyhow::Result<Arc<Instance>> {
        let instance = Instance::open(self.data_dir(), &self.settings()?)
            .await
            .with_context(|| format!("opening the data directory {}", self.data_dir.display()))?;
        Ok(Arc::new(instance))
    }
}

/// Reads a point in time: RFC 3339, or a day, which is its first moment in UTC.
pub(crate) fn time(text: &str) -> Result<chrono::DateTime<chrono::Utc>, String> {
    if let Ok(day) = text.parse::<chrono::NaiveDate>() {
        return Ok(day.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    text.parse::<chrono::DateTime<chrono::Utc>>()
        .map_err(|_| "write a day (2026-11-01) or a time with its zone (2026-11-01T06:00:00Z)".to_owned())
}

/// Reads the name of a kind of record.
pub(crate) fn kind(name: &str) -> Result<Kind, String> {
    Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
        let names = Kind::ALL.map(Kind::name).join(", ");
        format!("there is no such kind; the kinds are {names}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_days_or_moments() {
        let read = |text: &str| time(text).map(|at| at.to_rfc3339());
        assert_eq!(read("2026-11-01").as_deref(), Ok("2026-11-01T00:00:00+00:00"));
        assert_eq!(read("2026-11-01T06:00:00+02:00").as_deref(), Ok("2026-11-01T04:00:00+00:00"));
        assert!(read("yesterday").unwrap_err().contains("2026-11-01T06:00:00Z"));
        assert!(read("2026-11-01T06:00:00").is_err());
    }
}
