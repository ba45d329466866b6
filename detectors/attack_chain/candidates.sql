-- Subscriptions with a caller who did things of two stages within a day and the hours that a request may take.
select distinct subscription_id as "activity.subscription_id"
from (
  select subscription_id
  from acts
  where event_at >= date_trunc('hour', $since) - interval '30 hours'
  group by subscription_id, coalesce(caller_id, caller, 'unknown')
  having count(distinct stage) >= 2
    and max(event_at) >= $since
)
