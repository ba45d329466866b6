//! What several detectors have to see of a table, read into memory once for all of them.

use std::collections::BTreeSet;

use alerts::PartnerTenantId;
use chrono::{DateTime, Utc};
use datafusion::common::Result;
use datafusion::prelude::SessionContext;
use ingest::schema::{DAY, Kind};

use crate::candidates::Candidates;
use crate::detector::{DetectError, Detector};
use crate::held;
use crate::reads::Read;
use crate::views;
use crate::window::Window;

/// Columns by which each detector's view picks its own of the table.
const PICKED_BY: [&str; 3] = [DAY, "event_at", "partner_tenant_id"];

/// Events of more bytes are not held together.
const TOGETHER_BYTES_MAX: usize = 1 << 30;

/// Up to so many values: each stands for the weeks of a subscription.
const VALUES_MAX: usize = 3_000;

/// A detector that is to look at a window, and whose events it has to see there.
#[derive(Debug, Clone, Copy)]
pub struct Looking<'a> {
    /// The detector.
    pub detector: &'a Detector,
    /// The window.
    pub window: &'a Window,
    /// Its candidates there.
    pub candidates: &'a Candidates,
}

/// A session in which a table is in memory, with what some detectors have to see of it.
pub struct Together {
    session: SessionContext,
    detectors: BTreeSet<String>,
}

impl Together {
    /// Reads the events of those whom a column of a kind names, for the detectors that this column alone restricts;
    /// those with the fewest candidates come first, until there are too many. `None` if there is nothing to share.
    ///
    /// # Errors
    ///
    /// [`DetectError`] of a detector whose query cannot be planned, or of the first one if events cannot be read.
    pub async fn hold(
        session: &SessionContext,
        partner: &PartnerTenantId,
        kind: Kind,
        column: &str,
        looking: &[Looking<'_>],
    ) -> Result<Option<Self>, DetectError> {
        let mut sharing: Vec<&Looking<'_>> =
            looking.iter().filter(|one| one.candidates.restricts_by(kind, column)).collect();
        sharing.sort_by_key(|one| one.candidates.len());
        let mut all = Candidates::default();
        sharing.retain(|one| {
            let mut more = all.clone();
            more.add(kind, one.candidates);
            let fits = more.len() <= VALUES_MAX;
            if fits {
                all = more;
            }
            fits
        });
        let Some(first) = sharing.first() else { return Ok(None) };
        if sharing.len() < 2 || held::is_in_memory(session, kind).await {
            return Ok(None);
        }
        let mut all_read = Vec::new();
        let (mut since, mut until) = (DateTime::<Utc>::MAX_UTC, DateTime::<Utc>::MIN_UTC);
        for one in &sharing {
            let reads = one.detector.reads(session, &one.detector.sql).await?;
            all_read.extend(reads.of(kind.name()).cloned());
            since = since.min(one.detector.reads_since(&reads, one.window, kind));
            until = until.max(one.window.visible_until(kind));
        }
        let mut read = Read::of_all(&all_read);
        read.columns.extend(PICKED_BY.into_iter().chain([column]).map(str::to_owned));
        let failed = |error| first.detector.query_error(error);
        let events = views::events_of(session, kind, partner, since, until, &all).await.map_err(failed)?;
        let held = held::hold(session, kind, events, &read, TOGETHER_BYTES_MAX).await.map_err(failed)?;
        let Some(table) = held else { return Ok(None) };
        let own = views::same_tables(session).await.map_err(failed)?;
        own.deregister_table(kind.name()).map_err(failed)?;
        own.register_table(kind.name(), table).map_err(failed)?;
        let detectors = sharing.iter().map(|one| one.detector.manifest.id.clone()).collect();
        Ok(Some(Self { session: own, detectors }))
    }

    /// The session for a detector: this one, if it shares in it.
    #[must_use]
    pub fn session_for(&self, detector: &Detector) -> Option<&SessionContext> {
        self.detectors.contains(&detector.manifest.id).then_some(&self.session)
    }
}
