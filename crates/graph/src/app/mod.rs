//! What callers do, free of HTTP.

pub mod alerts;
pub mod batch;
pub mod subscriptions;
