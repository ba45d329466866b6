-- Subscriptions where three things were deleted within a day, one of them in the window.
select subscription_id as "activity.subscription_id"
from records
where event_at >= $since - interval '1 day'
group by subscription_id
having count(distinct resource_id) >= 3
  and max(event_at) >= $since
