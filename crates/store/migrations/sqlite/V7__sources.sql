-- Where records come from, what came, whose it is, and what the operator must know of it.

-- Up to where each source was read.
create table source_position (
    partner_tenant_id text not null,
    -- The source's name in the settings.
    source text not null,
    -- Which part of it: an object's path, or a partition.
    key text not null,
    -- As the source wrote it: JSON.
    position text not null,
    primary key (partner_tenant_id, source, key)
) without rowid;

-- How each source fares, and which server reads it.
create table source (
    partner_tenant_id text not null,
    name text not null,
    -- folder, azure_blob, s3, event_hubs
    kind text not null,
    -- The server that reads it, and until when no other may.
    holder text,
    held_until integer,
    last_polled_at integer,
    last_success_at integer,
    last_error text,
    last_error_at integer,
    -- What was taken in since the beginning.
    objects integer not null default 0,
    records integer not null default 0,
    bytes integer not null default 0,
    primary key (partner_tenant_id, name)
) without rowid;

-- What came of each kind, for each subscription. Empty texts where the records do not say whose they are.
create table coverage (
    partner_tenant_id text not null,
    kind text not null,
    customer_tenant_id text not null,
    subscription_id text not null,
    -- Null as long as nothing could be read.
    first_event_at integer,
    last_event_at integer,
    first_arrived_at integer not null,
    last_arrived_at integer not null,
    -- How often something new came.
    arrivals integer not null,
    stored integer not null,
    duplicates integer not null,
    rejected integer not null,
    -- New events of the UTC day (since 1970) of the last arrival, and of the day before that day.
    day integer not null,
    on_day integer not null,
    on_day_before integer not null,
    primary key (partner_tenant_id, kind, customer_tenant_id, subscription_id)
) without rowid;

-- The partner's customers, as imported.
create table customer (
    partner_tenant_id text not null,
    customer_tenant_id text not null,
    name text,
    domain text,
    reseller_tenant_id text,
    reseller_mpn_id text,
    country text,
    primary key (partner_tenant_id, customer_tenant_id)
) without rowid;

-- By whose subscriptions an import and a roll-up go.
create index subscription_by_customer on subscription (partner_tenant_id, customer_tenant_id);

-- Keys that let a customer's systems push records.
create table ingest_key (
    -- SHA-256 of the key, in base64; the key itself is kept nowhere.
    hash text primary key,
    partner_tenant_id text not null,
    -- A GUID by which the key is named.
    id text not null,
    customer_tenant_id text not null,
    -- What its maker calls it.
    name text,
    -- The kinds of record that it takes, with commas between; null for all.
    kinds text,
    created_at integer not null,
    expires_at integer,
    revoked_at integer,
    last_used_at integer
) without rowid;

create unique index ingest_key_by_id on ingest_key (partner_tenant_id, id);

-- What the operator must know; open until it is cleared.
create table notice (
    partner_tenant_id text not null,
    -- silent_customer, source_failing, …
    kind text not null,
    -- What it is about.
    subject text not null,
    text text not null,
    raised_at integer not null,
    cleared_at integer,
    primary key (partner_tenant_id, kind, subject)
) without rowid;
