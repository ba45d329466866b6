-- Subscriptions where an application tried something telling.
select distinct subscription_id as "activity.subscription_id"
from deeds
where last_at >= $since;

-- Of these, those where it was far from its network. What anybody did there is needed as well.
select distinct subscription_id as "activity.subscription_id"
from judged
