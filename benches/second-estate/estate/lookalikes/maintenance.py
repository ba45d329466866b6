"""Harmless maintenance by administrators and automation."""

import copy

from estate.activity import new_session, operate
from estate.audit import target, write_audit
from estate.clock import next_working_hour
from estate.directory import add_secret
from estate.intruders import victim
from estate.model import ServicePrincipal
from estate.operations import grant_role, list_keys, machine_body, run_command
from estate.people import partner_user
from estate.presence import azure_session, principal_session
from estate.scenarios import scenario
from estate.sign_ins import sign_in


@scenario(where=lambda customer, subscription: customer.rotation and customer.has_entra_logs, directory_only=True)
def secret_rotation(estate, customer, subscription, time):
    """automation adds and removes secrets of five to ten apps"""
    draw = estate.draw
    time = next_working_hour(draw, customer, time, 2, 4)
    for _ in range(draw.randint(5, 10)):
        principal = ServicePrincipal(
            id=draw.guid(), object_id=draw.guid(), key_id=draw.guid(), name=f"app-{draw.word(5)}"
        )
        add_secret(estate, customer, time, customer.rotation, principal, None, True)
        write_audit(
            estate,
            customer,
            time + 60,
            "Update application – Certificates and secrets management ",
            "ApplicationManagement",
            customer.rotation,
            [
                target(
                    "Application",
                    principal.object_id,
                    name=principal.name,
                    changes={"KeyDescription": ('["old"]', '["new"]')},
                )
            ],
        )
        time += draw.uniform(60, 300)


@scenario(
    where=lambda customer, subscription: (
        subscription.backup_vault
        and len(subscription.machines) >= 4
        and any(user.job == "backup" for user in customer.users)
    )
)
def backup_cleanup(estate, customer, subscription, time):
    """backup admin changes a policy, then stops protection of retired items and deletes old restore points, from the
    office
    """
    draw = estate.draw
    user = victim(draw, customer, ("backup",))
    time = next_working_hour(draw, customer, time, 9, 13)
    session = azure_session(estate, subscription, user, time)
    time = operate(
        session,
        time,
        "Microsoft.RecoveryServices/vaults/backupPolicies/write",
        subscription.backup_vault + "/backupPolicies/DailyPolicy",
        request={"properties": {"retentionPolicy": {"dailySchedule": {"retentionDuration": {"count": 14}}}}},
    )
    time += 900
    for machine in subscription.machines[: draw.randint(3, 6)]:
        time = operate(
            session,
            time,
            "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/delete",
            subscription.backup_vault
            + (
                "/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;"
                f"{machine.group};{machine.name}-old/protectedItems/VM;iaasvmcontainerv2;"
                f"{machine.group};{machine.name}-old"
            ),
            long_running=True,
        )
        time += draw.uniform(60, 600)
    for number in range(draw.randint(2, 6)):
        time = operate(
            session,
            time,
            "Microsoft.Compute/snapshots/delete",
            subscription.resource_id(subscription.resource_groups[0], "Microsoft.Compute/snapshots", f"old-{number}"),
            long_running=True,
        )
        time += draw.uniform(20, 90)


@scenario(where=lambda customer, subscription: len(subscription.machines) >= 5)
def patch_run_command(estate, customer, subscription, time):
    """admin runs a patch script on a dozen machines from the office"""
    draw = estate.draw
    user = victim(draw, customer, ("admin",))
    time = next_working_hour(draw, customer, time, 9, 15)
    session = azure_session(estate, subscription, user, time, "ps", interactive=True)
    for machine in subscription.machines[:12]:
        time = run_command(session, time, machine) + draw.uniform(5, 60)


@scenario(where=lambda customer, subscription: customer.rotation and len(subscription.storage_accounts) >= 4)
def storage_key_rotation(estate, customer, subscription, time):
    """automation lists and regenerates keys of all accounts"""
    draw = estate.draw
    time = next_working_hour(draw, customer, time, 3, 4)
    principal = copy.copy(customer.rotation)
    principal.managed_identity = subscription.resource_id(
        subscription.resource_groups[0], "Microsoft.Logic/workflows", "rotate-keys"
    )
    session = new_session(estate, subscription, principal=principal, application="sp")
    for account in subscription.storage_accounts:
        time = list_keys(session, time, account) + 5
        time = operate(
            session,
            time,
            "Microsoft.Storage/storageAccounts/regenerateKey/action",
            account,
            request={"keyName": "key1"},
        )
        time += 9


@scenario(where=lambda customer, subscription: subscription.kind == "dev")
def defender_plan_off_dev(estate, customer, subscription, time):
    """admin turns Defender for servers off on the test subscription to save money and moves the diagnostic setting to
    a new workspace (delete and write)
    """
    draw = estate.draw
    user = victim(draw, customer, ("admin",))
    time = next_working_hour(draw, customer, time)
    session = azure_session(estate, subscription, user, time)
    providers = subscription.path + "/providers/"
    operate(
        session,
        time,
        "Microsoft.Security/pricings/write",
        providers + "Microsoft.Security/pricings/VirtualMachines",
        request={"properties": {"pricingTier": "Free"}},
    )
    operate(
        session,
        time + 300,
        "Microsoft.Insights/diagnosticSettings/delete",
        providers + "Microsoft.Insights/diagnosticSettings/to-law",
    )
    operate(
        session,
        time + 330,
        "Microsoft.Insights/diagnosticSettings/write",
        providers + "Microsoft.Insights/diagnosticSettings/to-law2",
        request={"properties": {"workspaceId": subscription.log_workspace}},
    )


@scenario()
def partner_maintenance(estate, customer, subscription, time):
    """partner's engineer resizes machines and grants a reader role with delegated rights from the partner's office"""
    draw = estate.draw
    user = partner_user(estate, customer, 2)
    time = next_working_hour(draw, customer, time)
    session = new_session(estate, subscription, user, address=estate.partner.office)
    sign_in(
        estate,
        customer,
        time - 60,
        user,
        estate.partner.office,
        "portal",
        "arm",
    )
    for machine in subscription.machines[:3]:
        body = machine_body(machine.region, machine.size)
        time = operate(
            session,
            time,
            "Microsoft.Compute/virtualMachines/write",
            machine.id,
            long_running=True,
            request=body,
            response=body,
        )
        time += 60
    grant_role(session, time, customer.owner.id, "User", "Reader")


@scenario(where=lambda customer, subscription: subscription.kind in ("dev", "prod") and len(subscription.machines) >= 2)
def new_automation(estate, customer, subscription, time):
    """admin makes an automation account with runbook and schedule to stop machines; its identity gets Virtual Machine
    Contributor
    """
    draw = estate.draw
    user = victim(draw, customer, ("admin",))
    time = next_working_hour(draw, customer, time)
    session = azure_session(estate, subscription, user, time)
    account = subscription.resource_id(
        subscription.resource_groups[0], "Microsoft.Automation/automationAccounts", "aa-stop-vms"
    )
    time = operate(
        session,
        time,
        "Microsoft.Automation/automationAccounts/write",
        account,
        long_running=True,
        request={"location": subscription.region, "identity": {"type": "SystemAssigned"}},
    )
    time = operate(
        session, time + 60, "Microsoft.Automation/automationAccounts/runbooks/write", account + "/runbooks/stop-vms"
    )
    time = operate(
        session, time + 60, "Microsoft.Automation/automationAccounts/schedules/write", account + "/schedules/evening"
    )
    grant_role(session, time + 60, draw.guid(), "ServicePrincipal", "Virtual Machine Contributor")


@scenario(where=lambda customer, subscription: customer.terraform and len(subscription.vaults) >= 2)
def vault_policies_by_terraform(estate, customer, subscription, time):
    """terraform writes access policies on all vaults"""
    draw = estate.draw
    time = next_working_hour(draw, customer, time)
    session = principal_session(estate, subscription, customer.terraform, time)
    for vault in subscription.vaults:
        time = operate(
            session,
            time + 9,
            "Microsoft.KeyVault/vaults/write",
            vault,
            long_running=True,
            request={"location": subscription.region},
        )
        time = operate(
            session,
            time + 2,
            "Microsoft.KeyVault/vaults/accessPolicies/write",
            vault + "/accessPolicies/add",
            request={
                "properties": {
                    "accessPolicies": [
                        {
                            "tenantId": customer.tenant_id,
                            "objectId": customer.pipeline.id,
                            "permissions": {"secrets": ["get", "list"]},
                        }
                    ]
                }
            },
        )
