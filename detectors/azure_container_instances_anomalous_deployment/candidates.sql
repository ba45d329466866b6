-- Subscriptions where something of the kind happened in the window.
select distinct subscription_id as "activity.subscription_id"
from activity
where operation = 'microsoft.containerinstance/containergroups/write'
  and event_at >= $since
