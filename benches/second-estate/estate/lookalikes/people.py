"""Harmless changes in where and how people sign in."""

import copy

from estate.activity import new_session, operate
from estate.audit import named_user_target, user_target, write_audit
from estate.clock import DAY, HOUR, next_working_hour
from estate.directory import activate_role, grant_directory_role, register_method
from estate.formats import iso_date
from estate.intruders import victim
from estate.life.tasks import ordinary_task
from estate.networks import home_address
from estate.operations import deploy, grant_role, revoke_role
from estate.people import new_user
from estate.places import CITIES
from estate.presence import address_of, azure_session, usual_mfa
from estate.scenarios import is_business, scenario
from estate.sign_ins import sign_in


@scenario(
    where=lambda customer, subscription: (
        customer.managed and customer.has_entra_logs and is_business(customer, subscription)
    ),
    span=6,
)
def new_admin_abroad(estate, customer, subscription, time):
    """new administrator starts work in another country: account made by the owner, role granted, first sign-ins with a
    compliant managed device, then ordinary work
    """
    draw = estate.draw
    time = next_working_hour(draw, customer, time, 9, 11)
    admin = customer.owner
    city = draw.choice(
        [_ for _ in ("Lisbon", "Warsaw", "Madrid", "Vienna", "Toronto") if CITIES[_][1] != customer.country]
    )
    newcomer = new_user(draw, customer, "admin", city)
    newcomer.born = time + DAY
    newcomer.home_office_share = 1.1
    address = address_of(estate, customer, admin, time)
    write_audit(
        estate,
        customer,
        time,
        "Add user",
        "UserManagement",
        admin,
        [user_target(newcomer)],
        operation="Add",
        address=address,
    )
    grant_directory_role(estate, customer, time + 300, admin, newcomer, "Cloud Application Administrator", address)
    session = azure_session(estate, subscription, admin, time + 900)
    grant_role(session, time + 900, newcomer.id, "User", "Contributor")
    time = next_working_hour(draw, customer, time + DAY, 8, 9)
    sign_in(
        estate,
        customer,
        time,
        newcomer,
        newcomer.home_address,
        "office",
        "graph",
        device=newcomer.device,
        agent=newcomer.device_kind,
        mfa="fresh",
    )
    register_method(estate, customer, time + 300, newcomer, newcomer.home_address)
    for _ in range(3):
        time = next_working_hour(draw, customer, time + 0.6 * DAY)
        ordinary_task(estate, subscription, newcomer, time)


@scenario(where=lambda customer, subscription: customer.has_entra_logs, times=2, span=7, directory_only=True)
def travelling_manager(estate, customer, subscription, time):
    """manager or engineer abroad for a week with the usual device"""
    draw = estate.draw
    user = victim(draw, customer, ("manager", "dev", "admin"))
    address = home_address(
        draw,
        draw.choice(
            [
                number
                for number in ("Singapore", "Austin", "Dubai", "Istanbul", "Bangalore", "Lisbon", "Sao Paulo")
                if CITIES[number][1] != customer.country
            ]
        ),
    )
    user.away = (time, time + draw.uniform(3, 7) * DAY, address)
    while time < user.away[1]:
        time += DAY * draw.uniform(0.3, 0.8)
        sign_in(
            estate,
            customer,
            time,
            user,
            address,
            draw.choice(["office", "teams", "portal"]),
            "graph",
            device=user.device,
            agent=user.device_kind,
            mfa="fresh" if customer.requires_mfa else "none",
        )


@scenario(
    where=lambda customer, subscription: (
        customer.has_entra_logs and any(user.job == "helpdesk" for user in customer.users)
    ),
    directory_only=True,
)
def helpdesk_mfa_reset(estate, customer, subscription, time):
    """helpdesk deletes methods of a user who lost his phone; the user registers a new one from home or office"""
    draw = estate.draw
    helpdesk = victim(draw, customer, ("helpdesk",))
    user = draw.choice(customer.users)
    time = next_working_hour(draw, customer, time)
    address = address_of(estate, customer, helpdesk, time)
    write_audit(
        estate,
        customer,
        time,
        "Admin deleted security info",
        "UserManagement",
        helpdesk,
        [named_user_target(user)],
        operation="Delete",
        service="Authentication Methods",
        address=address,
        reason="Admin deleted Authenticator App with Notification and Code method for user",
    )
    write_audit(
        estate,
        customer,
        time + 60,
        "Admin registered security info",
        "UserManagement",
        helpdesk,
        [named_user_target(user)],
        operation="Add",
        service="Authentication Methods",
        address=address,
        reason="Admin registered temporary access pass method for user",
    )
    user_address = address_of(estate, customer, user, time)
    sign_in(
        estate,
        customer,
        time + 900,
        user,
        user_address,
        "mysign",
        "graph",
        device=user.device,
        agent=user.device_kind,
        mfa="fresh",
    )
    register_method(estate, customer, time + 1200, user, user_address)


@scenario(
    where=lambda customer, subscription: customer.has_entra_logs and is_business(customer, subscription),
    directory_only=True,
)
def pim_activation(estate, customer, subscription, time):
    """administrators activate Global Administrator with a ticket from the office"""
    draw = estate.draw
    for _ in range(3):
        time = next_working_hour(draw, customer, time)
        activate_role(
            estate,
            customer,
            time,
            victim(draw, customer, ("admin",)),
            draw.choice(["Global Administrator", "Privileged Role Administrator"]),
        )
        time += 0.3 * DAY


@scenario(where=lambda customer, subscription: customer.has_entra_logs and is_business(customer, subscription))
def break_glass_test(estate, customer, subscription, time):
    """emergency account used once from the office; a tag written"""
    draw = estate.draw
    time = next_working_hour(draw, customer, time)
    user = copy.copy(customer.owner)
    user.id = draw.guid()
    user.name = "Emergency Access"
    user.upn = f"emergency1@{customer.domain}"
    user.device = customer.owner.device
    user.role = "Owner"
    sign_in(
        estate,
        customer,
        time,
        user,
        customer.office,
        "portal",
        "arm",
        device=customer.owner.device,
        mfa="fresh",
        method="FIDO2 security key",
    )
    session = new_session(
        estate,
        subscription,
        user,
        address=customer.office,
        methods="fido,mfa",
        device=customer.owner.device,
    )
    operate(
        session,
        time + 90,
        "Microsoft.Resources/tags/write",
        subscription.path + "/providers/Microsoft.Resources/tags/default",
        request={"operation": "Merge", "properties": {"tags": {"breakglass-test": iso_date(time)}}},
    )


@scenario(where=lambda customer, subscription: customer.has_entra_logs and is_business(customer, subscription))
def device_code_developer(estate, customer, subscription, time):
    """developer uses az login --use-device-code on a headless machine behind the office address, and deploys"""
    draw = estate.draw
    user = victim(draw, customer, ("dev",))
    time = next_working_hour(draw, customer, time)
    sign_in(
        estate,
        customer,
        time - 60,
        user,
        customer.office,
        "cli",
        "arm",
        device=user.device,
        agent="linux",
        protocol="deviceCode",
    )
    session = new_session(estate, subscription, user, address=customer.office, application="cli", device=user.device)
    deploy(session, time, subscription.resource_groups[0])
    operate(
        session,
        time + 900,
        "Microsoft.ContainerRegistry/registries/listCredentials/action",
        subscription.registry or subscription.storage_accounts[0],
    )


@scenario(where=is_business)
def owner_handover(estate, customer, subscription, time):
    """a colleague takes over: Owner granted to him and taken from the one who leaves"""
    draw = estate.draw
    admin = customer.owner
    time = next_working_hour(draw, customer, time)
    session = azure_session(estate, subscription, admin, time)
    successor = [candidate for candidate in customer.users if candidate.job == "admin"][-1]
    grant_role(session, time, successor.id, "User", "Owner")
    revoke_role(session, time + 600, draw.choice(customer.users).id)


@scenario(
    where=lambda customer, subscription: customer.has_entra_logs and len(customer.users) >= 9, directory_only=True
)
def password_change_storm(estate, customer, subscription, time):
    """password policy: many users fail once or twice from the office, then succeed"""
    draw = estate.draw
    time = next_working_hour(draw, customer, time, 8, 9)
    for user in customer.users:
        moment = time + draw.uniform(0, 2) * HOUR
        address = address_of(estate, customer, user, moment)
        for number in range(draw.randint(0, 3)):
            sign_in(
                estate,
                customer,
                moment + 20 * number,
                user,
                address,
                "outlook",
                "exo",
                device=user.device,
                agent=user.device_kind,
                error=draw.choice([50126, 50055, 50126]),
                mfa="none",
                conditional_access="notApplied",
            )
        sign_in(
            estate,
            customer,
            moment + 200,
            user,
            address,
            "office",
            "graph",
            device=user.device,
            agent=user.device_kind,
            mfa=usual_mfa(customer),
        )
