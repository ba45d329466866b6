-- Who wants to be told of changes to alerts, and what is on its way to them.
-- `subscription` is the directory of Azure subscriptions; these are spelled out.

create table notification_subscription (
    -- The partner.
    partner_tenant_id text not null,
    -- A GUID.
    id text not null,
    -- The only reseller of whose customers it tells; null for all.
    reseller_tenant_id text,
    -- The only customer of whom it tells; null for all.
    customer_tenant_id text,
    -- The application that subscribed.
    application_id text not null,
    -- The user or service principal that subscribed.
    creator_id text not null,
    -- What it watches, as the subscriber wrote it.
    resource text not null,
    -- The only alert that it watches; null for all.
    alert_id text,
    -- The changes that it tells of, with commas between them.
    change_types text not null,
    -- Where notifications go.
    notification_url text not null,
    -- Where notifications of the subscription's own life go; null for nowhere.
    lifecycle_notification_url text,
    -- What the receiver recognises us by.
    client_state text,
    -- Until when it tells.
    expires_at integer not null,
    -- When its subscriber is to be reminded to renew it; null once that is done.
    reauthorize_at integer,
    -- For whom notifications carry the alert, encrypted: an X.509 certificate in base64; null if they
    -- do not carry it.
    encryption_certificate text,
    -- What the subscriber calls the certificate.
    encryption_certificate_id text,
    -- As the subscriber told it.
    latest_supported_tls_version text,
    -- Up to where the log of changes was turned into notifications: a position in alert_change.
    seen_epoch integer not null,
    seen_sequence integer not null,
    -- When it was made.
    created_at integer not null,
    -- When it ended by itself; the row stays until its subscriber was told.
    removed_at integer,
    primary key (partner_tenant_id, id)
) without rowid;

create index notification_subscription_by_application
    on notification_subscription (partner_tenant_id, application_id);

-- What is to be sent; deleted when it was delivered or given up.
create table notification (
    -- Counts up; the order in which a receiver hears of one alert.
    notification_number integer primary key autoincrement,
    -- The partner.
    partner_tenant_id text not null,
    -- The notification subscription.
    subscription_id text not null,
    -- The alert that changed; empty if it is about the subscription itself.
    alert_id text not null,
    -- created, updated or deleted; reauthorizationRequired, subscriptionRemoved or missed.
    event text not null,
    -- The alert's version after the change; 0 without an alert.
    version integer not null,
    -- When it was put here.
    created_at integer not null,
    -- How many attempts have failed.
    attempts integer not null,
    -- When the first attempt failed, of this one or of one that it waits behind.
    first_failed_at integer,
    -- Not to be sent before.
    next_attempt_at integer not null,
    -- Who is sending it now, and until when that is believed.
    lease text,
    leased_until integer
);

create index notification_by_alert
    on notification (partner_tenant_id, subscription_id, alert_id, notification_number);

create index notification_by_attempt
    on notification (partner_tenant_id, subscription_id, next_attempt_at);

-- What all servers on this store share and nobody else may know, such as keys.
create table secret (
    -- What it is for.
    name text primary key not null,
    -- The bytes, in base64.
    value text not null
) without rowid;
