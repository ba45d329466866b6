//! Sigma rules for Azure's logs become detectors.
//!
//! [`Importer::import`] reads a file of rules and says of each document what became of it: the [`Translation`] is the folder of a
//! detector, or a [`Skipped`] says why there is none, on which line, in plain words. Nothing is dropped without a word.
//!
//! The way of a rule: text, a tree of YAML, a rule with its log, tests of values of our events, then SQL
//! and cases. The cases are made of events that the rule itself matches or just does not, so that what comes out can be
//! checked like a detector that people wrote.
//!
//! A rule is text of strangers: everything about it is bounded, and of it only quoted literals reach the query.
//!
//! This crate knows no files, no query engine and no other crate of ours. What columns there are it knows from
//! `docs/records.md`; a test holds that against the schema.

mod cases;
mod condition;
mod fields;
mod manifest;
mod matching;
mod pattern;
mod readings;
mod regexes;
mod report;
mod rule;
mod selection;
mod sql;
mod witness;
mod yaml;

use std::collections::BTreeSet;

pub use report::{Because, Outcome, Skipped, Translation};
pub use yaml::BYTES_MAX as FILE_BYTES_MAX;

use fields::Log;
use rule::{About, LogSource};
use yaml::Node;

/// Turns rules into detectors, each with an id of its own.
#[derive(Debug, Default)]
pub struct Importer {
    taken: BTreeSet<String>,
}

impl Importer {
    /// Reads the text of a file of rules; one outcome for each document in it.
    pub fn import(&mut self, text: &str) -> Vec<Outcome> {
        let (documents, error) = yaml::documents(text);
        // An empty document, as between two `---`, says nothing.
        let said = documents.iter().filter(|document| document.value != yaml::Value::Null);
        let mut outcomes: Vec<Outcome> = said.map(|document| self.document(document)).collect();
        if let Some(error) = error {
            let skipped = Skipped { line: error.line, because: Because::Unreadable, reason: error.problem };
            outcomes.push(Outcome {
                line: error.line,
                title: String::new(),
                rule_id: None,
                result: Err(skipped),
            });
        }
        outcomes
    }

    fn document(&mut self, document: &Node) -> Outcome {
        let About { title, id, .. } = rule::about(document);
        Outcome { line: document.line, title, rule_id: id, result: self.translate(document) }
    }

    fn translate(&mut self, document: &Node) -> Result<Translation, Skipped> {
        let rule = rule::read(document)?;
        let log = log(&rule.log_source)?;
        let (wanted, notes) = selection::read(&rule, log)?;
        let cases = cases::files(log, &wanted).map_err(|(because, reason)| Skipped {
            line: rule.conditions.first().map_or(document.line, |(_, line)| *line),
            because,
            reason,
        })?;
        let id = self.id(&rule.about);
        let mut files = vec![
            ("detector.toml".to_owned(), manifest::text(&rule, log, &id, &notes)),
            ("query.sql".to_owned(), sql::query(&rule.about, log, &wanted)),
        ];
        files.extend(cases);
        Ok(Translation { id, files, notes })
    }

    /// The id of a rule's detector: of its title, and of its own id if that is taken.
    fn id(&mut self, about: &About) -> String {
        let own = about.id.clone().unwrap_or_default();
        let plain = manifest::id(&about.title).unwrap_or_else(|| manifest::distinct("sigma_rule", &own));
        let mut id = plain.trim_end_matches('_').to_owned();
        if self.taken.contains(&id) && !own.is_empty() {
            id = manifest::distinct(&plain, &own);
        }
        let mut number = 2_u32;
        while self.taken.contains(&id) {
            id = manifest::distinct(&plain, &number.to_string());
            number += 1;
        }
        self.taken.insert(id.clone());
        id
    }
}

/// The log of ours that a rule is about.
fn log(source: &LogSource) -> Result<Log, Skipped> {
    let skip = |because: Because, reason: String| Err(Skipped { line: source.line, because, reason });
    let product = source.product.as_deref().unwrap_or_default();
    let service = source.service.as_deref().or(source.category.as_deref()).unwrap_or_default();
    let of_azure = matches!(product, "azure" | "azuread" | "azure_ad" | "entra" | "entraid" | "entra_id");
    if !of_azure {
        let named =
            [("product", &source.product), ("service", &source.service), ("category", &source.category)];
        let named: Vec<String> =
            named.iter().filter_map(|(key, value)| Some(format!("{key} {}", value.as_deref()?))).collect();
        let named = if named.is_empty() { "nothing".to_owned() } else { named.join(", ") };
        return skip(Because::OtherLogSource, format!("its logsource names {named}, not product azure"));
    }
    let service: String = service.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).collect();
    match service.as_str() {
        "activitylogs" | "activitylog" | "azureactivity" | "activity" => Ok(Log::Activity),
        "signinlogs" | "signinlog" | "signin" | "signins" | "aadnoninteractiveusersigninlogs"
        | "noninteractiveusersigninlogs" | "aadserviceprincipalsigninlogs" | "serviceprincipalsigninlogs"
        | "aadmanagedidentitysigninlogs" | "managedidentitysigninlogs" => Ok(Log::SignIn),
        "auditlogs" | "auditlog" | "audit" => Ok(Log::Audit),
        "riskdetection" | "riskdetections" | "identityprotection" | "userriskevents" | "aaduserriskevents" => {
            Ok(Log::Risk)
        }
        "" => skip(
            Because::OtherLogSource,
            "its logsource names no service, so it may be about any log of Azure; name activitylogs, signinlogs or auditlogs"
                .to_owned(),
        ),
        other => skip(
            Because::LogNotTakenIn,
            format!("it is about Azure's log '{other}', which is not taken in; those are activitylogs, signinlogs and auditlogs"),
        ),
    }
}
