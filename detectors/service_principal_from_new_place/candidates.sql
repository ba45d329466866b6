-- Applications that changed something and came from a place that they did not come from before.
select distinct
  caller_id as "activity.caller_id",
  caller_id as "sign_in.service_principal_id"
from movers
where last_at >= $since - interval '1 hour'
