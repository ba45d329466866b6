//! `tenantwatch tuning`

use std::collections::BTreeMap;

use alerts::{About, CustomerTenantId, DetectorSetting, Effect, SubscriptionId, TuningRule};
use anyhow::bail;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use server::app::tuning::{
    effect_word, new_rule, new_setting, read_effect, rule_as_json, setting_as_json, silenced_as_json,
};
use store::SilencedQuery;

use crate::installation::{Installation, time};
use crate::output;

/// Say which findings are not worth an alert, or worth another severity
///
/// Rules go by what a finding is about, never by its words. Nothing is silenced without a trace: `silenced` lists it.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantwatch tuning add --detector mass_deletion --evidence caller=deploy@customer.example --reason 'tears down test environments every night'\n  tenantwatch tuning silenced"
)]
pub(crate) struct Tuning {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Add(Box<Add>),
    List(List),
    End(End),
    Silenced(SilencedFindings),
    Set(Set),
    Unset(Unset),
    Settings(Settings),
}

/// Add a rule about findings; what is not named may be anything
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantwatch tuning add --subscription 0f0e0d0c-0000-4000-8000-000000000001 --until 2026-12-24 --reason 'moves to Norway, change 4711'\n  tenantwatch tuning add --detector crypto_mining --customer 0f0e0d0c-3333-4000-8000-00000000000c --effect low --reason 'runs a research pool'"
)]
struct Add {
    #[command(flatten)]
    installation: Installation,

    /// Findings of this detector
    #[arg(long, value_name = "ID")]
    detector: Option<String>,

    /// Findings on this customer
    #[arg(long, value_name = "TENANT")]
    customer: Option<CustomerTenantId>,

    /// Findings on this subscription
    #[arg(long, value_name = "ID")]
    subscription: Option<SubscriptionId>,

    /// Findings of this incident: the grouping key, as `silenced --json` and `detectors test --findings` show it
    #[arg(long, value_name = "KEY")]
    incident: Option<String>,

    /// Findings whose evidence of this name holds none but these values, as an alert's additional details show it
    /// (repeat for more values and names)
    #[arg(long = "evidence", value_name = "NAME=VALUE", value_parser = evidence)]
    evidence: Vec<(String, String)>,

    /// Evidence not older than this: a day, or a time with its zone
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<DateTime<Utc>>,

    /// Evidence before this: the end of a snooze or of a change window
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<DateTime<Utc>>,

    /// What becomes of them: silence, or a severity (high, medium, low, informational)
    #[arg(long, value_name = "EFFECT", default_value = "silence", value_parser = read_effect)]
    effect: Effect,

    /// Why, for those who come after
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// Who says so
    #[arg(long, value_name = "NAME", env = "USER")]
    by: String,
}

/// List the rules, oldest first
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch tuning list --ended")]
struct List {
    #[command(flatten)]
    installation: Installation,

    /// With those that were taken back
    #[arg(long)]
    ended: bool,

    /// Print one JSON object a rule
    #[arg(long)]
    json: bool,
}

/// Take a rule back; it stays listed with --ended
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch tuning end 5f0c2c1e-8f0a-4c3d-9a34-3c1e6b0f7d21")]
struct End {
    #[command(flatten)]
    installation: Installation,

    /// The rule's id, as `list` shows it
    #[arg(value_name = "ID")]
    id: String,
}

/// List the findings that rules silenced and why, the latest first
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch tuning silenced --detector mass_deletion --json")]
struct SilencedFindings {
    #[command(flatten)]
    installation: Installation,

    /// Findings of this detector
    #[arg(long, value_name = "ID")]
    detector: Option<String>,

    /// Findings on this subscription
    #[arg(long, value_name = "ID")]
    subscription: Option<SubscriptionId>,

    /// Findings that this rule silenced
    #[arg(long, value_name = "ID")]
    rule: Option<String>,

    /// Show at most so many
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: u64,

    /// Print one JSON object a finding
    #[arg(long)]
    json: bool,
}

/// Choose a number of a detector: for all, for a customer, for a subscription
///
/// The narrowest choice holds. `detectors show ID` says which numbers a detector has and what they do.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  tenantwatch tuning set vm_anomalous_deployment points_min=5 --customer 0f0e0d0c-3333-4000-8000-00000000000c --reason 'a render farm that grows and shrinks'"
)]
struct Set {
    #[command(flatten)]
    installation: Installation,

    #[command(flatten)]
    place: Place,

    /// The setting and its number
    #[arg(value_name = "NAME=NUMBER", value_parser = number)]
    number: (String, f64),

    /// Why, for those who come after
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// Who says so
    #[arg(long, value_name = "NAME", env = "USER")]
    by: String,
}

/// Take a chosen number back, so that the wider choice or the detector's own number holds
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch tuning unset vm_anomalous_deployment points_min")]
struct Unset {
    #[command(flatten)]
    installation: Installation,

    #[command(flatten)]
    place: Place,

    /// The setting
    #[arg(value_name = "NAME")]
    name: String,
}

/// Of which detector, and for whom.
#[derive(Debug, Args)]
struct Place {
    /// The detector's id
    #[arg(value_name = "DETECTOR")]
    detector: String,

    /// For this customer
    #[arg(long, value_name = "TENANT", conflicts_with = "subscription")]
    customer: Option<CustomerTenantId>,

    /// For this subscription
    #[arg(long, value_name = "ID")]
    subscription: Option<SubscriptionId>,
}

/// List the numbers that were chosen
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantwatch tuning settings")]
struct Settings {
    #[command(flatten)]
    installation: Installation,

    /// Print one JSON object a number
    #[arg(long)]
    json: bool,
}

pub(crate) fn number(text: &str) -> Result<(String, f64), String> {
    let wrong = || "write a name and a number, such as points_min=5".to_owned();
    let (name, value) = text.split_once('=').ok_or_else(wrong)?;
    Ok((name.trim().to_owned(), value.trim().parse().map_err(|_| wrong())?))
}

impl Place {
    fn setting(self, name: String, value: f64, reason: String, author: String) -> DetectorSetting {
        DetectorSetting {
            detector_id: self.detector,
            name,
            customer_tenant_id: self.customer,
            subscription_id: self.subscription,
            value,
            reason,
            author,
            changed_at: Utc::now(),
        }
    }
}

impl Set {
    async fn run(self) -> anyhow::Result<()> {
        let instance = self.installation.open().await?;
        let (name, value) = self.number;
        let setting = new_setting(&instance, self.place.setting(name, value, self.reason, self.by))?;
        instance.store.set_detector_setting(&instance.scope(), &setting).await?;
        output::say("The number holds from the next run of the detector on.");
        Ok(())
    }
}

impl Unset {
    async fn run(self) -> anyhow::Result<()> {
        let instance = self.installation.open().await?;
        let (detector, name) = (self.place.detector.clone(), self.name.clone());
        let key = self.place.setting(self.name, 0.0, String::new(), String::new());
        if !instance.store.unset_detector_setting(&instance.scope(), &key).await? {
            bail!(
                "'{name}' of {detector} was not chosen for that; `tenantwatch tuning settings` lists what was"
            );
        }
        output::say("The number no longer holds.");
        Ok(())
    }
}

impl Settings {
    async fn run(self) -> anyhow::Result<()> {
        let instance = self.installation.open().await?;
        let settings = instance.store.detector_settings(&instance.scope()).await?;
        if settings.is_empty() && !self.json {
            output::say(
                "All detectors work with their own numbers; `tenantwatch detectors show ID` names them.",
            );
        }
        for setting in &settings {
            if self.json {
                output::print(&setting_as_json(setting).to_string())?;
                continue;
            }
            let place = match (&setting.customer_tenant_id, &setting.subscription_id) {
                (_, Some(subscription)) => format!("subscription {subscription}"),
                (Some(customer), None) => format!("customer {customer}"),
                (None, None) => "all".to_owned(),
            };
            output::print(&format!(
                "{} {} = {} for {place}, by {}, {}: {}",
                setting.detector_id,
                setting.name,
                setting.value,
                setting.author,
                output::minute(setting.changed_at),
                setting.reason
            ))?;
        }
        Ok(())
    }
}

fn evidence(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() && !value.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("write a name and a value, such as caller=deploy@customer.example".to_owned()),
    }
}

impl Tuning {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Add(add) => add.run().await,
            Command::List(list) => list.run().await,
            Command::End(end) => end.run().await,
            Command::Silenced(silenced) => silenced.run().await,
            Command::Set(set) => set.run().await,
            Command::Unset(unset) => unset.run().await,
            Command::Settings(settings) => settings.run().await,
        }
    }
}

impl Add {
    async fn run(self) -> anyhow::Result<()> {
        let instance = self.installation.open().await?;
        let mut evidence: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in self.evidence {
            evidence.entry(name).or_default().push(value);
        }
        let about = About {
            detector_id: self.detector,
            customer_tenant_id: self.customer,
            subscription_id: self.subscription,
            grouping_key: self.incident,
            evidence,
            from: self.from,
            until: self.until,
        };
        let rule = new_rule(&instance, about, self.effect, &self.reason, &self.by, Utc::now())?;
        instance.store.add_tuning_rule(&instance.scope(), &rule).await?;
        output::say("The rule holds from the next run of the detectors on; alerts that are open stay open.");
        Ok(output::print(&rule.id)?)
    }
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let instance = self.installation.open().await?;
        let rules = instance.store.tuning_rules(&instance.scope(), self.ended).await?;
        if self.json {
            for rule in &rules {
                output::print(&rule_as_json(rule).to_string())?;
            }
            return Ok(());
        }
        if rules.is_empty() {
            output::say("No rules. `tenantwatch tuning add --help` shows how to make one.");
            return Ok(());
        }
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        table.set_header(["id", "effect", "about", "by", "since", "reason"]);
        for rule in &rules {
            let effect = match rule.ended_at {
                Some(at) => format!("{}, ended {}", effect_word(rule.effect), output::minute(at)),
                None => effect_word(rule.effect).to_owned(),
            };
            table.add_row([
                rule.id.clone(),
                effect,
                about_in_words(rule),
                rule.author.clone(),
                output::minute(rule.created_at),
                rule.reason.clone(),
            ]);
        }
        Ok(output::print(&table.trim_fmt())?)
    }
}

fn about_in_words(rule: &TuningRule) -> String {
    let about = &rule.about;
    let named = |what: &str, value: Option<&str>| value.map(|value| format!("{what} {value}"));
    let mut parts: Vec<String> = [
        named("detector", about.detector_id.as_deref()),
        named("customer", about.customer_tenant_id.as_ref().map(CustomerTenantId::as_str)),
        named("subscription", about.subscription_id.as_ref().map(SubscriptionId::as_str)),
        named("incident", about.grouping_key.as_deref()),
        about.from.map(|at| format!("from {}", output::minute(at))),
        about.until.map(|at| format!("until {}", output::minute(at))),
    ]
    .into_iter()
    .flatten()
    .collect();
    parts.extend(about.evidence.iter().map(|(name, values)| format!("{name} in {}", values.join(" "))));
    parts.join(", ")
}

impl End {
    async fn run(self) -> anyhow::Result<()> {
        let instance = self.installation.open().await?;
        if !instance.store.end_tuning_rule(&instance.scope(), &self.id, Utc::now()).await? {
            bail!("there is no tuning rule '{}'; `tenantwatch tuning list` shows all", self.id);
        }
        output::say("The rule no longer holds.");
        Ok(())
    }
}

impl SilencedFindings {
    async fn run(self) -> anyhow::Result<()> {
        let instance = self.installation.open().await?;
        let query = SilencedQuery {
            detector_id: self.detector,
            subscription_id: self.subscription,
            rule_id: self.rule,
            limit: Some(self.limit),
        };
        let found = instance.store.silenced(&instance.scope(), &query).await?;
        if found.is_empty() && !self.json {
            output::say("Nothing was silenced.");
        }
        for one in &found {
            if self.json {
                output::print(&silenced_as_json(one).to_string())?;
                continue;
            }
            let finding = &one.finding;
            output::print(&format!(
                "{}  {}  {}  {}\n    suppressed because {} (rule {})",
                output::minute(finding.last_observed_at),
                finding.alert_type,
                finding.subscription_id,
                finding.description,
                one.reason,
                one.rule_id
            ))?;
        }
        Ok(())
    }
}
