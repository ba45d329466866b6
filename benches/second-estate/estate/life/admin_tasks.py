"""The ordinary things that only administrators do in Azure."""

from estate.activity import operate
from estate.operations import grant_role, install_extension, revoke_role, run_command

EXTENSIONS = [
    ("AzureMonitorWindowsAgent", "Microsoft.Azure.Monitor", "AzureMonitorWindowsAgent"),
    ("DependencyAgentWindows", "Microsoft.Azure.Monitoring.DependencyAgent", "DependencyAgentWindows"),
    ("IaaSAntimalware", "Microsoft.Azure.Security", "IaaSAntimalware"),
]
ROLES_FOR_COLLEAGUES = [
    ("Reader", 4),
    ("Contributor", 3),
    ("Storage Blob Data Reader", 2),
    ("Storage Blob Data Contributor", 2),
    ("Key Vault Secrets User", 2),
    ("Virtual Machine Contributor", 1),
]


def group_path(session):
    """A resource group of the subscription."""
    subscription = session.subscription
    return f"{subscription.path}/resourceGroups/{session.estate.draw.choice(subscription.resource_groups)}"


def grant_to_colleague(session, time, machine):
    draw = session.estate.draw
    subscription = session.subscription
    colleague = draw.choice(subscription.customer.users)
    group = group_path(session)
    scope = draw.choice([group] * 3 + [subscription.path] + [draw.choice(subscription.storage_accounts)] * 2)
    grant_role(session, time, colleague.id, "User", draw.weighted(ROLES_FOR_COLLEAGUES), scope)


def revoke_from_somebody(session, time, machine):
    revoke_role(session, time, scope=group_path(session))


def send_logs(session, time, machine):
    account = session.estate.draw.choice(session.subscription.storage_accounts)
    setting = account + "/providers/Microsoft.Insights/diagnosticSettings/to-law"
    properties = {
        "workspaceId": session.subscription.log_workspace,
        "logs": [{"categoryGroup": "allLogs", "enabled": True}],
    }
    operate(session, time, "Microsoft.Insights/diagnosticSettings/write", setting, request={"properties": properties})


def lift_lock(session, time, machine):
    """A lock is taken off and put on again some minutes later."""
    lock = group_path(session) + "/providers/Microsoft.Authorization/locks/no-delete"
    ended = operate(session, time, "Microsoft.Authorization/locks/delete", lock)
    request = {"properties": {"level": "CanNotDelete"}}
    later = ended + session.estate.draw.uniform(60, 900)
    operate(session, later, "Microsoft.Authorization/locks/write", lock, request=request)


def set_budget(session, time, machine):
    budget = f"{session.subscription.path}/providers/Microsoft.Consumption/budgets/monthly"
    amount = session.estate.draw.randint(5, 80) * 100
    request = {"properties": {"amount": amount, "timeGrain": "Monthly", "category": "Cost"}}
    operate(session, time, "Microsoft.Consumption/budgets/write", budget, request=request)


def run_command_on(session, time, machine):
    run_command(session, time, machine)


def add_extension(session, time, machine):
    install_extension(session, time, machine, *session.estate.draw.choice(EXTENSIONS))


def assign_policy(session, time, machine):
    kind = "Microsoft.Authorization/policyAssignments"
    assignment = f"{session.subscription.path}/providers/{kind}/{session.estate.draw.word(8)}"
    request = {"properties": {"displayName": "Allowed locations", "enforcementMode": "Default"}}
    operate(session, time, f"{kind}/write", assignment, request=request)


def regenerate_key(session, time, machine):
    account = session.estate.draw.choice(session.subscription.storage_accounts)
    request = {"keyName": "key2"}
    operate(session, time, "Microsoft.Storage/storageAccounts/regenerateKey/action", account, request=request)


ADMIN_TASKS = [
    (grant_to_colleague, 1.6),
    (send_logs, 0.5),
    (lift_lock, 0.4),
    (set_budget, 0.3),
    (run_command_on, 0.5),
    (add_extension, 0.6),
    (assign_policy, 0.4),
    (regenerate_key, 0.15),
    (revoke_from_somebody, 0.5),
]
