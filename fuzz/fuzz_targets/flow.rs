//! Flow logs of security groups and virtual networks.
#![no_main]

use ingest::schema::Kind;
use libfuzzer_sys::fuzz_target;

mod reading;

use reading::check;

fuzz_target!(|data: &[u8]| {
    let found = check(data);
    for direction in found.texts(Kind::Flow, "direction") {
        assert!(matches!(direction.as_str(), "inbound" | "outbound"));
    }
    for mac in found.texts(Kind::Flow, "mac") {
        assert!(mac.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()), "{mac}");
    }
});
