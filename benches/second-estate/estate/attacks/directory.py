"""Attacks on the directory itself."""

from estate.activity import new_session
from estate.audit import target, user_target, write_audit
from estate.clock import HOUR, odd_hour
from estate.directory import elevate_access, grant_directory_role, register_method
from estate.intruders import victim
from estate.model import User
from estate.networks import home_address, hosting_address
from estate.operations import grant_role, list_keys, run_command
from estate.scenarios import is_business, scenario
from estate.sign_ins import sign_in


@scenario(where=lambda customer, subscription: is_business(customer, subscription) and customer.has_entra_logs)
def federation_backdoor(estate, customer, subscription, time):
    """federation settings of a domain changed by a stolen global admin, federated sign-ins as another admin from
    hosting, access elevated, Owner granted on the subscription
    """
    draw = estate.draw
    user = customer.owner
    other_admin = [candidate for candidate in customer.users if candidate.job == "admin"][-1]
    time = odd_hour(draw, customer, time)
    address = hosting_address(draw, customer.country)
    sign_in(
        estate,
        customer,
        time - 300,
        user,
        address,
        "graphps",
        "graph",
        agent="ps",
        session_id=draw.guid(),
    )
    write_audit(
        estate,
        customer,
        time,
        "Add unverified domain",
        "DirectoryManagement",
        user,
        [target("Domain", draw.guid(), name=f"{draw.word(8)}.com")],
        operation="Add",
        address=address,
    )
    write_audit(
        estate,
        customer,
        time + 100,
        "Verify domain",
        "DirectoryManagement",
        user,
        [target("Domain", draw.guid(), name=f"{draw.word(8)}.com")],
        address=address,
    )
    write_audit(
        estate,
        customer,
        time + 300,
        "Set domain authentication",
        "DirectoryManagement",
        user,
        [
            target(
                "Domain",
                draw.guid(),
                name=customer.domain,
                changes={
                    "LiveType": ('["Managed"]', '["Federated"]'),
                    "IssuerUri": f'["http://{draw.word(8)}.com/adfs/services/trust"]',
                },
            )
        ],
        address=address,
    )
    write_audit(
        estate,
        customer,
        time + 310,
        "Set federation settings on domain",
        "DirectoryManagement",
        user,
        [target("Domain", draw.guid(), name=customer.domain, changes={"SigningCertificate": '["MIIC"]'})],
        address=address,
    )
    time += draw.uniform(0.3, 6) * HOUR
    hosting = hosting_address(draw, customer.country)
    sign_in(
        estate,
        customer,
        time,
        other_admin,
        hosting,
        "portal",
        "arm",
        protocol="saml20",
        session_id=draw.guid(),
    )
    elevate_access(estate, customer, time + 200, other_admin, hosting)
    session = new_session(
        estate,
        subscription,
        other_admin,
        address=hosting,
        role="User Access Administrator",
    )
    session.methods = "wia,mfa"
    grant_role(session, time + 500, other_admin.id, "User", "Owner")
    for account in subscription.storage_accounts[:3]:
        time = list_keys(session, time + 900, account)


@scenario(
    where=lambda customer, subscription: customer.has_entra_logs and is_business(customer, subscription),
    directory_only=True,
)
def new_global_admin(estate, customer, subscription, time):
    """directory only: cloud-only account made by a stolen admin from a residential proxy and made Global
    Administrator, methods registered (nil subscription)
    """
    draw = estate.draw
    user = victim(draw, customer, ("admin",))
    time = odd_hour(draw, customer, time)
    address = home_address(draw, draw.choice(["Dallas", "London", "Bucharest"]))
    sign_in(
        estate,
        customer,
        time - 200,
        user,
        address,
        "portal",
        "graph",
        agent="mac",
        session_id=draw.guid(),
    )
    newcomer = User(
        id=draw.guid(),
        name="svc sync",
        upn=f"svc-sync{draw.randint(2, 9)}@{customer.domain}",
        home_tenant=None,
        partner_group=None,
    )
    write_audit(
        estate,
        customer,
        time,
        "Add user",
        "UserManagement",
        user,
        [user_target(newcomer)],
        operation="Add",
        address=address,
    )
    grant_directory_role(estate, customer, time + 60, user, newcomer, "Global Administrator", address)
    register_method(estate, customer, time + 600, newcomer, address)
    sign_in(estate, customer, time + 700, newcomer, address, "portal", "graph", agent="mac", mfa="fresh")
    write_audit(
        estate,
        customer,
        time + 1500,
        "Update conditional access policy",
        "Policy",
        newcomer,
        [
            target(
                "Policy",
                draw.guid(),
                name="Require MFA for admins",
                changes={"ConditionalAccessPolicy": ('{"state":"enabled"}', '{"state":"disabled"}')},
            )
        ],
        operation="Update",
        service="Conditional Access",
        address=address,
    )


@scenario(
    where=lambda customer, subscription: (
        customer.requires_mfa and customer.has_entra_logs and is_business(customer, subscription)
    )
)
def ca_weakened_chain(estate, customer, subscription, time):
    """conditional access policy disabled and a named location added by a stolen admin, then keys and run command from
    there
    """
    draw = estate.draw
    user = victim(draw, customer, ("admin",))
    time = odd_hour(draw, customer, time)
    address = hosting_address(draw, customer.country)
    sign_in(
        estate,
        customer,
        time - 300,
        user,
        address,
        "portal",
        "graph",
        agent="linux",
        session_id=draw.guid(),
    )
    write_audit(
        estate,
        customer,
        time,
        "Add named location",
        "Policy",
        user,
        [target("Policy", draw.guid(), name="Office new")],
        operation="Add",
        service="Conditional Access",
        address=address,
    )
    write_audit(
        estate,
        customer,
        time + 60,
        "Update conditional access policy",
        "Policy",
        user,
        [
            target(
                "Policy",
                draw.guid(),
                name="Require MFA for all users",
                changes={"ConditionalAccessPolicy": ('{"state":"enabled"}', '{"state":"disabled"}')},
            )
        ],
        operation="Update",
        service="Conditional Access",
        address=address,
    )
    session = new_session(estate, subscription, user, address=address, application="cli", methods="pwd")
    sign_in(estate, customer, time + 400, user, address, "cli", "arm", agent="linux", mfa="none")
    time += 600
    for account in subscription.storage_accounts[:5]:
        time = list_keys(session, time, account) + 20
    for machine in subscription.machines[:4]:
        time = run_command(session, time, machine) + 9
