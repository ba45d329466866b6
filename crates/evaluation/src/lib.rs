//! Benchmarks of others, scored by their own rules.
//!
//! [`nab`] reads a folder laid out like the Numenta Anomaly Benchmark, has a scorer look at its series, and
//! says how well it did. The rules are written from their description; what finds anomalies is in the
//! crate `series`, which sees times and values and never a label.

pub mod nab;
