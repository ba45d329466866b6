//! The operations, one file a topic.

pub(super) mod alerts;
pub(super) mod own;
pub(super) mod partner_center;
pub(super) mod score;
pub(super) mod service;
pub(super) mod subscriptions;
