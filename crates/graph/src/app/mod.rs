//! What callers do, free of HTTP.

pub mod alerts;
pub mod batch;
pub mod fraud_events;
pub mod score;
pub mod subscriptions;
pub mod webhooks;
