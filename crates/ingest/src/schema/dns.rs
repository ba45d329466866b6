//! Columns of DNS and firewall logs.

use arrow_schema::Field;

use super::{number, text};

pub(super) fn columns() -> Vec<Field> {
    vec![
        // `dns_policy`, `firewall_dns`, `firewall_application`, `firewall_network`, `firewall_nat`,
        // `firewall_threat_intel`, `firewall_idps`, `firewall_fqdn_failure`: the log that it stood in.
        text("source"),
        // The host that was asked for or requested, in lower case, without a dot at the end.
        text("name"),
        text("url"),
        // `A`, `AAAA`, `TXT`, …
        text("query_type"),
        number("query_id"),
        // `NOERROR`, `NXDOMAIN`, …: also where the record has its number.
        text("response_code"),
        // The answers as JSON text.
        text("answers"),
        // The addresses in the answers, with commas between.
        text("answer_ips"),
        text("src_ip"),
        number("src_port"),
        text("dst_ip"),
        number("dst_port"),
        // `tcp`, `udp`, `icmp`, `http`, `https`, …
        text("protocol"),
        // `allowed` or `denied`; null where nothing was decided. An alert alone lets through.
        text("decision"),
        // Why, where no rule decided, or what failed.
        text("decision_reason"),
        text("policy"),
        text("rule_collection"),
        // The rule, or the number of the signature that matched.
        text("rule"),
        // The web category of the host, or the category of the signature.
        text("category"),
        // What threat intelligence or the signature says of the target.
        text("threat"),
        // Path of the virtual network that asked.
        text("virtual_network_id"),
        // The record's own properties as JSON text.
        text("properties"),
    ]
}
