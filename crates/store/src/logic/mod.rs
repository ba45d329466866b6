//! What stores do, written once for all databases over [`Session`](crate::session::Session).

pub(crate) mod alerts;
pub(crate) mod changes;
pub(crate) mod coverage;
pub(crate) mod customers;
pub(crate) mod directory;
pub(crate) mod facts;
mod findings;
pub(crate) mod ingest_keys;
pub(crate) mod money;
pub(crate) mod notices;
pub(crate) mod outbox;
pub(crate) mod prices;
pub(crate) mod runs;
pub(crate) mod secrets;
pub(crate) mod sources;
pub(crate) mod subscriptions;
pub(crate) mod tuning;
pub(crate) mod webhooks;

pub(crate) use findings::record as record_findings;

use ::alerts::{PartnerTenantId, Scope};

use crate::StoreError;

/// That something of this partner was handed in with a scope that does not cover it.
fn out_of_scope(partner: &PartnerTenantId) -> StoreError {
    StoreError::OutOfScope { partner: partner.clone() }
}

/// The partner, if the scope is all of it.
fn whole_partner(scope: &Scope) -> Option<&PartnerTenantId> {
    match scope {
        Scope::Partner(partner) => Some(partner),
        Scope::Reseller(..) | Scope::Customer(..) => None,
    }
}
