"""Attacks that begin with a user who is deceived."""

from estate.activity import new_session
from estate.audit import device_service, named_user_target, target, user_target, write_audit
from estate.clock import DAY, next_working_hour
from estate.intruders import far_regions, fleet, look_around, victim
from estate.model import Device
from estate.networks import home_address, hosting_address
from estate.operations import grant_role, list_keys
from estate.presence import address_of
from estate.scenarios import is_business, scenario
from estate.sign_ins import sign_in


@scenario(where=is_business)
def consent_phishing(estate, customer, subscription, time):
    """a user consents to a foreign app with user_impersonation of Azure; the app acts in his name from hosting:
    machines and a role
    """
    draw = estate.draw
    user = victim(draw, customer, ("dev", "admin"))
    time = next_working_hour(draw, customer, time)
    app_id = draw.guid()
    app_name = draw.choice(["Cost Insight 365", "Azure Doc Viewer", "CloudTidy"])
    address = address_of(estate, customer, user, time)
    app_principal = draw.guid()
    write_audit(
        estate,
        customer,
        time,
        "Add service principal",
        "ApplicationManagement",
        user,
        [target("ServicePrincipal", app_principal, name=app_name)],
        operation="Add",
        address=address,
    )
    write_audit(
        estate,
        customer,
        time + 1,
        "Add delegated permission grant",
        "ApplicationManagement",
        user,
        [
            target(
                "ServicePrincipal",
                draw.guid(),
                name="Windows Azure Service Management API",
                changes={
                    "DelegatedPermissionGrant.Scope": '"user_impersonation offline_access"',
                    "ServicePrincipal.ObjectID": f'"{app_principal}"',
                },
            )
        ],
        operation="Assign",
        address=address,
    )
    write_audit(
        estate,
        customer,
        time + 1.5,
        "Consent to application",
        "ApplicationManagement",
        user,
        [
            target(
                "ServicePrincipal",
                app_principal,
                name=app_name,
                changes={
                    "ConsentContext.IsAdminConsent": '"False"',
                    "ConsentAction.Permissions": (
                        '"[] => [[Id: a, ClientId: b, PrincipalId: c, ResourceId: d, ConsentType: Principal, '
                        'Scope: user_impersonation offline_access openid, CreatedDateTime: ]]"'
                    ),
                    "TargetId.ServicePrincipalNames": f'"{app_id}"',
                },
            )
        ],
        operation="Assign",
        address=address,
        details=[{"key": "User-Agent", "value": "EvoSTS"}, {"key": "AppId", "value": app_id}],
    )
    hosting = hosting_address(draw, customer.country)
    session = new_session(estate, subscription, user, address=hosting, application="cli", app_id=app_id)
    for number in range(4):
        sign_in(
            estate,
            customer,
            time + 500 + number * 3600,
            user,
            hosting,
            resource="arm",
            foreign_application=(app_id, app_name),
            agent="axios",
            interactive=False,
        )
    grant_role(session, time + 1500, app_principal, "ServicePrincipal", "Contributor")
    fleet(
        session,
        time + 4000,
        count=draw.randint(4, 12),
        sizes=["Standard_D8s_v5"],
        regions=far_regions(draw, subscription, 3),
        failures=1,
        stop=time + 2 * DAY,
    )


@scenario(where=lambda customer, subscription: customer.has_entra_logs, times=2)
def device_code_phishing(estate, customer, subscription, time):
    """Storm-2372: device-code sign-in for a user from hosting or another country, a device registered by the thief,
    then machines by the broker's token
    """
    draw = estate.draw
    user = victim(draw, customer)
    time = next_working_hour(draw, customer, time)
    address = draw.choice(
        [
            hosting_address(draw, customer.country),
            hosting_address(draw),
            home_address(draw, "Moscow"),
            home_address(draw, "Warsaw"),
        ]
    )
    sign_in(
        estate,
        customer,
        time,
        user,
        address,
        "authbroker",
        "drs",
        protocol="deviceCode",
        session_id=draw.guid(),
    )
    device_id = draw.guid()
    write_audit(
        estate,
        customer,
        time + 120,
        "Register device",
        "Device",
        device_service(estate, customer),
        [
            target(
                "Device",
                device_id,
                name="DESKTOP-" + draw.word(7).upper(),
                changes={"Included Updated Properties": '"AccountEnabled, CloudDeviceOSType"'},
            ),
            named_user_target(user),
        ],
        operation="Add",
        service="Device Registration Service",
    )
    write_audit(
        estate,
        customer,
        time + 123,
        "Add registered owner to device",
        "Device",
        user,
        [user_target(user)],
        operation="Assign",
        address=address,
    )
    sign_in(
        estate,
        customer,
        time + 700,
        user,
        address,
        "cli",
        "arm",
        device=Device(
            id=device_id,
            name="DESKTOP-" + draw.word(7).upper(),
            os="Windows10",
            compliant=False,
            managed=False,
            trust="Azure AD registered",
        ),
        agent="linux",
        interactive=False,
        protocol="deviceCode",
    )
    session = new_session(estate, subscription, user, address=address, application="cli")
    time = look_around(session, time + 900)
    if draw.chance(0.5):
        fleet(
            session,
            time,
            count=draw.randint(4, 12),
            sizes=[draw.choice(["Standard_D16s_v5", "Standard_NC6s_v3"])],
            regions=far_regions(draw, subscription, 2),
            failures=2,
            stop=time + 1.5 * DAY,
        )
    else:
        for account in subscription.storage_accounts:
            time = list_keys(session, time, account) + 9
        grant_role(session, time + 100, draw.guid(), "ServicePrincipal", "Contributor")
