-- Subscriptions with a caller who had the keys of five things shown within two hours.
select distinct subscription_id as "activity.subscription_id"
from (
  select subscription_id
  from reads
  where event_at >= date_trunc('hour', $since) - interval '1 hour'
    and not renews
  group by subscription_id, caller_id
  having count(distinct resource_id) >= 5
    and max(event_at) >= $since
)
