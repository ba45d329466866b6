-- Password sprays that hit: one network tries a few passwords for many users and then gets in as one of
-- them. One row for each tenant, network and hour of a hit, and one more for each subscription and hour in
-- which a user who was hit then changes something. A spray without a hit is told of only if very large.
--
-- A spray is at least ten users, of whichever tenants, with wrong passwords or locks from one network
-- within the six hours before the hit. Offices look like that on a Monday, so the address must not
-- have served anybody in the 28 days before the hour (without the last 24 hours), and within those six
-- hours there must be four users who failed for each one who got in.
--
-- `failures` is named several times and so is run as often: it is what failed in 34 hours only.
with failures as (
  -- 50126 and 50064: wrong name or password; 50056: no or invalid password; 50053: locked after too many,
  -- or an address known to be malicious.
  select
    customer_tenant_id,
    user_id,
    event_id,
    event_at,
    ip,
    country,
    -- The same 24 bits of IPv4, the same 64 of IPv6.
    regexp_replace(ip, '^(([0-9a-f]*:){4}|([0-9]+\.){3}).*$', '\1*') as network
  from sign_in
  where error_code in (50126, 50053, 50056, 50064)
    and user_id is not null
    and ip is not null
    and event_at >= $since - interval '34 hours'
),
hits as (
  -- The password was right. These codes stop the user only after that: expired, second factor to be set
  -- up or passed, stopped by a policy.
  select distinct
    sign_in.customer_tenant_id,
    sign_in.user_id,
    sign_in.user_principal_name,
    sign_in.ip,
    sign_in.country,
    sign_in.event_at,
    sign_in.error_code = 0 as got_in,
    failures.network
  from failures
  join sign_in
    on sign_in.user_id = failures.user_id
    and sign_in.event_at > failures.event_at
    and sign_in.event_at <= failures.event_at + interval '6 hours'
    and regexp_replace(sign_in.ip, '^(([0-9a-f]*:){4}|([0-9]+\.){3}).*$', '\1*') = failures.network
  where sign_in.error_code in (0, 50055, 50072, 50074, 50076, 50079, 50158, 53003, 500121)
    and sign_in.customer_tenant_id is not null
    and sign_in.event_at >= $since - interval '28 hours'
),
sprays as (
  select
    hits.customer_tenant_id,
    hits.network,
    hits.user_id,
    max(hits.user_principal_name) as user_principal_name,
    hits.ip,
    max(hits.country) as country,
    hits.event_at,
    hits.event_at as last_at,
    hits.got_in,
    count(distinct failures.user_id) as sprayed_users,
    count(distinct failures.customer_tenant_id) as sprayed_tenants,
    count(distinct failures.event_id) as failures,
    min(failures.event_at) as first_at
  from hits
  join failures
    on failures.network = hits.network
    and failures.event_at < hits.event_at
    and failures.event_at >= hits.event_at - interval '6 hours'
  group by hits.customer_tenant_id, hits.network, hits.user_id, hits.ip, hits.event_at, hits.got_in
  having count(distinct failures.user_id) >= 10
  union all
  -- A hundred users of one tenant within a clock hour, hit or not.
  select
    customer_tenant_id,
    network,
    null as user_id,
    null as user_principal_name,
    min(ip) as ip,
    max(country) as country,
    min(event_at) as event_at,
    max(event_at) as last_at,
    null as got_in,
    count(distinct user_id) as sprayed_users,
    1 as sprayed_tenants,
    count(*) as failures,
    min(event_at) as first_at
  from failures
  where customer_tenant_id is not null
  group by customer_tenant_id, network, date_trunc('hour', event_at)
  having count(distinct user_id) >= 100
),
unserved as (
  -- An office has served its people for weeks, a thousand times a day: hours are enough.
  select sprays.*
  from sprays
  left anti join (
    select distinct sign_in.ip, date_trunc('hour', sign_in.event_at) as hour
    from (select distinct ip from sprays) as sprayed
    join sign_in on sign_in.ip = sprayed.ip
    where sign_in.error_code = 0
  ) as served
    on served.ip = sprays.ip
    and served.hour >= date_trunc('hour', sprays.event_at) - interval '29 days'
    and served.hour < date_trunc('hour', sprays.event_at) - interval '24 hours'
),
strange as (
  select
    unserved.customer_tenant_id,
    unserved.network,
    unserved.user_id,
    unserved.ip,
    unserved.event_at,
    unserved.got_in,
    max(unserved.user_principal_name) as user_principal_name,
    max(unserved.country) as country,
    max(unserved.last_at) as last_at,
    max(unserved.sprayed_users) as sprayed_users,
    max(unserved.sprayed_tenants) as sprayed_tenants,
    max(unserved.failures) as failures,
    min(unserved.first_at) as first_at
  from unserved
  left join sign_in as other
    on other.ip = unserved.ip
    and other.error_code = 0
    and other.event_at >= unserved.event_at - interval '6 hours'
    and other.event_at <= unserved.event_at
  group by
    unserved.customer_tenant_id,
    unserved.network,
    unserved.user_id,
    unserved.ip,
    unserved.event_at,
    unserved.got_in
  having 4 * count(distinct other.user_id) <= max(unserved.sprayed_users)
),
holders as (
  -- Who was active in Azure in the 28 days before holds access to it.
  select
    keyed.customer_tenant_id,
    keyed.network,
    keyed.user_id,
    keyed.ip,
    keyed.event_at,
    keyed.got_in,
    max(keyed.user_principal_name) as user_principal_name,
    max(keyed.country) as country,
    max(keyed.last_at) as last_at,
    max(keyed.sprayed_users) as sprayed_users,
    max(keyed.sprayed_tenants) as sprayed_tenants,
    max(keyed.failures) as failures,
    min(keyed.first_at) as first_at,
    array_agg(distinct activity.subscription_id order by activity.subscription_id) filter (where activity.subscription_id is not null)
      as subscriptions
  from (
    select
      *,
      unnest(array_distinct(make_array(user_id, user_principal_name))) as user_key
    from strange
  ) as keyed
  left join activity
    on activity.caller_id = keyed.user_key
    and activity.event_at >= keyed.event_at - interval '28 days'
    and activity.event_at < keyed.event_at
  group by keyed.customer_tenant_id, keyed.network, keyed.user_id, keyed.ip, keyed.event_at, keyed.got_in
),
changes as (
  -- Acceptance and success of one request are one change. A caller is known by object id, by name or both.
  select
    subscription_id,
    unnest(array_distinct(make_array(caller_id, caller))) as caller_key,
    resource_id,
    operation,
    max(caller_ip) as address,
    min(event_at) as first_at,
    max(event_at) as last_at
  from activity
  where event_at >= $since - interval '2 hours'
    and (operation like '%/write' or operation like '%/delete' or operation like '%/action')
    and operation not like '%/list%/action'
    and coalesce(category, '') <> 'policy'
    and coalesce(status, 'succeeded') in ('accepted', 'succeeded')
    and subscription_id is not null
  group by subscription_id, caller_id, caller, resource_id, operation, correlation_id
),
stories (kind) as (
  values ('sign-in'), ('change by id'), ('change by name')
)
select
  coalesce(changes.subscription_id, '00000000-0000-0000-0000-000000000000') as subscription_id,
  holders.customer_tenant_id,
  min(holders.first_at) as first_observed_at,
  greatest(max(holders.last_at), max(changes.last_at)) as last_observed_at,
  array_slice(array_agg(distinct changes.resource_id order by changes.resource_id) filter (where changes.resource_id is not null), 1, 25)
    as resources,
  case
    when changes.subscription_id is not null or bool_or(got_in and subscriptions is not null) then 'high'
    when bool_or(got_in) then 'medium'
    when max(holders.user_id) is not null then 'low'
    else 'informational'
  end as severity,
  case
    when bool_or(regexp_replace(changes.address, '^(([0-9a-f]*:){4}|([0-9]+\.){3}).*$', '\1*') = holders.network) then 'high'
    when bool_or(got_in) then 'medium'
    else 'low'
  end as confidence,
  concat(
    'From the network ', holders.network, ', whose address nobody used in the 28 days before, ', max(sprayed_users),
    ' users failed with wrong passwords within six hours (tenants tried: ', max(sprayed_tenants), ').',
    case when bool_or(got_in)
      then concat(' It then got in as ',
        array_to_string(array_agg(distinct user_principal_name order by user_principal_name) filter (where got_in), ', '), '.')
      else '' end,
    case when bool_or(not got_in)
      then concat(' The right password was found, but the sign-in was stopped, for ',
        array_to_string(array_agg(distinct user_principal_name order by user_principal_name) filter (where not got_in), ', '), '.')
      else '' end,
    case
      when changes.subscription_id is not null then concat(' That account then changed Azure resources: ', count(distinct changes.resource_id), '.')
      when bool_or(got_in and subscriptions is not null) then ' That account works in Azure.'
      else ''
    end
  ) as description,
  holders.customer_tenant_id as tenant,
  holders.network,
  array_agg(distinct holders.ip order by holders.ip) as addresses,
  max(holders.country) as country,
  array_agg(distinct user_principal_name order by user_principal_name) filter (where got_in) as users_who_got_in,
  array_agg(distinct user_principal_name order by user_principal_name) filter (where not got_in) as users_who_were_stopped,
  max(holders.subscriptions) as subscriptions_of_user,
  max(sprayed_users) as sprayed_users,
  max(sprayed_tenants) as sprayed_tenants,
  max(failures) as failures,
  array_agg(distinct changes.address order by changes.address) filter (where changes.address is not null) as caller_addresses,
  array_agg(distinct changes.operation order by changes.operation) filter (where changes.operation is not null) as operations
from holders
cross join stories
left join changes
  on changes.caller_key = case stories.kind
    when 'change by id' then holders.user_id
    when 'change by name' then holders.user_principal_name
  end
  and changes.first_at >= holders.event_at
  and changes.first_at <= holders.event_at + interval '24 hours'
  and holders.got_in
where stories.kind = 'sign-in'
  or changes.subscription_id is not null
group by
  holders.customer_tenant_id,
  holders.network,
  changes.subscription_id,
  date_trunc('hour', coalesce(changes.first_at, holders.event_at))
