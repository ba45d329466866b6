//! What each detector is to look at next.

use std::collections::HashMap;

use alerts::DetectorSetting;
use chrono::{DateTime, TimeDelta, Utc};
use detect::{Detector, Window};
use ingest::schema::Kind;
use lake::LakeError;
use store::{Backlog, StoreError};

use super::{DetectionError, Period};
use crate::app::Instance;

/// No slice is shorter, however many events there are. A first run over months of history is cut into slices; a scheduled run
/// never reaches it.
const SLICE_MIN: TimeDelta = TimeDelta::days(10);

/// How many events of a detector's tables a longer slice may span.
const ROWS_AT_ONCE: u64 = 1_000_000;

/// What a detector is to look at.
pub(super) struct Plan {
    /// The detector, with the numbers that the operator chose.
    pub(super) detector: Detector,
    /// From when to when; the same twice if nothing came in.
    pub(super) window: Window,
    /// The window, in pieces that one query can take.
    pub(super) slices: Vec<Window>,
    /// The number of the last arrival that a query can see.
    pub(super) last_arrival: u64,
}

/// Plans runs, of one detector or of all; asks what they share once.
pub(super) struct Planner<'a> {
    instance: &'a Instance,
    period: Period,
    now: DateTime<Utc>,
    settings: Vec<DetectorSetting>,
    first_events: HashMap<Kind, Option<DateTime<Utc>>>,
}

impl<'a> Planner<'a> {
    pub(super) async fn new(
        instance: &'a Instance,
        period: Period,
        now: DateTime<Utc>,
    ) -> Result<Self, StoreError> {
        let settings = instance.store.detector_settings(&instance.scope()).await?;
        Ok(Self { instance, period, now, settings, first_events: HashMap::new() })
    }

    /// `None` if there are no events that it could look at.
    ///
    /// Events are to be opened after this: what comes in between is left to the next run.
    pub(super) async fn plan(&mut self, detector: &Detector) -> Result<Option<Plan>, DetectionError> {
        let kinds: Vec<&str> = detector.manifest.inputs.iter().map(|kind| kind.name()).collect();
        let store = &self.instance.store;
        let backlog = store.backlog(&self.instance.scope(), &detector.manifest.id, &kinds).await?;
        let Some(window) = self.window(detector, &backlog).await? else { return Ok(None) };
        Ok(Some(Plan {
            slices: slices(self.instance, detector, &window).await?,
            detector: detector.with_settings(&self.settings),
            window,
            last_arrival: backlog.last_arrival,
        }))
    }

    /// It starts where the last run ended, less the overlap, or with the earliest event that has come in
    /// since: exports come in days after what they tell of.
    ///
    /// If nothing that the detector reads has come in since, there is nothing to find, and the watermark stays: what
    /// came with a time that lies ahead is looked at once something comes after it.
    async fn window(
        &mut self,
        detector: &Detector,
        backlog: &Backlog,
    ) -> Result<Option<Window>, DetectionError> {
        let until = self.period.until.unwrap_or(self.now);
        let since = match (self.period.since, backlog.watermark) {
            (Some(since), _) => since,
            (None, Some(watermark)) => match backlog.late_since {
                None if !self.period.is_asked_for() => return Ok(Some(Window::new(watermark, watermark))),
                late => {
                    let overlap = watermark - detector.manifest.overlap;
                    late.map_or(overlap, |late| late.min(overlap))
                }
            },
            (None, None) => match self.first_event(detector).await? {
                Some(first) => first,
                None => return Ok(None),
            },
        };
        Ok((since < until).then(|| Window::new(since, until)))
    }

    /// When the earliest event happened that the detector could read.
    async fn first_event(&mut self, detector: &Detector) -> Result<Option<DateTime<Utc>>, LakeError> {
        let mut firsts = Vec::new();
        for kind in &detector.manifest.inputs {
            let first = match self.first_events.get(kind) {
                Some(known) => *known,
                None => {
                    let first = self.instance.lake.extent(*kind).await?.map(|(first, _)| first);
                    self.first_events.insert(*kind, first);
                    first
                }
            };
            firsts.extend(first);
        }
        Ok(firsts.into_iter().min())
    }
}

/// Cuts a window into pieces that one query can take: all of it, where there are few events. Each piece reads the detector's
/// lookback again, so that few pieces are little work.
pub(in crate::app) async fn slices(
    instance: &Instance,
    detector: &Detector,
    window: &Window,
) -> Result<Vec<Window>, LakeError> {
    let all = window.until - window.since;
    let mut length = SLICE_MIN;
    if all > SLICE_MIN {
        let mut rows = 0;
        for kind in &detector.manifest.inputs {
            rows += instance.lake.summary(*kind).await?.rows;
        }
        length = length.max(length_of(all, rows));
    }
    let starts = std::iter::successors(Some(window.since), |since| Some(*since + length));
    let starts = starts.take_while(|since| *since < window.until);
    Ok(starts.map(|since| Window { since, until: window.until.min(since + length), ..*window }).collect())
}

/// How many days of a stretch of time with so many events a query can take; all of it if that is more.
fn length_of(all: TimeDelta, rows: u64) -> TimeDelta {
    if rows <= ROWS_AT_ONCE {
        return all;
    }
    let days = u64::try_from(all.num_days()).unwrap_or_default();
    let fitting = u128::from(days) * u128::from(ROWS_AT_ONCE) / u128::from(rows);
    TimeDelta::days(i64::try_from(fitting).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_holds_so_many_events_and_all_where_there_are_few() {
        for (days, rows, expected) in [
            (90, 0, 90),
            (90, ROWS_AT_ONCE, 90),
            (90, ROWS_AT_ONCE + 1, 89),
            (90, 2 * ROWS_AT_ONCE, 45),
            (90, 1_000 * ROWS_AT_ONCE, 0),
            (3_650_000, u64::MAX, 0),
        ] {
            assert_eq!(length_of(TimeDelta::days(days), rows), TimeDelta::days(expected), "{days} {rows}");
        }
    }
}
