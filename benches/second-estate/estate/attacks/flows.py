"""Attacks that only flow logs show."""

from estate.clock import DAY, HOUR
from estate.flows import BEGIN, Connection, standing_connection
from estate.networks import home_address, hosting_address
from estate.places import CITIES
from estate.scenarios import scenario


@scenario(where=lambda customer, subscription: subscription.has_flow_logs and len(subscription.machines) >= 2)
def flow_miner_443(estate, customer, subscription, time):
    """existing web servers compromised through the application: standing connections over 443 to one unknown host;
    flow logs only
    """
    draw = estate.draw
    pool = hosting_address(draw).ip
    for machine in subscription.machines[: draw.randint(1, 2) + 1]:
        standing_connection(
            estate,
            subscription,
            machine,
            pool,
            443,
            time + draw.uniform(0, 7200),
            min(time + draw.uniform(1.5, 2.6) * DAY, subscription.flow_period[1]),
        )


@scenario(where=lambda customer, subscription: subscription.has_flow_logs and len(subscription.machines) >= 1)
def flow_miner_pool_port(estate, customer, subscription, time):
    """TeamTNT style on existing machines: connections to pools at 3333/14444/10128, failing-over among hosts, and
    outbound scans; flow logs only
    """
    draw = estate.draw
    pools = [hosting_address(draw).ip for _ in range(3)]
    port = draw.choice([3333, 14444, 10128, 5555, 45700])
    for machine in subscription.machines[:3]:
        for number, destination in enumerate(pools):
            begin = time + number * 14 * HOUR + draw.uniform(0, 3600)
            standing_connection(
                estate,
                subscription,
                machine,
                destination,
                port,
                begin,
                min(begin + 13.5 * HOUR, subscription.flow_period[1]),
                reconnect=0.02,
            )
    machine = subscription.machines[0]
    for _ in range(600):
        moment = time + draw.uniform(0, 5) * HOUR
        destination = home_address(draw, draw.choice(list(CITIES))).ip
        source_port = draw.randint(33000, 60000)
        scan = Connection(subscription, machine, destination, source_port, draw.choice([2375, 6443, 10250, 22]))
        scan.write(estate, moment, BEGIN)
