//! The domain: what an alert is, who may see it, and how it changes.
//!
//! Nouns: a [`Finding`] is one result of one detector run, the machine's opinion. An [`Alert`] is
//! what a person works on; it is raised from findings ([`decide`]) or imported, and its wire form
//! is Microsoft Graph's [`PartnerSecurityAlert`]. A [`StatusChange`] moves it through its
//! lifecycle. A [`TuningRule`] says which findings are not worth an alert. A [`Scope`] says whose alerts a
//! caller may see. [`score`] is the partner's security score, [`money`] what an incident costs.
//!
//! This crate knows nothing of HTTP, SQL, Arrow or OData. Time and identity are parameters.

mod alert;
mod enums;
mod finding;
mod ids;
mod lifecycle;
pub mod money;
mod scope;
pub mod score;
mod tuning;
mod values;

pub use alert::{ActivityLog, AffectedResource, Alert, Origin, PartnerSecurityAlert};
pub use enums::{Confidence, ResolvedReason, Severity, Status, UnknownMember};
pub use finding::{Decision, Finding, decide};
pub use ids::{
    AlertId, CustomerTenantId, IdError, PartnerTenantId, ResellerTenantId, ResourceId, SubscriptionId,
};
pub use lifecycle::{ChangeOutcome, LifecycleError, StatusChange};
pub use scope::Scope;
pub use tuning::{About, DetectorSetting, Effect, Silenced, Tuned, TuningRule, tune};
pub use values::{ValueError, ValueProblem};
