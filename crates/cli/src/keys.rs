//! `tenantwatch keys`

use alerts::{CustomerTenantId, Scope};
use anyhow::bail;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use ingest::schema::Kind;
use serde_json::json;
use server::app::{Instance, keys};
use store::{CoverageQuery, CustomerQuery, IngestKey, StoreError};

use crate::installation::{Installation, kind, time};
use crate::output;

/// Make and end keys with which a customer's systems push its records
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch keys create --customer 0f0e0d0c-3333-4000-8000-00000000000c")]
pub(crate) struct Keys {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(Create),
    List(List),
    Revoke(Revoke),
}

/// Make a key; it is printed once and kept nowhere
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  KEY=$(tenantwatch keys create --customer 0f0e0d0c-3333-4000-8000-00000000000c --kind activity)\n  curl -H \"Authorization: Bearer $KEY\" --data-binary @PT1H.json http://127.0.0.1:8080/ingest/v1/activity"
)]
struct Create {
    #[command(flatten)]
    installation: Installation,

    /// The customer's tenant; the key takes no other customer's records
    #[arg(long, value_name = "TENANT")]
    customer: CustomerTenantId,

    /// Take only records of this kind, such as activity, cost or flow (may be repeated)
    #[arg(long = "kind", value_name = "KIND", value_parser = kind)]
    kinds: Vec<Kind>,

    /// What the key is for, to know it by
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,

    /// When it ends: a day, or a time with its zone; never if not told
    #[arg(long, value_name = "TIME", value_parser = time)]
    expires: Option<DateTime<Utc>>,
}

/// List the keys, also those that no longer hold
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch keys list")]
struct List {
    #[command(flatten)]
    installation: Installation,

    /// Print one JSON object a key
    #[arg(long)]
    json: bool,
}

/// End a key at once
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch keys revoke 5f0c2c1e-8f0a-4c3d-9a34-3c1e6b0f7d21")]
struct Revoke {
    #[command(flatten)]
    installation: Installation,

    /// The key's id, as `list` shows it
    #[arg(value_name = "ID")]
    id: String,
}

impl Keys {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Create(create) => create.run().await,
            Command::List(list) => list.run().await,
            Command::Revoke(revoke) => revoke.run().await,
        }
    }
}

impl Create {
    async fn run(self) -> anyhow::Result<()> {
        let now = Utc::now();
        if self.expires.is_some_and(|at| at <= now) {
            bail!("--expires lies in the past; such a key would open nothing");
        }
        let instance = self.installation.open().await?;
        let (key, secret) =
            keys::new_key(&instance.partner, self.customer, &self.kinds, self.name, now, self.expires);
        instance.store.add_ingest_key(&instance.scope(), &key, &keys::hash(&secret)).await?;
        output::say(&format!(
            "Key {} for the customer {}; it is shown only now:",
            key.id, key.customer_tenant_id
        ));
        if !is_known(&instance, &key.customer_tenant_id).await? {
            output::say(&format!(
                "(Nothing is known of this customer yet. If its tenant is mistyped: tenantwatch keys revoke {})",
                key.id
            ));
        }
        Ok(output::print(&secret)?)
    }
}

/// Whether the customer was imported, or records of it came in.
async fn is_known(instance: &Instance, customer: &CustomerTenantId) -> Result<bool, StoreError> {
    let (scope, store) = (instance.scope(), &instance.store);
    let query = CoverageQuery { customer_tenant_id: Some(customer.clone()), ..CoverageQuery::default() };
    if !store.coverage(&scope, &query).await?.is_empty() {
        return Ok(true);
    }
    let scope = Scope::Customer(instance.partner.clone(), customer.clone());
    Ok(!store.customers(&scope, &CustomerQuery::default()).await?.is_empty())
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let instance = self.installation.open().await?;
        let keys = instance.store.ingest_keys(&instance.scope()).await?;
        let now = Utc::now();
        if self.json {
            for key in &keys {
                output::print(&as_json(key, now).to_string())?;
            }
            return Ok(());
        }
        if keys.is_empty() {
            output::say("No keys yet. Make one: tenantwatch keys create --customer TENANT");
            return Ok(());
        }
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        table.set_header(["id", "customer", "kinds", "name", "state", "last used"]);
        for key in &keys {
            let kinds = if key.kinds.is_empty() { "all".to_owned() } else { key.kinds.join(",") };
            table.add_row([
                key.id.clone(),
                key.customer_tenant_id.to_string(),
                kinds,
                key.name.clone().unwrap_or_default(),
                state(key, now),
                key.last_used_at.map_or_else(|| "never".to_owned(), output::minute),
            ]);
        }
        Ok(output::print(&table.to_string())?)
    }
}

impl Revoke {
    async fn run(self) -> anyhow::Result<()> {
        let instance = self.installation.open().await?;
        if !instance.store.revoke_ingest_key(&instance.scope(), &self.id, Utc::now()).await? {
            bail!("there is no key {}; `tenantwatch keys list` shows all", self.id);
        }
        output::say(&format!("Key {} opens nothing any more.", self.id));
        Ok(())
    }
}

fn state(key: &IngestKey, now: DateTime<Utc>) -> String {
    match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {}", output::minute(at)),
        (None, Some(at)) if at <= now => format!("expired {}", output::minute(at)),
        (None, Some(at)) => format!("holds until {}", output::minute(at)),
        (None, None) => "holds".to_owned(),
    }
}

fn as_json(key: &IngestKey, now: DateTime<Utc>) -> serde_json::Value {
    json!({
        "id": key.id,
        "customerTenantId": key.customer_tenant_id,
        "kinds": key.kinds,
        "name": key.name,
        "createdDateTime": key.created_at,
        "expirationDateTime": key.expires_at,
        "revokedDateTime": key.revoked_at,
        "lastUsedDateTime": key.last_used_at,
        "holds": key.holds(now),
    })
}
