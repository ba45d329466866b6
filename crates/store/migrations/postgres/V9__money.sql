-- What the incidents of alerts cost, and what is known of prices. Amounts are millionths of a unit of their currency.

-- One row for each alert that was reckoned. Whose it is, the alert says.
create table money_at_risk (
    partner_tenant_id text collate "C" not null,
    alert_id text collate "C" not null,
    -- The alert's version that it was reckoned for.
    alert_version bigint not null,
    -- 1 if the alert was open then.
    is_open bigint not null,
    reckoned_at bigint not null,
    -- 1 if something has no known price.
    has_unpriced bigint not null,
    -- JSON: the sums and the resources.
    body text collate "C" not null,
    primary key (partner_tenant_id, alert_id)
);

create index money_of_open_alerts on money_at_risk (partner_tenant_id, is_open, alert_id);

-- The sums of an alert, one for each currency.
create table money_total (
    partner_tenant_id text collate "C" not null,
    alert_id text collate "C" not null,
    currency text collate "C" not null,
    is_open bigint not null,
    so_far bigint not null,
    per_hour bigint not null,
    -- Without what another open alert of the subscription counts.
    counted_so_far bigint not null,
    counted_per_hour bigint not null,
    -- In dollars, by the partner's own bills, where they tell; only to sort by.
    worth_so_far bigint not null,
    worth_per_hour bigint not null,
    primary key (partner_tenant_id, alert_id, currency)
);

-- The two orders of the list, read backwards.
create index money_by_hour
    on money_total (partner_tenant_id, is_open, worth_per_hour, worth_so_far, alert_id, currency);

create index money_by_sum
    on money_total (partner_tenant_id, is_open, worth_so_far, worth_per_hour, alert_id, currency);

-- What a machine costs by the hour.
create table machine_price (
    partner_tenant_id text collate "C" not null,
    -- observed, of the partner's bills, or rateCard.
    source text collate "C" not null,
    size text collate "C" not null,
    -- regular or spot.
    priority text collate "C" not null,
    -- The region's id; empty if no record names it.
    region text collate "C" not null,
    currency text collate "C" not null,
    per_hour bigint not null,
    -- On how many lines of bills it rests.
    lines bigint not null,
    known_at bigint not null,
    primary key (partner_tenant_id, source, size, priority, region, currency)
);

-- What a unit of a currency is worth in dollars, by the partner's own bills: millionths.
create table currency_worth (
    partner_tenant_id text collate "C" not null,
    currency text collate "C" not null,
    worth bigint not null,
    primary key (partner_tenant_id, currency)
);

-- When the partner's bills were last looked at for prices.
create table price_observation (
    partner_tenant_id text collate "C" not null,
    observed_at bigint not null,
    primary key (partner_tenant_id)
);
