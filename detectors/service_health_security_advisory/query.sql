-- Security advisories of Service Health that are active, one row for each subscription, advisory and hour
-- in which something of it came in.
--
-- The hour is that of arrival, since an advisory may be read long after it was written: at the first look
-- into a new customer's subscription, or when the health interface is read once a day. Of what comes in
-- together, the newest word counts, so that an advisory that is over by then stays quiet.
with told as (
  select
    *,
    -- Events of another source, or a later update, may have come in the same hour.
    row_number() over (
      partition by subscription_id, tracking_id, arrival_hour
      order by event_at desc, arrived_at desc, event_id
    ) as place,
    min(event_at) over (partition by subscription_id, tracking_id, arrival_hour) as first_at,
    max(arrived_at) over (partition by subscription_id, tracking_id, arrival_hour) as last_arrived_at
  from (
    select
      subscription_id,
      customer_tenant_id,
      tracking_id,
      event_id,
      event_at,
      arrived_at,
      date_trunc('hour', arrived_at) as arrival_hour,
      status,
      level,
      title,
      summary,
      services,
      regions,
      starts_at
    from advisory
    where advisory_type = 'security'
      and subscription_id is not null
      and tracking_id is not null
  )
)
select
  subscription_id,
  customer_tenant_id,
  first_at as first_observed_at,
  greatest(event_at, last_arrived_at) as last_observed_at,
  make_array(concat('/subscriptions/', subscription_id)) as resources,
  case
    when level in ('critical', 'error') then 'high'
    when level in ('information', 'informational', 'verbose') then 'low'
    else 'medium'
  end as severity,
  concat(
    'Microsoft says of this subscription: ', coalesce(title, 'a security advisory without a title'),
    ' (', tracking_id, ').',
    case when services is not null then concat(' Services: ', replace(services, ',', ', '), '.') else '' end,
    case when regions is not null then concat(' Regions: ', replace(regions, ',', ', '), '.') else '' end
  ) as description,
  tracking_id,
  title,
  level as advisory_level,
  string_to_array(services, ',') as services,
  string_to_array(regions, ',') as regions,
  starts_at as impact_starts_at,
  event_at as told_at,
  left(summary, 1000) as summary
from told
where place = 1
  and status = 'active'
  and last_arrived_at >= $since
