-- What happens to alerts, and what their texts say. How many there are of each kind is counted when it
-- is asked: figures that are kept would make those who change alerts wait for each other.

-- One row for each change of an alert, written in the same transaction and never changed. It is what
-- deltas and notifications are made from.
create table alert_change (
    -- Counts up in the order in which changes were made, which is not always that of their commits.
    sequence bigint generated always as identity primary key,
    -- The transaction, which goes before the sequence: once all transactions before some number have
    -- ended, no change can come to light before it.
    epoch bigint not null default (pg_current_xact_id()::text::bigint),
    -- The partner of the alert.
    partner_tenant_id text collate "C" not null,
    -- Graph's id of the alert.
    alert_id text collate "C" not null,
    -- 'created'; 'updated'; 'deleted'; or 'left': it no longer is of the customer or reseller named
    -- here, and the partner sees nothing of that.
    kind text collate "C" not null,
    -- The alert's version since.
    version bigint not null,
    -- When, as in the alert's modified_at.
    at bigint not null,
    -- The customer of the alert; null in 'left' if it did not change.
    customer_tenant_id text collate "C",
    -- The reseller of the alert; null in 'left' if it did not change.
    reseller_tenant_id text collate "C"
);

create index alert_change_by_position
    on alert_change (partner_tenant_id, epoch, sequence);

-- How far the log has been cut off at its old end. One row.
create table alert_change_cut (
    -- Of the last change that is gone.
    epoch bigint not null,
    -- Of the last change that is gone.
    sequence bigint not null
);

insert into alert_change_cut (epoch, sequence)
values (0, 0);

-- For callers who ask for what was modified since.
create index alert_by_modification
    on alert (partner_tenant_id, modified_at, id);

-- One subscription's alerts.
create index alert_by_subscription
    on alert (partner_tenant_id, subscription_id, detected_at, id);

-- The texts and numbers in a JSON value, in their order, with spaces between them.
-- These functions are in plpgsql as it keeps their plans; in sql, each row would be planned for anew,
-- which takes longer than the work itself.
create function json_texts(whole json) returns text
language plpgsql
immutable strict parallel safe
as $$
begin
    return (
        with recursive part (place, value) as (
            select array[]::bigint[], whole
            union all
            select part.place || child.number, child.value
            from part
            cross join lateral (
                select value, ordinality as number
                from json_array_elements(case json_typeof(part.value) when 'array' then part.value else '[]' end)
                    with ordinality
                union all
                select value, ordinality
                from json_each(case json_typeof(part.value) when 'object' then part.value else '{}' end)
                    with ordinality
            ) as child
        )
        select string_agg(value #>> '{}', ' ' order by place)
        from part
        where json_typeof(value) in ('string', 'number')
    );
end
$$;

-- The words of an alert, with their places: A in the name, B in the description, C in the resources, D
-- in the details. Words are letters and digits of any alphabet, whatever their case and whatever
-- language the database was made for; everything else divides them, so the parts of a resource's path
-- are words. A place stays empty between two texts, so that no phrase reaches from one to the next.
-- What the server cannot index is left out: words are cut, and there is no place after 16,383.
create function alert_words(display_name text, description text, body text) returns tsvector
language plpgsql
immutable parallel safe
as $$
declare
    -- The server's JSON holds no NUL; escaped backslashes are not to be taken for its escape.
    readable json := replace(replace(body, '\\', '\u005c'), '\u0000', '\ufffd');
begin
    return (
        with content (label, text) as (
            select 'A', display_name
            union all
            select 'B', description
            union all
            select 'C', json_texts(readable -> 'affectedResources')
            union all
            select 'D', json_texts(readable -> 'additionalDetails')
        ),
        word (label, word, place) as (
            select
                label,
                word,
                row_number() over (order by label, number) + ascii(label) - ascii('A')
            from content
            cross join lateral unnest(
                -- Four times as fast as splitting by the expression itself.
                string_to_array(regexp_replace(lower(text collate "und-x-icu"), '[^[:alnum:]]+', ' ', 'g'), ' ')
            ) with ordinality as split (word, number)
            where word <> ''
        )
        select coalesce(string_agg(format('''%s'':%s%s', left(word, 500), least(place, 16383), label), ' '), '')
            ::tsvector
        from word
    );
end
$$;

-- The words of each alert. A table of its own, so that a change of status does not touch them.
create table alert_text (
    -- The alert.
    alert_number bigint primary key references alert (alert_number) on delete cascade,
    -- Its words; see alert_words.
    words tsvector not null
);

create index alert_text_by_word
    on alert_text using gin (words);

insert into alert_text (alert_number, words)
select alert_number, alert_words(display_name, description, body)
from alert;

create function write_alert_text() returns trigger
language plpgsql
as $$
begin
    insert into alert_text (alert_number, words)
    values (new.alert_number, alert_words(new.display_name, new.description, new.body))
    on conflict (alert_number) do update set
        words = excluded.words
    where alert_text.words <> excluded.words;
    return null;
end
$$;

-- A change of status writes neither column, and so does not come here; what replaces an alert writes
-- both, whether they differ or not.
create trigger alert_text_written
after insert or update of display_name, description on alert
for each row
execute function write_alert_text();
