-- Webhook registrations of Partner Center's kind, and deliveries on their way.

-- Where a partner wants to hear of events.
create table webhook_registration (
    -- The partner.
    partner_tenant_id text not null,
    -- What the registration is called; a GUID.
    subscriber_id text not null,
    -- The receiver.
    webhook_url text not null,
    -- The names of the events, with spaces between them.
    webhook_events text not null,
    -- The changes of alerts that have become deliveries: the place in the log after the last of them.
    seen_epoch integer not null,
    seen_sequence integer not null,
    primary key (partner_tenant_id)
) without rowid;

-- One event on its way, or arrived, or given up.
create table webhook_delivery (
    -- The partner.
    partner_tenant_id text not null,
    -- A GUID; the correlation id of a test event.
    delivery_id text not null,
    -- The name of the event.
    event text not null,
    -- What is sent, to the byte.
    body text not null,
    -- The receiver.
    webhook_url text not null,
    -- When it was made.
    created_at integer not null,
    -- 'waiting', 'completed' or 'failed'.
    state text not null,
    -- When to try next; null unless waiting.
    due_at integer,
    -- How many attempts were made.
    attempts integer not null,
    primary key (partner_tenant_id, delivery_id)
) without rowid;

create index webhook_delivery_by_due
    on webhook_delivery (due_at)
    where state = 'waiting';

create index webhook_delivery_by_event
    on webhook_delivery (partner_tenant_id, event, created_at);

-- What came of each attempt to deliver.
create table webhook_attempt (
    -- The partner.
    partner_tenant_id text not null,
    -- The delivery.
    delivery_id text not null,
    -- Which attempt, from 1.
    attempt integer not null,
    -- The receiver's status as a word; empty if there was no answer.
    response_code text not null,
    -- What went wrong; empty if nothing did.
    response_message text not null,
    -- 1 if there was no answer at all.
    system_error integer not null,
    -- When.
    attempted_at integer not null,
    primary key (partner_tenant_id, delivery_id, attempt)
) without rowid;
