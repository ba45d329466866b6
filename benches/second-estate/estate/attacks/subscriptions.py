"""Attacks on whole subscriptions: new, silent, blinded, moved away or reached through the partner."""

from estate.activity import new_session, operate
from estate.clock import DAY, HOUR, odd_hour
from estate.directory import invite_guest, redeem_invitation
from estate.intruders import far_regions, fleet, intruder_session, nearby_address, victim
from estate.networks import hosting_address
from estate.operations import grant_role, revoke_role
from estate.people import guest_user, partner_user, random_name
from estate.scenarios import is_business, scenario
from estate.sign_ins import sign_in


@scenario(where=lambda customer, subscription: subscription.purpose == "fleet")
def new_subscription_fleet(estate, customer, subscription, time):
    """subscription that did not exist before; fleet within the hour by the stolen global admin"""
    draw = estate.draw
    user = customer.owner
    time = subscription.born + 40
    session = intruder_session(estate, subscription, user, time, hosting_address(draw, customer.country), "portal")
    grant_role(session, time + 30, user.id, "User", "Owner")
    subscription.storage_accounts = []
    operate(session, time + 60, "Microsoft.Compute/register/action", subscription.path + "/providers/Microsoft.Compute")
    fleet(
        session,
        time + 300,
        count=draw.randint(8, 20),
        sizes=[draw.choice(["Standard_D16s_v5", "Standard_NC6s_v3", "Standard_D48as_v5"])],
        regions=far_regions(draw, subscription, draw.randint(2, 4)),
        failures=4,
        stop=time + draw.uniform(1, 3) * DAY,
    )


@scenario(where=lambda customer, subscription: subscription.purpose == "cost")
def new_subscription_cost_only(estate, customer, subscription, time):
    """new subscription whose activity log nobody exports: first seen in the cost file"""
    draw = estate.draw
    time = subscription.born + 600
    session = new_session(estate, subscription, customer.owner, address=hosting_address(draw))
    fleet(
        session,
        time,
        count=draw.randint(5, 25),
        sizes=[
            draw.choice(["Standard_D64s_v5", "Standard_HB120rs_v3", "Standard_NC24ads_A100_v4", "Standard_F72s_v2"])
        ],
        regions=far_regions(draw, subscription, draw.randint(1, 4)),
        failures=0,
        stop=time + draw.uniform(2, 4) * DAY,
    )


@scenario(
    where=lambda customer, subscription: not subscription.has_activity_log or subscription.kind == "small", times=2
)
def cost_only_spike(estate, customer, subscription, time):
    """existing subscription without activity log in the export: machines in another region in the cost file only"""
    draw = estate.draw
    subscription.has_activity_log = False
    session = new_session(estate, subscription, customer.owner, address=hosting_address(draw))
    size = draw.choice(
        [["Standard_D8s_v5"], ["Standard_D32s_v5"], ["Standard_F32s_v2", "Standard_F16s_v2"], ["Standard_NC4as_T4_v3"]]
    )
    fleet(
        session,
        time,
        count=draw.randint(4, 16),
        sizes=size,
        regions=far_regions(draw, subscription, draw.randint(1, 3)),
        spot=draw.chance(0.3),
        failures=0,
        stop=time + draw.uniform(2, 6) * DAY,
    )


@scenario(where=is_business)
def subscription_hijack(estate, customer, subscription, time):
    """subscription moved to a foreign directory: foreign guest made Owner, other owners' assignments removed, tenant
    changed
    """
    draw = estate.draw
    user = victim(draw, customer, ("admin",))
    time = odd_hour(draw, customer, time)
    address = hosting_address(draw, customer.country)
    session = intruder_session(estate, subscription, user, time, address, "portal")
    foreign_tenant = draw.guid()
    guest = guest_user(
        draw,
        customer,
        f"admin@{draw.word(9)}.onmicrosoft.com",
        foreign_tenant,
        random_name(draw),
    )
    guest.role = "Owner"
    invite_guest(estate, customer, time, user, address, guest)
    redeem_invitation(estate, customer, time + 300, guest, address)
    grant_role(session, time + 500, guest.id, "User", "Owner")
    other_session = intruder_session(estate, subscription, guest, time + 1200, address, "portal", how="password")
    for number in range(draw.randint(2, 4)):
        revoke_role(other_session, time + 1300 + number * 20, customer.users[number].id)
    operate(
        other_session,
        time + 1600,
        "Microsoft.Subscription/updateTenant/action",
        subscription.path + "/providers/Microsoft.Subscription/updateTenant",
        long_running=True,
    )


@scenario(where=is_business)
def blind_then_mine(estate, customer, subscription, time):
    """export of logs, alerts, budget and Defender plans removed, alerts suppressed; then machines of common size"""
    draw = estate.draw
    user = victim(draw, customer, ("admin",))
    time = odd_hour(draw, customer, time)
    session = intruder_session(
        estate, subscription, user, time, nearby_address(draw, customer, user), "ps", how="session"
    )
    providers = subscription.path + "/providers/"
    for operation, resource in [
        ("Microsoft.Insights/diagnosticSettings/delete", providers + "Microsoft.Insights/diagnosticSettings/to-soc"),
        (
            "Microsoft.Insights/activityLogAlerts/delete",
            subscription.resource_id(
                subscription.resource_groups[0], "Microsoft.Insights/activityLogAlerts", "role-changes"
            ),
        ),
        (
            "Microsoft.Insights/actionGroups/delete",
            subscription.resource_id(subscription.resource_groups[0], "Microsoft.Insights/actionGroups", "soc"),
        ),
        ("Microsoft.Consumption/budgets/delete", providers + "Microsoft.Consumption/budgets/monthly"),
        ("Microsoft.Security/pricings/write", providers + "Microsoft.Security/pricings/VirtualMachines"),
        ("Microsoft.Security/alertsSuppressionRules/write", providers + "Microsoft.Security/alertsSuppressionRules/s1"),
    ]:
        if draw.chance(0.85):
            time = operate(
                session,
                time,
                operation,
                resource,
                request={"properties": {"pricingTier": "Free"}} if "pricings" in operation else None,
            )
            time += draw.uniform(10, 90)
    fleet(
        session,
        time + draw.uniform(0.1, 10) * HOUR,
        count=draw.randint(6, 18),
        sizes=[draw.choice(["Standard_D8s_v5", "Standard_D16as_v5", "Standard_E16s_v5"])],
        regions=[subscription.region] + far_regions(draw, subscription, draw.randint(0, 2)),
        failures=1,
        stop=time + 3 * DAY,
    )


@scenario()
def partner_admin_abuse(estate, customer, subscription, time):
    """delegated administrator of the partner (ForeignGroup evidence, partner's tenant) used from hosting: role to a
    stranger and machines
    """
    draw = estate.draw
    user = partner_user(estate, customer, 0)
    user.role = "Owner"
    time = odd_hour(draw, customer, time)
    address = hosting_address(draw, "DE")
    sign_in(
        estate,
        customer,
        time - 90,
        user,
        address,
        "portal",
        "arm",
        agent="linux",
    )
    session = new_session(estate, subscription, user, address=address, application="cli")
    grant_role(session, time, draw.guid(), "User", "Owner")
    fleet(
        session,
        time + 400,
        count=draw.randint(5, 15),
        sizes=["Standard_D16s_v5"],
        regions=far_regions(draw, subscription, 3),
        failures=3,
        stop=time + 2 * DAY,
    )


@scenario(where=lambda customer, subscription: subscription.purpose == "late")
def freshly_onboarded_attacked(estate, customer, subscription, time):
    """customer whose logs only began a day or two before: fleet by a stolen admin from hosting, with almost no
    history
    """
    draw = estate.draw
    user = customer.owner
    session = intruder_session(estate, subscription, user, time, hosting_address(draw, customer.country), "portal")
    fleet(
        session,
        time,
        count=draw.randint(8, 20),
        sizes=[draw.choice(["Standard_D16s_v5", "Standard_F32s_v2", "Standard_NC6s_v3"])],
        regions=far_regions(draw, subscription, 3),
        failures=3,
        stop=time + 1.5 * DAY,
    )
