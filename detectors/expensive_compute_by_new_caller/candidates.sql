-- Subscriptions where something of the kind happened in the window.
select distinct subscription_id as "activity.subscription_id"
from activity
where operation in (
    'microsoft.compute/virtualmachines/write',
    'microsoft.compute/virtualmachinescalesets/write'
  )
  and event_at >= $since
