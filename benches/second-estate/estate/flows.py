"""Tuples of virtual network flow logs."""

from dataclasses import dataclass

from estate.clock import END, START
from estate.model import Machine, Subscription

TCP = 6
UDP = 17
OUTBOUND = "O"
INBOUND = "I"
BEGIN, CONTINUE, FINISH, DENY = "B", "C", "E", "D"


@dataclass
class Connection:
    """A connection between a machine and an address elsewhere."""

    subscription: Subscription
    machine: Machine
    remote: str
    source_port: int
    destination_port: int
    protocol: int = TCP
    direction: str = OUTBOUND
    rule: str = "DefaultRule_AllowInternetOutBound"

    def write(self, estate, time, state, counters=(0, 0, 0, 0), named=False):
        """One tuple of version 4; counters: packets and bytes sent, packets and bytes received.

        A label in force learns the machine only if it is to be named.
        """
        if not START <= time < END:
            return
        period = self.subscription.flow_period
        if not (period and period[0] <= time < period[1]):
            return
        estate.see(time, self.machine.id if named else None)
        ends = [self.machine.ip, self.remote]
        if self.direction == INBOUND:
            ends.reverse()
        fields = [
            int(time * 1000),
            *ends,
            self.source_port,
            self.destination_port,
            self.protocol,
            self.direction,
            state,
            "NX",
            *counters,
        ]
        line = ",".join(str(field) for field in fields)
        estate.flows.append((self.subscription, self.machine.mac, time, self.rule, line))
        estate.counts["flow"] += 1


def standing_connection(
    estate,
    subscription,
    machine,
    destination,
    port,
    begin,
    end,
    up=(180, 340),
    down=(260, 520),
    reconnect=0.004,
):
    """A connection that stands for long, in increments of about five minutes, and is sometimes made anew."""
    draw = estate.draw
    connection = Connection(subscription, machine, destination, draw.randint(33000, 60900), port)
    time = begin
    connection.write(estate, time, BEGIN, named=True)
    while time < end:
        time += 300 * draw.uniform(0.97, 1.03)
        packets = draw.randint(*up) // 40 + 3
        counters = (packets, draw.randint(*up) * 12, packets + draw.randint(0, 4), draw.randint(*down) * 12)
        connection.write(estate, time, CONTINUE, counters, named=True)
        if draw.chance(reconnect):
            connection.write(estate, time + 20, FINISH, (2, 120, 2, 104))
            connection.source_port = draw.randint(33000, 60900)
            connection.write(estate, time + 31, BEGIN)
