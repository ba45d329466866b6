"""Attacks that begin with guessed passwords and tired users."""

from estate.activity import operate
from estate.clock import DAY, HOUR, odd_hour
from estate.directory import register_method
from estate.intruders import far_regions, fleet, intruder_session, victim
from estate.networks import hosting_address
from estate.operations import grant_role
from estate.scenarios import scenario
from estate.sign_ins import sign_in


@scenario(where=lambda customer, subscription: customer.requires_mfa and customer.has_entra_logs)
def mfa_fatigue_takeover(estate, customer, subscription, time):
    """10-40 denied MFA prompts, one accepted, own method registered, role granted, machines"""
    draw = estate.draw
    user = victim(draw, customer, ("admin", "dev"))
    time = odd_hour(draw, customer, time)
    address = hosting_address(draw, customer.country)
    for _ in range(draw.randint(10, 40)):
        sign_in(
            estate,
            customer,
            time,
            user,
            address,
            "office",
            "graph",
            error=500121,
            mfa="denied",
            session_id=draw.guid(),
        )
        time += draw.uniform(15, 200)
    sign_in(
        estate,
        customer,
        time + 30,
        user,
        address,
        "office",
        "graph",
        mfa="fresh",
        session_id=draw.guid(),
    )
    register_method(
        estate,
        customer,
        time + 300,
        user,
        address,
        draw.choice(["Mobile phone SMS", "Authenticator App with Notification and Code"]),
    )
    time += 1500
    session = intruder_session(estate, subscription, user, time, address, "portal", how="session")
    grant_role(session, time + 60, draw.guid(), "User", "Contributor")
    fleet(
        session,
        time + 900,
        count=draw.randint(5, 14),
        sizes=["Standard_D16s_v5", "Standard_F16s_v2"],
        regions=far_regions(draw, subscription, 3),
        failures=3,
        stop=time + 2 * DAY,
    )


@scenario(where=lambda customer, subscription: len(customer.users) >= 8, span=4)
def password_spray_success(estate, customer, subscription, time):
    """Peach Sandstorm: slow spray over all users with go-http-client from hosting, one hit without MFA, then port
    opened and a few machines
    """
    draw = estate.draw
    time = odd_hour(draw, customer, time)
    user = victim(draw, customer, ("dev", "admin"))
    addresses = [hosting_address(draw) for _ in range(4)]
    for second_round in range(2):
        for target_user in customer.users:
            if second_round and target_user is user:
                sign_in(
                    estate,
                    customer,
                    time,
                    target_user,
                    draw.choice(addresses),
                    "cli",
                    "arm",
                    agent="go",
                    mfa="none",
                    method="Password",
                    conditional_access="notApplied",
                    protocol="ropc",
                )
            else:
                sign_in(
                    estate,
                    customer,
                    time,
                    target_user,
                    draw.choice(addresses),
                    "cli",
                    "arm",
                    agent="go",
                    error=draw.choice([50126] * 8 + [50053]),
                    mfa="none",
                    conditional_access="notApplied",
                    protocol="ropc",
                )
            time += draw.uniform(30, 300)
        time += draw.uniform(0.5, 3) * HOUR
    address = hosting_address(draw, customer.country)
    time += draw.uniform(1, 20) * HOUR
    session = intruder_session(estate, subscription, user, time, address, "portal", how="password")
    operate(
        session,
        time,
        "Microsoft.Network/networkSecurityGroups/securityRules/write",
        subscription.security_groups[0] + "/securityRules/allow-any",
        long_running=True,
        request={
            "properties": {
                "access": "Allow",
                "direction": "Inbound",
                "protocol": "*",
                "sourceAddressPrefix": "*",
                "destinationPortRange": "*",
                "priority": 100,
            }
        },
    )
    fleet(
        session,
        time + 500,
        count=draw.randint(2, 6),
        sizes=["Standard_D4s_v5"],
        regions=far_regions(draw, subscription, 2),
        failures=0,
        public_address=True,
        stop=time + 2 * DAY,
    )
