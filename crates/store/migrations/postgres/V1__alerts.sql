-- Every key starts with the partner, and so does every where clause.
-- Times are microseconds since 1970-01-01T00:00:00Z, as they are compared and handed out; a timestamptz
-- would be the same number in other clothes. Text that is compared is compared byte by byte, whatever
-- collation the database was made with.
-- This file is never edited once landed; a change is a new file.

create table alert (
    -- Grows with each new alert; the order of arrival.
    alert_number bigint generated always as identity primary key,
    -- The partner whose customer was hit.
    partner_tenant_id text collate "C" not null,
    -- Graph's id; unique within the partner.
    id text collate "C" not null,
    -- The customer that was hit; the nil GUID while it is unknown.
    customer_tenant_id text collate "C" not null,
    -- The indirect reseller, Graph's valueAddedResellerTenantId.
    reseller_tenant_id text collate "C",
    -- The Azure subscription that was hit.
    subscription_id text collate "C" not null,
    -- 'detector' or 'imported'.
    origin text collate "C" not null,
    -- The detector that raised the alert; null if it was imported.
    detector_id text collate "C",
    -- What findings of one incident share, beside detector and subscription; null if imported.
    grouping_key text collate "C",
    -- Graph's alertType.
    alert_type text collate "C" not null,
    -- Graph's displayName.
    display_name text collate "C" not null,
    -- Graph's description.
    description text collate "C",
    -- 0 unknown, 1 informational, 2 low, 3 medium, 4 high.
    severity_rank bigint not null,
    -- 0 unknown, 1 low, 2 medium, 3 high.
    confidence_rank bigint not null,
    -- Graph's status, as text.
    status text collate "C" not null,
    -- Graph's detectedDateTime; the 24-hour clock starts here.
    detected_at bigint not null,
    -- Graph's firstObservedDateTime.
    first_observed_at bigint,
    -- Graph's lastObservedDateTime.
    last_observed_at bigint,
    -- Graph's catalogOfferId.
    catalog_offer_id text collate "C",
    -- Graph's resolvedBy.
    resolved_by text collate "C",
    -- Graph's resolvedOnDateTime.
    resolved_at bigint,
    -- Graph's resolvedReason, as text.
    resolved_reason text collate "C",
    -- Graph's isTest.
    is_test boolean,
    -- 1 at first; one more with each change.
    version bigint not null,
    -- When the alert last changed, as far as it tells.
    modified_at bigint not null,
    -- The alert's JSON exactly as it is served. Text, as jsonb would change its letters.
    body text collate "C" not null
);

-- Bodies stay in the row up to a page's worth: a list reads many, and a body put elsewhere costs each
-- of them another lookup.
alter table alert set (toast_tuple_target = 8160);
alter table alert alter column body set storage main;

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

-- The latest alert of an incident: the one with the greatest alert_number.
create index alert_by_incident
    on alert (partner_tenant_id, detector_id, subscription_id, grouping_key, alert_number)
    where detector_id is not null;

-- Whose subscriptions these are, as records have told.
create table subscription (
    -- The partner.
    partner_tenant_id text collate "C" not null,
    -- The Azure subscription.
    subscription_id text collate "C" not null,
    -- The subscription's name.
    name text collate "C",
    -- The customer.
    customer_tenant_id text collate "C",
    -- The customer's name.
    customer_name text collate "C",
    -- The indirect reseller between partner and customer.
    reseller_tenant_id text collate "C",
    primary key (partner_tenant_id, subscription_id)
);

-- The last run of each detector over the partner's events.
create table detector_run (
    -- The partner.
    partner_tenant_id text collate "C" not null,
    -- The detector's id, as in its manifest.
    detector_id text collate "C" not null,
    -- Start of the events that the last run looked at.
    since_at bigint not null,
    -- End of the events that the last run looked at.
    until_at bigint not null,
    -- When the last run started.
    started_at bigint not null,
    -- How long the last run took, in milliseconds.
    duration_ms bigint not null,
    -- How many findings the last run gave.
    findings bigint not null,
    -- Why the last run failed; null if it did not.
    error text collate "C",
    -- Up to where runs that succeeded have seen the events; null before the first of them.
    watermark_at bigint,
    -- The last arrival of events (event_arrival.sequence) that runs that succeeded could see.
    arrivals_seen bigint not null default 0,
    primary key (partner_tenant_id, detector_id)
);

-- Events that came in, a row a chunk. They may be older than what detectors have seen.
create table event_arrival (
    -- Counts up in the order in which chunks came in.
    sequence bigint generated always as identity primary key,
    -- The partner.
    partner_tenant_id text collate "C" not null,
    -- activity, cost or flow.
    kind text collate "C" not null,
    -- The time of the earliest event of the chunk.
    first_event_at bigint not null
);

create index event_arrival_by_sequence
    on event_arrival (partner_tenant_id, sequence, kind, first_event_at);
