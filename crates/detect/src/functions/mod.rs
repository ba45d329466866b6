//! The SQL functions that every detector can use, beside DataFusion's own.
//!
//! | function | gives |
//! | --- | --- |
//! | `seasonal_score(day, value, period, history) over (partition by … order by day)` | `{expected, spread, score, history_days}`, see [`crate::baseline`] |
//! | `vm_size_vcpus(name)` | vCPUs that the size has |
//! | `vm_size_family(name)` | `d`, `nc`, `hb` |
//! | `vm_size_accelerator(name)` | `a100`, `gpu`; null without one |
//! | `ip_is_private(address)` | whether the address is not one of the public Internet |
//!
//! All give null for null and for text that they cannot read.

mod ip;
mod seasonal;
mod text;
mod vm_size;

use datafusion::logical_expr::{ScalarUDF, WindowUDF};
use datafusion::prelude::SessionContext;

pub use ip::is_private;

/// Registers all functions in a session.
pub fn register(session: &SessionContext) {
    for function in [vm_size::vcpus(), vm_size::family(), vm_size::accelerator(), ip::function()] {
        session.register_udf(ScalarUDF::from(function));
    }
    session.register_udwf(WindowUDF::from(seasonal::SeasonalScore::new()));
}
