//! An input of records: what an input is, its content tells, so all that holds of any kind is looked at.

use std::net::IpAddr;

use ingest::schema::Kind;

use crate::reading::{self, Found};

pub fn check(bytes: &[u8]) {
    let found = reading::check(bytes);
    flow(&found);
    dns(&found);
    inventory(&found);
    advisory(&found);
    security_alert(&found);
}

/// Titles and summaries are plain text.
fn advisory(found: &Found) {
    for column in ["title", "summary"] {
        for text in found.texts(Kind::Advisory, column) {
            assert!(!text.contains("  ") && !text.contains('\n') && text.trim() == text, "{text:?}");
        }
    }
}

fn flow(found: &Found) {
    for direction in found.texts(Kind::Flow, "direction") {
        assert!(matches!(direction.as_str(), "inbound" | "outbound"));
    }
    for mac in found.texts(Kind::Flow, "mac") {
        assert!(mac.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()), "{mac}");
    }
}

/// What is named is named alike, and nothing is decided but in two ways.
fn dns(found: &Found) {
    for name in found.texts(Kind::Dns, "name") {
        assert!(!name.is_empty() && !name.ends_with('.'), "{name}");
    }
    for decision in found.texts(Kind::Dns, "decision") {
        assert!(matches!(decision.as_str(), "allowed" | "denied"));
    }
    for column in ["src_ip", "dst_ip"] {
        for address in found.texts(Kind::Dns, column) {
            assert!(address.parse::<IpAddr>().is_ok(), "{address}");
        }
    }
}

/// Each row has a type and a path.
fn inventory(found: &Found) {
    let rows = found.summary.rows(Kind::Inventory) as usize;
    for column in ["resource_id", "resource_type"] {
        assert_eq!(found.texts(Kind::Inventory, column).len(), rows, "{column} is never null");
    }
}

/// The addresses among the entities are some.
fn security_alert(found: &Found) {
    for addresses in found.texts(Kind::SecurityAlert, "ips") {
        for address in addresses.split(',') {
            assert!(address.parse::<IpAddr>().is_ok(), "{address}");
        }
    }
}
