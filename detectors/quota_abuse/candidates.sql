-- Subscriptions where more quota was asked for, or something was refused for want of it.
select distinct subscription_id as "activity.subscription_id"
from requests
where (asked or refused)
  and last_at >= $since
