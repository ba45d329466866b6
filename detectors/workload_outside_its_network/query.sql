-- Applications and managed identities that try something new and telling from a network far from their own, one row for
-- each subscription, caller and hour.
--
-- Held against what the caller did on the subscription in the 28 days before the hour, without the last 24 hours. Four
-- things must come together: the caller worked on four days at least; its addresses lay in one network (16 bits of IPv4, 32
-- of IPv6), while build agents that are lent out by the hour come from several; the new address is far from it (another
-- first 8 bits, 24 of IPv6: providers hold such blocks), and nobody worked on the subscription from its neighbourhood; and the
-- caller never did there what it tries now. Refused attempts count as well.
--
-- DataFusion runs a part of `with` once for each place that names it, so each is named once, but for a small one.
with deeds as (
  select
    subscription_id,
    caller_id,
    date_trunc('hour', event_at) as hour,
    operation,
    caller_ip as address,
    max(customer_tenant_id) as customer_tenant_id,
    max(caller) as caller,
    max(caller_type) as caller_type,
    min(event_at) as first_at,
    max(event_at) as last_at,
    bool_or(coalesce(status, 'succeeded') in ('accepted', 'succeeded')) as succeeded,
    array_agg(distinct resource_id order by resource_id) filter (where resource_id is not null) as resources
  from activity
  where event_at >= $since - interval '1 hour'
    and caller_type in ('application', 'managed_identity')
    and coalesce(category, '') <> 'policy'
    and subscription_id is not null
    and caller_id is not null
    and caller_ip is not null
    and ip_is_private(caller_ip) = false
    and regexp_like(
      operation,
      '^microsoft\.authorization/(roleassignments|roledefinitions)/write$|^microsoft\.authorization/(elevateaccess/action|locks/delete)$|/(listkeys|listcredentials|listclusteradmincredential|listclusterusercredential|begingetaccess|regeneratekey|runcommand)/action$|^microsoft\.compute/(virtualmachines|virtualmachinescalesets|snapshots)/write$|/extensions/write$|^microsoft\.(batch/batchaccounts/pools|containerinstance/containergroups|containerservice/managedclusters|machinelearningservices/workspaces/computes)/write$|^microsoft\.keyvault/vaults/accesspolicies/write$|^microsoft\.managedidentity/.*federatedidentitycredentials/write$|^microsoft\.insights/diagnosticsettings/delete$|^microsoft\.recoveryservices/.*/delete$'
    )
  group by subscription_id, caller_id, date_trunc('hour', event_at), operation, caller_ip
),
judged as (
  select
    deeds.subscription_id,
    deeds.caller_id,
    deeds.hour,
    deeds.operation,
    deeds.address,
    max(deeds.customer_tenant_id) as customer_tenant_id,
    max(deeds.caller) as caller,
    max(deeds.caller_type) as caller_type,
    max(deeds.first_at) as first_at,
    max(deeds.last_at) as last_at,
    bool_or(deeds.succeeded) as succeeded,
    max(deeds.resources) as resources,
    count(distinct case when past.caller_id = deeds.caller_id then past.day end) as days_before,
    max(case when past.caller_id = deeds.caller_id then past.neighbourhood end) as usual_network
  from deeds
  join (
    select
      subscription_id,
      coalesce(caller_id, caller) as caller_id,
      day,
      event_at,
      operation,
      ip_network(caller_ip, 8, 24) as block,
      ip_network(caller_ip, 16, 32) as neighbourhood
    from activity
    where caller_ip is not null
      and event_at >= $since - interval '30 days'
  ) as past
    on past.subscription_id = deeds.subscription_id
    and past.event_at >= deeds.hour - interval '28 days'
    and past.event_at < deeds.hour - interval '24 hours'
  group by deeds.subscription_id, deeds.caller_id, deeds.hour, deeds.operation, deeds.address
  having count(distinct case when past.caller_id = deeds.caller_id then past.day end) >= 4
    and count(distinct case when past.caller_id = deeds.caller_id then past.neighbourhood end) = 1
    and not bool_or(past.caller_id = deeds.caller_id and past.block = ip_network(deeds.address, 8, 24))
    and not bool_or(past.caller_id = deeds.caller_id and past.operation = deeds.operation)
    and not bool_or(past.neighbourhood = ip_network(deeds.address, 16, 32))
)
select
  subscription_id,
  max(customer_tenant_id) as customer_tenant_id,
  min(first_at) as first_observed_at,
  max(last_at) as last_observed_at,
  array_slice(array_sort(array_distinct(flatten(array_agg(resources) filter (where resources is not null)))), 1, 25) as resources,
  case when bool_or(succeeded) and count(distinct operation) >= 2 then 'high' else 'medium' end as severity,
  concat(
    max(coalesce(caller, caller_id)), ' tried from ', array_to_string(array_agg(distinct address order by address), ', '),
    ' what it had not done here in the 28 days before: ', array_to_string(array_agg(distinct operation order by operation), ', '),
    case when bool_or(succeeded) then '.' else ' (refused).' end,
    ' It had worked on ', max(days_before), ' days of that time, always from ', max(usual_network), '.'
  ) as description,
  caller_id,
  max(caller) as caller,
  max(caller_type) as caller_type,
  array_agg(distinct address order by address) as caller_addresses,
  max(usual_network) as usual_network,
  array_agg(distinct operation order by operation) as operations,
  max(days_before) as days_before
from judged
group by subscription_id, caller_id, hour
