"""Ordinary changes in the directory: groups, licences, devices, applications and role activations."""

from estate.audit import device_service, named_user_target, target, user_target, write_audit
from estate.clock import DAYS, is_weekend, local_time
from estate.directory import activate_role
from estate.presence import address_of

CONSENT_TO_SIGN_IN = (
    "[] => [[Id: x, ClientId: 0, PrincipalId: u, Scope: User.Read openid profile, ConsentType: Principal]]"
)
ACTIVATED_ROLES = [
    "Application Administrator",
    "Privileged Role Administrator",
    "Global Reader",
    "Groups Administrator",
]


def directory_changes(estate, customer):
    """Changes by the owner, the helpdesk and users themselves on working days."""
    draw = estate.draw
    admin = customer.owner
    helpdesk = next((user for user in customer.users if user.job == "helpdesk"), admin)
    for day in range(DAYS):
        if is_weekend(day):
            continue
        for _ in range(draw.poisson(0.4 + 0.1 * len(customer.users))):
            time = working_time(draw, customer, day)
            user = draw.choice(customer.users)
            actor = draw.choice([admin, helpdesk])
            ordinary_change(estate, customer, time, user, actor)
        if customer.profile == "large" and draw.chance(0.5):
            user = draw.choice([user for user in customer.users if user.job in ("admin", "dev")])
            time = working_time(draw, customer, day)
            activate_role(estate, customer, time, user, draw.choice(ACTIVATED_ROLES))


def working_time(draw, customer, day):
    return local_time(customer, day, draw.uniform(8.5, 16.8))


def ordinary_change(estate, customer, time, user, actor):
    draw = estate.draw
    address = address_of(estate, customer, actor, time)
    number = draw.randint(0, 11)
    if number in BY_ADMINS:
        activity, category, operation, changes = BY_ADMINS[number](draw)
        targets = [user_target(user, changes)]
        write_audit(estate, customer, time, activity, category, actor, targets, operation, address=address)
    elif number == 5:
        device = target("Device", user.device.id or draw.guid(), user.device.name)
        write_audit(estate, customer, time, "Update device", "Device", device_service(estate, customer), [device])
    elif number in BY_OTHERS and (number != 9 or draw.chance(0.4)):
        BY_OTHERS[number](estate, customer, time, user)
    else:
        delete_group(estate, customer, time)


def update_user(draw):
    changes = {"Department": ('["Sales"]', '["Operations"]'), "Included Updated Properties": '"Department"'}
    return "Update user", "UserManagement", "Update", changes


def add_to_group(draw):
    changes = {
        "Group.ObjectID": f'"{draw.guid()}"',
        "Group.DisplayName": f'"{draw.choice(["VPN-Users", "Project-X", "All-Dev", "Finance-Read"])}"',
    }
    return "Add member to group", "GroupManagement", "Assign", changes


def change_licence(draw):
    return "Change user license", "UserManagement", "Update", None


def reset_password(draw):
    return "Reset user password", "UserManagement", "Reset", None


def change_own_password(estate, customer, time, user):
    write_audit(
        estate,
        customer,
        time,
        "Change password (self-service)",
        "UserManagement",
        user,
        [user_target(user)],
        service="Self-service Password Management",
        address=address_of(estate, customer, user, time),
    )


def update_application(estate, customer, time, user):
    draw = estate.draw
    identifier = draw.guid()
    name = draw.choice([principal.name for principal in customer.principals] or ["Intranet"])
    changes = {"Included Updated Properties": '"AppAddress"'}
    write_audit(
        estate,
        customer,
        time,
        "Update application",
        "ApplicationManagement",
        customer.owner,
        [target("Application", identifier, name, changes=changes)],
        address=address_of(estate, customer, customer.owner, time),
    )


def consent_to_application(estate, customer, time, user):
    draw = estate.draw
    identifier = draw.guid()
    name = draw.choice(["Zoom", "Miro", "Canva", "Figma"])
    changes = {
        "ConsentContext.IsAdminConsent": '"False"',
        "ConsentAction.Permissions": f'"{CONSENT_TO_SIGN_IN}"',
    }
    write_audit(
        estate,
        customer,
        time,
        "Consent to application",
        "ApplicationManagement",
        user,
        [target("ServicePrincipal", identifier, name, changes=changes)],
        operation="Assign",
        address=address_of(estate, customer, user, time),
    )


def register_own_method(estate, customer, time, user):
    write_audit(
        estate,
        customer,
        time,
        "User registered security info",
        "UserManagement",
        user,
        [named_user_target(user)],
        operation="Add",
        service="Authentication Methods",
        address=address_of(estate, customer, user, time),
        reason="User registered Authenticator App with Notification and Code",
    )


def delete_group(estate, customer, time):
    write_audit(
        estate,
        customer,
        time,
        "Delete group",
        "GroupManagement",
        customer.owner,
        [target("Group", estate.draw.guid(), "Team-old")],
        operation="Delete",
        address=address_of(estate, customer, customer.owner, time),
    )


BY_ADMINS = {
    0: update_user,
    1: update_user,
    2: add_to_group,
    3: add_to_group,
    4: change_licence,
    8: reset_password,
}
BY_OTHERS = {
    6: change_own_password,
    7: update_application,
    9: consent_to_application,
    10: register_own_method,
}
