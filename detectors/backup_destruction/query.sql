-- Backups, snapshots and what makes deletion undoable, destroyed or turned off: one row for each
-- subscription, caller and hour.
--
-- What was destroyed has a weight (see `acts`). The weight rises for a caller that the subscription has
-- not seen in four weeks, for several kinds and for many at once, and falls for a known caller. Backup
-- products and pipelines delete old copies all day: what the caller did in the four weeks before does not
-- count, unless it is far more at once. Once somebody known shortened or moved the copies by a policy, from a usual
-- address, products prune for a week: snapshots and restore points that an application deletes are then a sign. Nor do backups count that the caller sets up in another vault
-- within two hours before or after: they move.
with records as (
  select *
  from activity
  where operation in (
      'microsoft.compute/restorepointcollections/delete',
      'microsoft.compute/restorepointcollections/restorepoints/delete',
      'microsoft.compute/snapshots/delete',
      'microsoft.dataprotection/backupvaults/backupinstances/delete',
      'microsoft.dataprotection/backupvaults/backupresourceguardproxies/delete',
      'microsoft.dataprotection/backupvaults/delete',
      'microsoft.dataprotection/backupvaults/write',
      'microsoft.keyvault/locations/deletedmanagedhsms/purge/action',
      'microsoft.keyvault/locations/deletedvaults/purge/action',
      'microsoft.keyvault/vaults/keys/purge/action',
      'microsoft.recoveryservices/vaults/backupconfig/write',
      'microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/delete',
      'microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems/delete',
      'microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems/write',
      'microsoft.recoveryservices/vaults/backupresourceguardproxies/delete',
      'microsoft.recoveryservices/vaults/delete',
      'microsoft.recoveryservices/vaults/write',
      'microsoft.storage/storageaccounts/blobservices/containers/clearlegalhold/action',
      'microsoft.storage/storageaccounts/blobservices/containers/immutabilitypolicies/delete',
      'microsoft.storage/storageaccounts/blobservices/write'
    )
    and subscription_id is not null
    and resource_id is not null
),
requests as (
  -- Start, acceptance and end of one request share correlation and resource: count them once.
  select
    subscription_id,
    coalesce(caller_id, caller, 'unknown') as caller_id,
    max(coalesce(caller, caller_id, 'unknown')) as caller,
    correlation_id,
    operation,
    resource_id,
    max(caller_origin) as caller_origin,
    max(caller_type) as caller_type,
    max(customer_tenant_id) as customer_tenant_id,
    min(event_at) as first_at,
    max(event_at) as last_at,
    max(caller_ip) as address,
    -- Sparse records have no status; a request without one is taken as done.
    bool_or(coalesce(status, 'succeeded') in ('accepted', 'succeeded')) as done,
    -- The body stands in the first record of a request, the outcome in the last.
    max(
      case when operation like '%/write' then
        -- What was asked for, as plain JSON; the reply tells the state of everything else too.
        replace(replace(replace(replace(
          split_part(split_part(lower(properties), '"requestbody"', 2), '"responsebody"', 1),
          '\r', ''), '\n', ''), '\', ''), ' ', '')
      end
    ) as body
  from records
  -- Only of subscriptions where such a thing happened just now; their past is needed to judge it.
  where subscription_id in (select subscription_id from records where event_at >= $since)
  group by
    subscription_id,
    coalesce(caller_id, caller, 'unknown'),
    correlation_id,
    coalesce(correlation_id, cast(date_trunc('hour', event_at) as varchar)),
    operation,
    resource_id
),
named as (
  select
    *,
    -- The vault, and what is kept in it: the container and the item have the same names in every vault.
    split_part(resource_id, '/backupfabrics/', 1) as vault,
    split_part(resource_id, '/protectioncontainers/', 2) as item,
    case
      when operation like '%/protecteditems/write' then null
      when operation like '%/protectioncontainers/%' or operation like '%/backupinstances/delete' then 'backups of a resource'
      when operation like '%/backupresourceguardproxies/delete' then 'second approval for a vault'
      when operation in ('microsoft.recoveryservices/vaults/delete', 'microsoft.dataprotection/backupvaults/delete')
        then 'backup vault'
      when operation like 'microsoft.compute/snapshots/%' then 'snapshot'
      when operation like 'microsoft.compute/restorepointcollections/%' then 'restore points'
      when operation like 'microsoft.keyvault/%' then 'purged keys or key vault'
      when operation like '%/immutabilitypolicies/delete' or operation like '%/clearlegalhold/action'
        then 'immutability of blobs'
      -- A vault that is made without soft delete, which has a location in the body, never had it.
      when operation like '%/backupconfig/write' or body not like '%"location":%' then
        case
          when operation like '%/blobservices/write' and body like '%"isversioningenabled":false%' then 'versioning of blobs'
          when operation like '%/blobservices/write'
            and regexp_like(body, 'deleteretentionpolicy":\{[^}]*"enabled":false') then 'soft delete of blobs'
          when operation not like 'microsoft.storage/%' and regexp_like(
              body,
              '"softdelete(feature)?state":"disabled"|"softdeletesettings":\{[^}]*"state":"off"|"immutabilitysettings":\{[^}]*"state":"disabled"'
            ) then 'soft delete or immutability of a vault'
        end
    end as kind
  from requests
  where done
),
new_accounts as (
  -- Portal and templates write a new account and its blob service in one deployment.
  select distinct subscription_id, correlation_id
  from activity
  where operation = 'microsoft.storage/storageaccounts/write'
),
moved as (
  select
    *,
    kind = 'backups of a resource'
      and coalesce(
        max(case when operation like '%/protecteditems/write' then vault end) over sitting <> vault
          or min(case when operation like '%/protecteditems/write' then vault end) over sitting <> vault,
        false
      ) as is_moved
  from named
  window sitting as (
    partition by subscription_id, caller_id, item
    order by first_at
    range between interval '2 hours' preceding and interval '2 hours' following
  )
),
acts as (
  select
    moved.*,
    date_trunc('hour', first_at) as hour,
    case
      when kind in ('backups of a resource', 'second approval for a vault', 'soft delete or immutability of a vault') then 4
      when kind = 'immutability of blobs' then 3
      else 2
    end as weight,
    count(*) over (
      partition by moved.subscription_id, caller_id, kind
      order by first_at
      range between interval '28 days' preceding and interval '24 hours' preceding
    ) > 0 as is_habit
  from moved
  left join new_accounts
    on new_accounts.subscription_id = moved.subscription_id
    and new_accounts.correlation_id = moved.correlation_id
  where kind is not null
    and not is_moved
    and (new_accounts.correlation_id is null or operation <> 'microsoft.storage/storageaccounts/blobservices/write')
),
compared as (
  select
    *,
    coalesce(
      max(acts_in_hour) over (
        partition by subscription_id, caller_id
        order by hour
        range between interval '28 days' preceding and interval '24 hours' preceding
      ),
      0
    ) as usual_acts
  from (
    select
      *,
      count(*) over (partition by subscription_id, caller_id, hour) as acts_in_hour
    from acts
  )
),
hours as (
  select
    subscription_id,
    caller_id,
    hour,
    max(caller) as caller,
    max(caller_origin) as caller_origin,
    max(caller_type) as caller_type,
    max(customer_tenant_id) as customer_tenant_id,
    min(first_at) as first_at,
    max(last_at) as last_at,
    max(address) as address,
    max(weight) as weight,
    max(case when not is_habit then weight end) as unusual_weight,
    max(acts_in_hour) as acts,
    max(usual_acts) as usual_acts,
    count(distinct kind) as kinds,
    array_agg(distinct kind order by kind) as destroyed,
    array_agg(distinct operation order by operation) as operations,
    array_agg(distinct address order by address) filter (where address is not null) as caller_addresses,
    array_slice(array_agg(distinct resource_id order by resource_id), 1, 25) as resources
  from compared
  -- No request takes longer than a day.
  where hour >= $since - interval '1 day'
  group by subscription_id, caller_id, hour
  having max(last_at) >= $since
    and (not bool_and(is_habit) or max(acts_in_hour) >= greatest(15, 5 * max(usual_acts)))
),
known as (
  select
    hours.subscription_id,
    hours.caller_id,
    hours.hour,
    -- Two weeks at least, as far as Microsoft's own rules for rare operations look back: before, whoever comes
    -- once a month is new.
    min(past.event_at) <= hours.hour - interval '14 days' as has_history,
    bool_or(coalesce(past.caller_id, past.caller) = hours.caller_id) as knows_caller,
    bool_or(coalesce(past.caller_id, past.caller) = hours.caller_id and past.caller_ip = hours.address) as knows_address,
    count(distinct case when coalesce(past.caller_id, past.caller) = hours.caller_id then past.caller_ip end)
      as usual_addresses
  from hours
  join activity as past
    on past.subscription_id = hours.subscription_id
    and past.event_at >= hours.hour - interval '28 days'
    and past.event_at < hours.hour - interval '24 hours'
  where past.event_at < $until
  group by hours.subscription_id, hours.caller_id, hours.hour
),
policies as (
  -- Hours before which somebody known wrote a policy of backups from a usual address.
  select distinct hours.subscription_id, hours.caller_id, hours.hour
  from hours
  join activity as policy
    on policy.subscription_id = hours.subscription_id
    and policy.event_at >= hours.hour - interval '8 days'
    and policy.event_at < hours.hour
  join activity as past
    on past.subscription_id = policy.subscription_id
    and coalesce(past.caller_id, past.caller) = coalesce(policy.caller_id, policy.caller)
    and past.caller_ip = policy.caller_ip
    and past.event_at >= policy.event_at - interval '16 days'
    and past.event_at < policy.event_at - interval '2 days'
  where policy.operation in (
      'microsoft.recoveryservices/vaults/backuppolicies/write',
      'microsoft.dataprotection/backupvaults/backuppolicies/write'
    )
    and coalesce(policy.status, 'succeeded') in ('accepted', 'succeeded')
),
judged as (
  select
    hours.*,
    policies.hour is not null as has_policy,
    case
      -- Who comes from everywhere has no usual address.
      when known.knows_caller and not known.knows_address and known.usual_addresses between 1 and 3
        and hours.address is not null then 'known, but not from this address'
      when known.knows_caller then 'known'
      when known.has_history and hours.caller_id <> 'unknown' then 'not seen in the 28 days before'
      else 'no history to compare with'
    end as caller_history
  from hours
  left join known
    on known.subscription_id = hours.subscription_id
    and known.caller_id = hours.caller_id
    and known.hour = hours.hour
  left join policies
    on policies.subscription_id = hours.subscription_id
    and policies.caller_id = hours.caller_id
    and policies.hour = hours.hour
),
weighed as (
  select
    *,
    coalesce(unusual_weight, weight)
      + case caller_history when 'not seen in the 28 days before' then 3 when 'known' then -1 else 0 end
      + case when kinds >= 3 then 2 when kinds = 2 then 1 else 0 end
      + case
          -- Backup products drop snapshots and restore points by the dozen; without a past that is no sign.
          when caller_history = 'no history to compare with' and weight < 4 then 0
          when acts >= greatest(15, 5 * usual_acts) then case when caller_history = 'no history to compare with' then 2 else 4 end
          when acts >= greatest(5, 3 * usual_acts) then 1
          else 0
        end as points,
    -- Snapshots and restore points go in numbers whenever somebody tidies up.
    weight < 4 and kinds <= 2 and acts < case
      when has_policy and caller_type in ('application', 'managed_identity') then 200
      when caller_history = 'not seen in the 28 days before' then 5
      else 50
    end as is_pruning
  from judged
)
select
  subscription_id,
  customer_tenant_id,
  first_at as first_observed_at,
  last_at as last_observed_at,
  resources,
  case when is_pruning then 'low' when points >= 7 then 'high' when points >= 4 then 'medium' else 'low' end as severity,
  case
    when is_pruning then 'low'
    when points >= 8 then 'high'
    when points >= 7 or caller_history in ('not seen in the 28 days before', 'known, but not from this address')
      then 'medium'
    else 'low'
  end as confidence,
  concat(
    case when caller = 'unknown' then 'A caller that the records do not name' else caller end,
    ' destroyed or turned off ', acts, case when acts = 1 then ' safety copy or safeguard' else ' safety copies or safeguards' end,
    ' within an hour: ', array_to_string(destroyed, ', '), '. The most that this caller did of it in an hour of the 28 days before was ',
    usual_acts, '.',
    case caller_history
      when 'not seen in the 28 days before' then ' The caller did nothing else here in that time.'
      when 'no history to compare with' then ' The subscription has no history yet to judge the caller by.'
      else concat(' The caller is ', caller_history, '.')
    end
  ) as description,
  caller_id,
  caller,
  caller_origin,
  caller_addresses,
  caller_history,
  destroyed,
  acts,
  usual_acts,
  operations,
  points
from weighed
where points >= 2
