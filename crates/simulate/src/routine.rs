//! An ordinary day of a subscription, beyond what its script says.

mod actions;
mod traffic;

pub(crate) use actions::ordinary_actions;
pub(crate) use traffic::{Talk, TalkState, ordinary_traffic, scripted_traffic};
