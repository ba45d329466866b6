-- One index for statuses instead of two. A change of status moves the alert in each of them, and each
-- move writes two pages. Those who ask for a severity too pass over the others in the index, without
-- looking at an alert.
drop index alert_by_status;

drop index alert_by_status_and_severity;

create index alert_by_status
    on alert (partner_tenant_id, status, detected_at, id, severity_rank);

delete from sqlite_stat1
where idx in ('alert_by_status', 'alert_by_status_and_severity');

insert into sqlite_stat1 (tbl, idx, stat)
values ('alert', 'alert_by_status', '1000000 100000 30000 5 1 1 noskipscan');

analyze sqlite_master;
