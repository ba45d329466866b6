-- The index within which lists are sorted also holds why an alert was resolved, and the detector that its details name:
-- the alerts of a detector are then counted and sorted without a look at each alert. A change of status moves the entry
-- anyway. The expression is what a filter by additionalDetails/DetectorId becomes, to the letter: a text is itself,
-- anything else its JSON.
drop index alert_by_status;

create index alert_by_status
    on alert (
        partner_tenant_id, status, detected_at, id,
        severity_rank, confidence_rank, alert_type, display_name, customer_tenant_id, subscription_id, last_observed_at,
        resolved_at, resolved_reason,
        (
            case
                when json_type(body, '$.additionalDetails."DetectorId"') = 'text'
                    then json_extract(body, '$.additionalDetails."DetectorId"')
                when json_type(body, '$.additionalDetails."DetectorId"') <> 'null'
                    then body -> '$.additionalDetails."DetectorId"'
                else null
            end
        )
    );

delete from sqlite_stat1
where idx = 'alert_by_status';

insert into sqlite_stat1 (tbl, idx, stat)
values ('alert', 'alert_by_status', '1000000 100000 30000 5 1 1 1 1 1 1 1 1 1 1 1 noskipscan');

analyze sqlite_master;
