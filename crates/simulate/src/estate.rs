//! The believable estate: a partner, its resellers, their customers, and what those run.
//!
//! Everything here is decided once for the whole period; [`crate::routine`] turns it into days.

mod customer;
mod directory;
mod machine;
pub(crate) mod names;
mod partner;
mod principal;
mod resources;
mod subscription;
mod upkeep;
mod user;
mod workload;

pub(crate) use customer::{ActivityShape, CostShape, Customer};
pub(crate) use directory::{App, Directory, EntraShape, Group};
pub(crate) use machine::{Hours, Machine, Nic, SPOT_FACTOR};
pub(crate) use names::upn;
pub(crate) use partner::Partner;
pub(crate) use principal::{Caller, Principal, address};
pub(crate) use subscription::{
    Conversation, FlowShape, MachineSpec, Rhythm, Style, Subscription, Usage, nic,
};
pub(crate) use upkeep::{Chore, Habit, Known, Upkeep, When};
pub(crate) use user::{Device, Journey, Post, User};
pub(crate) use workload::Workload;
