//! `tenantwatch customers`

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use chrono::Utc;
use clap::{Args, Subcommand};
use comfy_table::{CellAlignment, Table, presets};
use serde_json::json;
use server::app::customers::{self, RejectedCustomer};
use store::{CustomerQuery, CustomersImported, KnownCustomer};

use crate::installation::Installation;
use crate::output;
use crate::progress::Progress;

/// How many customers are read from the store at once.
const PAGE: u64 = 1000;

/// How many entries that could not be used are named.
const REJECTED_SHOWN: usize = 20;

/// Tell the directory whose customers these are, so that records find their customer and reseller
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  tenantwatch customers import customers.csv && tenantwatch customers list"
)]
pub(crate) struct Customers {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Import(Import),
    List(List),
}

/// Import customers from files: CSV, or what Partner Center or Graph reply
///
/// CSV has a header with customerTenantId, and as far as you have them name, domain, resellerTenantId,
/// resellerMpnId, country, subscriptionId, subscriptionName; a customer with several subscriptions has a line for
/// each. JSON is the reply of Partner Center's GET /v1/customers, or of Graph's GET
/// /tenantRelationships/delegatedAdminCustomers. What a file leaves out stays as it is; what it says wins
/// over what records say. Importing a file again changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch customers import customers.csv")]
struct Import {
    #[command(flatten)]
    installation: Installation,

    /// Print the summary as one JSON object
    #[arg(long)]
    json: bool,

    /// Files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// List the imported customers, by tenant
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch customers list --json")]
struct List {
    #[command(flatten)]
    installation: Installation,

    /// Print one JSON object a customer
    #[arg(long)]
    json: bool,
}

impl Customers {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Import(import) => import.run().await,
            Command::List(list) => list.run().await,
        }
    }
}

impl Import {
    async fn run(self) -> anyhow::Result<()> {
        let instance = self.installation.open().await?;
        let (mut customers, mut subscriptions, mut rejected) = (Vec::new(), Vec::new(), Vec::new());
        for file in &self.files {
            let named = || format!("reading {}", file.display());
            let list = customers::read(&fs::read_to_string(file).with_context(named)?).with_context(named)?;
            customers.extend(list.customers);
            subscriptions.extend(list.subscriptions);
            rejected.extend(list.rejected.into_iter().map(|entry| (file.clone(), entry)));
        }
        let (store, scope) = (&instance.store, instance.scope());
        // All or none are imported, so that nothing can be counted meanwhile.
        let progress = Progress::waiting(format!("importing {} customers", customers.len()));
        let imported = store.import_customers(&scope, &customers, &subscriptions, Utc::now()).await?;
        drop(progress);
        self.show(imported, &rejected)?;
        if imported == CustomersImported::default() && !rejected.is_empty() {
            bail!("none of the entries is a customer");
        }
        Ok(())
    }

    fn show(
        &self,
        imported: CustomersImported,
        rejected: &[(PathBuf, RejectedCustomer)],
    ) -> anyhow::Result<()> {
        let CustomersImported { new, changed, unchanged, subscriptions } = imported;
        if self.json {
            let rejected: Vec<_> = rejected
                .iter()
                .map(|(file, entry)| json!({"file": file, "place": entry.place, "reason": entry.reason}))
                .collect();
            let summary = json!({
                "new": new,
                "changed": changed,
                "unchanged": unchanged,
                "subscriptions": subscriptions,
                "rejected": rejected,
            });
            return Ok(output::print(&summary.to_string())?);
        }
        output::print(&format!(
            "{} customers: {new} new, {changed} changed, {unchanged} as they were; {subscriptions} subscriptions \
             new or changed; {} entries could not be used",
            new + changed + unchanged,
            rejected.len()
        ))?;
        for (file, entry) in rejected.iter().take(REJECTED_SHOWN) {
            output::print(&format!("rejected {}:{}: {}", file.display(), entry.place, entry.reason))?;
        }
        if rejected.len() > REJECTED_SHOWN {
            output::print(&format!("… and {} more", rejected.len() - REJECTED_SHOWN))?;
        }
        Ok(())
    }
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let instance = self.installation.open().await?;
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        table.set_header(["tenant", "name", "domain", "reseller", "country", "subscriptions"]);
        if let Some(column) = table.column_mut(5) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let (mut query, mut count) = (CustomerQuery { limit: Some(PAGE), ..CustomerQuery::default() }, 0);
        loop {
            let page = instance.store.customers(&instance.scope(), &query).await?;
            let Some(last) = page.last() else { break };
            query.after = Some(last.customer.customer_tenant_id.clone());
            count += page.len();
            for customer in &page {
                if self.json {
                    output::print(&as_json(customer).to_string())?;
                } else {
                    table.add_row(row(customer));
                }
            }
        }
        if self.json {
            return Ok(());
        }
        if count == 0 {
            output::say("No customers yet. Import them: tenantwatch customers import FILE");
            return Ok(());
        }
        Ok(output::print(&table.to_string())?)
    }
}

fn row(known: &KnownCustomer) -> [String; 6] {
    let customer = &known.customer;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let reseller = customer.reseller_tenant_id.as_ref().map(ToString::to_string);
    [
        customer.customer_tenant_id.to_string(),
        text(&customer.name),
        text(&customer.domain),
        reseller.unwrap_or_else(|| text(&customer.reseller_mpn_id)),
        text(&customer.country),
        known.subscriptions.to_string(),
    ]
}

fn as_json(known: &KnownCustomer) -> serde_json::Value {
    let customer = &known.customer;
    json!({
        "customerTenantId": customer.customer_tenant_id,
        "name": customer.name,
        "domain": customer.domain,
        "resellerTenantId": customer.reseller_tenant_id,
        "resellerMpnId": customer.reseller_mpn_id,
        "country": customer.country,
        "subscriptions": known.subscriptions,
        "importedDateTime": known.imported_at,
        "seen": known.has_records,
    })
}
