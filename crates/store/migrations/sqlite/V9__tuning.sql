-- What the operator says of findings, and which findings were silenced by it.

create table tuning_rule (
    partner_tenant_id text not null,
    -- A GUID by which it is named.
    id text not null,
    -- Which findings it is about; null where that may be any.
    detector_id text,
    customer_tenant_id text,
    subscription_id text,
    grouping_key text,
    -- JSON: lists of values, by the name of the evidence.
    evidence text not null,
    -- Of what time their evidence is.
    from_at integer,
    until_at integer,
    -- silence, or a severity.
    effect text not null,
    reason text not null,
    author text not null,
    created_at integer not null,
    -- When it was taken back.
    ended_at integer,
    primary key (partner_tenant_id, id)
) without rowid;

-- One row for each incident that a rule silenced.
create table silenced (
    partner_tenant_id text not null,
    detector_id text not null,
    subscription_id text not null,
    grouping_key text not null,
    rule_id text not null,
    -- The rule's reason, at that time.
    reason text not null,
    -- Empty if no record named the customer.
    customer_tenant_id text not null,
    -- The latest finding: JSON.
    finding text not null,
    first_observed_at integer not null,
    last_observed_at integer not null,
    first_at integer not null,
    last_at integer not null,
    primary key (partner_tenant_id, detector_id, subscription_id, grouping_key, rule_id)
) without rowid;

-- By which the latest are found.
create index silenced_by_time on silenced (partner_tenant_id, last_at);

-- Numbers of detectors that the operator chose.
create table detector_setting (
    partner_tenant_id text not null,
    detector_id text not null,
    name text not null,
    -- Empty for all.
    customer_tenant_id text not null,
    subscription_id text not null,
    value real not null,
    reason text not null,
    author text not null,
    changed_at integer not null,
    primary key (partner_tenant_id, detector_id, name, customer_tenant_id, subscription_id)
) without rowid;
