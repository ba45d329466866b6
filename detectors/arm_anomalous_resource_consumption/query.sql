-- Days on which a subscription used far more than its own past leads one to expect, one row a day.
--
-- The expectation comes from `seasonal_score` over 42 days. A rise must be large as a ratio, as an
-- amount of money and against the usual spread. How large depends on what explains it: kinds of
-- resource that were never billed here are more telling than more of the same.
--
-- Growth that somebody brought about openly is a weak sign: who has worked here for weeks made, enlarged
-- or started in the last two weeks what now costs more, from an address that was used here before. A thief
-- has the account or the keys, but neither the place nor, with keys alone, a record of making anything.
--
-- A day whose lines are still coming in is judged by what came in so far, which can only be too little; it is no part
-- of the past of later days. So nothing takes it for a fall, nor the day after it for a rise.
--
-- Less than two weeks of bills do not tell how much they swing. Where others of the same size (within a factor of about
-- three) have a past, the swing is borrowed from them, and a rise far beyond it is more than a sign.
with lines as (
  select
    subscription_id,
    coalesce(currency, '') as currency,
    day,
    event_at,
    arrived_at,
    customer_tenant_id,
    resource_id,
    regexp_replace(resource_id, '^(/subscriptions/[^/]*/resourcegroups/[^/]*/providers/[^/]*/[^/]*/[^/]*)/.*$', '\1')
      as resource_root,
    coalesce(resource_region, '') as region,
    concat_ws(' / ', meter_category, meter_sub_category) as kind,
    cost
  from cost
  where coalesce(charge_type, 'usage') = 'usage'
    and subscription_id is not null
    and cost is not null
),
days as (
  select
    subscription_id,
    currency,
    day,
    max(customer_tenant_id) as customer_tenant_id,
    min(event_at) as first_at,
    max(arrived_at) as arrived_at,
    -- Lines take eight hours to come in after their day, at the least.
    max(arrived_at) > min(event_at) and max(arrived_at) < min(event_at) + interval '32 hours' as coming_in,
    sum(cost) as cost
  from lines
  group by subscription_id, currency, day
),
scored as (
  select
    *,
    seasonal_score(day, case when not coming_in then cost end, 7, 42) over by_day as baseline,
    count(case when coming_in then 1 end) over (
      partition by subscription_id, currency
      order by day
      range between interval '42 days' preceding and interval '1 day' preceding
    ) as days_coming_in,
    -- Bills of a month's end come 28 to 31 days apart, give or take a weekend.
    max(cost) over (
      partition by subscription_id, currency
      order by day
      range between interval '33 days' preceding and interval '26 days' preceding
    ) as month_ago_peak,
    lag(day) over by_day as day_before,
    lag(cost) over by_day as cost_before
  from days
  window by_day as (partition by subscription_id, currency order by day)
),
-- Rough units of a currency to the dollar: the order of magnitude is all that a minimum needs.
units (currency, unit) as (
  values
    ('JPY', 150.0), ('KRW', 1400.0), ('INR', 85.0), ('HUF', 360.0), ('IDR', 16000.0), ('CLP', 950.0),
    ('COP', 4200.0), ('VND', 25000.0), ('TWD', 32.0), ('THB', 35.0), ('RUB', 90.0), ('PHP', 57.0),
    ('CZK', 23.0), ('NOK', 11.0), ('SEK', 10.5), ('DKK', 7.0), ('ZAR', 18.0), ('MXN', 18.0),
    ('TRY', 35.0), ('HKD', 7.8), ('CNY', 7.2), ('BRL', 5.5), ('PLN', 4.0), ('ILS', 3.7)
),
measured as (
  select
    scored.*,
    coalesce(unit, 1.0) as unit,
    coalesce(baseline['expected'], 0.0) as expected,
    coalesce(baseline['spread'], 0.0) as own_spread,
    baseline['history_days'] - days_coming_in as history_days,
    -- Powers of the root of ten, in rough dollars.
    floor(2 * log10(greatest(coalesce(baseline['expected'], 0.0) / coalesce(unit, 1.0), 1.0))) as size,
    cost - coalesce(baseline['expected'], 0.0) as increase,
    -- Next to nothing is taken for one unit of money, or every first cent would be a thousandfold.
    cost / greatest(coalesce(baseline['expected'], 0.0), coalesce(unit, 1.0)) as ratio,
    coalesce(day_before = day - 1 and cost_before >= 3 * baseline['expected'], false) as second_day,
    -- The last two days of a month and the first two.
    date_part('day', day + 2) <= 4 as around_month_end
  from scored
  left join units
    on units.currency = scored.currency
),
compared as (
  select
    *,
    count(case when history_days >= 14 then 1 end) over peers as peers,
    avg(case when history_days >= 14 then least(own_spread / greatest(expected, unit), 1.0) end) over peers
      as swing_of_peers
  from measured
  window peers as (partition by size, day)
),
borrowed as (
  select
    *,
    history_days between 4 and 13 and peers >= 5 as borrows
  from compared
),
spreads as (
  select
    *,
    case when borrows then greatest(own_spread, expected * swing_of_peers) else own_spread end as spread
  from borrowed
),
-- The days to judge: few, since every rule wants at least so much.
candidates as (
  select
    *,
    case
      when history_days = 0 then 0.0
      when spread > 0 then least(increase / spread, 1000.0)
      else 1000.0
    end as score
  from spreads
  where ratio >= 2
    and cost >= 100 * unit
    and increase >= 100 * unit
    and first_at + interval '1 day' >= $since
),
acts as (
  select
    subscription_id,
    event_at,
    coalesce(caller, caller_id) as caller,
    regexp_replace(resource_id, '^(/subscriptions/[^/]*/resourcegroups/[^/]*/providers/[^/]*/[^/]*/[^/]*)/.*$', '\1')
      as resource_root,
    -- Roles, locks and settings of logging are written on a resource and make it no larger.
    (operation like '%/write' or operation like '%/start/action')
      and split_part(resource_id, '/providers/', 3) = ''
      and coalesce(status, 'succeeded') in ('accepted', 'succeeded') as makes,
    count(*) over (
      partition by subscription_id, coalesce(caller_id, caller)
      order by event_at
      range between interval '28 days' preceding and interval '14 days' preceding
    ) > 0
      -- An address that anybody used here: colleagues share the office. Of IPv6 the first 64 bits, since
      -- machines change the rest by themselves.
      and count(*) over (
        partition by subscription_id, regexp_replace(caller_ip, '^(([0-9a-f]*:){4}).*$', '\1')
        order by event_at
        range between interval '28 days' preceding and interval '14 days' preceding
      ) > 0 as long_known
  from activity
  where caller_ip is not null
    and coalesce(caller_id, caller) is not null
    and subscription_id is not null
),
facets (what) as (
  values ('kind'), ('resource')
),
entries as (
  -- What was billed, seen as kinds of resource and as resources (by the path of the outermost one: pools are billed
  -- to their account), and who made or enlarged which resource on which day.
  select
    subscription_id,
    currency,
    day,
    what,
    case when what = 'kind' then kind end as kind,
    case when what = 'kind' then region end as region,
    case when what = 'resource' then resource_root end as resource_root,
    case when what = 'resource' then resource_id end as resource_id,
    cost,
    cast(null as varchar) as maker
  from lines
  cross join facets
  where what = 'kind'
    or resource_root is not null
  union all
  select
    subscription_id,
    cast(null as varchar) as currency,
    cast(event_at as date) as day,
    'resource' as what,
    cast(null as varchar) as kind,
    cast(null as varchar) as region,
    resource_root,
    cast(null as varchar) as resource_id,
    0.0 as cost,
    max(caller) as maker
  from acts
  where makes
    and long_known
  group by subscription_id, resource_root, cast(event_at as date)
),
parts as (
  -- What each kind of resource, and each resource, cost on a day and before. The last three days are left out of
  -- the past: an attack that goes on must not make itself familiar. The key decides about a row; `max` only
  -- carries the day's figures along, so that `candidates` is named, and worked out, once.
  select
    candidates.subscription_id,
    candidates.currency,
    candidates.day,
    entries.what,
    entries.kind,
    entries.region,
    entries.resource_root,
    max(candidates.customer_tenant_id) as customer_tenant_id,
    max(candidates.first_at) as first_at,
    max(candidates.arrived_at) as arrived_at,
    max(candidates.cost) as day_cost,
    max(candidates.unit) as unit,
    max(candidates.expected) as expected,
    max(candidates.spread) as spread,
    max(candidates.score) as score,
    max(candidates.history_days) as history_days,
    max(candidates.increase) as increase,
    max(candidates.ratio) as ratio,
    bool_or(candidates.coming_in) as coming_in,
    bool_or(candidates.borrows) as borrows,
    max(candidates.peers) as peers,
    max(candidates.swing_of_peers) as swing_of_peers,
    bool_or(candidates.second_day) as second_day,
    bool_or(candidates.around_month_end) as around_month_end,
    max(candidates.month_ago_peak) as month_ago_peak,
    max(case when entries.day > candidates.day - 18 then entries.resource_id end) as resource_id,
    max(case when entries.day > candidates.day - 14 then entries.maker end) as maker,
    sum(case when entries.day = candidates.day then entries.cost else 0 end) as cost,
    sum(
      case
        when entries.day <= candidates.day - 4 and entries.day > candidates.day - 18 then entries.cost
        else 0
      end
    ) / 14 as usual_cost,
    sum(case when entries.day <= candidates.day - 4 then entries.cost else 0 end) as past_cost
  from candidates
  join entries
    on entries.subscription_id = candidates.subscription_id
    and coalesce(entries.currency, candidates.currency) = candidates.currency
    and entries.day <= candidates.day
    and entries.day >= candidates.day - 42
  group by
    candidates.subscription_id,
    candidates.currency,
    candidates.day,
    entries.what,
    entries.kind,
    entries.region,
    entries.resource_root
),
familiar as (
  select
    *,
    what = 'kind' as is_kind,
    what = 'resource' and cost > 0 as is_resource,
    sum(past_cost) over (partition by subscription_id, currency, day, what, kind) > 0 as kind_known,
    sum(past_cost) over (partition by subscription_id, currency, day, what, region) > 0 as region_known,
    row_number() over (
      partition by subscription_id, currency, day, what
      order by case when what = 'kind' then cost - usual_cost else cost end desc, kind, region, resource_root
    ) as place
  from parts
),
explained as (
  select
    subscription_id,
    currency,
    day,
    max(customer_tenant_id) as customer_tenant_id,
    max(first_at) as first_at,
    max(arrived_at) as arrived_at,
    max(day_cost) as cost,
    max(unit) as unit,
    max(expected) as expected,
    max(spread) as spread,
    max(score) as score,
    max(history_days) as history_days,
    max(increase) as increase,
    max(ratio) as ratio,
    bool_or(coming_in) as coming_in,
    bool_or(borrows) as borrows,
    max(peers) as peers,
    max(swing_of_peers) as swing_of_peers,
    bool_or(second_day) as second_day,
    bool_or(around_month_end) as around_month_end,
    max(month_ago_peak) as month_ago_peak,
    sum(case when is_kind and not kind_known then cost else 0 end) as new_kind_cost,
    sum(case when is_kind and kind_known and not region_known then cost else 0 end) as new_region_cost,
    sum(case when is_resource and maker is not null then greatest(cost - usual_cost, 0) else 0 end) as planned_rise,
    array_agg(distinct kind order by kind) filter (where is_kind and not kind_known and cost > 0) as new_kinds,
    array_agg(distinct region order by region)
      filter (where is_kind and not region_known and cost > 0 and region <> '') as new_regions,
    max(case when is_kind and place = 1 then concat_ws(' in ', kind, nullif(region, '')) end) as main_cause,
    array_agg(concat(concat_ws(' in ', kind, nullif(region, '')), ': +', round(cost - usual_cost, 2)) order by place)
      filter (where is_kind and place <= 5 and cost > usual_cost) as main_causes,
    array_agg(resource_id order by place) filter (where is_resource and place <= 25) as resources,
    array_agg(distinct maker order by maker)
      filter (where is_resource and maker is not null and cost > usual_cost) as makers
  from familiar
  group by subscription_id, currency, day
),
judged as (
  select
    *,
    planned_rise / increase as planned_share,
    least(new_kind_cost / increase, 1.0) as new_kind_share,
    least((new_kind_cost + new_region_cost) / increase, 1.0) as new_share,
    -- Last month's bill of these days explains this one, unless it is for something new.
    coalesce(cost <= 1.5 * month_ago_peak, false) as monthly
  from explained
),
ruled as (
  select
    *,
    case
      -- Hardly any past: only what is dear by any measure.
      when history_days < 4 then
        case when increase >= 2000 * unit and ratio >= 10 then 'a large bill on a subscription with hardly any past' end
      -- A short past has no rhythm yet, so the thresholds are high.
      when history_days < 14 then
        case
          when score >= 6 and ratio >= 6 and increase >= 300 * unit then
            case
              -- What comes once a month, peers do not tell of a subscription.
              when borrows and score >= 10 and not around_month_end
                then 'far above the few days on record, and above what is usual for subscriptions of its size'
              else 'far above the few days on record'
            end
        end
      when score >= 6 and ratio >= 2 and increase >= 100 * unit and new_kind_share >= 0.6
        then 'new kinds of resource'
      when score >= 6 and ratio >= 3 and increase >= 150 * unit and new_share >= 0.6
        then 'known kinds of resource in new regions'
      -- More of the same: it must be far more, and last or be extreme. Around the end of a month,
      -- jobs that run once a month are likelier than thieves.
      when monthly then null
      when around_month_end then
        case when score >= 10 and ratio >= 10 and increase >= 300 * unit then 'extremely much more of the same' end
      when score >= 8 and increase >= 200 * unit and (ratio >= 6 or (ratio >= 4 and second_day))
        then 'far more of the same'
    end as reason
  from judged
)
select
  subscription_id,
  customer_tenant_id,
  first_at as first_observed_at,
  -- The bill is for the whole day; but nothing was observed after the record came in.
  greatest(first_at, least(first_at + interval '1 day' - interval '1 microsecond', arrived_at)) as last_observed_at,
  resources,
  case
    when planned then 'low'
    -- Two weeks show no rhythm, and what comes once a month is new in them.
    when history_days < 14 and increase < 1000 * unit and not beyond_peers then 'low'
    when increase >= 1000 * unit and (new_share >= 0.6 or ratio >= 10) then 'high'
    else 'medium'
  end as severity,
  case
    when planned then 'low'
    when history_days >= 14 and ratio >= 5 and new_share >= 0.6 then 'high'
    when history_days < 14 and not beyond_peers then 'low'
    else 'medium'
  end as confidence,
  concat_ws(
    ' ',
    concat('Usage of ', day, ' cost ', round(cost, 2), ' ', currency, case when coming_in then ' so far' end, ';'),
    concat(round(expected, 2), ' was expected from ', history_days, ' days of history, so it is'),
    concat(round(ratio, 1), ' times as much.'),
    concat('Most of the rise is ', main_cause, '.'),
    case
      when beyond_peers
        then concat('Bills of ', peers, ' subscriptions of its size swing by ', round(100 * swing_of_peers), ' %.')
    end,
    case when new_kind_share >= 0.6 then 'Such resources were not billed here before.' end,
    case when new_kind_share < 0.6 and new_share >= 0.6 then 'Its region was not billed here before.' end,
    case
      when planned_share >= 0.8
        then concat('What costs more was made or enlarged by ', array_to_string(makers, ', '), ', known here for weeks.')
    end
  ) as description,
  reason,
  round(cost, 2) as cost,
  round(expected, 2) as expected_cost,
  round(increase, 2) as increase,
  nullif(currency, '') as currency,
  round(ratio, 2) as ratio,
  round(spread, 2) as usual_spread,
  round(score, 1) as score,
  history_days,
  case when beyond_peers then peers end as peers,
  case when coming_in then 'yes' end as still_coming_in,
  main_causes,
  new_kinds,
  new_regions,
  round(new_share, 2) as new_share,
  makers,
  round(least(planned_share, 1.0), 2) as planned_share
from (
  select
    *,
    -- So much money is looked at whoever spends it.
    planned_share >= 0.8 and increase < 5000 * unit as planned,
    coalesce(borrows and reason like '%of its size', false) as beyond_peers
  from ruled
)
where reason is not null
