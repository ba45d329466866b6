"""The flows of normal life."""

import math

from estate.clock import DAY, HOUR, utc_offset
from estate.flows import BEGIN, CONTINUE, DENY, FINISH, INBOUND, UDP, Connection
from estate.networks import address_in, home_address, hosting_address
from estate.places import CITIES

TIME_SERVER = "168.61.215.74"
INSIDE = "DefaultRule_AllowVnetOutBound"
NAMES_OF_SERVERS = ("web", "app", "api", "srv", "jump", "lic")


class Servers:
    """To what the machines of a subscription connect."""

    def __init__(self, draw):
        self.agent = address_in(draw, draw.choice(["34.120", "52.57", "18.184", "35.241"]))
        self.updates = [address_in(draw, "13.107"), address_in(draw, "204.79")]
        self.storage = address_in(draw, "20.150")
        self.domain_controller = f"10.{draw.randint(1, 60)}.0.10"


def daily_traffic(estate, customer, subscription):
    """The flows of some machines of a subscription that has flow logs."""
    if not subscription.flow_period:
        return
    draw = estate.draw
    servers = Servers(draw)
    begin, end = subscription.flow_period
    machine_count = 2 if subscription.kind == "small" else draw.randint(2, 4)
    for machine in subscription.machines[:machine_count]:
        agent_traffic(estate, subscription, machine, servers.agent)
        day_begin = begin
        while day_begin < end:
            for hour in range(24):
                hourly_traffic(estate, customer, subscription, machine, servers, day_begin, hour)
            nightly_backup(estate, subscription, machine, servers.storage, day_begin)
            day_begin += DAY


def agent_traffic(estate, subscription, machine, server):
    """A monitoring agent keeps a connection to its vendor."""
    draw = estate.draw
    connection = Connection(subscription, machine, server, draw.randint(40000, 64000), 443)
    time, end = subscription.flow_period
    while time < end:
        moment = time + draw.uniform(0, 3)
        sent = draw.randint(30, 42), draw.randint(6200, 9400)
        received = draw.randint(28, 38), draw.randint(3000, 4200)
        connection.write(estate, moment, CONTINUE, (*sent, *received), named=True)
        time += 300
        if draw.chance(0.002):
            connection.write(estate, time, FINISH, (4, 400, 3, 200))
            connection.source_port = draw.randint(40000, 64000)
            connection.write(estate, time + 20, BEGIN)


def business(customer, day_begin, hour):
    """How busy the hour is, from nearly nothing to 1."""
    local_hour = (hour + utc_offset(customer.country, day_begin)) % 24
    if 6 < local_hour < 20:
        return 0.2 + 0.8 * max(0, math.sin((local_hour - 6) / 14 * math.pi))
    return 0.15


def hourly_traffic(estate, customer, subscription, machine, servers, day_begin, hour):
    draw = estate.draw
    begin = day_begin + hour * HOUR
    if draw.chance(0.9):
        clock = Connection(subscription, machine, TIME_SERVER, 123, 123, UDP)
        clock.write(estate, begin + draw.uniform(0, HOUR), BEGIN)
        clock.write(estate, begin + draw.uniform(0, HOUR), FINISH, (1, 90, 1, 90))
    if any(name in machine.name for name in NAMES_OF_SERVERS):
        for _ in range(draw.poisson(5 * business(customer, day_begin, hour))):
            visit(estate, customer, subscription, machine, begin)
    for _ in range(draw.poisson(1.6)):
        denied_scan(estate, subscription, machine, begin)
    for _ in range(draw.poisson(0.6)):
        fetch_update(estate, subscription, machine, servers, begin)
    for _ in range(draw.poisson(0.5)):
        ask_domain_controller(estate, subscription, machine, servers.domain_controller, begin)


def visit(estate, customer, subscription, machine, hour_begin):
    """Somebody, mostly from the same city, uses the site."""
    draw = estate.draw
    client = home_address(draw, customer.city if draw.chance(0.7) else draw.choice(list(CITIES))).ip
    port = draw.randint(1025, 65000)
    connection = Connection(subscription, machine, client, port, 443, direction=INBOUND, rule="UserRule_allow-https")
    begin = hour_begin + draw.uniform(0, HOUR)
    packets = draw.randint(6, 90)
    connection.write(estate, begin, BEGIN)
    end = begin + draw.uniform(1, 60)
    counters = (packets, packets * draw.randint(90, 300), packets, packets * draw.randint(300, 1300))
    connection.write(estate, end, FINISH, counters)


def denied_scan(estate, subscription, machine, hour_begin):
    draw = estate.draw
    time = hour_begin + draw.uniform(0, HOUR)
    scanner = home_address(draw, draw.choice(list(CITIES))) if draw.chance(0.5) else hosting_address(draw)
    connection = Connection(
        subscription,
        machine,
        scanner.ip,
        draw.randint(1025, 65000),
        draw.choice([22, 3389, 445, 23, 8080, 5900, 6379, 1433]),
        direction=INBOUND,
        rule="DefaultRule_DenyAllInBound",
    )
    connection.write(estate, time, DENY)


def fetch_update(estate, subscription, machine, servers, hour_begin):
    draw = estate.draw
    port = draw.randint(49152, 65000)
    begin = hour_begin + draw.uniform(0, HOUR)
    server = draw.choice([*servers.updates, servers.storage])
    packets = draw.randint(10, 700)
    connection = Connection(subscription, machine, server, port, 443)
    connection.write(estate, begin, BEGIN)
    counters = (packets // 3 + 1, packets * 60, packets, packets * 1350)
    connection.write(estate, begin + draw.uniform(2, 80), FINISH, counters)


def ask_domain_controller(estate, subscription, machine, server, hour_begin):
    draw = estate.draw
    port = draw.randint(49152, 65000)
    begin = hour_begin + draw.uniform(0, HOUR)
    connection = Connection(subscription, machine, server, port, draw.choice([53, 88, 389, 445]), rule=INSIDE)
    connection.write(estate, begin, BEGIN)
    connection.destination_port = 389
    connection.write(estate, begin + 5, FINISH, (5, 900, 5, 1200))


def nightly_backup(estate, subscription, machine, server, day_begin):
    draw = estate.draw
    connection = Connection(subscription, machine, server, draw.randint(49152, 65000), 443)
    begin = day_begin + 22 * HOUR + draw.uniform(0, HOUR)
    connection.write(estate, begin, BEGIN)
    for step in range(draw.randint(3, 8)):
        sent = draw.randint(30000, 90000), draw.randint(40, 130) * 10**6
        received = draw.randint(9000, 20000), draw.randint(6, 14) * 10**5
        connection.write(estate, begin + 300 * (step + 1), CONTINUE, (*sent, *received))
    connection.write(estate, begin + 300 * 10, FINISH, (900, 10**6, 300, 20000))
