-- Whoever signed in at risk within a day; what they change comes later. Records name a caller by id or by name.
select
  actor_id as "sign_in.user_id",
  actor_id as "sign_in.service_principal_id",
  actor_id as "sign_in.user_principal_name",
  actor_id as "activity.caller_id",
  actor_id as "activity.caller"
from risky
union all
select
  cast(null as varchar) as "sign_in.user_id",
  cast(null as varchar) as "sign_in.service_principal_id",
  cast(null as varchar) as "sign_in.user_principal_name",
  actor as "activity.caller_id",
  actor as "activity.caller"
from risky
