//! Who pushes records, and whose records they may push.

use alerts::{CustomerTenantId, Scope};
use arrow_array::RecordBatch;
use axum::http::HeaderMap;
use chrono::{DateTime, TimeDelta, Utc};
use graph::ApiError;
use graph::auth::verifier::TokenError;
use graph::error::Kind as ErrorKind;
use ingest::schema::Kind;
use ingest::{EventBatch, Texts};

use crate::api::Api;
use crate::app::Instance;
use crate::app::intake::customer;
use crate::app::keys;

/// The use of a key is noted this often.
const USE_NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// Whoever pushes.
#[derive(Debug)]
pub(super) enum Sender {
    /// The partner itself: any of its customers' records.
    Partner,
    /// One customer: its own records.
    Customer(CustomerTenantId),
}

impl Sender {
    /// Checks the key or token of a request.
    pub(super) async fn of(
        api: &Api,
        headers: &HeaderMap,
        wanted: Option<Kind>,
        now: DateTime<Utc>,
    ) -> Result<Self, ApiError> {
        let token = graph::http::bearer(headers)?;
        if token.starts_with(keys::KEY_PREFIX) {
            return of_key(&api.instance, token, wanted, now).await;
        }
        let caller = api.graph.verifier.verify(token, now)?;
        caller.permissions.may_ingest()?;
        if caller.scope.partner() != &api.instance.partner {
            let message = "The token is of another partner than the one whose records are taken in here.";
            return Err(ApiError::new(ErrorKind::Forbidden, message.to_owned()));
        }
        match &caller.scope {
            Scope::Partner(_) => Ok(Self::Partner),
            Scope::Customer(_, customer) => Ok(Self::Customer(customer.clone())),
            Scope::Reseller(..) => {
                let message = "A reseller's token cannot push records; use an ingest key of the customer.";
                Err(ApiError::new(ErrorKind::Forbidden, message.to_owned()))
            }
        }
    }

    /// Whose records they are, if the sender is one customer.
    pub(super) fn customer(&self) -> Option<&CustomerTenantId> {
        match self {
            Self::Partner => None,
            Self::Customer(customer) => Some(customer),
        }
    }

    /// What tells it from other senders: the customer, and nothing for the partner.
    pub(super) fn name(&self) -> &str {
        self.customer().map_or("", CustomerTenantId::as_str)
    }

    /// Makes sure that all records are the sender's to push, and says in each whose it is.
    pub(super) async fn own(&self, instance: &Instance, batches: &mut [EventBatch]) -> Result<(), ApiError> {
        let Self::Customer(own) = self else { return Ok(()) };
        for batch in batches {
            if let Some(other) = other_customer(&batch.rows, own) {
                return Err(foreign(&format!("a record is of the customer {other}")));
            }
            for seen in &mut batch.subscriptions {
                let known = instance.store.subscription(&instance.scope(), &seen.subscription_id).await;
                let known = known.map_err(ApiError::internal)?;
                let owner = known.and_then(|entry| entry.customer_tenant_id);
                if owner.is_some_and(|owner| owner != *own) {
                    return Err(foreign(&format!(
                        "the subscription {} is another customer's",
                        seen.subscription_id
                    )));
                }
                seen.customer_tenant_id = Some(own.clone());
            }
            customer::fill(&mut batch.rows, |_| Some(own.as_str()));
        }
        Ok(())
    }
}

async fn of_key(
    instance: &Instance,
    key: &str,
    wanted: Option<Kind>,
    now: DateTime<Utc>,
) -> Result<Sender, ApiError> {
    let store = &instance.store;
    let known = store.ingest_key(&keys::hash(key)).await.map_err(ApiError::internal)?;
    // Why a key does not hold is told to whoever has it.
    let key = known.filter(|known| known.partner_tenant_id == instance.partner);
    let key = key.ok_or(TokenError::Malformed)?;
    if !key.holds(now) {
        return Err(TokenError::Expired.into());
    }
    let takes = |kind: Kind| key.kinds.iter().any(|name| name == kind.name());
    if !key.kinds.is_empty() && !wanted.is_some_and(takes) {
        let message =
            format!("This key takes records of kind {} only, each under its own path.", key.kinds.join(", "));
        return Err(ApiError::new(ErrorKind::Forbidden, message));
    }
    if key.last_used_at.is_none_or(|at| now - at >= USE_NOTED_EVERY) {
        store.note_ingest_key_use(&instance.scope(), &key.id, now).await.map_err(ApiError::internal)?;
    }
    Ok(Sender::Customer(key.customer_tenant_id))
}

fn foreign(what: &str) -> ApiError {
    let message = format!("This key takes the records of one customer, and {what}. Nothing was stored.");
    ApiError::new(ErrorKind::Forbidden, message)
}

/// A customer other than `own` that a row names.
fn other_customer<'a>(rows: &'a RecordBatch, own: &CustomerTenantId) -> Option<&'a str> {
    let customers = Texts::of(rows.column_by_name("customer_tenant_id")?)?;
    customers.iter().flatten().find(|customer| !customer.eq_ignore_ascii_case(own.as_str()))
}
