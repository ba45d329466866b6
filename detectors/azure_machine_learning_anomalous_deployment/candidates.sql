-- Subscriptions where something of the kind happened in the window.
select distinct subscription_id as "activity.subscription_id"
from activity
where operation in (
    'microsoft.machinelearningservices/workspaces/write',
    'microsoft.machinelearningservices/workspaces/computes/write'
  )
  and event_at >= $since
