//! One installation: its partner, its events, its alerts and its detectors.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use alerts::{PartnerTenantId, Scope};
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use detect::{CatalogueError, Detector, GeoDatabase, GeoError, IndicatorError, Indicators, Limits};
use lake::{Lake, LakeError};
use odata::TokenKey;
use store::{PostgresStore, SqliteStore, Store, StoreError};

use super::intake::Owners;
use crate::config::{ConfigError, DataDir, Settings, StoreLocation};

/// Why an instance cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The alerts cannot be opened.
    #[error("the alert store ({0}) cannot be opened")]
    Store(String, #[source] StoreError),
    /// The events cannot be opened.
    #[error("the event lake cannot be opened")]
    Lake(#[from] LakeError),
    /// A detector cannot be read.
    #[error("the detectors cannot be loaded")]
    Detectors(#[from] CatalogueError),
    /// An indicator table cannot be read.
    #[error("the indicator tables cannot be loaded")]
    Indicators(#[from] IndicatorError),
    /// The database of places cannot be read.
    #[error("the setting geo_database is wrong")]
    Places(#[from] GeoError),
}

/// One installation, open. Cheap to share.
pub struct Instance {
    /// Where its files are.
    pub data_dir: DataDir,
    /// The partner whose records are taken in and whose alerts are raised.
    pub partner: PartnerTenantId,
    /// The alerts.
    pub store: Arc<dyn Store>,
    /// What links to next pages are signed with; the same on all servers of one store.
    pub tokens: TokenKey,
    /// The events.
    pub lake: Lake,
    /// The detectors, built-in ones and the operator's own.
    pub detectors: Vec<Arc<Detector>>,
    /// Whose subscriptions are, as the store's directory says.
    pub owners: Owners,
    /// Tables of known bad addresses and ports.
    pub indicators: Indicators,
    /// Where addresses are, if the operator has a database of that.
    pub places: Option<GeoDatabase>,
}

impl Instance {
    /// Opens the instance in a data directory, and makes what is not there yet.
    ///
    /// # Errors
    ///
    /// [`OpenError`], which names the part that cannot be opened.
    pub async fn open(data_dir: DataDir, settings: &Settings) -> Result<Self, OpenError> {
        let store = open_store(&data_dir, settings).await?;
        let tokens =
            token_key(&*store).await.map_err(|error| OpenError::Store("its secrets".to_owned(), error))?;
        let lake_url = match &settings.lake_url {
            Some(url) => url.clone(),
            None => data_dir.lake_url()?,
        };
        let detectors = settings.catalogue()?.detectors().iter().cloned().map(Arc::new).collect();
        let indicators = indicators(&data_dir.indicators())?;
        let places = settings.geo_database.as_deref().map(GeoDatabase::open).transpose()?;
        Ok(Self {
            partner: settings.partner_tenant_id.clone(),
            store,
            tokens,
            lake: Lake::open(&lake_url, &storage_options())?,
            detectors,
            owners: Owners::default(),
            indicators,
            places,
            data_dir,
        })
    }

    /// A session for queries over events, with what else queries may name, and no events yet.
    ///
    /// # Errors
    ///
    /// If the query engine cannot be set up.
    pub(super) fn session(&self) -> Result<SessionContext, DataFusionError> {
        let session = detect::session(Limits::default())?;
        self.indicators.register(&session)?;
        if let Some(places) = &self.places {
            places.register(&session);
        }
        Ok(session)
    }

    /// The scope of the partner's own work: ingest, detection, the command line.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope::Partner(self.partner.clone())
    }
}

async fn token_key(store: &dyn Store) -> Result<TokenKey, StoreError> {
    let mut fresh = [0; 32];
    aws_lc_rs::rand::fill(&mut fresh).map_err(|error| StoreError::Database(Box::new(error)))?;
    let kept = store.secret("page-tokens", &fresh).await?;
    let bytes = <[u8; 32]>::try_from(kept)
        .map_err(|_| StoreError::Damaged { what: "the key of page tokens".to_owned() })?;
    Ok(TokenKey::new(bytes))
}

async fn open_store(data_dir: &DataDir, settings: &Settings) -> Result<Arc<dyn Store>, OpenError> {
    match &settings.store {
        StoreLocation::Sqlite => {
            let file = data_dir.store_file();
            let opened = SqliteStore::open_mapped(&file, u64::from(settings.store_map_mib) << 20);
            Ok(Arc::new(opened.map_err(|error| OpenError::Store(file.display().to_string(), error))?))
        }
        StoreLocation::Postgres(url) => {
            let connected = PostgresStore::connect(url).await;
            // The address may hold a password, and the error names the server already.
            Ok(Arc::new(connected.map_err(|error| OpenError::Store("PostgreSQL".to_owned(), error))?))
        }
    }
}

fn indicators(own: &Path) -> Result<Indicators, IndicatorError> {
    let builtin = Indicators::builtin();
    if own.is_dir() { builtin.with_folder(own) } else { Ok(builtin) }
}

/// Accounts, keys and endpoints of a lake in a cloud, by the names that the clouds' own tools read.
/// They come from the environment alone, so that no settings file holds a secret.
fn storage_options() -> HashMap<String, String> {
    let of_a_cloud = |name: &str| name.starts_with("AWS_") || name.starts_with("AZURE_");
    // A variable that is no text is none of theirs.
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| of_a_cloud(name))
        .collect()
}
