-- Subscriptions where computing was started.
select distinct subscription_id as "activity.subscription_id"
from created
where last_at >= $since
