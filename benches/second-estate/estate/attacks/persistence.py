"""Attacks that leave a way back: roles, guests, secrets and identities."""

from estate.activity import Failure, new_session, operate
from estate.audit import target, write_audit
from estate.clock import DAY, HOUR, START, odd_hour
from estate.directory import add_secret, invite_guest, redeem_invitation
from estate.intruders import far_regions, fleet, intruder_session, nearby_address, victim
from estate.model import Address
from estate.networks import address_in, home_address, hosting_address
from estate.operations import grant_role, list_keys
from estate.people import guest_user, new_principal, random_name
from estate.presence import principal_session
from estate.scenarios import is_business, scenario
from estate.sign_ins import sign_in


@scenario(where=is_business, span=14)
def slow_role_grants(estate, customer, subscription, time):
    """one grant every two to three days by a stolen admin session from changing residential proxies: first narrow, at
    last Owner to a fresh service principal that lists keys
    """
    draw = estate.draw
    user = victim(draw, customer, ("admin",))
    principal = new_principal(
        draw, customer, draw.choice(["azure-sync-agent", "update-mgmt", "cost-export"]), "secret", role="Owner"
    )
    for step, (role, scope) in enumerate(
        [
            ("Reader", subscription.path),
            ("Storage Account Contributor", subscription.path + "/resourceGroups/" + subscription.resource_groups[0]),
            ("Virtual Machine Contributor", subscription.path),
            ("User Access Administrator", subscription.path),
            ("Owner", subscription.path),
        ]
    ):
        time = odd_hour(draw, customer, time)
        address = home_address(draw, draw.choice([user.city, "Warsaw", "Bucharest", "London", "Dallas"]))
        session = intruder_session(estate, subscription, user, time, address, "portal", how="session")
        if step == 0:
            write_audit(
                estate,
                customer,
                time - 200,
                "Add service principal",
                "ApplicationManagement",
                user,
                [target("ServicePrincipal", principal.id, name=principal.name)],
                operation="Add",
                address=address,
            )
            add_secret(estate, customer, time - 100, user, principal, address)
        grant_role(session, time, principal.id, "ServicePrincipal", role, scope)
        time += draw.uniform(2, 3) * DAY
    session = principal_session(estate, subscription, principal, time, hosting_address(draw))
    for account in subscription.storage_accounts:
        time = list_keys(session, time, account) + draw.uniform(60, 900)


@scenario(where=is_business, span=6)
def guest_owner_persistence(estate, customer, subscription, time):
    """guest with a free mail address invited by a stolen admin, accepted from abroad, made Owner; days later the guest
    deploys a few machines
    """
    draw = estate.draw
    user = victim(draw, customer, ("admin",))
    time = odd_hour(draw, customer, time)
    address = hosting_address(draw, customer.country)
    session = intruder_session(estate, subscription, user, time, address, "portal")
    guest = guest_user(
        draw,
        customer,
        (
            f"{draw.choice(['mark', 'alex', 'sam'])}.{draw.word(5)}@"
            f"{draw.choice(['outlook.com', 'gmail.com', 'proton.me'])}"
        ),
        "live.com",
        random_name(draw),
    )
    guest.role = "Owner"
    invite_guest(estate, customer, time, user, address, guest)
    guest_address = hosting_address(draw, customer.country)
    redeem_invitation(estate, customer, time + 600, guest, guest_address)
    grant_role(session, time + 900, guest.id, "User", "Owner")
    time += draw.uniform(1.5, 3.5) * DAY
    session = intruder_session(estate, subscription, guest, time, guest_address, "portal", how="password")
    fleet(
        session,
        time,
        count=draw.randint(3, 8),
        sizes=["Standard_D8s_v5", "Standard_D4s_v5"],
        regions=far_regions(draw, subscription, 2),
        failures=0,
        stop=time + 2 * DAY,
    )


@scenario(where=lambda customer, subscription: customer.legacy, times=2, span=4)
def legacy_app_new_secret(estate, customer, subscription, time):
    """Midnight Blizzard: a new secret on an old service principal with Contributor/Owner, used from a residential
    proxy or hosting to list keys and to grant a role
    """
    draw = estate.draw
    user = victim(draw, customer, ("admin",))
    time = odd_hour(draw, customer, time)
    address = draw.choice(
        [
            nearby_address(draw, customer, user),
            hosting_address(draw, customer.country),
            home_address(draw, draw.choice(["London", "Dallas", "Warsaw"])),
        ]
    )
    sign_in(
        estate,
        customer,
        time - 900,
        user,
        address,
        "portal",
        "graph",
        session_id=draw.guid(),
    )
    principal = add_secret(estate, customer, time, user, customer.legacy, address)
    principal.role = "Owner"
    time += draw.uniform(0.2, 30) * HOUR
    session = principal_session(
        estate,
        subscription,
        principal,
        time,
        hosting_address(draw, customer.country)
        if draw.chance(0.6)
        else home_address(draw, draw.choice(["Warsaw", "Toronto", "Madrid"])),
    )
    for account in subscription.storage_accounts[: draw.randint(2, 6)]:
        time = list_keys(session, time + 20, account) + draw.uniform(1, 90)
    if draw.chance(0.7):
        grant_role(
            session,
            time + 300,
            draw.guid(),
            "ServicePrincipal",
            draw.choice(["Owner", "Contributor", "User Access Administrator"]),
        )


@scenario(where=is_business, span=6)
def automation_backdoor(estate, customer, subscription, time):
    """automation account, runbook, webhook; its identity made Owner; later the identity grants a role to a stranger"""
    draw = estate.draw
    user = victim(draw, customer, ("admin",))
    time = odd_hour(draw, customer, time)
    session = intruder_session(estate, subscription, user, time, hosting_address(draw, customer.country), "portal")
    account = subscription.resource_id(
        subscription.resource_groups[0],
        "Microsoft.Automation/automationAccounts",
        draw.choice(["Automate-" + draw.word(4), "update-helper", "AzureAutomation"]),
    )
    identity = new_principal(draw, customer, account.split("/")[-1], "cert", role="Owner", managed_identity=account)
    time = operate(
        session,
        time,
        "Microsoft.Automation/automationAccounts/write",
        account,
        long_running=True,
        request={"location": subscription.region, "identity": {"type": "SystemAssigned"}},
    )
    time = operate(
        session, time + 60, "Microsoft.Automation/automationAccounts/runbooks/write", account + "/runbooks/rb1"
    )
    time = operate(
        session, time + 9, "Microsoft.Automation/automationAccounts/runbooks/publish/action", account + "/runbooks/rb1"
    )
    time = operate(
        session, time + 40, "Microsoft.Automation/automationAccounts/webhooks/write", account + "/webhooks/wh1"
    )
    time = grant_role(session, time + 60, identity.id, "ServicePrincipal", "Owner")
    other_session = new_session(estate, subscription, principal=identity, application="sp")
    grant_role(other_session, time + draw.uniform(1, 3) * DAY, draw.guid(), "User", "Owner")


@scenario(where=lambda customer, subscription: subscription.machines)
def managed_identity_token_outside(estate, customer, subscription, time):
    """token of a machine's managed identity used from a hosting address outside Azure: keys listed, vault policies,
    role
    """
    draw = estate.draw
    machine = draw.choice(subscription.machines)
    identity = new_principal(draw, customer, machine.name, "cert", role="Contributor", managed_identity=machine.id)
    with estate.labelled(None):
        for _ in range(12):
            use_from_within(estate, subscription, identity, time)
    time = odd_hour(draw, customer, time)
    session = new_session(
        estate, subscription, principal=identity, address=hosting_address(draw, customer.country), application="sp"
    )
    for account in subscription.storage_accounts:
        time = list_keys(session, time, account) + draw.uniform(3, 60)
    for vault in subscription.vaults:
        time = (
            operate(session, time, "Microsoft.KeyVault/vaults/accessPolicies/write", vault + "/accessPolicies/add") + 20
        )
    if draw.chance(0.5):
        grant_role(session, time, draw.guid(), "ServicePrincipal", "Contributor")
    else:
        operate(
            session,
            time,
            "Microsoft.Authorization/roleAssignments/write",
            f"{subscription.path}/providers/Microsoft.Authorization/roleAssignments/{draw.guid()}",
            failure=Failure("AuthorizationFailed", "The client does not have authorization", "Forbidden"),
        )


def use_from_within(estate, subscription, identity, until):
    """What the machine did with its identity before, from within Azure."""
    draw = estate.draw
    address = Address(address_in(draw, "20.61"), 8075, "", "", "NL", 0, 0)
    session = new_session(estate, subscription, principal=identity, address=address, application="sp")
    time = START + draw.uniform(0, (until - START) / DAY) * DAY
    list_keys(session, time, subscription.storage_accounts[0])
