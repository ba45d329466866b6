//! Entra's sign-in and audit logs, in the shapes of the diagnostic export, Graph, and Log Analytics.
//!
//! The export wraps Graph's object as `properties`; Log Analytics shows its members as columns, the nested
//! ones as JSON text. So each record is read as Graph's object, and the wrapper fills what that lacks.
//!
//! The hash covers the record's own id, its time, and who did what to whom from where, which all shapes of
//! one record agree on. What is only assessed later, such as the state of a risk, is left out. Records
//! without an id are told apart by all of their text.

mod audit;
mod rows;
mod sign_in;

use std::borrow::Cow;

pub(crate) use self::audit::AuditEvent;
pub(crate) use self::rows::{AuditRows, SignInRows};
pub(crate) use self::sign_in::SignInEvent;
use crate::event_id::Canonical;
use crate::json::envelope::Envelope;
use crate::json::loose::{Text, compact_into, unfold};
use crate::read::Reading;
use crate::resource::id_word;

/// Reads Entra's records; keeps its buffers between them.
#[derive(Default)]
pub(crate) struct Parser {
    canonical: Canonical,
    properties: String,
}

impl Parser {
    /// Normalises a sign-in, or says why it cannot be used. `text` is the whole record.
    pub(crate) fn sign_in<'s>(
        &'s mut self,
        record: &Envelope<'_>,
        text: &str,
        reading: &Reading<'_>,
    ) -> Result<SignInEvent<'s>, String> {
        let object = self.object(record, text);
        sign_in::read(record, &object, &self.properties, &mut self.canonical, reading)
    }

    /// Normalises an audit record, or says why it cannot be used. `text` is the whole record.
    pub(crate) fn audit<'s>(
        &'s mut self,
        record: &Envelope<'_>,
        text: &str,
        reading: &Reading<'_>,
    ) -> Result<AuditEvent<'s>, String> {
        let object = self.object(record, text);
        audit::read(record, &object, &self.properties, &mut self.canonical, reading)
    }

    /// Graph's object in the record: its `properties`, or all of it; kept as compact text too.
    fn object<'t>(&mut self, record: &Envelope<'t>, text: &'t str) -> Cow<'t, str> {
        let properties = record.properties.map(|raw| unfold(raw.get())).unwrap_or_default();
        let object = if properties.starts_with('{') { properties } else { Cow::Borrowed(text) };
        self.properties.clear();
        compact_into(&mut self.properties, &object);
        object
    }
}

/// The customer's tenant.
fn tenant(record: &Envelope<'_>, resource_tenant: &Text<'_>) -> Option<String> {
    let in_path = record.resource_id.get().and_then(|path| {
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        segments.next().filter(|first| first.eq_ignore_ascii_case("tenants"))?;
        segments.next()
    });
    // In Log Analytics it is the workspace.
    let told = record.tenant_id.get().filter(|_| record.time_generated.get().is_none());
    let tenant = record.aad_tenant_id.get().or(told).or(in_path).or(resource_tenant.get());
    tenant.and_then(id_word).map(str::to_lowercase)
}
