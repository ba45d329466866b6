"""Operations on Azure resources that people and programs do, good or bad."""

import uuid

from estate.activity import Failure, evaluate_policy, operate
from estate.azure import ROLES
from estate.formats import timestamp
from estate.model import Machine
from estate.subscriptions import new_mac

QUOTA_TEXT = (
    "Operation could not be completed as it results in exceeding approved standardFamily Cores quota. "
    "Additional details - Deployment Model: Resource Manager, Location: {region}, "
    "Current Limit: 10, Current Usage: 0, Additional Required: 24"
)
POLICY_TEXT = "Resource '{name}' was disallowed by policy. Policy identifiers: allowed-locations"
SKU_TEXT = "The requested VM size for resource '{name}' is currently not available in location '{region}'."


def machine_body(region, size, tags=None, spot=False, name="vm"):
    """The body of a request for a machine."""
    image = {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}
    disk = {"createOption": "FromImage", "managedDisk": {"storageAccountType": "Premium_LRS"}, "diskSizeGB": 64}
    return {
        "location": region,
        "tags": tags or {},
        "properties": {
            "hardwareProfile": {"vmSize": size},
            **({"priority": "Spot", "evictionPolicy": "Deallocate"} if spot else {}),
            "storageProfile": {"imageReference": image, "osDisk": disk},
            "osProfile": {"computerName": name, "adminUsername": "azureuser"},
        },
    }


def fail_machine(session, time, group, name, size, region, reason="quota"):
    """A machine that is refused for want of quota, by a policy or because the region has none of its size."""
    if reason == "quota":
        failure = Failure("OperationNotAllowed", QUOTA_TEXT.format(region=region), "Conflict")
    elif reason == "policy":
        failure = Failure("RequestDisallowedByPolicy", POLICY_TEXT.format(name=name), "Forbidden")
    else:
        failure = Failure("SkuNotAvailable", SKU_TEXT.format(name=name, region=region), "Conflict")
    kind = "Microsoft.Compute/virtualMachines"
    machine_id = session.subscription.resource_id(group, kind, name)
    request = machine_body(region, size, name=name)
    return operate(session, time, f"{kind}/write", machine_id, request=request, failure=failure)


def create_group(session, time, group, region):
    subscription = session.subscription
    return operate(
        session,
        time,
        "Microsoft.Resources/subscriptions/resourceGroups/write",
        f"{subscription.path}/resourceGroups/{group}",
        request={"location": region},
        response={
            "id": f"{subscription.path}/resourceGroups/{group}",
            "name": group,
            "type": "Microsoft.Resources/resourceGroups",
            "location": region,
            "properties": {"provisioningState": "Succeeded"},
        },
    )


def delete_group(session, time, group):
    subscription = session.subscription
    return operate(
        session,
        time,
        "Microsoft.Resources/subscriptions/resourcegroups/delete",
        f"{subscription.path}/resourceGroups/{group}",
        long_running=True,
    )


def create_machine(
    session,
    time,
    group,
    name,
    size,
    region,
    spot=False,
    public_address=False,
    tags=None,
    with_policy=False,
):
    estate = session.estate
    draw = estate.draw
    subscription = session.subscription
    correlation = draw.guid()
    if public_address:
        time = operate(
            session,
            time,
            "Microsoft.Network/publicIPAddresses/write",
            subscription.resource_id(group, "Microsoft.Network/publicIPAddresses", name + "-ip"),
            request={"location": region},
            correlation=correlation,
        )
    time = operate(
        session,
        time,
        "Microsoft.Network/networkInterfaces/write",
        subscription.resource_id(group, "Microsoft.Network/networkInterfaces", name + "-nic"),
        request={"location": region},
        correlation=correlation,
    )
    body = machine_body(region, size, tags, spot, name)
    machine_id = subscription.resource_id(group, "Microsoft.Compute/virtualMachines", name)
    response = {"name": name, "id": machine_id, "type": "Microsoft.Compute/virtualMachines", **body}
    response["properties"] = {**body["properties"], "provisioningState": "Creating", "vmId": draw.guid()}
    if with_policy:
        evaluate_policy(session, time + 0.3, machine_id, correlation)
    created = operate(
        session,
        time,
        "Microsoft.Compute/virtualMachines/write",
        machine_id,
        long_running=True,
        request=body,
        response=response,
        correlation=correlation,
    )
    machine = Machine(
        id=machine_id,
        name=name,
        group=group,
        size=size,
        region=region,
        start=time,
        spot=spot,
        mac=new_mac(draw),
        ip=f"10.{draw.randint(61, 120)}.0.{draw.randint(4, 250)}",
        label=estate.label,
        created=created,
    )
    subscription.runs.append(machine)
    return machine


def delete_machine(session, time, machine):
    machine.stop = time
    return operate(session, time, "Microsoft.Compute/virtualMachines/delete", machine.id, long_running=True)


def deallocate(session, time, machine):
    return operate(session, time, "Microsoft.Compute/virtualMachines/deallocate/action", machine.id, long_running=True)


def start_machine(session, time, machine):
    return operate(session, time, "Microsoft.Compute/virtualMachines/start/action", machine.id, long_running=True)


def grant_role(session, time, principal_id, principal_type, role, scope=None):
    estate = session.estate
    draw = estate.draw
    subscription = session.subscription
    scope = scope or subscription.path
    assignment_id = draw.guid()
    resource = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{assignment_id}"
    role_definition = f"{subscription.path}/providers/Microsoft.Authorization/roleDefinitions/{ROLES[role]}"
    if subscription.has_activity_log:
        estate.see(time, None, principal_id)
    if (session.role or (session.principal or session.user).role) not in ("Owner", "User Access Administrator"):
        session.role = "Owner"
    return operate(
        session,
        time,
        "Microsoft.Authorization/roleAssignments/write",
        resource,
        request={
            "Id": assignment_id,
            "Properties": {
                "PrincipalId": principal_id,
                "PrincipalType": principal_type,
                "RoleDefinitionId": role_definition,
                "Scope": scope,
                "Condition": None,
                "ConditionVersion": None,
            },
        },
        response={
            "properties": {
                "roleDefinitionId": role_definition,
                "principalId": principal_id,
                "principalType": principal_type,
                "scope": scope,
                "createdOn": timestamp(time),
                "updatedOn": timestamp(time),
                "createdBy": None,
                "updatedBy": (session.user or session.principal).id,
                "delegatedManagedIdentityResourceId": None,
            },
            "id": resource,
            "type": "Microsoft.Authorization/roleAssignments",
            "name": assignment_id,
        },
    )


def revoke_role(session, time, principal_id="", scope=None):
    """Deletes the assignment of a principal, or one that nothing else knows."""
    draw = session.estate.draw
    subscription = session.subscription
    if principal_id:
        assignment_id = str(uuid.UUID(subscription.role_assignment_id(draw, principal_id)))
    else:
        assignment_id = draw.guid()
    kind = "Microsoft.Authorization/roleAssignments"
    resource = f"{scope or subscription.path}/providers/{kind}/{assignment_id}"
    return operate(session, time, f"{kind}/delete", resource)


def list_keys(session, time, account):
    return operate(session, time, "Microsoft.Storage/storageAccounts/listKeys/action", account)


def deploy(session, time, group):
    """A deployment of a template, sometimes validated before."""
    draw = session.estate.draw
    correlation = draw.guid()
    kind = "Microsoft.Resources/deployments"
    deployment = session.subscription.resource_id(group, kind, f"main-{draw.randint(1000, 99999)}")
    if draw.chance(0.15):
        time = operate(session, time, f"{kind}/validate/action", deployment, correlation=correlation)
    return operate(session, time, f"{kind}/write", deployment, long_running=True, correlation=correlation)


def run_command(session, time, machine):
    return operate(session, time, "Microsoft.Compute/virtualMachines/runCommand/action", machine.id, long_running=True)


def install_extension(session, time, machine, name, publisher, kind):
    return operate(
        session,
        time,
        "Microsoft.Compute/virtualMachines/extensions/write",
        machine.id + "/extensions/" + name,
        long_running=True,
        request={
            "location": machine.region,
            "properties": {
                "publisher": publisher,
                "type": kind,
                "typeHandlerVersion": "2.1",
                "autoUpgradeMinorVersion": True,
            },
        },
        response={
            "name": name,
            "id": machine.id + "/extensions/" + name,
            "type": "Microsoft.Compute/virtualMachines/extensions",
            "location": machine.region,
            "properties": {
                "autoUpgradeMinorVersion": True,
                "provisioningState": "Creating",
                "publisher": publisher,
                "type": kind,
                "typeHandlerVersion": "2.1",
            },
        },
    )
