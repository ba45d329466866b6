-- Facts for the partner's security score, and its history.

-- Requirements that were imported. The one on response times is not here: it is computed from alerts.
create table score_requirement (
    -- The partner.
    partner_tenant_id text not null,
    -- Graph's id of the requirement.
    requirement_id text not null,
    -- Graph's securityRequirement with the properties of its subtype, as JSON.
    body text not null,
    primary key (partner_tenant_id, requirement_id)
) without rowid;

-- What was imported about each customer.
create table customer_insight (
    -- The partner.
    partner_tenant_id text not null,
    -- The customer.
    customer_tenant_id text not null,
    -- Graph's customerInsight as JSON.
    body text not null,
    primary key (partner_tenant_id, customer_tenant_id)
) without rowid;

-- The score as it was at the end of each day on which it changed.
create table score_snapshot (
    -- The partner.
    partner_tenant_id text not null,
    -- The UTC day, in days since 1970-01-01.
    day integer not null,
    -- Points reached of the points known, scaled to 100.
    score real not null,
    -- How many of the known requirements were met.
    compliant_requirements integer not null,
    -- How many requirements were known.
    total_requirements integer not null,
    -- When the score was found to be so.
    created_at integer not null,
    primary key (partner_tenant_id, day)
) without rowid;

-- How fast the alerts of the last 30 days were resolved, without reading a single alert.
create index alert_by_resolution
    on alert (
        partner_tenant_id, status, resolved_at, detected_at, is_test, customer_tenant_id, reseller_tenant_id
    )
    where resolved_at is not null;

insert into sqlite_stat1 (tbl, idx, stat)
values ('alert', 'alert_by_resolution', '900000 90000 90000 1 1 1 1 1 noskipscan');

analyze sqlite_master;
