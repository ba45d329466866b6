-- Subscriptions where something of the kind happened in the window.
select distinct subscription_id as "activity.subscription_id"
from records
where event_at >= $since
