//! Whose a record is and what it is about, for the kinds whose resource is named in one of the usual ways.

use crate::columns::Common;
use crate::event_id::EventId;
use crate::json::envelope::Envelope;
use crate::resource::{id_word, parts};
use crate::time::Instant;

/// What goes into the common columns beside hash and time; in lower case.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) customer_tenant_id: Option<String>,
    pub(crate) subscription_id: Option<String>,
    pub(crate) resource_id: Option<String>,
    pub(crate) resource_group: Option<String>,
}

impl Place {
    /// The place of a record about the resource at `path`; what the path does not tell, the record may.
    pub(crate) fn of(record: &Envelope<'_>, path: Option<&str>) -> Self {
        let path = path.map(str::to_lowercase);
        let in_path = parts(path.as_deref().unwrap_or_default());
        let subscription = in_path
            .subscription_id
            .or_else(|| record.subscription_id.get().or(record.own_subscription_id.get()).and_then(id_word));
        let group = in_path.resource_group.or(record.resource_group.get());
        // In Log Analytics it is the workspace.
        let tenant = record.tenant_id.get().filter(|_| record.time_generated.get().is_none());
        Self {
            customer_tenant_id: tenant.and_then(id_word).map(str::to_lowercase),
            subscription_id: subscription.map(str::to_lowercase),
            resource_group: group.map(str::to_lowercase),
            resource_id: path,
        }
    }

    /// The common columns.
    pub(crate) fn common(&self, event_id: EventId, event_at: Instant) -> Common<'_> {
        Common {
            customer_tenant_id: self.customer_tenant_id.as_deref(),
            subscription_id: self.subscription_id.as_deref(),
            resource_id: self.resource_id.as_deref(),
            resource_group: self.resource_group.as_deref(),
            ..Common::of(event_id, event_at)
        }
    }
}
