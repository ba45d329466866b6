"""Where people are at a time, and the sessions with which they and programs come to Azure."""

from estate.activity import new_session
from estate.clock import DAY, START, day_of
from estate.networks import home_address
from estate.people import principal_address
from estate.sign_ins import sign_in, sign_in_principal


def small_hash(guid):
    """A number that stays with an identifier."""
    return int(guid[:8], 16)


def usual_mfa(customer):
    """How a second factor shows where a sign-in needs no new proof of it."""
    return "claim" if customer.requires_mfa else "none"


def address_of(estate, customer, user, time):
    """Where a person is at a time: on a journey, behind a change of networks, at home or in the office."""
    draw = estate.draw
    if user.away and user.away[0] <= time < user.away[1]:
        return user.away[2]
    for begin, end, address_for in customer.network_changes:
        address = address_for(user, time) if begin <= time < end else None
        if address:
            return address
    day = day_of(time)
    private = estate.private_random(f"{user.id}/{day}")
    if private.random() < user.home_office_share:
        if private.random() < 0.04 and user.address_changed_on != day:
            user.address_changed_on = day
            user.home_address = home_address(draw, user.city)
        return user.home_address
    return customer.offices[small_hash(user.id) % len(customer.offices)]


def azure_session(estate, subscription, user, time, application="portal", interactive=None):
    """A person goes to Azure: a sign-in and the session of it."""
    draw = estate.draw
    customer = subscription.customer
    address = user.home_address if user.partner_group else address_of(estate, customer, user, time)
    methods = "pwd,mfa" if customer.requires_mfa else "pwd"
    if user.device and user.device.trust.endswith("joined") and draw.chance(0.4):
        methods = "rsa,mfa"
    session = new_session(
        estate, subscription, user, address=address, application=application, methods=methods, device=user.device
    )
    if interactive is None:
        interactive = draw.chance(0.5)
    agent = application if application in ("cli", "ps") else user.device_kind
    sign_in(
        estate,
        customer,
        time - draw.uniform(20, 400),
        user,
        address,
        application,
        "arm",
        device=user.device,
        agent=agent,
        interactive=interactive,
        session_id=session.id,
        mfa=("fresh" if draw.chance(0.25) else "claim") if customer.requires_mfa else "none",
    )
    return session


def principal_session(estate, subscription, principal, time, address=None):
    """A program goes to Azure: a sign-in, unless it is a managed identity, and the session of it."""
    draw = estate.draw
    if not principal.managed_identity:
        address = address or principal_address(draw, principal)
    session = new_session(estate, subscription, principal=principal, address=address, application="sp")
    if address:
        sign_in_principal(estate, subscription.customer, time - draw.uniform(3, 20), principal, address)
    return session


def everyday_session_id(estate, user, time):
    """Browsers keep their sessions for about nine days."""
    return estate.stable_guid(f"{user.id}/s{int((time - START) // (9 * DAY))}")
