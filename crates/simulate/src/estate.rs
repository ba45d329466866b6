//! The believable estate: a partner, its resellers, their customers, and what those run.
//!
//! Everything here is decided once for the whole period; [`crate::routine`] turns it into days.

mod customer;
mod machine;
mod names;
mod partner;
mod principal;
mod subscription;
mod workload;

pub(crate) use customer::{ActivityShape, CostShape, Customer};
pub(crate) use machine::{Hours, Machine, Nic};
pub(crate) use partner::Partner;
pub(crate) use principal::{Caller, Principal, address};
pub(crate) use subscription::{
    Conversation, FlowShape, MachineSpec, Rhythm, Style, Subscription, Usage, nic,
};
pub(crate) use workload::Workload;
