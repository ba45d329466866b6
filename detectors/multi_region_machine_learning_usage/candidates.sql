-- Subscriptions where something of the kind happened in the window.
select distinct subscription_id as "activity.subscription_id"
from activity
where operation in (
    'microsoft.machinelearningservices/workspaces/computes/write',
    'microsoft.machinelearningservices/workspaces/onlineendpoints/deployments/write'
  )
  and event_at >= $since
