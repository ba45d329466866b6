-- Subscriptions where automation was set up within a day; a role for its identity may follow.
select subscription_id as "activity.subscription_id"
from acts
where event_at >= date_trunc('hour', $since) - interval '27 hours'
group by subscription_id
having bool_or(service <> 'role')
  and max(event_at) >= $since
