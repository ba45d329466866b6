-- How detectors fare: a failure does not hide when a run last succeeded, and a success not why one last failed.

-- When the last run that succeeded started; null if none did.
alter table detector_run add column succeeded_at bigint;

-- When the last run that failed started, and why it did; null if none did.
alter table detector_run add column failed_at bigint;

alter table detector_run add column last_error text collate "C";

update detector_run set succeeded_at = started_at where error is null;

update detector_run set failed_at = started_at, last_error = error where error is not null;
