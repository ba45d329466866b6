-- Subscriptions where something of the kind happened in the window.
select distinct subscription_id as "activity.subscription_id"
from activity
where operation in (
    'microsoft.batch/batchaccounts/write',
    'microsoft.batch/batchaccounts/pools/write'
  )
  and event_at >= $since
