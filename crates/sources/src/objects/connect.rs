//! Opens containers: which account, whose credentials.
//!
//! Without credentials of its own, a source uses the environment's as `object_store` names them: `AZURE_STORAGE_…`,
//! `AZURE_CLIENT_…`, `AZURE_FEDERATED_TOKEN_FILE` or a managed identity; `AWS_…`. With its own, none of those.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use secrecy::ExposeSecret;

use crate::{AzureBlobSettings, Environment, S3Settings, SourceError};

/// For connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For one request with its whole reply, which may be a large object on a slow line.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(600);
/// The store's client tries again this often itself; after that, whoever polls waits.
const RETRIES_MAX: usize = 3;
/// … and for so long.
const RETRY_TIMEOUT: Duration = Duration::from_secs(30);

fn client(endpoint: Option<&str>) -> ClientOptions {
    let is_plain = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
    ClientOptions::new()
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_timeout(REQUEST_TIMEOUT)
        .with_allow_http(is_plain)
}

fn retry() -> RetryConfig {
    RetryConfig { backoff: BackoffConfig::default(), max_retries: RETRIES_MAX, retry_timeout: RETRY_TIMEOUT }
}

/// Opens a container of Azure Blob.
pub(crate) fn azure(
    settings: &AzureBlobSettings,
    env: &Environment,
) -> Result<Arc<dyn ObjectStore>, SourceError> {
    let name = &settings.name;
    let own = [&settings.account_key_env, &settings.sas_token_env, &settings.client_secret_env];
    let given = own.iter().filter(|variable| variable.is_some()).count();
    if given > 1 {
        let problem = "give one of account_key_env, sas_token_env and client_secret_env";
        return Err(SourceError::settings(name, problem));
    }
    let mut builder = MicrosoftAzureBuilder::new();
    if given == 0 {
        for (variable, value) in env.with_prefix("AZURE_") {
            if let Ok(key) = variable.to_ascii_lowercase().parse::<AzureConfigKey>() {
                builder = builder.with_config(key, value);
            }
        }
    }
    if let Some(variable) = &settings.account_key_env {
        builder = builder.with_access_key(env.secret(name, variable)?.expose_secret());
    }
    if let Some(variable) = &settings.sas_token_env {
        let token = env.secret(name, variable)?;
        // The portal shows it as the end of an address.
        builder = builder.with_config(AzureConfigKey::SasKey, token.expose_secret().trim_start_matches('?'));
    }
    if let Some(variable) = &settings.client_secret_env {
        let (Some(tenant), Some(client)) = (&settings.tenant_id, &settings.client_id) else {
            return Err(SourceError::settings(
                name,
                "client_secret_env needs tenant_id and client_id beside it",
            ));
        };
        let secret = env.secret(name, variable)?;
        builder = builder.with_client_secret_authorization(client, secret.expose_secret(), tenant);
    } else if settings.tenant_id.is_some() || settings.client_id.is_some() {
        return Err(SourceError::settings(
            name,
            "tenant_id and client_id need client_secret_env beside them",
        ));
    }
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.with_endpoint(endpoint.clone());
    }
    let store = builder
        .with_account(&settings.account)
        .with_container_name(&settings.container)
        .with_client_options(client(settings.endpoint.as_deref()))
        .with_retry(retry())
        .build()
        .map_err(|error| unusable(name, &error))?;
    Ok(Arc::new(store))
}

/// Opens a bucket of S3, or of what speaks like it.
pub(crate) fn s3(settings: &S3Settings, env: &Environment) -> Result<Arc<dyn ObjectStore>, SourceError> {
    let name = &settings.name;
    let mut builder = AmazonS3Builder::new();
    match (&settings.access_key_id_env, &settings.secret_access_key_env) {
        (Some(id), Some(secret)) => {
            builder = builder
                .with_access_key_id(env.secret(name, id)?.expose_secret())
                .with_secret_access_key(env.secret(name, secret)?.expose_secret());
            if let Some(variable) = &settings.session_token_env {
                builder = builder.with_token(env.secret(name, variable)?.expose_secret());
            }
        }
        (None, None) if settings.session_token_env.is_none() => {
            for (variable, value) in env.with_prefix("AWS_") {
                if let Ok(key) = variable.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
                    builder = builder.with_config(key, value);
                }
            }
        }
        _ => {
            let problem = "give access_key_id_env and secret_access_key_env together, and session_token_env only with them";
            return Err(SourceError::settings(name, problem));
        }
    }
    if let Some(region) = &settings.region {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    let store = builder
        .with_bucket_name(&settings.bucket)
        .with_virtual_hosted_style_request(settings.virtual_hosted)
        .with_client_options(client(settings.endpoint.as_deref()))
        .with_retry(retry())
        .build()
        .map_err(|error| unusable(name, &error))?;
    Ok(Arc::new(store))
}

fn unusable(name: &str, error: &object_store::Error) -> SourceError {
    SourceError::settings(name, format!("the store cannot be opened: {}", crate::error::with_causes(error)))
}
