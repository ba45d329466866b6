-- Every key starts with the partner, and so does every where clause.
-- Times are microseconds since 1970-01-01T00:00:00Z. Booleans are 0 and 1.
-- This file is never edited once landed; a change is a new file.

create table alert (
    -- Grows with each new alert; the order of arrival. A rowid table on purpose: with bodies of
    -- 1.7 KB, lists from a table without rowid took 2 to 5 times as long.
    alert_number integer primary key,
    -- The partner whose customer was hit.
    partner_tenant_id text not null,
    -- Graph's id; unique within the partner.
    id text not null,
    -- The customer that was hit; the nil GUID while it is unknown.
    customer_tenant_id text not null,
    -- The indirect reseller, Graph's valueAddedResellerTenantId.
    reseller_tenant_id text,
    -- The Azure subscription that was hit.
    subscription_id text not null,
    -- 'detector' or 'imported'.
    origin text not null,
    -- The detector that raised the alert; null if it was imported.
    detector_id text,
    -- What findings of one incident share, beside detector and subscription; null if imported.
    grouping_key text,
    -- Graph's alertType.
    alert_type text not null,
    -- Graph's displayName.
    display_name text not null,
    -- Graph's description.
    description text,
    -- 0 unknown, 1 informational, 2 low, 3 medium, 4 high.
    severity_rank integer not null,
    -- 0 unknown, 1 low, 2 medium, 3 high.
    confidence_rank integer not null,
    -- Graph's status, as text.
    status text not null,
    -- Graph's detectedDateTime; the 24-hour clock starts here.
    detected_at integer not null,
    -- Graph's firstObservedDateTime.
    first_observed_at integer,
    -- Graph's lastObservedDateTime.
    last_observed_at integer,
    -- Graph's catalogOfferId.
    catalog_offer_id text,
    -- Graph's resolvedBy.
    resolved_by text,
    -- Graph's resolvedOnDateTime.
    resolved_at integer,
    -- Graph's resolvedReason, as text.
    resolved_reason text,
    -- Graph's isTest.
    is_test integer,
    -- 1 at first; one more with each change.
    version integer not null,
    -- When the alert last changed, as far as it tells.
    modified_at integer not null,
    -- The alert's JSON exactly as it is served. Last, so that the columns before it are read
    -- without following the body's overflow pages.
    body text not null
);

create unique index alert_by_id
    on alert (partner_tenant_id, id);

-- The order of a list when none is asked for, read backwards.
create index alert_by_detection
    on alert (partner_tenant_id, detected_at, id);

create index alert_by_status
    on alert (partner_tenant_id, status, detected_at, id);

create index alert_by_status_and_severity
    on alert (partner_tenant_id, status, severity_rank, detected_at, id);

create index alert_by_customer
    on alert (partner_tenant_id, customer_tenant_id, detected_at, id);

create index alert_by_reseller
    on alert (partner_tenant_id, reseller_tenant_id, detected_at, id)
    where reseller_tenant_id is not null;

-- The latest alert of an incident: the one with the greatest alert_number, which ends every index.
create index alert_by_incident
    on alert (partner_tenant_id, detector_id, subscription_id, grouping_key)
    where detector_id is not null;

-- Whose subscriptions these are, as records have told.
create table subscription (
    -- The partner.
    partner_tenant_id text not null,
    -- The Azure subscription.
    subscription_id text not null,
    -- The subscription's name.
    name text,
    -- The customer.
    customer_tenant_id text,
    -- The customer's name.
    customer_name text,
    -- The indirect reseller between partner and customer.
    reseller_tenant_id text,
    primary key (partner_tenant_id, subscription_id)
) without rowid;

-- The last run of each detector over the partner's events.
create table detector_run (
    -- The partner.
    partner_tenant_id text not null,
    -- The detector's id, as in its manifest.
    detector_id text not null,
    -- Start of the events that the last run looked at.
    since_at integer not null,
    -- End of the events that the last run looked at.
    until_at integer not null,
    -- When the last run started.
    started_at integer not null,
    -- How long the last run took, in milliseconds.
    duration_ms integer not null,
    -- How many findings the last run gave.
    findings integer not null,
    -- Why the last run failed; null if it did not.
    error text,
    -- Up to where runs that succeeded have seen the events; null before the first of them.
    watermark_at integer,
    -- The last arrival of events (event_arrival.sequence) that runs that succeeded could see.
    arrivals_seen integer not null default 0,
    primary key (partner_tenant_id, detector_id)
) without rowid;

-- Events that came in, a row a chunk. They may be older than what detectors have seen.
create table event_arrival (
    -- Counts up in the order in which chunks came in.
    sequence integer primary key autoincrement,
    -- The partner.
    partner_tenant_id text not null,
    -- activity, cost or flow.
    kind text not null,
    -- The time of the earliest event of the chunk.
    first_event_at integer not null
);

create index event_arrival_by_sequence
on event_arrival (partner_tenant_id, sequence, kind, first_event_at);

-- What the planner is to believe: ten partners with 100,000 alerts each. Without figures it takes a
-- partner for a handful of rows, and then chooses among the indexes almost at random; with figures
-- of the moment its choices would change with the data. Each line: rows in all, then rows for one
-- value of the first column of the index, of the first two, and so on. No column is ever skipped,
-- as every statement names the partner.
analyze;

insert into sqlite_stat1 (tbl, idx, stat)
values
    ('alert', 'alert_by_id', '1000000 100000 1 noskipscan'),
    ('alert', 'alert_by_detection', '1000000 100000 5 1 noskipscan'),
    ('alert', 'alert_by_status', '1000000 100000 30000 5 1 noskipscan'),
    ('alert', 'alert_by_status_and_severity', '1000000 100000 30000 8000 4 1 noskipscan'),
    ('alert', 'alert_by_customer', '1000000 100000 1000 2 1 noskipscan'),
    ('alert', 'alert_by_reseller', '500000 50000 5000 3 1 noskipscan'),
    ('alert', 'alert_by_incident', '1000000 100000 10000 50 3 noskipscan');

analyze sqlite_master;
