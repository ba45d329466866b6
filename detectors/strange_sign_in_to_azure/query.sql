-- Sign-ins to the management of Azure that do not look like the user's, one row for each user and hour.
--
-- Held against the user's successful sign-ins of the 28 days before the hour, without the last 24 hours. Three signs must
-- come together: the sign-in shows no device, while most of the history does; its country is not in the history; nor
-- were two colleagues there. The history must be a week long, or newness says nothing.
with strangers as (
  select
    customer_tenant_id,
    user_id,
    date_trunc('hour', event_at) as hour,
    country,
    max(user_principal_name) as user_principal_name,
    min(event_at) as first_at,
    max(event_at) as last_at,
    max(city) as city,
    array_agg(distinct ip order by ip) filter (where ip is not null) as addresses,
    array_agg(distinct app_name order by app_name) filter (where app_name is not null) as applications,
    array_agg(distinct operating_system order by operating_system) filter (where operating_system is not null)
      as operating_systems
  from sign_in
  where error_code = 0
    -- Azure Resource Manager, which portal and command line ask for.
    and target_id = '797f4846-ba00-4fd7-ba43-dac1f8f63013'
    and device_id is null
    and country is not null
    and user_id is not null
    and customer_tenant_id is not null
    and event_at >= $since - interval '1 hour'
  group by customer_tenant_id, user_id, date_trunc('hour', event_at), country
),
compared as (
  select
    strangers.customer_tenant_id,
    strangers.user_id,
    strangers.hour,
    strangers.country,
    max(strangers.user_principal_name) as user_principal_name,
    max(strangers.first_at) as first_at,
    max(strangers.last_at) as last_at,
    max(strangers.city) as city,
    max(strangers.addresses) as addresses,
    max(strangers.applications) as applications,
    max(strangers.operating_systems) as operating_systems,
    array_agg(distinct past.country order by past.country) filter (where past.country is not null) as usual_countries
  from strangers
  join sign_in as past
    on past.user_id = strangers.user_id
    and past.error_code = 0
    and past.event_at >= strangers.hour - interval '29 days'
    and past.event_at < strangers.hour - interval '24 hours'
  group by strangers.customer_tenant_id, strangers.user_id, strangers.hour, strangers.country
  having min(past.event_at) <= strangers.hour - interval '7 days'
    and 2 * count(past.device_id) > count(*)
    and count(case when past.country = strangers.country then 1 end) = 0
),
alone as (
  -- A country in which two colleagues were is the company's, not a thief's.
  select
    compared.customer_tenant_id,
    compared.user_id,
    compared.hour,
    compared.country,
    max(compared.user_principal_name) as user_principal_name,
    max(compared.first_at) as first_at,
    max(compared.last_at) as last_at,
    max(compared.city) as city,
    max(compared.addresses) as addresses,
    max(compared.applications) as applications,
    max(compared.operating_systems) as operating_systems,
    max(compared.usual_countries) as usual_countries
  from compared
  left join sign_in as colleague
    on colleague.customer_tenant_id = compared.customer_tenant_id
    and colleague.country = compared.country
    and colleague.user_id <> compared.user_id
    and colleague.error_code = 0
    and colleague.event_at >= compared.hour - interval '29 days'
    and colleague.event_at < compared.hour - interval '24 hours'
  group by compared.customer_tenant_id, compared.user_id, compared.hour, compared.country
  having count(distinct colleague.user_id) < 2
)
select
  '00000000-0000-0000-0000-000000000000' as subscription_id,
  customer_tenant_id,
  first_at as first_observed_at,
  last_at as last_observed_at,
  'medium' as severity,
  'medium' as confidence,
  concat(
    user_principal_name, ' signed in to Azure from ', concat_ws(', ', city, country), ' (', array_to_string(addresses, ', '),
    ') on a device that is not registered, while most of this user''s sign-ins of the 28 days before show one, and none came from that country.'
  ) as description,
  customer_tenant_id as tenant,
  user_id,
  user_principal_name,
  addresses,
  country,
  usual_countries,
  applications,
  operating_systems
from alone
