//! The older logs of Azure Firewall, whose records are one text each.
//!
//! A request: `HTTPS request from 10.0.0.4:50112 to pool.example:443. Action: Deny. Policy: p. Rule: r`, with
//! sentences that name what decided. A translation: `TCP request from A to B was DNAT'ed to C`. A query:
//! `DNS Request: CLIENT:PORT - ID TYPE CLASS NAME PROTOCOL …`, and one that failed:
//! `Error: 2 NAME TYPE: what went wrong`.

use std::borrow::Cow;

use super::{Facts, Source};

/// Reads a message of the log `source`; the log may hold those of another, which is told too. The error
/// is why it cannot be used.
pub(super) fn read(message: &str, source: Source) -> Result<(Facts<'_>, Source), String> {
    let text = message.trim();
    let found = if let Some(query) = text.strip_prefix("DNS Request:") {
        query_of(query).map(|facts| (facts, Source::Dns))
    } else if let Some(failure) = text.strip_prefix("Error:") {
        failure_of(failure).map(|facts| (facts, Source::Dns))
    } else {
        request_of(text, source)
    };
    found.ok_or_else(|| {
        let shown: String = text.chars().take(60).collect();
        format!(
            "the firewall's message `{shown}` has no form that is known; export the structured logs (AZFW…) instead"
        )
    })
}

/// ` 10.0.0.4:48197 - 15676 AAAA IN pool.example. udp 55 false 512 NOERROR qr,rd,ra 108 0.0003s`
fn query_of(text: &str) -> Option<Facts<'_>> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [client, _dash, id, kind, _class, name, protocol, rest @ ..] = words.as_slice() else { return None };
    let (src_ip, src_port) = address_and_port(client);
    Some(Facts {
        src_ip: Some(src_ip),
        src_port,
        protocol: Some(protocol),
        name: Some(name),
        query_type: Some(kind),
        query_id: Some(id),
        // After size, DNSSEC flag and buffer size.
        response_code: rest.get(3).copied(),
        ..Facts::default()
    })
}

/// ` 2 pool.example. A: read udp 10.0.0.5:49126->168.63.129.16:53: i/o timeout`
fn failure_of(text: &str) -> Option<Facts<'_>> {
    let (query, reason) = text.split_once(": ")?;
    let mut words = query.split_whitespace();
    let (_number, name, kind) = (words.next()?, words.next()?, words.next()?);
    Some(Facts {
        name: Some(name),
        query_type: Some(kind),
        reason: Some(Cow::Borrowed(reason.trim())),
        ..Facts::default()
    })
}

fn request_of(text: &str, source: Source) -> Option<(Facts<'_>, Source)> {
    let (protocol, rest) = text.split_once(" request from ")?;
    let (way, sentences) = rest.split_once(". ").unwrap_or((rest, ""));
    let mut facts = Facts { protocol: Some(protocol.trim()), ..Facts::default() };
    let mut source = source;

    let mut words = way.split_whitespace();
    let (src_ip, src_port) = address_and_port(words.next()?);
    (facts.src_ip, facts.src_port) = (Some(src_ip), src_port);
    let mut next = words.next();
    if next == Some("to") {
        let (target, port) = address_and_port(words.next()?.trim_end_matches('.'));
        facts.dst_port = port;
        if source == Source::Application || target.parse::<std::net::IpAddr>().is_err() {
            facts.name = Some(target);
        } else {
            facts.dst_ip = Some(target);
        }
        next = words.next();
    }
    // `was DNAT'ed to …`, `was denied`
    if next == Some("was") {
        facts.action = words.next().map(|word| word.trim_end_matches('.'));
        if facts.action.is_some_and(|action| action.eq_ignore_ascii_case("DNAT'ed")) {
            source = Source::Nat;
        }
    }

    for sentence in sentences.split(". ") {
        let sentence = sentence.trim().trim_end_matches('.');
        let (label, value) = sentence.split_once(':').unwrap_or((sentence, ""));
        let value = Some(value.trim()).filter(|value| !value.is_empty());
        match label {
            "Action" => facts.action = value,
            "Url" => facts.url = value,
            "Policy" => facts.policy = value,
            "Rule Collection" => facts.rule_collection = value,
            "Rule" => facts.rule = value,
            "Web Category" => facts.category = value,
            "ThreatIntel" => {
                facts.threat = value;
                source = Source::ThreatIntel;
            }
            "Signature" => {
                facts.rule = value;
                source = Source::Idps;
            }
            "IDS" => facts.threat = value,
            "Classification" => facts.category = value,
            // Kept in the record's properties.
            "Rule Collection Group" | "Priority" | "" => {}
            "Reason" => facts.reason = value.map(Cow::Borrowed),
            _ => {
                facts.reason = Some(match facts.reason.take() {
                    None => Cow::Borrowed(sentence),
                    Some(before) => Cow::Owned(format!("{before}. {sentence}")),
                });
            }
        }
    }
    Some((facts, source))
}

/// `10.0.0.4:50112` and `[2001:db8::1]:443` in two; a bare address of version 6 has no port.
fn address_and_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if host.starts_with('[') || !host.contains(':') => {
            (host.trim_start_matches('[').trim_end_matches(']'), Some(port))
        }
        _ => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_taken_apart() {
        let mut shown = String::new();
        for (message, source) in [
            (
                "HTTPS request from 10.0.0.4:55640 to Pool.example:443. Action: Allow. Rule Collection: c 1. Rule: r. Web Category: CryptocurrencyMining",
                Source::Application,
            ),
            (
                "HTTP  request from 10.0.0.4:5 to a.example:80. Url: a.example/x.cab. Action: Deny. No rule matched. Proceeding with default action",
                Source::Application,
            ),
            (
                "HTTPS request from 10.0.0.4:5. Action: Deny. Reason: SNI TLS extension was missing.",
                Source::Application,
            ),
            (
                "HTTPS request from 10.0.0.4:5 was denied. Reason: SNI TLS extension was missing.",
                Source::Application,
            ),
            (
                "HTTP request from 10.0.0.5:54074 to bad.example:80. Action: Alert. ThreatIntel: Bot Networks",
                Source::Network,
            ),
            (
                "TCP request from 203.0.113.9:12518 to 198.51.100.7:3333. Action: Deny. Policy: p. Rule Collection Group: g. Rule Collection: c. Rule: r.",
                Source::Network,
            ),
            ("ICMP Type=8 request from 10.0.0.4:0 to 198.51.100.7:0. Action: Deny.. ", Source::Network),
            ("UDP request from [2001:db8::1]:53 to 2001:db8::2. Action: Allow.", Source::Network),
            (
                "TCP request from 203.0.113.9:61563 to 198.51.100.7:3389 was DNAT'ed to 10.0.0.4:3389",
                Source::Network,
            ),
            (
                "TCP request from 10.0.0.4:1 to 198.51.100.7:80. Action: Alert. Signature: 2008983. IDS: Suspicious User Agent. Priority: 1. Classification: A trojan",
                Source::Network,
            ),
            (
                "DNS Request: 10.0.0.4:48197 \u{2013} 15676 AAAA IN pool.example. udp 55 false 512 NOERROR - 0 2.000301956s",
                Source::Dns,
            ),
            (
                " Error: 2 time.example. A: read udp 10.0.1.5:49126->168.63.129.16:53: i/o timeout",
                Source::Dns,
            ),
        ] {
            let (facts, source) = read(message, source).unwrap();
            let text = format!("{facts:?}").replace("Some(", "(");
            let told = text.split(", ").filter(|part| !part.contains("None")).collect::<Vec<_>>().join(", ");
            shown.push_str(&format!("{source:?} {told}\n"));
        }
        insta::assert_snapshot!(shown);
        for odd in [
            "",
            "request from",
            "TCP request from ",
            "TCP request from a to",
            "DNS Request: x",
            "Error: 2",
            "hello",
        ] {
            assert!(read(odd, Source::Network).is_err(), "{odd}");
        }
    }
}
