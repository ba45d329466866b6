-- What happens to alerts, how many there are of each kind, and what their texts say.

-- One row for each change of an alert, written in the same transaction and never changed. It is what
-- deltas and notifications are made from. Alerts from before this file have none.
create table alert_change (
    -- Counts up in the order of the commits: one transaction writes at a time.
    sequence integer primary key autoincrement,
    -- Goes before the sequence where transactions overlap; here they do not, so it is always 0.
    epoch integer not null default 0,
    -- The partner of the alert.
    partner_tenant_id text not null,
    -- Graph's id of the alert.
    alert_id text not null,
    -- 'created'; 'updated'; 'deleted'; or 'left': it no longer is of the customer or reseller named
    -- here, and the partner sees nothing of that.
    kind text not null,
    -- The alert's version since.
    version integer not null,
    -- When, as in the alert's modified_at.
    at integer not null,
    -- The customer of the alert; null in 'left' if it did not change.
    customer_tenant_id text,
    -- The reseller of the alert; null in 'left' if it did not change.
    reseller_tenant_id text
);

create index alert_change_by_position
    on alert_change (partner_tenant_id, epoch, sequence);

-- How far the log has been cut off at its old end. One row.
create table alert_change_cut (
    -- Of the last change that is gone.
    epoch integer not null,
    -- Of the last change that is gone.
    sequence integer not null
);

insert into alert_change_cut (epoch, sequence)
values (0, 0);

-- From here on, modified_at is when an alert was changed here, and rises with each change. Until now
-- it was what an import told, which may lie ahead.
update alert
set modified_at = cast(unixepoch('subsec') * 1000000 as integer)
where modified_at > cast(unixepoch('subsec') * 1000000 as integer);

-- For callers who ask for what was modified since, and for the time of the last change.
create index alert_by_modification
    on alert (partner_tenant_id, modified_at, id);

-- One subscription's alerts. No change of status touches this index.
create index alert_by_subscription
    on alert (partner_tenant_id, subscription_id, detected_at, id);

-- How many alerts share these columns, which are named and filled as in alert: a condition over them
-- reads the same there and here. Counting a million rows one by one takes longer than showing a page.
create table alert_count (
    partner_tenant_id text not null,
    status text not null,
    severity_rank integer not null,
    confidence_rank integer not null,
    alert_type text not null,
    is_test integer,
    resolved_reason text,
    -- How many; may be 0.
    alerts integer not null
);

-- Null is a value of its own here, so that each combination has one row.
create unique index alert_count_by_columns
    on alert_count (
        partner_tenant_id,
        status,
        severity_rank,
        confidence_rank,
        alert_type,
        ifnull(is_test, -1),
        ifnull(resolved_reason, '')
    );

insert into alert_count
select partner_tenant_id, status, severity_rank, confidence_rank, alert_type, is_test, resolved_reason,
    count(*)
from alert
group by 1, 2, 3, 4, 5, 6, 7;

create trigger alert_count_inserted
after insert on alert
begin
    insert into alert_count
    values (
        new.partner_tenant_id, new.status, new.severity_rank, new.confidence_rank, new.alert_type,
        new.is_test, new.resolved_reason, 1
    )
    on conflict do update set alerts = alerts + 1;
end;

create trigger alert_count_deleted
after delete on alert
begin
    update alert_count
    set alerts = alerts - 1
    where partner_tenant_id = old.partner_tenant_id
        and status = old.status
        and severity_rank = old.severity_rank
        and confidence_rank = old.confidence_rank
        and alert_type = old.alert_type
        and ifnull(is_test, -1) = ifnull(old.is_test, -1)
        and ifnull(resolved_reason, '') = ifnull(old.resolved_reason, '');
end;

create trigger alert_count_updated
after update of status, severity_rank, confidence_rank, alert_type, is_test, resolved_reason on alert
when (old.status, old.severity_rank, old.confidence_rank, old.alert_type, old.is_test, old.resolved_reason)
    is not (new.status, new.severity_rank, new.confidence_rank, new.alert_type, new.is_test,
    new.resolved_reason)
begin
    update alert_count
    set alerts = alerts - 1
    where partner_tenant_id = old.partner_tenant_id
        and status = old.status
        and severity_rank = old.severity_rank
        and confidence_rank = old.confidence_rank
        and alert_type = old.alert_type
        and ifnull(is_test, -1) = ifnull(old.is_test, -1)
        and ifnull(resolved_reason, '') = ifnull(old.resolved_reason, '');
    insert into alert_count
    values (
        new.partner_tenant_id, new.status, new.severity_rank, new.confidence_rank, new.alert_type,
        new.is_test, new.resolved_reason, 1
    )
    on conflict do update set alerts = alerts + 1;
end;

-- The texts of alerts, word by word, under their alert_number. Words are letters and digits of any
-- alphabet, whatever their case; everything else divides them, so the parts of a resource's path are
-- words. Only the index is kept: the texts are in the alerts.
create virtual table alert_text using fts5(
    display_name,
    description,
    affected_resources,
    additional_details,
    content = '',
    contentless_delete = 1,
    tokenize = "unicode61 remove_diacritics 0"
);

-- What is indexed of an alert. The texts and numbers in a collection are one text here.
create view alert_text_of as
select
    alert_number,
    display_name,
    description,
    (
        select group_concat(atom, ' ')
        from json_tree(alert.body, '$.affectedResources')
        where type in ('text', 'integer', 'real')
    ) as affected_resources,
    (
        select group_concat(atom, ' ')
        from json_tree(alert.body, '$.additionalDetails')
        where type in ('text', 'integer', 'real')
    ) as additional_details
from alert;

insert into alert_text (rowid, display_name, description, affected_resources, additional_details)
select alert_number, display_name, description, affected_resources, additional_details
from alert_text_of;

create trigger alert_text_inserted
after insert on alert
begin
    insert into alert_text (rowid, display_name, description, affected_resources, additional_details)
    select alert_number, display_name, description, affected_resources, additional_details
    from alert_text_of
    where alert_number = new.alert_number;
end;

create trigger alert_text_deleted
after delete on alert
begin
    delete from alert_text where rowid = old.alert_number;
end;

-- A change of status writes neither column, and so does not come here; what replaces an alert writes
-- both, whether they differ or not.
create trigger alert_text_updated
after update of display_name, description on alert
when old.display_name is not new.display_name
    or old.description is not new.description
    or old.body -> '$.affectedResources' is not new.body -> '$.affectedResources'
    or old.body -> '$.additionalDetails' is not new.body -> '$.additionalDetails'
begin
    delete from alert_text where rowid = old.alert_number;
    insert into alert_text (rowid, display_name, description, affected_resources, additional_details)
    select alert_number, display_name, description, affected_resources, additional_details
    from alert_text_of
    where alert_number = new.alert_number;
end;

-- As in V1: what the planner is to believe of ten partners with 100,000 alerts each.
insert into sqlite_stat1 (tbl, idx, stat)
values
    ('alert', 'alert_by_modification', '1000000 100000 2 1 noskipscan'),
    ('alert', 'alert_by_subscription', '1000000 100000 50 1 1 noskipscan'),
    ('alert_change', 'alert_change_by_position', '1000000 100000 100000 1 noskipscan'),
    ('alert_count', 'alert_count_by_columns', '5000 500 150 40 12 4 2 1 noskipscan');

analyze sqlite_master;
