//! An ordinary day of a subscription, beyond what its script says; and of a customer in Entra.

mod actions;
mod chores;
mod directory;
mod sessions;
mod sign_ins;
mod traffic;
mod upkeep;
mod whereabouts;

pub(crate) use actions::ordinary_actions;
pub(crate) use directory::ordinary_directory_acts;
pub(crate) use sessions::{Deed, sign_ins_for};
pub(crate) use sign_ins::ordinary_sign_ins;
pub(crate) use traffic::{Talk, TalkState, ordinary_traffic, scripted_traffic};
pub(crate) use upkeep::upkeep;
pub(crate) use whereabouts::settle;
