-- Subscriptions where commands ran, and the callers, for their sign-ins.
select distinct
  subscription_id as "activity.subscription_id",
  caller_id as "sign_in.user_id"
from commands
where event_at >= $since
