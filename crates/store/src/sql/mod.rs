//! Statements about alerts, the same for every database.
//!
//! A checked filter, an order and a position become expressions with bound parameters; no text of a
//! caller ever becomes SQL. What databases write differently is in [`dialect`]. What a caller may
//! see is decided in [`scope`] alone.
//!
//! Times are compared to the microsecond, which is what every database here keeps.

pub(crate) mod alerts;
mod column;
pub(crate) mod dialect;
pub(crate) mod double;
mod filter;
pub(crate) mod order;
pub(crate) mod reads;
pub(crate) mod row;
pub(crate) mod scalar;
pub(crate) mod scope;
pub(crate) mod search;

#[cfg(test)]
mod tests;
