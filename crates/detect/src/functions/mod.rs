//! The SQL functions that every detector can use, beside DataFusion's own.
//!
//! | function | gives |
//! | --- | --- |
//! | `seasonal_score(day, value, period, history) over (partition by … order by day)` | `{expected, spread, score, history_days}`, see [`crate::baseline`] |
//! | `vm_size_vcpus(name)` | vCPUs that the size has |
//! | `vm_size_family(name)` | `d`, `nc`, `hb` |
//! | `vm_size_accelerator(name)` | `a100`, `gpu`; null without one |
//! | `ip_is_private(address)` | whether the address is not one of the public Internet |
//! | `ip_network(address, bits, bits_of_v6)` | the network around it: `203.0.113.0/24` |
//! | `ip_in_network(address, network)` | whether it lies in `203.0.113.0/24`, or is that address |
//! | `ip_location(address)` | `{country, city, latitude, longitude}`, by the operator's database; null without one |
//! | `geo_distance_km(lat, lon, lat, lon)`, `geo_speed_kmh(lat, lon, at, lat, lon, at)` | the way over the globe, and how fast it was made |
//! | `set_distance(list, list)` | the Jaccard distance of two sets of texts: 0 the same, 1 nothing shared |
//! | `series_score(at, value, smallest_change) over (partition by … order by at)` | `{score, expected, low, high, deviation, aspect}`, see the crate `series`; the aspects `jump` and `drift` are changes of level |
//! | `rarity(value, at, history_hours, gap_hours) over (partition by … order by at)` | `{seen, rows, share}`: how often the value was seen in the history before the gap; 0 the first time |
//! | `sequence_within(step, at, 'a > b > c', seconds)` | an aggregate: `{first_at, last_at}` of the first time that the steps came in this order within the time |
//! | `json_get_str(json, key, …)`, `json_get_int`, `json_get_bool`, `json_get_json`, `json_as_text`, `json_length` | what is at a path of a JSON text (crate `datafusion-functions-json`) |
//! | `json_any_match(json, expression, name, …)` | whether anything at the path fits a regular expression; names in any letter case, any item of a list, JSON text in strings |
//! | `setting(name, customer_tenant_id, subscription_id)` | a number of the manifest's `[settings]`, or the operator's in its place |
//!
//! All give null for null and for text that they cannot read.

mod geo;
mod ip;
mod json_match;
mod location;
mod network;
mod rarity;
mod scalar;
mod seasonal;
mod sequence;
mod series;
mod sets;
mod setting;
mod vm_size;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};
use datafusion::prelude::SessionContext;
use datafusion_functions_json::udfs as json;

pub use ip::is_private;
pub use location::{GeoDatabase, GeoError};
pub(crate) use setting::{SETTING, SettingFunction};

/// Registers all functions in a session.
pub fn register(session: &SessionContext) {
    for function in [vm_size::vcpus(), vm_size::family(), vm_size::accelerator(), ip::function()] {
        session.register_udf(ScalarUDF::from(function));
    }
    for function in
        [network::of_address(), network::contains(), sets::distance(), geo::distance(), geo::speed()]
    {
        session.register_udf(ScalarUDF::from(function));
    }
    session.register_udf(ScalarUDF::from(location::IpLocation::from(None)));
    for function in [
        json::json_as_text_udf(),
        json::json_get_bool_udf(),
        json::json_get_int_udf(),
        json::json_get_json_udf(),
        json::json_get_str_udf(),
        json::json_length_udf(),
    ] {
        session.register_udf(function.as_ref().clone());
    }
    session.register_udf(ScalarUDF::from(json_match::JsonAnyMatch::new()));
    session.register_udwf(WindowUDF::from(seasonal::SeasonalScore::new()));
    session.register_udwf(WindowUDF::from(series::SeriesScore::new()));
    session.register_udwf(WindowUDF::from(rarity::Rarity::new()));
    session.register_udaf(AggregateUDF::from(sequence::SequenceWithin::new()));
}
