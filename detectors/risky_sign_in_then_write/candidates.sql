-- Whoever signed in at risk, or changed something within a day after it. Records name a caller by id or by name.
with affected as (
  select actor_id, actor
  from risky
  where last_at >= $since
  union all
  select risky.actor_id, risky.actor
  from risky
  join changes on changes.caller_key in (risky.actor_id, risky.actor)
  where changes.last_at >= $since
)
select
  actor_id as "sign_in.user_id",
  actor_id as "sign_in.service_principal_id",
  actor_id as "sign_in.user_principal_name",
  actor_id as "activity.caller_id",
  actor_id as "activity.caller"
from affected
union all
select
  cast(null as varchar) as "sign_in.user_id",
  cast(null as varchar) as "sign_in.service_principal_id",
  cast(null as varchar) as "sign_in.user_principal_name",
  actor as "activity.caller_id",
  actor as "activity.caller"
from affected
