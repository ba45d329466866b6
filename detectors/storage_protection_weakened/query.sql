-- Storage accounts whose protection was weakened, one row for each subscription, caller and hour: access
-- with shared keys allowed, HTTPS no longer demanded, public access to blobs allowed, the firewall opened,
-- a container made public.
--
-- Read is what a change asks for. An account that is made is left out: it never was stronger, and most
-- templates allow shared keys. What the account was asked to be within four weeks before is no change.
--
-- One weakening by a known caller is a sign. What makes it more: an address where the caller never was, and
-- keys of the same account that the caller reads from an hour before to two hours after, which is what a copy
-- needs. The portal reads keys, too, so that they count for nothing at a usual address.
with told as (
  select
    *,
    split_part(resource_id, '/blobservices/', 1) as account,
    operation in (
      'microsoft.storage/storageaccounts/listkeys/action',
      'microsoft.storage/storageaccounts/listaccountsas/action',
      'microsoft.storage/storageaccounts/listservicesas/action'
    ) as reads_keys,
    -- What was asked for; the reply tells the state of everything else too.
    split_part(split_part(text, '"requestbody"', 2), '"responsebody"', 1) as body
  from (
    select
      *,
      -- As plain JSON, without blanks, ends of lines and what quotes the bodies.
      replace(replace(replace(replace(lower(properties), '\r', ''), '\n', ''), '\', ''), ' ', '') as text
    from activity
    where operation in (
        'microsoft.storage/storageaccounts/write',
        'microsoft.storage/storageaccounts/blobservices/containers/write',
        'microsoft.storage/storageaccounts/listkeys/action',
        'microsoft.storage/storageaccounts/listaccountsas/action',
        'microsoft.storage/storageaccounts/listservicesas/action'
      )
      and subscription_id is not null
      and resource_id is not null
  )
),
candidates as (
  -- Subscriptions where an account was changed so just now; the past of no other is needed. The body stands
  -- in the first record of a request, which may be from before the window.
  select distinct subscription_id
  from told
  where event_at >= $since - interval '1 day'
    and regexp_like(
      body,
      '"allowsharedkeyaccess":true|"supportshttpstrafficonly":false|"allowblobpublicaccess":true|"defaultaction":"allow"|"publicaccess":"(container|blob)"'
    )
),
requests as (
  -- Start, acceptance and end of one request share correlation and resource: count them once.
  select
    subscription_id,
    coalesce(caller_id, caller, 'unknown') as caller_id,
    max(coalesce(caller, caller_id, 'unknown')) as caller,
    account,
    resource_id,
    reads_keys,
    max(caller_origin) as caller_origin,
    max(customer_tenant_id) as customer_tenant_id,
    min(event_at) as first_at,
    max(event_at) as last_at,
    max(caller_ip) as address,
    -- Sparse records have no status; a request without one is taken as done.
    bool_or(coalesce(status, 'succeeded') in ('accepted', 'succeeded')) as done,
    bool_or(text like '%"defaultaction":"deny"%') as tells_deny,
    -- What makes an account has its location, and so may what changes one as a whole. Azure answers the
    -- second at once, with OK; the first it accepts, and does it then.
    bool_or(body like '%"location":%')
      and not coalesce(bool_or(status = 'succeeded' and sub_status = 'ok') and not bool_or(status = 'accepted'), false)
      as makes_account,
    bool_or(body like '%"allowsharedkeyaccess":true%') as allows_keys,
    bool_or(body like '%"supportshttpstrafficonly":false%') as allows_http,
    bool_or(body like '%"allowblobpublicaccess":true%') as allows_public,
    bool_or(body like '%"networkacls":%"defaultaction":"allow"%') as opens_firewall,
    bool_or(regexp_like(body, '"publicaccess":"(container|blob)"')) as publishes
  from told
  where subscription_id in (select subscription_id from candidates)
  group by
    subscription_id,
    coalesce(caller_id, caller, 'unknown'),
    coalesce(correlation_id, cast(date_trunc('hour', event_at) as varchar)),
    account,
    resource_id,
    reads_keys
),
changes as (
  select
    *,
    unnest(make_array(
      case when allows_keys then 'access with shared keys allowed' end,
      case when allows_http then 'HTTPS no longer demanded' end,
      case when allows_public then 'public access to blobs allowed' end,
      case when opens_firewall then 'firewall opened to all networks' end,
      case when publishes then 'container made public' end
    )) as weakness
  from (
    select
      *,
      max(case when reads_keys then first_at end) over sitting as keys_at,
      -- What is in an account that was made just now never was stronger either.
      max(case when makes_account then 1 end) over first_day is not null as is_new,
      max(case when tells_deny then first_at end) over (
        partition by subscription_id, resource_id
        order by first_at
        range between interval '28 days' preceding and interval '1 microsecond' preceding
      ) as last_closed_at
    from requests
    where done
    window sitting as (
      partition by subscription_id, caller_id, account
      order by first_at
      range between interval '1 hour' preceding and interval '2 hours' following
    ),
    first_day as (
      partition by subscription_id, account
      order by first_at
      range between interval '24 hours' preceding and current row
    )
  )
),
marked as (
  select
    *,
    max(first_at) over (
      partition by subscription_id, resource_id, weakness
      order by first_at
      range between interval '28 days' preceding and interval '1 microsecond' preceding
    ) as last_weak_at,
    count(*) over (
      partition by subscription_id, caller_id, weakness
      order by first_at
      range between interval '28 days' preceding and interval '24 hours' preceding
    ) > 0 as is_habit
  from changes
  where weakness is not null
),
hours as (
  select
    subscription_id,
    caller_id,
    date_trunc('hour', first_at) as hour,
    max(caller) as caller,
    max(caller_origin) as caller_origin,
    max(customer_tenant_id) as customer_tenant_id,
    min(first_at) as first_at,
    greatest(max(last_at), max(keys_at)) as last_at,
    max(address) as address,
    -- Portal and tools send an open firewall along with other changes; it counts fully if it was closed.
    max(case when weakness <> 'firewall opened to all networks' or last_closed_at is not null then 2 else 0 end)
      as weight,
    count(distinct account) as accounts,
    count(distinct case when keys_at is not null then account end) as accounts_with_keys,
    count(distinct weakness) as kinds,
    array_agg(distinct weakness order by weakness) as weakened,
    array_agg(distinct address order by address) filter (where address is not null) as caller_addresses,
    array_slice(array_agg(distinct resource_id order by resource_id), 1, 25) as resources
  from marked
  where not is_habit
    and not is_new
    and (last_weak_at is null or (weakness = 'firewall opened to all networks' and last_closed_at > last_weak_at))
    -- No request takes longer than a day.
    and first_at >= $since - interval '1 day'
  group by subscription_id, caller_id, date_trunc('hour', first_at)
  having greatest(max(last_at), max(keys_at)) >= $since
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
judged as (
  select
    hours.*,
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
),
weighed as (
  select
    *,
    weight
      + case caller_history
          when 'not seen in the 28 days before' then 2
          when 'known, but not from this address' then 1
          else 0
        end
      + case
          when accounts_with_keys > 0 and caller_history in ('not seen in the 28 days before', 'known, but not from this address')
            then 1
          else 0
        end
      + case when accounts >= 3 and caller_history <> 'no history to compare with' then 2 else 0 end
      + case when kinds >= 2 then 1 else 0 end as points
  from judged
)
select
  subscription_id,
  customer_tenant_id,
  first_at as first_observed_at,
  last_at as last_observed_at,
  resources,
  case when points >= 6 then 'high' when points >= 4 then 'medium' else 'low' end as severity,
  case
    when points >= 6 then 'high'
    when caller_history = 'not seen in the 28 days before' then 'medium'
    -- From a hotel or from home one door is opened in a hurry, too; a door and its key are more.
    when caller_history = 'known, but not from this address' and (accounts_with_keys > 0 or points >= 4) then 'medium'
    else 'low'
  end as confidence,
  concat(
    case when caller = 'unknown' then 'A caller that the records do not name' else caller end,
    ' weakened ', accounts, case when accounts = 1 then ' storage account' else ' storage accounts' end,
    ' within an hour: ', array_to_string(weakened, ', '), '.',
    case caller_history
      when 'not seen in the 28 days before' then ' This caller did nothing here in the 28 days before.'
      when 'known' then ' This caller is known here, but made no such change in the 28 days before.'
      when 'known, but not from this address'
        then ' This caller is known here, but made no such change in the 28 days before and did not come from this address.'
      else ' The subscription has no history yet to judge the caller by.'
    end,
    case when accounts_with_keys > 0 then concat(' It also had the keys of ', accounts_with_keys, ' of them shown.') else '' end
  ) as description,
  caller_id,
  caller,
  caller_origin,
  caller_addresses,
  caller_history,
  weakened,
  accounts,
  nullif(accounts_with_keys, 0) as accounts_with_keys,
  points
from weighed
where points >= 2
