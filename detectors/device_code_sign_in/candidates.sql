-- Users who signed in with a code within a day; what they change comes later. Records name a caller by id or by name.
select
  user_id as "sign_in.user_id",
  user_id as "activity.caller_id",
  user_id as "activity.caller"
from codes
union all
select
  cast(null as varchar) as "sign_in.user_id",
  user_principal_name as "activity.caller_id",
  user_principal_name as "activity.caller"
from codes
