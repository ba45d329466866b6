-- Applications that changed something.
select distinct
  caller_id as "activity.caller_id",
  caller_id as "sign_in.service_principal_id"
from requests
where last_at >= $since - interval '1 hour'
