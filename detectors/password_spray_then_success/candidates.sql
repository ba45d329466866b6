-- The addresses that sprays came from.
select failures.ip as "sign_in.ip"
from failures
left semi join sprays on sprays.network = failures.network
union all
select ip as "sign_in.ip"
from sprays;

-- Of these, those that served nobody before, and the users whom they hit, for what these change later. Records name a
-- caller by id or by name.
select
  failures.ip as "sign_in.ip",
  cast(null as varchar) as "activity.caller_id",
  cast(null as varchar) as "activity.caller"
from failures
left semi join unserved on unserved.network = failures.network
union all
select
  ip as "sign_in.ip",
  user_id as "activity.caller_id",
  user_id as "activity.caller"
from unserved
union all
select
  cast(null as varchar) as "sign_in.ip",
  user_principal_name as "activity.caller_id",
  user_principal_name as "activity.caller"
from unserved
