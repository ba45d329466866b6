//! Alerts of Defender for Cloud: the addresses among the entities are some.
#![no_main]

use ingest::schema::Kind;
use libfuzzer_sys::fuzz_target;

mod reading;

use reading::check;

fuzz_target!(|data: &[u8]| {
    let found = check(data);
    for addresses in found.texts(Kind::SecurityAlert, "ips") {
        for address in addresses.split(',') {
            assert!(address.parse::<std::net::IpAddr>().is_ok(), "{address}");
        }
    }
});
