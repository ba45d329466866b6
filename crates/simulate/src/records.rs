//! From actions, charges and talks to the texts that Azure writes.

pub(crate) mod activity;
pub(crate) mod audit;
pub(crate) mod cost;
mod entra;
pub(crate) mod flow;
pub(crate) mod sign_in;
