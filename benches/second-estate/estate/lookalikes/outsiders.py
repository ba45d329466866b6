"""Harmless guests, vendors and applications."""

from estate.activity import new_session, operate
from estate.audit import target, write_audit
from estate.clock import DAY, HOUR, next_working_hour
from estate.directory import invite_guest, redeem_invitation
from estate.intruders import victim
from estate.model import Address
from estate.networks import address_in, home_address
from estate.operations import grant_role, list_keys, revoke_role, run_command
from estate.people import GIVEN_NAMES, SURNAMES, guest_user, new_principal, random_name
from estate.presence import address_of, azure_session, principal_session
from estate.scenarios import is_business, scenario
from estate.sign_ins import sign_in


@scenario(where=lambda customer, subscription: customer.has_entra_logs and is_business(customer, subscription), span=5)
def consultant_reader(estate, customer, subscription, time):
    """consultant of a known company invited, Reader on the subscription, signs in from his country"""
    draw = estate.draw
    admin = victim(draw, customer, ("admin",))
    time = next_working_hour(draw, customer, time)
    guest = guest_user(
        draw,
        customer,
        (
            f"{draw.choice(GIVEN_NAMES)}.{draw.choice(SURNAMES)}@"
            f"{draw.choice(['accentra-consulting.com', 'bluepeak-advisory.co.uk'])}"
        ).lower(),
        draw.guid(),
        random_name(draw),
    )
    address = address_of(estate, customer, admin, time)
    guest.home_address = home_address(draw, draw.choice(["London", "Zurich", "Vienna"]))
    invite_guest(estate, customer, time, admin, address, guest)
    redeem_invitation(estate, customer, time + 5 * HOUR, guest, guest.home_address)
    session = azure_session(estate, subscription, admin, time + 600)
    grant_role(session, time + 600, guest.id, "User", "Reader")
    for number in range(3):
        sign_in(
            estate,
            customer,
            next_working_hour(draw, customer, time + (number + 1) * DAY),
            guest,
            guest.home_address,
            "portal",
            "arm",
        )


@scenario(
    where=lambda customer, subscription: len(subscription.machines) >= 4 and is_business(customer, subscription), span=6
)
def agentless_scanner(estate, customer, subscription, time):
    """security scanner of a vendor joined by an admin: Reader and snapshot rights; daily snapshots with export links
    from the vendor's fixed addresses, then deleted
    """
    draw = estate.draw
    admin = victim(draw, customer, ("admin",))
    time = next_working_hour(draw, customer, time)
    address = address_of(estate, customer, admin, time)
    principal = new_principal(
        draw,
        customer,
        draw.choice(["Wiz-Scanner", "OrcaSecurity", "Prisma-Cloud-Reader"]),
        "secret",
        role="Reader",
        address=Address(address_in(draw, "34.240"), 16509, "Dublin", "Dublin", "IE", 53.35, -6.26),
    )
    write_audit(
        estate,
        customer,
        time,
        "Add service principal",
        "ApplicationManagement",
        admin,
        [target("ServicePrincipal", principal.id, name=principal.name)],
        operation="Add",
        address=address,
    )
    write_audit(
        estate,
        customer,
        time + 5,
        "Consent to application",
        "ApplicationManagement",
        admin,
        [
            target(
                "ServicePrincipal",
                principal.id,
                name=principal.name,
                changes={"ConsentContext.IsAdminConsent": '"True"'},
            )
        ],
        operation="Assign",
        address=address,
    )
    session = azure_session(estate, subscription, admin, time + 300)
    grant_role(session, time + 300, principal.id, "ServicePrincipal", "Security Reader")
    grant_role(session, time + 360, principal.id, "ServicePrincipal", "Reader")
    for number in range(5):
        moment = time + DAY * (number + 1)
        other_session = principal_session(estate, subscription, principal, moment)
        for machine in subscription.machines[:6]:
            snapshot = subscription.resource_id(machine.group, "Microsoft.Compute/snapshots", f"scan-{machine.name}")
            moment = operate(
                other_session,
                moment + 5,
                "Microsoft.Compute/snapshots/write",
                snapshot,
                long_running=True,
                request={"location": machine.region, "tags": {"scanner": "agentless"}},
            )
            operate(
                other_session,
                moment + 5,
                "Microsoft.Compute/snapshots/beginGetAccess/action",
                snapshot,
                long_running=True,
            )
            operate(
                other_session,
                moment + 1800,
                "Microsoft.Compute/snapshots/endGetAccess/action",
                snapshot,
                long_running=True,
            )
            operate(other_session, moment + 1860, "Microsoft.Compute/snapshots/delete", snapshot, long_running=True)


@scenario(where=lambda customer, subscription: subscription.kind == "dev" and customer.has_entra_logs, span=5)
def pentest(estate, customer, subscription, time):
    """announced test by a known firm: guest with Contributor on the test subscription, run commands and keys in
    working hours from the firm's address. Hard on purpose
    """
    draw = estate.draw
    admin = victim(draw, customer, ("admin",))
    time = next_working_hour(draw, customer, time, 9, 10)
    guest = guest_user(
        draw,
        customer,
        f"{draw.choice(GIVEN_NAMES)}.{draw.choice(SURNAMES)}@redshore-security.de".lower(),
        draw.guid(),
        random_name(draw),
    )
    guest.role = "Contributor"
    address = address_of(estate, customer, admin, time)
    guest.home_address = home_address(draw, "Hamburg")
    invite_guest(estate, customer, time, admin, address, guest)
    redeem_invitation(estate, customer, time + 900, guest, guest.home_address)
    session = azure_session(estate, subscription, admin, time + 1200)
    grant_role(session, time + 1200, guest.id, "User", "Contributor")
    for _ in range(3):
        time = next_working_hour(draw, customer, time + DAY, 9, 11)
        sign_in(
            estate,
            customer,
            time - 60,
            guest,
            guest.home_address,
            "portal",
            "arm",
            agent="linux",
        )
        other_session = new_session(estate, subscription, guest, address=guest.home_address, application="cli")
        for machine in subscription.machines[:3]:
            time = run_command(other_session, time, machine) + 600
        for account in subscription.storage_accounts[:2]:
            time = list_keys(other_session, time, account) + 300
    session = azure_session(estate, subscription, admin, time + 5 * HOUR)
    revoke_role(session, time + 5 * HOUR, guest.id)


@scenario(
    where=lambda customer, subscription: customer.has_entra_logs and is_business(customer, subscription),
    directory_only=True,
)
def admin_consent_saas(estate, customer, subscription, time):
    """admin consents to a well-known app for all users"""
    draw = estate.draw
    admin = victim(draw, customer, ("admin",))
    time = next_working_hour(draw, customer, time)
    address = address_of(estate, customer, admin, time)
    app_name = draw.choice(["Atlassian Cloud", "Slack", "DocuSign", "Adobe Acrobat"])
    app_principal = draw.guid()
    write_audit(
        estate,
        customer,
        time,
        "Add service principal",
        "ApplicationManagement",
        admin,
        [target("ServicePrincipal", app_principal, name=app_name)],
        operation="Add",
        address=address,
    )
    write_audit(
        estate,
        customer,
        time + 1,
        "Add app role assignment to service principal",
        "ApplicationManagement",
        admin,
        [target("ServicePrincipal", draw.guid(), name="Microsoft Graph", changes={"AppRole.Value": '"User.Read.All"'})],
        operation="Assign",
        address=address,
    )
    write_audit(
        estate,
        customer,
        time + 2,
        "Consent to application",
        "ApplicationManagement",
        admin,
        [
            target(
                "ServicePrincipal",
                app_principal,
                name=app_name,
                changes={
                    "ConsentContext.IsAdminConsent": '"True"',
                    "ConsentAction.Permissions": (
                        '"[] => [[Scope: User.Read profile openid, ConsentType: AllPrincipals]]"'
                    ),
                },
            )
        ],
        operation="Assign",
        address=address,
    )


@scenario(
    where=lambda customer, subscription: (
        customer.has_entra_logs and customer.managed and is_business(customer, subscription)
    ),
    directory_only=True,
)
def federation_for_subsidiary(estate, customer, subscription, time):
    """known global admin joins a subsidiary's domain and federates it, office address, compliant device. Hard on
    purpose
    """
    draw = estate.draw
    admin = customer.owner
    time = next_working_hour(draw, customer, time)
    address = customer.office
    sign_in(
        estate, customer, time - 300, admin, address, "graphps", "graph", device=admin.device, agent="ps", mfa="fresh"
    )
    subsidiary = f"{customer.domain.split('-')[0]}-nordic.com"
    write_audit(
        estate,
        customer,
        time,
        "Add unverified domain",
        "DirectoryManagement",
        admin,
        [target("Domain", draw.guid(), name=subsidiary)],
        operation="Add",
        address=address,
    )
    write_audit(
        estate,
        customer,
        time + 1800,
        "Verify domain",
        "DirectoryManagement",
        admin,
        [target("Domain", draw.guid(), name=subsidiary)],
        address=address,
    )
    write_audit(
        estate,
        customer,
        time + 2400,
        "Set domain authentication",
        "DirectoryManagement",
        admin,
        [target("Domain", draw.guid(), name=subsidiary, changes={"LiveType": ('["Managed"]', '["Federated"]')})],
        address=address,
    )
