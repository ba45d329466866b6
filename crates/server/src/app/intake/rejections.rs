//! Records that could not be read, on their way into the coverage.

use std::collections::BTreeMap;

use alerts::CustomerTenantId;
use chrono::{DateTime, Utc};
use ingest::schema::Kind;
use store::{Arrival, StoreError};

use crate::app::Instance;

/// What the coverage calls records whose kind could not be told.
const UNKNOWN: &str = "unknown";

/// How many records could not be read, by the kind that they seemed to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rejections {
    by_kind: BTreeMap<Option<Kind>, u64>,
}

impl Rejections {
    /// Counts one; `None` if its kind could not be told.
    pub fn add(&mut self, kind: Option<Kind>) {
        *self.by_kind.entry(kind).or_default() += 1;
    }

    /// Notes them in the coverage; whose they are is known only if whoever sent them is.
    ///
    /// # Errors
    ///
    /// [`StoreError`] of the store.
    pub async fn note(
        &self,
        instance: &Instance,
        customer: Option<&CustomerTenantId>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        if self.by_kind.is_empty() {
            return Ok(());
        }
        instance.store.note_arrivals(&instance.scope(), &self.arrivals(customer), now).await
    }

    fn arrivals(&self, customer: Option<&CustomerTenantId>) -> Vec<Arrival> {
        let arrival = |(kind, count): (&Option<Kind>, &u64)| Arrival {
            kind: kind.map_or(UNKNOWN, Kind::name).to_owned(),
            customer_tenant_id: customer.cloned(),
            subscription_id: None,
            first_event_at: None,
            last_event_at: None,
            stored: 0,
            duplicates: 0,
            rejected: *count,
        };
        self.by_kind.iter().map(arrival).collect()
    }
}
