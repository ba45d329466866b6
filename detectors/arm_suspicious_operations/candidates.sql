-- Subscriptions with a caller who did four sensitive things within six hours.
select distinct subscription_id as "activity.subscription_id"
from busy
