"""Who is hit by what, and when."""

import sys

from estate.attacks import ATTACKS
from estate.clock import DAY, END, START, day_start, next_working_hour
from estate.lookalikes import LOOKALIKES
from estate.subscriptions import new_subscription

FLOW_SUBSCRIPTIONS = 7
KINDS_WITH_OWN_SUBSCRIPTION = ("new_subscription_fleet", "new_subscription_cost_only", "freshly_onboarded_attacked")


def plan(estate):
    """Decides for every attack and look-alike in which subscription and when it happens."""
    estate.restart("plan")
    add_young_subscriptions(estate)
    choose_flow_subscriptions(estate)
    plan_attacks(estate)
    plan_lookalikes(estate)
    for subscription in all_subscriptions(estate):
        if subscription.has_flow_logs and not subscription.flow_period:
            begin = START + estate.draw.randint(2, 36) * DAY
            subscription.flow_period = (begin, begin + 6 * DAY)


def all_subscriptions(estate):
    return [subscription for customer in estate.customers for subscription in customer.subscriptions]


def add_young_subscriptions(estate):
    """Subscriptions that begin during the 45 days, and a customer whose logs do."""
    draw = estate.draw
    customers = [customer for customer in estate.customers if customer.profile in ("mid", "large")]
    draw.shuffle(customers)
    add_young_subscription(draw, customers[0], "fleet", draw.uniform(5, 12), "Subscription 1")
    add_young_subscription(draw, customers[1], "cost", draw.uniform(9, 26), "Pay-As-You-Go")
    add_young_subscription(draw, customers[2], "lz", draw.uniform(6, 30), "Project-Aurora")
    late = next(customer for customer in customers[3:] if customer.profile == "mid")
    late.born = START + draw.uniform(4, 16) * DAY
    for subscription in late.subscriptions:
        subscription.born = late.born
        subscription.purpose = "late" if subscription is late.subscriptions[0] else "lateb"


def add_young_subscription(draw, customer, purpose, day, name):
    company = customer.name.split(" ")[0]
    region = customer.subscriptions[0].region
    subscription = new_subscription(draw, customer, f"{company}-{name}", "dev", region)
    subscription.purpose = purpose
    subscription.resource_groups = ["rg1"]
    subscription.born = next_working_hour(draw, customer, START + day * DAY)
    subscription.has_activity_log = purpose != "cost"


def choose_flow_subscriptions(estate):
    candidates = [
        subscription
        for subscription in all_subscriptions(estate)
        if not subscription.purpose
        and subscription.kind in ("prod", "web", "small")
        and len(subscription.machines) >= 2
    ]
    estate.draw.shuffle(candidates)
    for subscription in candidates[:FLOW_SUBSCRIPTIONS]:
        subscription.has_flow_logs = True


def repeated(draw, scenarios):
    """Every scenario as often as it shall happen. The shuffle only keeps the stream: all are sorted afterwards."""
    wanted = [scenario for scenario in scenarios for _ in range(scenario.times)]
    draw.shuffle(wanted)
    return wanted


def spread(draw, count, first, span, jitter):
    """Times spread evenly over some days, each a little off."""
    return [START + (first + span * number / count + draw.uniform(-jitter, jitter)) * DAY for number in range(count)]


def place(scenario, subscription, time):
    subscription.customer.scenarios.append((time, scenario, subscription))


def can_be_attacked(attack, subscription):
    if subscription.purpose and attack.kind not in KINDS_WITH_OWN_SUBSCRIPTION:
        return False
    return (
        attack.where(subscription.customer, subscription)
        and subscription.attack is None
        and (subscription.has_activity_log or "cost_only" in attack.kind)
    )


def plan_attacks(estate):
    """The attacks with the fewest possible places choose first; customers are hit twice only if there is no other."""
    draw = estate.draw
    attacks = repeated(draw, ATTACKS)
    times = spread(draw, len(attacks), 3.25, 38.2, 0.45)

    def candidates(attack):
        return [subscription for subscription in all_subscriptions(estate) if can_be_attacked(attack, subscription)]

    attacks.sort(key=lambda attack: (len(candidates(attack)), attack.kind))
    for attack in attacks:
        choices = candidates(attack)
        choices = [one for one in choices if one.customer.attacked is None] or choices
        if not choices:
            print("no place for", attack.kind, file=sys.stderr)
            continue
        wants_flows = attack.kind.startswith(("cpu_fleet", "flow"))
        choices = [one for one in choices if bool(one.has_flow_logs) == wants_flows] or choices
        subscription = draw.choice(choices)
        time = time_of_attack(draw, attack, subscription, times)
        if subscription.has_flow_logs:
            day = day_start(time)
            subscription.flow_period = (max(START, day - 5 * DAY), min(END, day + 4 * DAY))
        subscription.attack = time
        if subscription.customer.attacked is None:
            subscription.customer.attacked = time
        place(attack, subscription, time)


def time_of_attack(draw, attack, subscription, times):
    if subscription.purpose in ("fleet", "cost"):
        return subscription.born
    if subscription.purpose == "late":
        return subscription.born + draw.uniform(0.9, 2.2) * DAY
    span = max(attack.span, 3.5 if attack.kind.startswith("flow") else 1)
    possible = [
        time for time in times if time + span * DAY < END - DAY and time > subscription.born + 3 * DAY
    ] or times[:1]
    time = draw.choice(possible)
    times.remove(time)
    return time


def plan_lookalikes(estate):
    """Look-alikes keep away from the days of other scenarios of their customer; half of them avoid attacked ones."""
    draw = estate.draw
    lookalikes = repeated(draw, LOOKALIKES)
    times = spread(draw, len(lookalikes), 2.3, 38.5, 0.4)
    rank = {one: 999 if one.directory_only else len(quiet_places(estate, one)) for one in lookalikes}
    for lookalike in sorted(lookalikes, key=lambda one: (rank[one], one.kind)):
        choices = places_of_lookalike(estate, lookalike)
        if not choices:
            print("no place for look-alike", lookalike.kind, file=sys.stderr)
            continue
        options = options_of_lookalike(draw, lookalike, choices, times)
        clean = [option for option in options if option[0].customer.attacked is None]
        subscription, time = draw.choice(clean if clean and draw.chance(0.5) else options)
        if subscription.purpose == "lz":
            time = subscription.born
        else:
            times.remove(time)
        if not times:
            times.append(START + draw.uniform(3, 40) * DAY)
        if not lookalike.directory_only:
            if subscription.has_flow_logs and not subscription.flow_period:
                day = day_start(time)
                subscription.flow_period = (max(START, day - 4 * DAY), min(END, day + 4 * DAY))
            subscription.look = time
        place(lookalike, subscription, time)


def quiet_places(estate, lookalike):
    """Subscriptions in which nothing else is planned."""
    return [
        subscription
        for subscription in all_subscriptions(estate)
        if subscription.attack is None
        and subscription.look is None
        and subscription.has_activity_log
        and lookalike.where(subscription.customer, subscription)
        and (
            not subscription.purpose or (subscription.purpose == "lz" and lookalike.kind == "landing_zone_subscription")
        )
    ]


def places_of_lookalike(estate, lookalike):
    if lookalike.directory_only:
        return [
            customer.subscriptions[0]
            for customer in estate.customers
            if not any(other.directory_only and not other.malicious for _, other, _ in customer.scenarios)
            and not customer.subscriptions[0].purpose
            and lookalike.where(customer, customer.subscriptions[0])
        ]
    choices = quiet_places(estate, lookalike) or [
        subscription
        for subscription in all_subscriptions(estate)
        if subscription.look is None
        and not subscription.purpose
        and lookalike.where(subscription.customer, subscription)
        and subscription.attack
    ]
    if lookalike.kind.startswith(("monitoring", "offsite")):
        choices = [subscription for subscription in choices if subscription.has_flow_logs] or choices
    return choices


def options_of_lookalike(draw, lookalike, choices, times):
    """Pairs of a subscription and a time, six days away from all other scenarios if possible."""

    def is_apart(subscription, time, days):
        return all(abs(time - other) > days * DAY for other, _, _ in subscription.customer.scenarios)

    span = min(lookalike.span, 8) * DAY
    latest = END - 0.5 * DAY
    return (
        [(one, time) for one in choices for time in times if time + span < latest and is_apart(one, time, 6)]
        or [(one, time) for one in choices for time in times if is_apart(one, time, 3)]
        or [(draw.choice(choices), draw.choice(times))]
    )
