//! Networks of addresses.

use std::net::IpAddr;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, BooleanArray, StringArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{Signature, TypeSignature, Volatility};
use ipnet::IpNet;

use super::scalar::ScalarFunction;

/// `ip_network(address, bits, bits_of_v6)`
pub(super) fn of_address() -> ScalarFunction {
    let arguments = vec![DataType::Utf8, DataType::Int64, DataType::Int64];
    let signature = Signature::exact(arguments, Volatility::Immutable);
    ScalarFunction::new("ip_network", signature, DataType::Utf8, |columns| {
        let [addresses, bits, bits_of_v6] = columns else {
            return exec_err!("ip_network takes an address and two numbers of bits");
        };
        let (bits, bits_of_v6) = (bits.as_primitive::<Int64Type>(), bits_of_v6.as_primitive::<Int64Type>());
        let addresses = addresses.as_string::<i32>();
        let mut networks = Vec::with_capacity(addresses.len());
        for (row, address) in addresses.iter().enumerate() {
            let known = bits.is_valid(row) && bits_of_v6.is_valid(row);
            let address = address.filter(|_| known);
            let network = address.map(|address| network(address, bits.value(row), bits_of_v6.value(row)));
            networks.push(network.transpose()?.flatten());
        }
        Ok(Arc::new(StringArray::from(networks)))
    })
}

/// `ip_in_network(address, network)`
pub(super) fn contains() -> ScalarFunction {
    let signature = Signature::one_of(
        vec![TypeSignature::Exact(vec![DataType::Utf8, DataType::Utf8])],
        Volatility::Immutable,
    );
    ScalarFunction::new("ip_in_network", signature, DataType::Boolean, |columns| {
        let [addresses, networks] = columns else {
            return exec_err!("ip_in_network takes an address and a network");
        };
        let pairs = addresses.as_string::<i32>().iter().zip(networks.as_string::<i32>());
        let inside = pairs.map(|(address, network)| lies_in(address?, network?));
        Ok(Arc::new(inside.collect::<BooleanArray>()))
    })
}

/// The network of so many bits around an address, such as `203.0.113.0/24`; `None` for a text that is no address.
fn network(address: &str, bits: i64, bits_of_v6: i64) -> Result<Option<String>> {
    let Ok(address) = address.trim().parse::<IpAddr>() else { return Ok(None) };
    let address = address.to_canonical();
    let bits = if address.is_ipv4() { bits } else { bits_of_v6 };
    let net = u8::try_from(bits).ok().and_then(|bits| IpNet::new(address, bits).ok());
    match net {
        Some(net) => Ok(Some(net.trunc().to_string())),
        None => exec_err!("ip_network: an address of this kind has no network of {bits} bits"),
    }
}

/// Whether an address lies in a network, or is the address that stands in its place; `None` if either cannot be read.
fn lies_in(address: &str, network: &str) -> Option<bool> {
    let address = address.trim().parse::<IpAddr>().ok()?.to_canonical();
    let network = network.trim();
    let net: IpNet =
        network.parse().or_else(|_| network.parse::<IpAddr>().map(|one| one.to_canonical().into())).ok()?;
    Some(net.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_networks() {
        for (address, expected) in [
            ("203.0.113.77", Some("203.0.113.0/24")),
            (" ::ffff:203.0.113.77 ", Some("203.0.113.0/24")),
            ("2001:db8:1:2:3:4:5:6", Some("2001:db8:1:2::/64")),
            ("no address", None),
            ("", None),
        ] {
            assert_eq!(network(address, 24, 64).unwrap().as_deref(), expected, "{address}");
        }
        assert_eq!(network("203.0.113.77", 0, 0).unwrap().as_deref(), Some("0.0.0.0/0"));
        for bits in [-1, 33, 999] {
            let error = network("203.0.113.77", bits, 64).unwrap_err().to_string();
            assert!(error.contains(&format!("no network of {bits} bits")), "{error}");
        }
    }

    #[test]
    fn networks_contain_addresses() {
        for (address, network, expected) in [
            ("203.0.113.77", "203.0.113.0/24", Some(true)),
            ("203.0.114.77", "203.0.113.0/24", Some(false)),
            ("203.0.113.77", "203.0.113.77", Some(true)),
            ("::ffff:203.0.113.77", "203.0.113.0/24", Some(true)),
            ("2001:db8::1", "2001:db8::/32", Some(true)),
            ("2001:db8::1", "203.0.113.0/24", Some(false)),
            ("203.0.113.77", "203.0.113.0/99", None),
            ("x", "203.0.113.0/24", None),
        ] {
            assert_eq!(lies_in(address, network), expected, "{address} in {network}");
        }
    }
}
