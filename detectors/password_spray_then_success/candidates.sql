-- The addresses that a spray came from, for who else uses them, and the users whom it hit, for what they change later.
-- Records name a caller by id or by name.
select
  failures.ip as "sign_in.ip",
  cast(null as varchar) as "activity.caller_id",
  cast(null as varchar) as "activity.caller"
from failures
left semi join sprays on sprays.network = failures.network
union all
select
  ip as "sign_in.ip",
  user_id as "activity.caller_id",
  user_id as "activity.caller"
from sprays
union all
select
  cast(null as varchar) as "sign_in.ip",
  user_principal_name as "activity.caller_id",
  user_principal_name as "activity.caller"
from sprays
