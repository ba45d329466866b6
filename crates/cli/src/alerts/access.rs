//! Whose alerts a command works on: those of the data directory, or those of a server.

use std::path::PathBuf;
use std::sync::Arc;

use ::alerts::{AlertId, Scope, StatusChange};
use anyhow::{Context as _, bail};
use chrono::Utc;
use clap::Args;
use client::{Client, ListOptions, Page, SecretString};
use futures::stream::{self, BoxStream, Stream, StreamExt as _};
use graph::app::alerts::{self as alert, Desk};
use graph::http::etag;
use odata::Selection;
use serde_json::{Map, Value};
use server::app::Instance;
use server::app::money::figures;
use store::{AlertBody, ExpectedVersion, MoneyQuery};

use crate::installation::Installation;

/// An alert as JSON: with whatever properties its source has and the caller selected.
pub(super) type Object = Map<String, Value>;

/// In whose name an update of the data directory is logged if the caller does not say.
const COMMAND_LINE: &str = "command-line";

/// Where the alerts are, and how to get at them.
#[derive(Debug, Args)]
pub(super) struct Access {
    #[command(flatten)]
    installation: Installation,

    /// Server to ask instead of the data directory: a Tenantwatch, or Microsoft Graph
    ///
    /// Microsoft's address is `https://graph.microsoft.com`. The path /beta is added if it is missing.
    /// Empty means the data directory.
    #[arg(long, value_name = "URL", env = "TENANTWATCH_SERVER", help_heading = "Server")]
    server: Option<String>,

    /// Access token for the server
    ///
    /// Rather set the variable: every user of this machine can read the arguments of a command. For
    /// Tenantwatch, `tenantwatch token` prints one; Microsoft Graph wants one of the partner's tenant with
    /// PartnerSecurity.Read.All, or PartnerSecurity.ReadWrite.All to update.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "TENANTWATCH_TOKEN",
        hide_env_values = true,
        help_heading = "Server"
    )]
    token: Option<SecretString>,

    /// PEM file with a CA certificate to trust beside the system's, for a server with its own
    #[arg(long, value_name = "FILE", requires = "server", help_heading = "Server")]
    ca: Option<PathBuf>,

    /// Allow plain HTTP to another machine, where everyone on the way can read the token
    #[arg(long, requires = "server", help_heading = "Server")]
    plain_http: bool,
}

/// The alerts, wherever they are.
pub(super) enum Source {
    /// In the data directory of this machine.
    Local(Arc<Instance>),
    /// On a server.
    Remote(Client),
}

impl Access {
    pub(super) async fn open(&self) -> anyhow::Result<Source> {
        match self.server.as_deref().filter(|server| !server.trim().is_empty()) {
            Some(server) => Ok(Source::Remote(self.client(server)?)),
            None => Ok(Source::Local(self.installation.open().await?)),
        }
    }

    fn client(&self, server: &str) -> anyhow::Result<Client> {
        let token = self.token.clone().with_context(|| {
            format!(
                "{server} wants an access token; set TENANTWATCH_TOKEN (tenantwatch token prints one for \
                 Tenantwatch; Microsoft Graph's needs PartnerSecurity.Read.All)"
            )
        })?;
        let mut builder = Client::builder(server, token);
        if let Some(file) = &self.ca {
            let pem = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
            builder = builder.ca_pem(pem);
        }
        if self.plain_http {
            builder = builder.allow_plain_http();
        }
        builder.build().map_err(|error| match (&error, &self.ca) {
            (client::Error::CaCertificate, Some(file)) => {
                anyhow::Error::new(error).context(file.display().to_string())
            }
            _ => error.into(),
        })
    }
}

impl Source {
    /// Lists alerts page by page, with pages of about so many.
    pub(super) fn list(
        self,
        mut options: ListOptions,
        page_size: u32,
    ) -> BoxStream<'static, anyhow::Result<Page<Object>>> {
        match self {
            // Microsoft does not document `$top` for this list, so the server gets a hint that it may
            // pass over.
            Self::Remote(client) => {
                options.page_size = Some(page_size);
                client.list(&options).map(|page| Ok(page?)).boxed()
            }
            Self::Local(instance) => {
                options.top = Some(page_size);
                local_pages(instance, &options).boxed()
            }
        }
    }

    /// Open alerts that cost money, the most by the hour first; one that costs in two currencies comes twice.
    pub(super) async fn list_by_money(&self, top: u32) -> anyhow::Result<Vec<Object>> {
        let Self::Local(instance) = self else {
            bail!(
                "a server sorts by money under /tenantwatch/v1/moneyAtRisk; --order-by-money reads the data directory"
            );
        };
        let query = MoneyQuery { limit: Some(top.into()), ..MoneyQuery::default() };
        let entries = instance.store.list_money(&instance.scope(), &query).await?;
        entries
            .iter()
            .map(|entry| {
                let mut alert = whole(&entry.body, None)?;
                let total = entry.money.totals.iter().find(|total| total.currency == entry.currency);
                let money = total.map(|total| Value::Object(figures(total)));
                alert.insert("moneyAtRisk".to_owned(), money.unwrap_or_default());
                Ok(alert)
            })
            .collect()
    }

    /// One alert.
    pub(super) async fn show(&self, id: &str) -> anyhow::Result<Object> {
        match self {
            Self::Remote(client) => Ok(client.get(&id.parse()?, &[]).await?.alert),
            Self::Local(instance) => {
                whole(&alert::show(&desk(instance, &instance.scope()), id, "").await?.body, None)
            }
        }
    }

    /// Changes the status of an alert, and returns the alert as it is then. A server knows from the token
    /// in whose name; the data directory is told.
    pub(super) async fn update(
        &self,
        id: &AlertId,
        change: &StatusChange,
        if_match: Option<&str>,
        by: Option<&str>,
    ) -> anyhow::Result<Object> {
        match self {
            Self::Remote(client) => Ok(client.update(id, change, if_match).await?.alert),
            Self::Local(instance) => {
                let mut properties = Map::from_iter([("status".to_owned(), Value::from(change.to.as_str()))]);
                properties.extend(
                    change.reason.map(|reason| ("resolvedReason".to_owned(), reason.as_str().into())),
                );
                let (scope, by) = (instance.scope(), by.unwrap_or(COMMAND_LINE));
                let desk = desk(instance, &scope);
                let any = ExpectedVersion::Any;
                whole(&alert::update(&desk, id.as_str(), "", &properties, &any, by).await?.body, None)
            }
        }
    }
}

fn desk<'a>(instance: &'a Instance, scope: &'a Scope) -> Desk<'a> {
    Desk { store: &*instance.store, scope, tokens: &instance.tokens, now: Utc::now() }
}

/// Pages of the store, from the first to the last.
fn local_pages(
    instance: Arc<Instance>,
    options: &ListOptions,
) -> impl Stream<Item = anyhow::Result<Page<Object>>> + Send + use<> {
    stream::try_unfold(Some(options.query()), move |query| {
        let instance = instance.clone();
        async move {
            let Some(query) = query else { return Ok(None) };
            let scope = instance.scope();
            let list = alert::list(&desk(&instance, &scope), &query, None).await?;
            let mut alerts = Vec::with_capacity(list.alerts.len());
            for body in &list.alerts {
                alerts.push(whole(body, list.selection.as_ref())?);
            }
            let page = Page { alerts, count: list.count, is_last: list.next_query.is_none() };
            Ok(Some((page, list.next_query)))
        }
    })
}

/// An alert as a server would write it, with its ETag.
fn whole(body: &AlertBody, selection: Option<&Selection>) -> anyhow::Result<Object> {
    let mut alert: Value = serde_json::from_str(&body.json).context("reading a stored alert")?;
    if let (Some(selection), Some(members)) = (selection, alert.as_object_mut()) {
        members.insert(alert::LAST_MODIFIED.to_owned(), alert::wire_time(body.modified_at).into());
        selection.apply(&mut alert);
    }
    let mut object: Object = serde_json::from_value(alert).context("reading a stored alert")?;
    object.shift_insert(0, "@odata.etag".to_owned(), etag(body.version).into());
    Ok(object)
}
