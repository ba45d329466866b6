//! The SQL functions that every detector can use, beside DataFusion's own.
//!
//! | function | gives |
//! | --- | --- |
//! | `seasonal_score(day, value, period, history) over (partition by … order by day)` | `{expected, spread, score, history_days}`, see [`crate::baseline`] |
//! | `vm_size_vcpus(name)` | vCPUs that the size has |
//! | `vm_size_family(name)` | `d`, `nc`, `hb` |
//! | `vm_size_accelerator(name)` | `a100`, `gpu`; null without one |
//! | `ip_is_private(address)` | whether the address is not one of the public Internet |
//! | `json_get_str(json, key, …)`, `json_get_int`, `json_get_bool`, `json_get_json`, `json_as_text`, `json_length` | what is at a path of a JSON text (crate `datafusion-functions-json`) |
//! | `json_any_match(json, expression, name, …)` | whether anything at the path fits a regular expression; names in any letter case, any item of a list, JSON text in strings |
//! | `setting(name, customer_tenant_id, subscription_id)` | a number of the manifest's `[settings]`, or the operator's in its place |
//!
//! All give null for null and for text that they cannot read.

mod ip;
mod json_match;
mod seasonal;
mod setting;
mod text;
mod vm_size;

use datafusion::logical_expr::{ScalarUDF, WindowUDF};
use datafusion::prelude::SessionContext;
use datafusion_functions_json::udfs as json;

pub use ip::is_private;
pub(crate) use setting::SettingFunction;

/// Registers all functions in a session.
pub fn register(session: &SessionContext) {
    for function in [vm_size::vcpus(), vm_size::family(), vm_size::accelerator(), ip::function()] {
        session.register_udf(ScalarUDF::from(function));
    }
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
}
