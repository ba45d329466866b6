//! What keeps the lake fast and bounded while the server is up: old days are forgotten, small files merged,
//! files that no version names removed, and the logs kept short.
//!
//! One table after the other, one piece of work at a time. Other processes may write meanwhile, and another
//! server over the same lake may do the same work: then one of them gives up what the other did.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use ingest::schema::Kind;
use lake::{CompactionOptions, Lake, LakeError};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at};

use crate::app::Instance;
use crate::config::RetentionDays;

/// How often the tables are looked at.
const EVERY: Duration = Duration::from_secs(10 * 60);

/// After the start, so that what waits to be taken in comes first.
const FIRST_AFTER: Duration = Duration::from_secs(60);

/// Looking for files that no version names lists all of them.
const VACUUM_EVERY: TimeDelta = TimeDelta::hours(6);

/// How long files stay that no version names: longer than any query or append runs.
pub(crate) const FILES_KEPT: TimeDelta = TimeDelta::days(7);

/// How long entries of the log stay that stand before a checkpoint.
pub(crate) const LOG_KEPT: TimeDelta = TimeDelta::days(1);

/// Days of a table that one look rewrites at most, so that the other tables get their turn.
const DAYS_MAX: usize = 100;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LakeUpkeep {
    /// Whether small files are merged.
    pub(crate) compaction: bool,
    /// How long events are kept.
    pub(crate) retention: RetentionDays,
}

/// Starts the work; dropping the set stops it. What was under way is then as if it had not begun.
#[must_use]
pub(crate) fn start(instance: &Arc<Instance>, upkeep: LakeUpkeep) -> JoinSet<()> {
    let lake = instance.lake.clone();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut tick = interval_at(Instant::now() + FIRST_AFTER, EVERY);
        let mut vacuumed_at: Option<DateTime<Utc>> = None;
        loop {
            tick.tick().await;
            let now = Utc::now();
            let vacuum = vacuumed_at.is_none_or(|at| now - at >= VACUUM_EVERY);
            upkeep.look(&lake, now, vacuum).await;
            if vacuum {
                vacuumed_at = Some(now);
            }
        }
    });
    tasks
}

impl LakeUpkeep {
    /// Looks at all tables once. What fails is logged, and the next piece of work goes on.
    pub(crate) async fn look(self, lake: &Lake, now: DateTime<Utc>, vacuum: bool) {
        for kind in Kind::ALL {
            report(kind, "old days could not be forgotten", self.forget(lake, kind, now).await);
            if self.compaction {
                report(kind, "small files could not be merged", compact(lake, kind, now).await);
            }
            report(kind, "the log could not be tidied", lake.tidy_log(kind, LOG_KEPT, now).await.map(drop));
            if vacuum {
                report(kind, "unnamed files could not be removed", clear(lake, kind, now).await);
            }
        }
    }

    async fn forget(self, lake: &Lake, kind: Kind, now: DateTime<Utc>) -> Result<(), LakeError> {
        let Some(first) = self.retention.first_day(kind, now) else { return Ok(()) };
        let forgotten = lake.forget_before(kind, first).await?;
        if forgotten.rows > 0 {
            let (days, events) = (forgotten.days, forgotten.rows);
            tracing::info!(kind = kind.name(), before = %first, days, events, "Events beyond their retention were removed");
        }
        Ok(())
    }
}

async fn compact(lake: &Lake, kind: Kind, now: DateTime<Utc>) -> Result<(), LakeError> {
    let options = CompactionOptions { days_max: DAYS_MAX, ..CompactionOptions::default() };
    let begin = Instant::now();
    let done = lake.compact(kind, &options, now).await?;
    if done.days > 0 {
        tracing::info!(
            kind = kind.name(),
            days = done.days,
            files_before = done.files_before,
            files_after = done.files_after,
            bytes_before = done.bytes_before,
            bytes_after = done.bytes_after,
            superseded_rows = done.superseded_rows,
            days_left = done.days_left,
            seconds = begin.elapsed().as_secs_f32(),
            "Merged small files"
        );
    }
    if !done.overtaken.is_empty() {
        tracing::info!(kind = kind.name(), days = ?done.overtaken, "Another process rewrote the same days");
    }
    Ok(())
}

async fn clear(lake: &Lake, kind: Kind, now: DateTime<Utc>) -> Result<(), LakeError> {
    let removed = lake.vacuum(kind, FILES_KEPT, now).await?;
    if removed.files + removed.torn_files > 0 {
        let (files, torn_files) = (removed.files, removed.torn_files);
        tracing::info!(kind = kind.name(), files, torn_files, "Removed files that no version names");
    }
    Ok(())
}

fn report(kind: Kind, what: &str, outcome: Result<(), LakeError>) {
    if let Err(error) = outcome {
        let error = anyhow::Error::from(error);
        tracing::error!(kind = kind.name(), ?error, "Lake upkeep: {what}; it is tried again");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        ArrayRef, BinaryArray, Date32Array, RecordBatch, StringArray, TimestampMicrosecondArray,
        new_null_array,
    };
    use datafusion::arrow::datatypes::DataType;

    use super::*;

    /// An event of the kind so many days before `now`.
    fn event(kind: Kind, id: u8, now: DateTime<Utc>, days_ago: i64) -> RecordBatch {
        let at = now - TimeDelta::days(days_ago);
        let schema = kind.schema();
        let columns = schema.fields().iter().map(|field| -> ArrayRef {
            match (field.name().as_str(), field.data_type()) {
                ("day", _) => Arc::new(Date32Array::from(vec![at.date_naive().to_epoch_days()])),
                (_, DataType::Timestamp(..)) => Arc::new(
                    TimestampMicrosecondArray::from(vec![at.timestamp_micros()]).with_timezone("UTC"),
                ),
                (_, DataType::Binary) => Arc::new(BinaryArray::from_iter_values([[id; 16]])),
                ("partner_tenant_id", _) => Arc::new(StringArray::from(vec!["partner-1"])),
                (_, data_type) => new_null_array(data_type, 1),
            }
        });
        RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_look_does_all_of_it_and_survives_a_broken_table() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::in_directory(folder.path()).unwrap();
        let now = Utc::now();
        for kind in [Kind::Activity, Kind::Flow] {
            for (id, days_ago) in [(1, 1000), (2, 100), (3, 3), (4, 3), (5, 3), (6, 3), (7, 3)] {
                lake.append(kind, vec![event(kind, id, now, days_ago)]).await.unwrap();
            }
        }
        // Something else lies where a table would be.
        std::fs::create_dir_all(folder.path().join("cost/_delta_log")).unwrap();
        std::fs::write(folder.path().join("cost/_delta_log/00000000000000000000.json"), "no log").unwrap();

        let upkeep = LakeUpkeep { compaction: true, retention: RetentionDays::default() };
        upkeep.look(&lake, now + TimeDelta::hours(3), true).await;
        let shown = async |kind: Kind| {
            std::fs::remove_dir_all(folder.path().join("cost")).ok();
            let tables = lake.describe().await.unwrap();
            let table = tables.into_iter().find(|table| table.kind == kind).unwrap();
            (table.rows, table.files)
        };
        assert_eq!(shown(Kind::Activity).await, (6, 2), "one day is merged, the oldest is gone");
        assert_eq!(shown(Kind::Flow).await, (5, 1), "flows are kept for 90 days only");

        let forever = RetentionDays { flow: 0, ..RetentionDays::default() };
        lake.append(Kind::Flow, vec![event(Kind::Flow, 9, now, 5000)]).await.unwrap();
        LakeUpkeep { compaction: false, retention: forever }.look(&lake, now, false).await;
        assert_eq!(shown(Kind::Flow).await, (6, 2), "0 keeps for ever");
    }
}
