//! Whether an address belongs to the public Internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use arrow_array::BooleanArray;
use datafusion::arrow::datatypes::DataType;

use super::scalar::ScalarFunction;

pub(super) fn function() -> ScalarFunction {
    ScalarFunction::of_text("ip_is_private", DataType::Boolean, |addresses| {
        Arc::new(addresses.iter().map(|address| is_private(address?)).collect::<BooleanArray>())
    })
}

/// The address at which every Azure machine reaches the platform itself (agent, DNS, health probes).
const AZURE_PLATFORM: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

/// Whether an address is not one of the public Internet: private, shared, local, multicast, or that
/// of the Azure platform. `None` for a text that is no address.
#[must_use]
pub fn is_private(address: &str) -> Option<bool> {
    Some(match address.trim().parse::<IpAddr>().ok()?.to_canonical() {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => v6(address),
    })
}

fn v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    let carrier_shared = first == 100 && (64..128).contains(&second);
    address.is_private()
        || carrier_shared
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || first == 0
        || address == AZURE_PLATFORM
}

fn v6(address: Ipv6Addr) -> bool {
    address.is_unique_local()
        || address.is_unicast_link_local()
        || address.is_loopback()
        || address.is_multicast()
        || address.is_unspecified()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart() {
        let check =
            |address: &str, expected: Option<bool>| assert_eq!(is_private(address), expected, "{address}");
        for private in [
            "10.0.0.4",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "168.63.129.16",
            "224.0.0.1",
            "255.255.255.255",
            "0.0.0.0",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.4",
            " 10.0.0.4 ",
        ] {
            check(private, Some(true));
        }
        for public in ["198.51.100.7", "172.32.0.1", "100.128.0.1", "168.63.129.17", "2001:db8::1"] {
            check(public, Some(false));
        }
        check("", None);
        check("pool.example", None);
        check("10.0.0.4:443", None);
    }
}
