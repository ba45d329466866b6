"""Changes in the directory that people make, good or bad: roles, secrets, methods and guests."""

import copy

from estate.audit import named_user_target, target, user_target, write_audit
from estate.azure import ROLE_TEMPLATES
from estate.formats import compact_json, iso_date
from estate.model import ServicePrincipal
from estate.presence import address_of

SECRETS_OF_APPLICATION = "Update application – Certificates and secrets management "


def role_changes(estate, role):
    plural = "TenantAdmins" if role == "Global Administrator" else role.replace(" ", "") + "s"
    return {
        "Role.ObjectID": f'"{estate.stable_guid(role)}"',
        "Role.DisplayName": f'"{role}"',
        "Role.TemplateId": f'"{ROLE_TEMPLATES[role]}"',
        "Role.WellKnownObjectName": f'"{plural}"',
    }


def activate_role(estate, customer, time, user, role):
    """A user activates a role of the directory for which he is eligible: request, completion and assignment."""
    draw = estate.draw
    role_id = estate.stable_guid(role)
    address = address_of(estate, customer, user, time)
    reason = draw.choice([f"ticket CHG00{draw.randint(10000, 99999)}", "daily work", "user support"])
    write_audit(
        estate,
        customer,
        time,
        "Add member to role requested (PIM activation)",
        "RoleManagement",
        user,
        [target("Role", role_id, role), named_user_target(user)],
        operation="Create",
        service="PIM",
        address=address,
        reason=reason,
    )
    write_audit(
        estate,
        customer,
        time + 2,
        "Add member to role completed (PIM activation)",
        "RoleManagement",
        user,
        [
            target("Role", role_id, role, changes={"RoleDefinitionOriginType": '"BuiltInRole"'}),
            named_user_target(user),
        ],
        operation="Create",
        service="PIM",
        address=address_of(estate, customer, user, time),
    )
    service = ServicePrincipal(
        id=estate.stable_guid(customer.tenant_id + "pim"),
        app_id="01fc33a7-78ba-4d2f-a4b7-768e336e890e",
        name="MS-PIM",
    )
    write_audit(
        estate,
        customer,
        time + 2.5,
        "Add member to role",
        "RoleManagement",
        service,
        [user_target(user, role_changes(estate, role))],
        operation="Assign",
    )


def grant_directory_role(estate, customer, time, actor, user, role, address):
    write_audit(
        estate,
        customer,
        time,
        "Add member to role",
        "RoleManagement",
        actor,
        [user_target(user, role_changes(estate, role)), target("Role", estate.stable_guid(role), role)],
        operation="Assign",
        address=address,
    )


def elevate_access(estate, customer, time, user, address):
    """A global administrator makes himself administrator of the roles of all subscriptions."""
    write_audit(
        estate,
        customer,
        time,
        "User has elevated their access to User Access Administrator for their Azure Resources",
        "AzureRBACRoleManagementElevateAccess",
        user,
        [target("Other", estate.draw.guid(), "Azure RBAC")],
        operation="Assign",
        service="Azure RBAC (Elevated Access)",
        address=address,
    )


def add_secret(estate, customer, time, actor, principal, address, renewal=False):
    """Adds a secret to an application, and returns the principal as it is with it."""
    draw = estate.draw
    changed = copy.copy(principal)
    changed.key_id = draw.guid()
    changed.credential = "secret"
    name = f"rotated-{iso_date(time)}" if renewal else draw.choice(["", "key1", "backup", "test"])
    old_key = key_description(principal, "prod")
    changes = {
        "KeyDescription": (compact_json([old_key]), compact_json([old_key, key_description(changed, name)])),
        "Included Updated Properties": '"KeyDescription"',
    }
    some_app_id = draw.guid()
    details = [
        {"key": "User-Agent", "value": "EvoSTS"},
        {"key": "AppId", "value": principal.app_id or some_app_id},
    ]
    if not renewal and draw.chance(0.35):
        activity = "Add service principal credentials"
        changed_object = target("ServicePrincipal", principal.id, principal.name, changes=changes)
    else:
        activity = SECRETS_OF_APPLICATION
        changed_object = target("Application", principal.object_id, principal.name, changes=changes)
    write_audit(
        estate,
        customer,
        time,
        activity,
        "ApplicationManagement",
        actor,
        [changed_object],
        address=address,
        details=details,
    )
    return changed


def key_description(principal, name):
    return f"[KeyIdentifier={principal.key_id},KeyType=Password,KeyUsage=Verify,DisplayName={name}]"


def register_method(estate, customer, time, user, address, method="Authenticator App with Notification and Code"):
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
        address=address,
        reason=f"User registered {method}",
    )


def invite_guest(estate, customer, time, inviter, address, guest):
    write_audit(
        estate,
        customer,
        time,
        "Invite external user",
        "UserManagement",
        inviter,
        [named_user_target(guest)],
        operation="Add",
        service="Invited Users",
        address=address,
    )


def redeem_invitation(estate, customer, time, guest, address):
    write_audit(
        estate,
        customer,
        time,
        "Redeem external user invite",
        "UserManagement",
        guest,
        [named_user_target(guest)],
        service="Invited Users",
        address=address,
    )
