//! DNS and firewall logs: what is named is named alike, and nothing is decided but in two ways.
#![no_main]

use ingest::schema::Kind;
use libfuzzer_sys::fuzz_target;

mod reading;

use reading::check;

fuzz_target!(|data: &[u8]| {
    let found = check(data);
    for name in found.texts(Kind::Dns, "name") {
        assert!(!name.is_empty() && !name.ends_with('.'), "{name}");
    }
    for decision in found.texts(Kind::Dns, "decision") {
        assert!(matches!(decision.as_str(), "allowed" | "denied"));
    }
    for column in ["src_ip", "dst_ip"] {
        for address in found.texts(Kind::Dns, column) {
            assert!(address.parse::<std::net::IpAddr>().is_ok(), "{address}");
        }
    }
});
