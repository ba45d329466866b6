//! From actions, charges and talks to the texts that Azure writes.

pub(crate) mod activity;
pub(crate) mod cost;
pub(crate) mod flow;
