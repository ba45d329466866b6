//! Tables in S3 and in storages that speak its protocol.
//!
//! The `deltalake` crate has an S3 feature of its own. It brings the whole AWS SDK and a lock table in
//! DynamoDB from the time before S3 could create a file only if it is absent. S3 and the usual
//! imitations can do that now, so the plain client of `object_store` is enough: Delta's ordinary log
//! works on it as on a disk. A storage that ignores the condition must not be used; the option
//! `aws_conditional_put` of `object_store` says how it is asked.
//!
//! Without the cargo feature `s3` this compiles, and `object_store` refuses the URLs.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::object_store;
use deltalake::logstore::{
    LogStore, LogStoreFactory, ObjectStoreFactory, ObjectStoreRef, StorageConfig, default_logstore,
    logstore_factories, object_store_factories,
};
use deltalake::{DeltaResult, Path};
use url::Url;

const SCHEMES: [&str; 2] = ["s3", "s3a"];

#[derive(Debug)]
struct S3;

impl ObjectStoreFactory for S3 {
    fn parse_url_opts(&self, url: &Url, config: &StorageConfig) -> DeltaResult<(ObjectStoreRef, Path)> {
        // The client takes its options in lower case and ignores what it does not know.
        let options: HashMap<String, String> =
            config.raw.iter().map(|(key, value)| (key.to_ascii_lowercase(), value.clone())).collect();
        let (store, path) = object_store::parse_url_opts(url, options)?;
        Ok((Arc::from(store), path))
    }
}

impl LogStoreFactory for S3 {
    fn with_options(
        &self,
        prefixed_store: ObjectStoreRef,
        root_store: ObjectStoreRef,
        location: &Url,
        options: &StorageConfig,
    ) -> DeltaResult<Arc<dyn LogStore>> {
        Ok(default_logstore(prefixed_store, root_store, location, options))
    }
}

/// Makes S3 URLs known to Delta. Safe to call again.
pub(crate) fn register() {
    for scheme in SCHEMES {
        let url = Url::parse(&format!("{scheme}://")).expect("a scheme alone is a URL");
        object_store_factories().insert(url.clone(), Arc::new(S3));
        logstore_factories().insert(url, Arc::new(S3));
    }
}
