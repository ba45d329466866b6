"""Harmless changes of networks and traffic."""

from estate.clock import DAY, END, HOUR, day_of, local_time, next_working_hour
from estate.flows import BEGIN, CONTINUE, FINISH, Connection, standing_connection
from estate.intruders import victim
from estate.model import Address
from estate.networks import address_in, home_address
from estate.operations import install_extension
from estate.presence import azure_session, small_hash, usual_mfa
from estate.scenarios import is_business, scenario
from estate.sign_ins import sign_in


@scenario(where=lambda customer, subscription: subscription.has_flow_logs and len(subscription.machines) >= 2)
def monitoring_agent_rollout(estate, customer, subscription, time):
    """new agent on all machines by the admin (extensions), each with a steady small connection over 443 to the
    vendor
    """
    draw = estate.draw
    user = victim(draw, customer, ("admin",))
    time = next_working_hour(draw, customer, time, 9, 12)
    session = azure_session(estate, subscription, user, time)
    destination = address_in(draw, "3.233")
    for machine in subscription.machines:
        time = install_extension(session, time, machine, "DatadogAgent", "Datadog.Agent", "DatadogLinuxAgent") + 30
        if machine in subscription.machines[:4]:
            standing_connection(
                estate,
                subscription,
                machine,
                destination,
                443,
                time + 60,
                subscription.flow_period[1],
                up=(900, 2500),
                down=(120, 300),
                reconnect=0.02,
            )


@scenario(where=lambda customer, subscription: subscription.has_flow_logs and len(subscription.machines) >= 1)
def offsite_backup_egress(estate, customer, subscription, time):
    """first full copy to an object store elsewhere: hundreds of GB out over 443 at night"""
    draw = estate.draw
    machine = subscription.machines[0]
    destination = address_in(draw, "52.219")
    time = local_time(customer, day_of(time), 21)
    for _ in range(4):
        connection = Connection(subscription, machine, destination, draw.randint(40000, 60000), 443)
        connection.write(estate, time, BEGIN, named=True)
        for step in range(1, 61):
            counters = (10**6, draw.randint(8, 14) * 10**8, 2 * 10**5, 12 * 10**6)
            connection.write(estate, time + 300 * step, CONTINUE, counters, named=True)
        connection.write(estate, time + 300 * 61, FINISH, (99, 9000, 80, 4000), named=True)


@scenario(
    where=lambda customer, subscription: customer.has_entra_logs and is_business(customer, subscription),
    span=4,
    directory_only=True,
)
def office_isp_change(estate, customer, subscription, time):
    """the office gets another provider: everybody from a new address and network of the same city"""
    draw = estate.draw
    new_address = home_address(draw, customer.city)
    time = next_working_hour(draw, customer, time, 6, 7)

    def address_for(user, moment):
        private = estate.private_random(f"{user.id}/{day_of(moment)}")
        return new_address if private.random() >= user.home_office_share else None

    customer.network_changes.append((time, END, address_for))
    for user in customer.users[:8]:
        sign_in(
            estate,
            customer,
            time + draw.uniform(1, 9) * HOUR,
            user,
            new_address,
            "office",
            "graph",
            device=user.device,
            agent=user.device_kind,
            mfa=usual_mfa(customer),
        )


@scenario(
    where=lambda customer, subscription: (
        customer.has_entra_logs and customer.profile in ("large", "mid", "web") and customer.managed
    ),
    span=4,
    directory_only=True,
)
def cloud_proxy_rollout(estate, customer, subscription, time):
    """web proxy introduced: users of managed devices appear from the proxy's addresses in another country"""
    draw = estate.draw
    proxies = [
        Address(
            address_in(draw, "165.225"),
            62044,
            *draw.choice(
                [
                    ("Amsterdam", "Noord-Holland", "NL", 52.37, 4.89),
                    ("Frankfurt am Main", "Hessen", "DE", 50.11, 8.68),
                    ("Paris", "Paris", "FR", 48.86, 2.35),
                ]
            ),
        )
        for _ in range(4)
    ]
    time = next_working_hour(draw, customer, time, 6, 7)
    customer.network_changes.append(
        (time, END, lambda user, moment: proxies[(small_hash(user.id) + int(moment // DAY)) % 4])
    )
    for user in customer.users[:8]:
        sign_in(
            estate,
            customer,
            time + draw.uniform(1, 9) * HOUR,
            user,
            draw.choice(proxies),
            "office",
            "graph",
            device=user.device,
            agent=user.device_kind,
            mfa=usual_mfa(customer),
        )
