//! Who pushes records, and whose records they may push.

use alerts::{CustomerTenantId, Scope};
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray as _;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use graph::ApiError;
use graph::error::Kind as ErrorKind;
use ingest::EventBatch;
use ingest::schema::Kind;

use crate::api::Api;
use crate::app::Instance;
use crate::app::intake::customer;

/// Whoever pushes.
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
        _wanted: Option<Kind>,
        now: DateTime<Utc>,
    ) -> Result<Self, ApiError> {
        let token = graph::http::bearer(headers)?;
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

fn foreign(what: &str) -> ApiError {
    let message = format!("This key takes the records of one customer, and {what}. Nothing was stored.");
    ApiError::new(ErrorKind::Forbidden, message)
}

/// A customer other than `own` that a row names.
fn other_customer<'a>(rows: &'a RecordBatch, own: &CustomerTenantId) -> Option<&'a str> {
    let customers = rows.column_by_name("customer_tenant_id")?.as_string_opt::<i32>()?;
    customers.iter().flatten().find(|customer| !customer.eq_ignore_ascii_case(own.as_str()))
}
