"""What intruders have in common: victims, hours, sessions and fleets of machines."""

from estate.activity import new_session
from estate.azure import FAR_REGIONS
from estate.clock import END
from estate.model import Machine
from estate.networks import home_address
from estate.operations import create_group, create_machine, fail_machine, list_keys
from estate.places import cities_of
from estate.presence import everyday_session_id, usual_mfa
from estate.sign_ins import sign_in


def far_regions(draw, subscription, count, include_home=False):
    """Regions that the subscription does not use, behind its own one if that is wanted."""
    others = [region for region in FAR_REGIONS if region != subscription.region]
    draw.shuffle(others)
    if include_home:
        return [subscription.region, *others[: count - 1]]
    return others[:count]


def victim(draw, customer, jobs=("admin", "dev", "ml")):
    """A user of one of the jobs, or else the owner."""
    candidates = [user for user in customer.users if user.job in jobs]
    return draw.choice(candidates) if candidates else customer.owner


def engineer(draw, customer):
    return victim(draw, customer, ("dev", "admin"))


def nearby_address(draw, customer, user):
    """An address at home in another city of the customer's country."""
    cities = [city for city in cities_of(customer.country) if city != user.city] or [user.city]
    return home_address(draw, draw.choice(cities))


def intruder_session(estate, subscription, user, time, address, application="cli", how="aitm"):
    """The sign-ins of an intruder with somebody else's account, and his session.

    How: aitm (a session caught by a proxy between user and Entra ID), password, or session (a stolen cookie).
    """
    draw = estate.draw
    customer = subscription.customer
    methods = "pwd,mfa" if customer.requires_mfa else "pwd"
    session = new_session(estate, subscription, user, address=address, application=application, methods=methods)
    if how == "session":
        session.id = everyday_session_id(estate, user, time)
    agent = {"cli": "linux", "ps": "ps", "portal": draw.choice(["win", "linux", "mac"])}[application]
    known = {"agent": agent, "session_id": session.id}
    mfa = usual_mfa(customer)
    if how == "aitm":
        begin = time - draw.uniform(300, 1500)
        risk = draw.choice(["none", "low", "medium"])
        sign_in(estate, customer, begin, user, address, **known, mfa=mfa, risk=risk)
        begin = time - draw.uniform(30, 250)
        risk = draw.choice(["none", "none", "medium"])
        sign_in(estate, customer, begin, user, address, application, "arm", **known, mfa=mfa, risk=risk)
    elif how == "password":
        sign_in(
            estate,
            customer,
            time - draw.uniform(30, 250),
            user,
            address,
            application,
            "arm",
            **known,
            mfa="none",
            risk=draw.choice(["none", "medium"]),
            method="Password",
            conditional_access="notApplied",
        )
    elif how == "session":
        for before in (400, 180, 40):
            resource = draw.choice(["arm", "graph"])
            sign_in(
                estate,
                customer,
                time - before,
                user,
                address,
                application,
                resource,
                **known,
                interactive=False,
                mfa=mfa,
            )
    return session


def look_around(session, time):
    """What little of reconnaissance the activity log shows."""
    draw = session.estate.draw
    accounts = session.subscription.storage_accounts
    for account in draw.sample(accounts, min(len(accounts), draw.randint(0, 1))):
        time = list_keys(session, time, account) + draw.uniform(5, 60)
    return time + draw.uniform(60, 900)


def fleet(session, time, count, sizes, regions, spot=False, failures=3, gap=(4, 40), stop=None, public_address=False):
    """Machines in a new group, one after the other, with failures between them. Stop is when they are gone."""
    draw = session.estate.draw
    groups = ["rg1", "test", "myrg", "NetworkWatcher", f"rg-{draw.word(4)}", "default-rg", "cloud-shell-rg"]
    group = draw.choice(groups)
    base = draw.choice(["vm", "node", "srv", "test", "linux", "ubuntu", "app", "web"])
    time = create_group(session, time, group, regions[0]) + draw.uniform(5, 30)
    machines = []
    for number in range(count):
        region = regions[number % len(regions)]
        size = draw.choice(sizes)
        if failures and draw.chance(0.3):
            reason = draw.choice(["quota", "quota", "sku"])
            fail_machine(session, time, group, f"{base}{number}", size, region, reason)
            failures -= 1
            time += draw.uniform(*gap)
        name = f"{base}{number}" if draw.chance(0.9) else f"{base}-{draw.word(4)}"
        machines.append(
            create_machine(
                session,
                time,
                group,
                name,
                size,
                region,
                spot=spot,
                public_address=public_address,
                with_policy=True,
            )
        )
        time += draw.uniform(*gap)
    if stop:
        for machine in machines:
            machine.stop = min(END, stop + draw.uniform(0, 3600))
    return machines


def bill_compute(
    estate, subscription, resource, size, region, count, begin, end, spot=False, provider="Microsoft.Compute"
):
    """Lets machines that no record of their own creates, of a service or a scale set, cost from begin to end."""
    subscription.runs.append(
        Machine(
            id=resource,
            size=size,
            region=region,
            start=begin,
            stop=min(end, END),
            spot=spot,
            label=estate.label,
            count=count,
            provider=provider,
        )
    )
