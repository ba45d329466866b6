"""Attacks that steal or destroy data and take over machines."""

import copy

from estate.activity import Failure, operate
from estate.clock import HOUR, odd_hour
from estate.directory import elevate_access
from estate.intruders import intruder_session, nearby_address, victim
from estate.networks import home_address, hosting_address
from estate.operations import grant_role, install_extension, list_keys, run_command
from estate.presence import principal_session
from estate.scenarios import scenario


@scenario(where=lambda customer, subscription: len(subscription.machines) >= 5)
def run_command_lateral(estate, customer, subscription, time):
    """run command on many machines from a hosting address with a stolen engineer session; nothing is created"""
    draw = estate.draw
    user = victim(draw, customer, ("admin", "dev"))
    time = odd_hour(draw, customer, time)
    session = intruder_session(estate, subscription, user, time, hosting_address(draw, customer.country), "cli")
    time += 300
    for machine in draw.sample(subscription.machines, min(len(subscription.machines), draw.randint(5, 12))):
        time = run_command(session, time, machine) + draw.uniform(3, 50)


@scenario(where=lambda customer, subscription: len(subscription.machines) >= 3)
def vmaccess_serial_console(estate, customer, subscription, time):
    """UNC3944 style: VMAccess password resets, serial console, disk snapshots with export link, from a residential
    proxy
    """
    draw = estate.draw
    user = victim(draw, customer, ("admin",))
    time = odd_hour(draw, customer, time)
    session = intruder_session(
        estate,
        subscription,
        user,
        time,
        home_address(draw, draw.choice(["Dallas", "Columbus", "Denver", "London"])),
        "portal",
        how="aitm",
    )
    time += 500
    machines = draw.sample(subscription.machines, min(3, len(subscription.machines)))
    for machine in machines:
        time = install_extension(session, time, machine, "enablevmaccess", "Microsoft.Compute", "VMAccessAgent")
        time += draw.uniform(60, 300)
        time = operate(
            session,
            time,
            "Microsoft.SerialConsole/serialPorts/connect/action",
            machine.id + "/providers/Microsoft.SerialConsole/serialPorts/0",
        )
        time += draw.uniform(100, 900)
    for machine in machines[:2]:
        snapshot = subscription.resource_id(machine.group, "Microsoft.Compute/snapshots", "snap" + draw.word(4))
        time = operate(session, time, "Microsoft.Compute/snapshots/write", snapshot, long_running=True) + 30
        time = operate(session, time, "Microsoft.Compute/snapshots/beginGetAccess/action", snapshot, long_running=True)
        time += 60


@scenario(where=lambda customer, subscription: subscription.backup_vault and len(subscription.machines) >= 3, times=2)
def ransom_backup_destruction(estate, customer, subscription, time):
    """Storm-0501 style: access elevated, Owner granted, locks removed, protection stopped with data, snapshots, vault
    soft delete off, storage accounts and machines deleted
    """
    draw = estate.draw
    user = customer.owner
    time = odd_hour(draw, customer, time)
    address = hosting_address(draw, customer.country) if draw.chance(0.6) else nearby_address(draw, customer, user)
    session = intruder_session(estate, subscription, user, time, address, draw.choice(["portal", "ps"]))
    elevate_access(estate, customer, time, user, address)
    time = grant_role(session, time + 60, user.id, "User", "Owner") + 200
    for account in subscription.storage_accounts[:4]:
        time = list_keys(session, time, account) + draw.uniform(5, 40)
    for group in subscription.resource_groups:
        time = operate(
            session,
            time,
            "Microsoft.Authorization/locks/delete",
            f"{subscription.path}/resourceGroups/{group}/providers/Microsoft.Authorization/locks/no-delete",
        )
        time += draw.uniform(5, 40)
    time = operate(
        session,
        time,
        "Microsoft.RecoveryServices/vaults/backupconfig/write",
        subscription.backup_vault + "/backupconfig/vaultconfig",
        request={"properties": {"softDeleteFeatureState": "Disabled"}},
    )
    time += 60
    for machine in subscription.machines:
        time = operate(
            session,
            time,
            "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/delete",
            subscription.backup_vault
            + (
                "/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;"
                f"{machine.group};{machine.name}/protectedItems/VM;iaasvmcontainerv2;{machine.group};"
                f"{machine.name}"
            ),
            long_running=True,
        )
        time += draw.uniform(2, 20)
    for machine in subscription.machines[:4]:
        time = operate(
            session,
            time,
            "Microsoft.Compute/restorePointCollections/delete",
            subscription.resource_id(
                f"AzureBackupRG_{subscription.region}_1",
                "Microsoft.Compute/restorePointCollections",
                "AzureBackup_" + machine.name,
            ),
            long_running=True,
        )
        time += 5
    time = operate(session, time, "Microsoft.RecoveryServices/vaults/delete", subscription.backup_vault) + 20
    if draw.chance(0.5) and subscription.vaults:
        operate(
            session,
            time,
            "Microsoft.KeyVault/vaults/write",
            subscription.resource_id(subscription.resource_groups[0], "Microsoft.KeyVault/vaults", "kv" + draw.word(8)),
            long_running=True,
        )
    for account in subscription.storage_accounts[: draw.randint(2, 6)]:
        if draw.chance(0.3):
            time = operate(
                session,
                time,
                "Microsoft.Storage/storageAccounts/delete",
                account,
                failure=Failure(
                    "ScopeLocked",
                    "The scope cannot perform delete operation because following scope(s) are locked",
                    "Conflict",
                ),
            )
            time += 3
        else:
            time = operate(session, time, "Microsoft.Storage/storageAccounts/delete", account) + draw.uniform(2, 20)
    for machine in subscription.machines[: draw.randint(0, 5)]:
        time = operate(session, time, "Microsoft.Compute/virtualMachines/delete", machine.id, long_running=True)


@scenario(where=lambda customer, subscription: len(subscription.storage_accounts) >= 4)
def storage_key_harvest(estate, customer, subscription, time):
    """keys of all storage accounts within minutes by a stolen service principal, firewall of some opened to all
    networks
    """
    draw = estate.draw
    principal = copy.copy(customer.legacy or customer.pipeline)
    time = odd_hour(draw, customer, time)
    session = principal_session(estate, subscription, principal, time, hosting_address(draw, customer.country))
    time += 30
    for account in subscription.storage_accounts:
        time = list_keys(session, time, account) + draw.uniform(1, 6)
    for account in subscription.storage_accounts[: draw.randint(1, 3)]:
        time = operate(
            session,
            time + 20,
            "Microsoft.Storage/storageAccounts/write",
            account,
            long_running=True,
            request={
                "properties": {
                    "networkAcls": {"defaultAction": "Allow", "bypass": "AzureServices"},
                    "allowBlobPublicAccess": True,
                }
            },
        )


@scenario(where=lambda customer, subscription: len(subscription.vaults) >= 2)
def keyvault_harvest(estate, customer, subscription, time):
    """thief adds himself to access policies of every vault and opens their firewalls (the reading of secrets is data
    plane and not logged)
    """
    draw = estate.draw
    user = victim(draw, customer, ("admin", "dev"))
    time = odd_hour(draw, customer, time)
    session = intruder_session(estate, subscription, user, time, hosting_address(draw, customer.country), "ps")
    for vault in subscription.vaults:
        time = operate(
            session,
            time + draw.uniform(10, 60),
            "Microsoft.KeyVault/vaults/accessPolicies/write",
            vault + "/accessPolicies/add",
            request={
                "properties": {
                    "accessPolicies": [
                        {
                            "tenantId": customer.tenant_id,
                            "objectId": user.id,
                            "permissions": {"secrets": ["all"], "keys": ["all"], "certificates": ["all"]},
                        }
                    ]
                }
            },
        )
        if draw.chance(0.7):
            time = operate(
                session,
                time + 10,
                "Microsoft.KeyVault/vaults/write",
                vault,
                long_running=True,
                request={"properties": {"publicNetworkAccess": "Enabled", "networkAcls": {"defaultAction": "Allow"}}},
            )


@scenario(where=lambda customer, subscription: len(subscription.machines) >= 4)
def snapshot_exfiltration(estate, customer, subscription, time):
    """snapshots of disks with export links by a stolen service principal, deleted afterwards"""
    draw = estate.draw
    principal = copy.copy(customer.legacy or customer.pipeline)
    time = odd_hour(draw, customer, time)
    session = principal_session(estate, subscription, principal, time, hosting_address(draw, customer.country))
    snapshots = []
    for machine in subscription.machines[: draw.randint(4, 8)]:
        snapshot = subscription.resource_id(machine.group, "Microsoft.Compute/snapshots", f"s{draw.word(6)}")
        snapshots.append(snapshot)
        time = operate(
            session,
            time + 20,
            "Microsoft.Compute/snapshots/write",
            snapshot,
            long_running=True,
            request={"location": machine.region},
        )
        time = operate(
            session,
            time + 9,
            "Microsoft.Compute/snapshots/beginGetAccess/action",
            snapshot,
            long_running=True,
            request={"access": "Read", "durationInSeconds": 86400},
        )
    time += draw.uniform(3, 12) * HOUR
    for snapshot in snapshots:
        time = operate(
            session, time + 3, "Microsoft.Compute/snapshots/endGetAccess/action", snapshot, long_running=True
        )
        time = operate(session, time + 3, "Microsoft.Compute/snapshots/delete", snapshot, long_running=True)
