//! What callers do, free of HTTP.

pub mod alerts;
pub mod subscriptions;
