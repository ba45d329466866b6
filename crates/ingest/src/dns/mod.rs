//! DNS and firewall logs that name the hosts which machines asked for: Azure Firewall's logs, structured and
//! in the older form of one text, and the query logs of DNS security policies. Both come in the wrapper of
//! resource logs, as tables of Log Analytics, and in its table AzureDiagnostics.
//!
//! The export of a DNS policy names its members otherwise than the table does (`query_name`, `QueryName`).
//! Logs of a firewall that hold no host and no decision, such as the flow trace, are not read.
//!
//! The hash covers time, resource and what the columns hold, so the wrapper and the table agree. The older
//! and the structured form of one request are two events: they differ in their times.

mod legacy;
mod rows;

use std::borrow::Cow;

use serde_json::Value;
use serde_json::value::RawValue;

pub(crate) use self::rows::DnsRows;
use crate::address::without_port;
use crate::event_id::{Canonical, EventId};
use crate::json::envelope::Envelope;
use crate::json::kept::keep;
use crate::json::loose::{Text, compact, loose, nested, read_or_empty};
use crate::place::Place;
use crate::read::Reading;
use crate::time::Instant;

/// Which log a record stood in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Policy,
    Dns,
    Application,
    Network,
    Nat,
    ThreatIntel,
    Idps,
    FqdnFailure,
}

impl Source {
    /// The word for it in the table.
    fn name(self) -> &'static str {
        match self {
            Self::Policy => "dns_policy",
            Self::Dns => "firewall_dns",
            Self::Application => "firewall_application",
            Self::Network => "firewall_network",
            Self::Nat => "firewall_nat",
            Self::ThreatIntel => "firewall_threat_intel",
            Self::Idps => "firewall_idps",
            Self::FqdnFailure => "firewall_fqdn_failure",
        }
    }
}

loose! {
    /// Members of all the logs, in the spellings of the export, of the tables, and of AzureDiagnostics.
    struct Fields {
        message: Text<'a> = "msg" | "msg_s",
        src_ip: Text<'a> = "sourceip" | "sourceip_s" | "sourceipaddress" | "srcipaddr",
        src_port: Text<'a> = "sourceport" | "sourceport_d" | "srcport",
        dst_ip: Text<'a> = "destinationip" | "destinationip_s" | "destinationipaddress" | "dstipaddr",
        dst_port: Text<'a> = "destinationport" | "destinationport_d" | "dstport",
        protocol: Text<'a> = "protocol" | "protocol_s" | "transport",
        fqdn: Text<'a> = "fqdn" | "fqdn_s",
        url: Text<'a> = "targeturl" | "targeturl_s",
        query_name: Text<'a> = "queryname" | "queryname_s" | "query_name",
        query_type: Text<'a> = "querytype" | "querytype_s" | "query_type",
        query_id: Text<'a> = "queryid" | "queryid_d",
        response_code: Text<'a> = "responsecode" | "responsecode_s" | "response_code",
        answer: Option<&'a RawValue> = "answer",
        action: Text<'a> = "action" | "action_s" | "resolverpolicyruleaction" | "resolverpolicy_rule_action",
        reason: Text<'a> = "actionreason" | "actionreason_s" | "errormessage" | "error",
        policy: Text<'a> = "policy" | "policy_s" | "resolverpolicyid" | "resolverpolicy_id",
        rule_collection: Text<'a> = "rulecollection" | "rulecollection_s",
        rule: Text<'a> = "rule" | "rule_s" | "signatureid" | "resolverpolicydomainlistid"
            | "resolverpolicy_domainlist_id",
        category: Text<'a> = "webcategory" | "webcategory_s",
        signature_category: Text<'a> = "category",
        threat: Text<'a> = "threatdescription" | "threatdescription_s" | "description",
        virtual_network_id: Text<'a> = "virtualnetworkid" | "vnet_id",
        subscription_id: Text<'a> = "sub_id",
    }
}

/// Outer members of the wrapper that have a column, or say only what the log is.
const KNOWN: &[&str] = &["time", "resourceid", "category", "operationname", "properties", "tenantid"];

/// What a record of any of the logs says, as it writes it.
#[derive(Debug, Default)]
struct Facts<'a> {
    src_ip: Option<&'a str>,
    src_port: Option<&'a str>,
    dst_ip: Option<&'a str>,
    dst_port: Option<&'a str>,
    protocol: Option<&'a str>,
    name: Option<&'a str>,
    url: Option<&'a str>,
    query_type: Option<&'a str>,
    query_id: Option<&'a str>,
    response_code: Option<&'a str>,
    action: Option<&'a str>,
    reason: Option<Cow<'a, str>>,
    policy: Option<&'a str>,
    rule_collection: Option<&'a str>,
    rule: Option<&'a str>,
    category: Option<&'a str>,
    threat: Option<&'a str>,
}

impl<'a> Facts<'a> {
    fn of(fields: &'a Fields<'_>, source: Source) -> Self {
        // In the tables a category is that of the log, but for signatures.
        let signature_category = fields.signature_category.get().filter(|_| source == Source::Idps);
        Self {
            src_ip: fields.src_ip.get(),
            src_port: fields.src_port.get(),
            dst_ip: fields.dst_ip.get(),
            dst_port: fields.dst_port.get(),
            protocol: fields.protocol.get(),
            name: fields.query_name.get().or(fields.fqdn.get()),
            url: fields.url.get(),
            query_type: fields.query_type.get(),
            query_id: fields.query_id.get(),
            response_code: fields.response_code.get(),
            action: fields.action.get(),
            reason: fields.reason.get().map(Cow::Borrowed),
            policy: fields.policy.get(),
            rule_collection: fields.rule_collection.get(),
            rule: fields.rule.get(),
            category: fields.category.get().or(signature_category),
            threat: fields.threat.get(),
        }
    }
}

/// A normalised record; see the columns of the schema.
pub(crate) struct DnsEvent<'a> {
    pub(crate) event_id: EventId,
    pub(crate) event_at: Instant,
    pub(crate) place: Place,
    pub(crate) source: Source,
    pub(crate) name: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) query_type: Option<String>,
    pub(crate) query_id: Option<i64>,
    pub(crate) response_code: Option<Cow<'static, str>>,
    pub(crate) answers: Option<String>,
    pub(crate) answer_ips: Option<String>,
    pub(crate) src_ip: Option<String>,
    pub(crate) src_port: Option<i64>,
    pub(crate) dst_ip: Option<String>,
    pub(crate) dst_port: Option<i64>,
    pub(crate) protocol: Option<String>,
    pub(crate) decision: Option<&'static str>,
    pub(crate) decision_reason: Option<String>,
    pub(crate) policy: Option<String>,
    pub(crate) rule_collection: Option<String>,
    pub(crate) rule: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) threat: Option<String>,
    pub(crate) virtual_network_id: Option<String>,
    pub(crate) properties: &'a str,
}

/// Reads records; keeps its buffers between them.
#[derive(Default)]
pub(crate) struct Parser {
    canonical: Canonical,
    properties: String,
}

impl Parser {
    /// Normalises a record, or says why it cannot be used. `text` is the whole record.
    pub(crate) fn read<'s>(
        &'s mut self,
        record: &Envelope<'_>,
        source: Source,
        text: &str,
        reading: &Reading<'_>,
    ) -> Result<DnsEvent<'s>, String> {
        let time = record.time.get().or(record.time_generated.get());
        let event_at = Instant::of_record(time, "neither `time` nor `TimeGenerated` is there")?;
        let inner = nested(record.properties);
        let fields: Fields<'_> = read_or_empty(if inner.starts_with('{') { &inner } else { text });
        let (facts, source) = match fields.message.get() {
            Some(message) => legacy::read(message, source)?,
            None => (Facts::of(&fields, source), source),
        };
        if facts.name.or(facts.src_ip).or(facts.dst_ip).is_none() {
            return Err(
                "neither a host nor an address is named; export the record again with its `properties`"
                    .to_owned(),
            );
        }
        keep(&mut self.properties, text, &inner, KNOWN);
        let mut event = normalised(record, source, event_at, &facts, &fields, &self.properties);
        event.event_id = hash(&mut self.canonical, &event, reading);
        Ok(event)
    }
}

fn normalised<'p>(
    record: &Envelope<'_>,
    source: Source,
    event_at: Instant,
    facts: &Facts<'_>,
    fields: &Fields<'_>,
    properties: &'p str,
) -> DnsEvent<'p> {
    let mut place = Place::of(record, record.own_resource_id.get().or(record.resource_id.get()));
    place.subscription_id = place.subscription_id.or_else(|| fields.subscription_id.lower());
    let number = |text: Option<&str>| text.and_then(|text| text.parse().ok());
    let shown = |text: Option<&str>| text.map(str::to_owned);
    let name = facts.name.and_then(host);
    let (answers, answer_ips) = answers(fields.answer);
    // A host that is an address is where the request went.
    let dst_ip = facts.dst_ip.or(name.as_deref()).and_then(without_port);
    DnsEvent {
        event_id: [0; 16],
        event_at,
        place,
        source,
        url: shown(facts.url),
        query_type: facts.query_type.map(str::to_uppercase),
        query_id: number(facts.query_id),
        response_code: facts.response_code.map(response_code),
        answers,
        answer_ips,
        src_ip: facts.src_ip.and_then(without_port),
        src_port: number(facts.src_port),
        dst_ip,
        dst_port: number(facts.dst_port),
        // `ICMP Type=8`
        protocol: facts.protocol.and_then(|text| text.split(' ').next()).map(str::to_lowercase),
        decision: decision(source, facts.action),
        decision_reason: facts.reason.as_deref().map(str::to_owned),
        policy: shown(facts.policy),
        rule_collection: shown(facts.rule_collection),
        rule: shown(facts.rule),
        category: shown(facts.category),
        threat: shown(facts.threat),
        virtual_network_id: fields.virtual_network_id.lower(),
        name,
        properties,
    }
}

fn hash(form: &mut Canonical, event: &DnsEvent<'_>, reading: &Reading<'_>) -> EventId {
    form.start("dns")
        .text(Some(reading.partner_tenant_id.as_str()))
        .number(event.event_at.micros)
        .number(i64::from(event.event_at.nanos_beyond))
        .text(event.place.resource_id.as_deref())
        .text(event.place.subscription_id.as_deref())
        .text(Some(event.source.name()))
        .text(event.name.as_deref())
        .text(event.url.as_deref())
        .text(event.query_type.as_deref())
        .number(event.query_id.unwrap_or(-1))
        .text(event.response_code.as_deref())
        .folded(event.answers.as_deref())
        .text(event.src_ip.as_deref())
        .number(event.src_port.unwrap_or(-1))
        .text(event.dst_ip.as_deref())
        .number(event.dst_port.unwrap_or(-1))
        .text(event.protocol.as_deref())
        .text(event.decision)
        .folded(event.decision_reason.as_deref())
        .folded(event.policy.as_deref())
        .folded(event.rule_collection.as_deref())
        .folded(event.rule.as_deref())
        .folded(event.category.as_deref())
        .folded(event.threat.as_deref())
        .text(event.virtual_network_id.as_deref())
        .id()
}

/// A host as it is compared: in lower case, without the root's dot and without a port.
fn host(text: &str) -> Option<String> {
    let bare = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => text,
    };
    let bare = bare.trim_end_matches('.');
    (!bare.is_empty()).then(|| bare.to_lowercase())
}

/// `allowed` or `denied`; a mere alert lets through, and a translated packet was let through.
fn decision(source: Source, action: Option<&str>) -> Option<&'static str> {
    let action = match action {
        None if source == Source::Nat => return Some("allowed"),
        None => return None,
        Some(action) => action.to_lowercase(),
    };
    let has = |words: &[&str]| words.iter().any(|word| action.contains(word));
    if has(&["den", "block", "drop", "reject"]) {
        Some("denied")
    } else if has(&["allow", "alert", "dnat", "accept"]) {
        Some("allowed")
    } else {
        None
    }
}

/// The name of a response code, which may be given by number.
fn response_code(text: &str) -> Cow<'static, str> {
    // RFC 6895, section 2.3.
    const NAMES: [&str; 11] = [
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET",
        "NOTAUTH", "NOTZONE",
    ];
    let number = text.parse::<usize>();
    match number.ok().and_then(|number| NAMES.get(number)) {
        Some(name) => Cow::Borrowed(name),
        None => Cow::Owned(text.to_uppercase()),
    }
}

/// The answers as compact JSON, and the addresses among them.
fn answers(raw: Option<&RawValue>) -> (Option<String>, Option<String>) {
    let Some(compact) = compact(raw) else { return (None, None) };
    let mut ips = Vec::new();
    if let Ok(value) = serde_json::from_str(&compact) {
        addresses_in(&value, &mut ips);
    }
    let ips = (!ips.is_empty()).then(|| ips.join(","));
    (Some(compact), ips)
}

/// Collects the texts that are addresses, wherever they stand.
fn addresses_in(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            found.extend(without_port(text).filter(|address| !found.contains(address)));
        }
        Value::Array(items) => items.iter().for_each(|item| addresses_in(item, found)),
        Value::Object(members) => members.values().for_each(|item| addresses_in(item, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_one() {
        let check =
            |text: &str, expected: Option<&str>| assert_eq!(host(text).as_deref(), expected, "{text}");
        check("Pool.Example.", Some("pool.example"));
        check("pool.example:3333", Some("pool.example"));
        check("2001:db8::1", Some("2001:db8::1"));
        check(".", None);
        let check = |action: &str, expected: Option<&str>| {
            assert_eq!(decision(Source::Network, Some(action)), expected, "{action}");
        };
        check("Allow", Some("allowed"));
        check("Alert", Some("allowed"));
        check("Deny", Some("denied"));
        check("Alert and deny", Some("denied"));
        check("Block", Some("denied"));
        check("NoAction", None);
        assert_eq!(decision(Source::Nat, None), Some("allowed"));
        assert_eq!(decision(Source::Dns, None), None);
        assert_eq!(response_code("3"), "NXDOMAIN");
        assert_eq!(response_code("noerror"), "NOERROR");
        assert_eq!(response_code("23"), "23");
    }

    #[test]
    fn addresses_in_answers() {
        let check = |json: &str, answers_: Option<&str>, ips: Option<&str>| {
            let raw: &RawValue = serde_json::from_str(json).unwrap();
            let (found, addresses) = answers(Some(raw));
            assert_eq!((found.as_deref(), addresses.as_deref()), (answers_, ips), "{json}");
        };
        let one = r#"[{"Type":"A","RData":"198.51.100.7"}]"#;
        check(r#"[ {"Type": "A", "RData": "198.51.100.7"} ]"#, Some(one), Some("198.51.100.7"));
        check(&serde_json::to_string(one).unwrap(), Some(one), Some("198.51.100.7"));
        check(r#"[{"RData":"a.example."}]"#, Some(r#"[{"RData":"a.example."}]"#), None);
        check("[]", None, None);
        check("null", None, None);
        check(r#""""#, None, None);
    }
}
