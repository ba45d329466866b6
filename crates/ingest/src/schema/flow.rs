//! Columns of flow logs.

use arrow_schema::Field;

use super::{number, text};

pub(super) fn columns() -> Vec<Field> {
    vec![
        // `000D3AF87856`: the network interface, without separators, in upper case.
        text("mac"),
        text("src_ip"),
        text("dst_ip"),
        number("src_port"),
        number("dst_port"),
        // IANA number: 6 TCP, 17 UDP, 1 ICMP.
        number("protocol"),
        // `inbound` or `outbound`.
        text("direction"),
        // `allowed` or `denied`.
        text("decision"),
        // `begin`, `continuing`, `end`; null in version 1. Counts are increments: sum them.
        text("state"),
        text("rule"),
        number("packets_sent"),
        number("bytes_sent"),
        number("packets_received"),
        number("bytes_received"),
    ]
}
