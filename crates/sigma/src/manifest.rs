//! `detector.toml` of a rule, and the detector's id.

use serde::Serialize;

use crate::fields::Log;
use crate::rule::{Level, Rule, Status, one_line};

/// The manifest in the order in which people read it; `detectors/README.md` says what the keys mean.
#[derive(Serialize)]
struct Manifest {
    id: String,
    version: u32,
    alert_type: String,
    title: String,
    severity: &'static str,
    confidence: &'static str,
    inputs: Vec<&'static str>,
    lookback: &'static str,
    schedule: &'static str,
    overlap: &'static str,
    grouping: Vec<&'static str>,
    meaning: String,
    response: Vec<String>,
    mitre: Vec<String>,
    source: String,
}

/// How long ids and alert types may be.
const NAME_MAX: usize = 64;

/// How long a text for people may be, in characters; no rule that we know comes near.
const TEXT_MAX: usize = 4_000;

/// The manifest of a detector with this id.
pub(crate) fn text(rule: &Rule, log: Log, id: &str, notes: &[String]) -> String {
    let about = &rule.about;
    let manifest = Manifest {
        id: id.to_owned(),
        version: 1,
        alert_type: alert_type(&about.title),
        title: short(&about.title),
        severity: severity(rule.level),
        confidence: confidence(rule.status),
        inputs: vec![log.table()],
        // The bucket of an hour that is judged may begin up to an hour before the window.
        lookback: "1d",
        schedule: "5m",
        overlap: "1h",
        grouping: match log {
            Log::Activity => vec!["tenant", "caller_id"],
            Log::SignIn | Log::Risk => vec!["tenant", "user_id"],
            Log::Audit => vec!["tenant", "actor_id"],
        },
        meaning: meaning(rule, notes),
        response: response(rule, log),
        mitre: techniques(&about.tags),
        source: source(rule),
    };
    toml::to_string_pretty(&manifest).expect("a manifest has only values that TOML can write")
}

/// The id of a rule's detector: `sigma_` and the words of its title.
pub(crate) fn id(title: &str) -> Option<String> {
    let words: Vec<String> = words(title).map(|word| word.to_lowercase()).collect();
    if words.is_empty() {
        return None;
    }
    let mut id = format!("sigma_{}", words.join("_"));
    id.truncate(NAME_MAX);
    Some(id.trim_end_matches('_').to_owned())
}

/// The same id with an ending that tells it from others.
pub(crate) fn distinct(id: &str, ending: &str) -> String {
    let ending: String =
        ending.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).take(8).collect();
    let mut id = id.to_owned();
    id.truncate(NAME_MAX - 1 - ending.len());
    format!("{id}_{ending}")
}

fn words(title: &str) -> impl Iterator<Item = &str> {
    title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}

/// Graph's `alertType`: `Sigma_` and the words of the title in capitals.
fn alert_type(title: &str) -> String {
    let mut name = "Sigma_".to_owned();
    for word in words(title) {
        let (first, rest) = word.split_at(1);
        name.push_str(&first.to_uppercase());
        name.push_str(rest);
    }
    name.truncate(NAME_MAX);
    name
}

/// Graph knows nothing above `high`.
fn severity(level: Level) -> &'static str {
    match level {
        Level::Informational => "informational",
        Level::Low => "low",
        Level::Medium | Level::Unsaid => "medium",
        Level::High | Level::Critical => "high",
    }
}

/// How far the authors trust the rule.
fn confidence(status: Status) -> &'static str {
    match status {
        Status::Stable => "high",
        Status::Test => "medium",
        Status::Experimental | Status::Unsaid => "low",
    }
}

fn meaning(rule: &Rule, notes: &[String]) -> String {
    let about = &rule.about;
    let mut paragraphs =
        vec![about.description.clone().filter(|text| !text.is_empty()).unwrap_or_else(|| {
            format!(
                "An event fits the Sigma rule \"{}\". The rule does not say what that means.",
                about.title
            )
        })];
    let harmless: Vec<&String> = about
        .false_positives
        .iter()
        .filter(|text| !matches!(text.to_lowercase().as_str(), "unknown" | "none" | ""))
        .collect();
    if !harmless.is_empty() {
        let list: Vec<String> =
            harmless.into_iter().map(|text| text.trim_end_matches('.').to_owned()).collect();
        paragraphs.push(format!("Harmless, say its authors, may be: {}.", list.join("; ")));
    }
    if let Some(definition) = &rule.log_source.definition {
        paragraphs.push(format!("The rule presumes: {definition}"));
    }
    if !notes.is_empty() {
        paragraphs.push(format!("In translation: {}.", notes.join("; ")));
    }
    clipped(&paragraphs.join("\n"))
}

fn response(rule: &Rule, log: Log) -> Vec<String> {
    let who = match log {
        Log::Activity => "the caller",
        Log::SignIn | Log::Risk => "the user",
        Log::Audit => "the actor",
    };
    let mut steps = vec![
        format!("Ask the customer, by phone, whether {who} did this and for what."),
        format!(
            "If nobody can say, revoke the sessions of {who}, block the account or the application, and renew its credentials."
        ),
    ];
    steps.push(match log {
        Log::Activity => "Undo the operations that are listed, and look for others by the same caller and from the same addresses.",
        Log::SignIn | Log::Risk => "Look for what was done after the sign-in, in Azure and in the directory, and for other sign-ins from the same addresses.",
        Log::Audit => "Undo the changes that are listed, and look for others by the same actor and from the same addresses.",
    }.to_owned());
    if let Some(reference) = rule.about.references.first() {
        steps.push(clipped(&format!("Read what the rule's authors point to: {reference}")));
    }
    steps.push("Close the alert with what you found; if this is how the customer works, say so with `tenantwatch tuning add`.".to_owned());
    steps
}

/// `attack.t1078.004` is `T1078.004`; tactics and other tags have no place in a manifest.
fn techniques(tags: &[String]) -> Vec<String> {
    let mut techniques = Vec::new();
    for tag in tags {
        let tag = tag.to_uppercase();
        let Some(technique) = tag.strip_prefix("ATTACK.") else { continue };
        let (main, part) =
            technique.split_once('.').map_or((technique, None), |(main, part)| (main, Some(part)));
        let digits =
            |text: &str, length: usize| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
        let sound = main.strip_prefix('T').is_some_and(|number| digits(number, 4))
            && part.is_none_or(|part| digits(part, 3));
        if sound && !techniques.iter().any(|known| known == technique) {
            techniques.push(technique.to_owned());
        }
    }
    techniques
}

/// Who wrote the rule and where it stands: licences of rules ask for that.
fn source(rule: &Rule) -> String {
    let about = &rule.about;
    let mut parts = vec![format!("Sigma rule \"{}\"", about.title)];
    parts.extend(about.id.as_ref().map(|id| format!("id {id}")));
    parts.extend(about.author.as_ref().map(|author| format!("by {author}")));
    parts.extend(about.date.as_ref().map(|date| format!("of {date}")));
    parts.extend(about.license.as_ref().map(|license| format!("licence {license}")));
    let mut text = parts.join(", ");
    if !about.references.is_empty() {
        text.push_str("; refers to ");
        text.push_str(&about.references.join(" , "));
    }
    clipped(&one_line(&text))
}

fn short(text: &str) -> String {
    text.chars().take(200).collect()
}

fn clipped(text: &str) -> String {
    text.chars().take(TEXT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_titles() {
        let check = |title: &str, expected: Option<&str>, kind: &str| {
            assert_eq!(id(title).as_deref(), expected, "{title}");
            assert_eq!(alert_type(title), kind, "{title}");
        };
        check("Lock removed", Some("sigma_lock_removed"), "Sigma_LockRemoved");
        check("  CA Policy - \"removed\"!", Some("sigma_ca_policy_removed"), "Sigma_CAPolicyRemoved");
        check("Ключ", None, "Sigma_");
        let long = "word ".repeat(30);
        assert!(id(&long).unwrap().len() <= NAME_MAX && alert_type(&long).len() == NAME_MAX);
        assert_eq!(distinct("sigma_a", "AB-cdef0123456"), "sigma_a_abcdef01");
        assert_eq!(distinct(&"a".repeat(64), "abcdefgh").len(), NAME_MAX);
    }

    #[test]
    fn tags_become_techniques() {
        let tags = [
            "attack.t1078.004",
            "attack.persistence",
            "attack.T1098",
            "cve.2021.1",
            "attack.t10",
            "attack.t1098",
        ];
        let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
        assert_eq!(techniques(&tags), ["T1078.004", "T1098"]);
    }
}
