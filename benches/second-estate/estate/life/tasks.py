"""The ordinary things that somebody does in Azure, and how often."""

from estate.activity import Failure, operate
from estate.clock import DAY, END, next_working_hour
from estate.formats import iso_date
from estate.life.admin_tasks import ADMIN_TASKS
from estate.operations import (
    create_group,
    create_machine,
    delete_group,
    delete_machine,
    deploy,
    fail_machine,
    list_keys,
    start_machine,
)
from estate.presence import azure_session

STORAGE_SETTINGS = {
    "kind": "StorageV2",
    "sku": {"name": "Standard_LRS"},
    "properties": {"minimumTlsVersion": "TLS1_2", "allowBlobPublicAccess": False},
}


def restart(session, time, machine):
    operate(session, time, "Microsoft.Compute/virtualMachines/restart/action", machine.id, long_running=True)


def start(session, time, machine):
    start_machine(session, time, machine)


def look_at(session, time, machine):
    """Keys and settings are listed because the portal does so when somebody opens a page."""
    draw = session.estate.draw
    subscription = session.subscription
    accounts = subscription.storage_accounts
    for account in draw.sample(accounts, min(len(accounts), draw.randint(1, 2))):
        time = list_keys(session, time, account) + draw.uniform(5, 40)
    if subscription.sites and draw.chance(0.4):
        settings = draw.choice(subscription.sites) + "/config/appsettings"
        operate(session, time, "Microsoft.Web/sites/config/list/action", settings)


def open_port(session, time, machine):
    draw = session.estate.draw
    group = draw.choice(session.subscription.security_groups)
    rule = draw.choice(["allow-office-rdp", "allow-https", "allow-ssh-vpn", "allow-sql-int"])
    properties = {
        "access": "Allow",
        "direction": "Inbound",
        "protocol": "TCP",
        "sourceAddressPrefix": session.address.ip,
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": draw.choice(["3389", "443", "22", "1433"]),
        "priority": draw.randint(100, 400),
    }
    operate(
        session,
        time,
        "Microsoft.Network/networkSecurityGroups/securityRules/write",
        f"{group}/securityRules/{rule}",
        long_running=True,
        request={"properties": properties},
    )


def change_site(session, time, machine):
    draw = session.estate.draw
    if session.subscription.sites:
        site = draw.choice(session.subscription.sites)
        operation = draw.choice(
            [
                "Microsoft.Web/sites/restart/Action",
                "Microsoft.Web/sites/config/write",
                "Microsoft.Web/sites/write",
                "Microsoft.Web/sites/publishxml/action",
            ]
        )
        operate(session, time, operation, site)


def tag(session, time, machine):
    draw = session.estate.draw
    resource = draw.choice(session.subscription.storage_accounts) + "/providers/Microsoft.Resources/tags/default"
    tags = {"costcenter": str(draw.randint(1000, 1040))}
    request = {"operation": "Merge", "properties": {"tags": tags}}
    operate(session, time, "Microsoft.Resources/tags/write", resource, request=request)


def open_database(session, time, machine):
    if session.subscription.sql_servers:
        server = session.estate.draw.choice(session.subscription.sql_servers)
        rule = f"{server}/firewallRules/ClientIPAddress_{iso_date(time)}"
        ip = session.address.ip
        request = {"properties": {"startIpAddress": ip, "endIpAddress": ip}}
        operate(session, time, "Microsoft.Sql/servers/firewallRules/write", rule, request=request)


def add_disk(session, time, machine):
    disk = session.subscription.resource_id(machine.group, "Microsoft.Compute/disks", machine.name + "_data1")
    request = {
        "location": machine.region,
        "sku": {"name": "Premium_LRS"},
        "properties": {
            "creationData": {"createOption": "Empty"},
            "diskSizeGB": session.estate.draw.choice([64, 128, 256]),
        },
    }
    operate(session, time, "Microsoft.Compute/disks/write", disk, long_running=True, request=request)


def change_vault(session, time, machine):
    draw = session.estate.draw
    if session.subscription.vaults:
        operation = draw.choice(["Microsoft.KeyVault/vaults/write", "Microsoft.KeyVault/vaults/accessPolicies/write"])
        operate(session, time, operation, draw.choice(session.subscription.vaults))


def set_alert(session, time, machine):
    draw = session.estate.draw
    subscription = session.subscription
    kinds = ["metricAlerts", "actionGroups", "scheduledQueryRules"]
    operation = f"Microsoft.Insights/{draw.choice(kinds)}/write"
    name = f"alert-{draw.choice(['cpu', 'mem', '5xx', 'disk'])}-{draw.randint(1, 9)}"
    alert = subscription.resource_id(subscription.resource_groups[0], "Microsoft.Insights/metricAlerts", name)
    operate(session, time, operation, alert)


def deploy_template(session, time, machine):
    deploy(session, time, session.estate.draw.choice(session.subscription.resource_groups))


def try_out(session, time, machine):
    """A group with a machine or two, mostly removed within the week."""
    estate = session.estate
    draw = estate.draw
    subscription = session.subscription
    user = session.user
    purpose = draw.choice(["poc", "tmp", "test", "spike"])
    group = f"rg-{purpose}-{user.given_name.lower()}-{draw.randint(1, 99)}"
    created = create_group(session, time, group, subscription.region)
    machines = [
        create_machine(
            session,
            created + 20 + 40 * number,
            group,
            f"vm-{draw.word(4)}",
            draw.choice(["Standard_B2s", "Standard_D2s_v5", "Standard_D4s_v5"]),
            subscription.region,
            public_address=draw.chance(0.6),
            with_policy=True,
        )
        for number in range(draw.randint(1, 2))
    ]
    removed = time + draw.uniform(0.2, 6) * DAY
    if removed < END - DAY and draw.chance(0.85):
        removed = next_working_hour(draw, subscription.customer, removed)
        later_session = azure_session(estate, subscription, user, removed)
        delete_group(later_session, removed, group)
        for made in machines:
            delete_machine(later_session, removed + draw.uniform(5, 30), made)


def take_snapshot(session, time, machine):
    draw = session.estate.draw
    kind = "Microsoft.Compute/snapshots"
    snapshot = session.subscription.resource_id(machine.group, kind, f"{machine.name}-before-update")
    operate(session, time, f"{kind}/write", snapshot, long_running=True, request={"location": machine.region})
    if draw.chance(0.6):
        removed = min(time + draw.uniform(1, 5) * DAY, END - 9)
        operate(session, removed, f"{kind}/delete", snapshot, long_running=True)


def fail_to_create(session, time, name):
    draw = session.estate.draw
    subscription = session.subscription
    group = draw.choice(subscription.resource_groups)
    reason = draw.choice(["quota", "policy", "sku"])
    fail_machine(session, time, group, name, "Standard_D8s_v5", subscription.region, reason)


def fail_to_deploy(session, time, name):
    draw = session.estate.draw
    subscription = session.subscription
    kind = "Microsoft.Resources/deployments"
    group = draw.choice(subscription.resource_groups)
    deployment = subscription.resource_id(group, kind, f"dep-{draw.randint(1, 999)}")
    message = "The template deployment failed with error: validation."
    failure = Failure("InvalidTemplateDeployment", message, "BadRequest")
    operate(session, time, f"{kind}/write", deployment, failure=failure)


def fail_to_grant(session, time, name):
    operation = "Microsoft.Authorization/roleAssignments/write"
    scope = f"{session.subscription.path}/providers/Microsoft.Authorization/roleAssignments"
    message = f"The client does not have authorization to perform action '{operation}'"
    failure = Failure("AuthorizationFailed", message, "Forbidden")
    operate(session, time, operation, f"{scope}/{session.estate.draw.guid()}", failure=failure)


def fail(session, time, machine):
    draw = session.estate.draw
    name = f"vm-{draw.word(4)}"
    attempt = draw.choice([fail_to_create, fail_to_deploy, fail_to_grant])
    attempt(session, time, name)


def change_storage(session, time, machine):
    subscription = session.subscription
    account = session.estate.draw.choice(subscription.storage_accounts)
    request = {"location": subscription.region, **STORAGE_SETTINGS}
    operate(session, time, "Microsoft.Storage/storageAccounts/write", account, long_running=True, request=request)


def add_public_address(session, time, machine):
    subscription = session.subscription
    kind = "Microsoft.Network/publicIPAddresses"
    name = f"pip-{session.estate.draw.word(3)}"
    address = subscription.resource_id(subscription.resource_groups[0], kind, name)
    operate(session, time, f"{kind}/write", address, long_running=True)


def use_cluster(session, time, machine):
    if session.subscription.cluster:
        operation = session.estate.draw.choice(["listClusterUserCredential/action"] * 4 + ["write"])
        operate(
            session,
            time,
            f"Microsoft.ContainerService/managedClusters/{operation}",
            session.subscription.cluster.id,
        )


def use_registry(session, time, machine):
    if session.subscription.registry:
        operation = "Microsoft.ContainerRegistry/registries/listCredentials/action"
        operate(session, time, operation, session.subscription.registry)


def change_plan(session, time, machine):
    subscription = session.subscription
    if subscription.sites:
        kind = "Microsoft.Web/serverfarms"
        plan = subscription.resource_id(subscription.resource_groups[0], kind, "plan-main")
        size = {"name": "P1v3", "capacity": session.estate.draw.randint(1, 3)}
        request = {"location": subscription.region, "sku": size}
        operate(session, time, f"{kind}/write", plan, long_running=True, request=request)


TASKS = [
    (restart, 4),
    (look_at, 5),
    (open_port, 2),
    (change_site, 5),
    (tag, 2),
    (open_database, 1.5),
    (add_disk, 1),
    (change_vault, 1.2),
    (set_alert, 1.5),
    (deploy_template, 3),
    (try_out, 0.3),
    (take_snapshot, 0.6),
    (fail, 1.2),
    (change_storage, 1),
    (add_public_address, 0.6),
    (use_cluster, 2),
    (use_registry, 1),
    (change_plan, 0.6),
    (start, 1.5),
]
TASKS_OF_DEVELOPMENT = [(task, 1.6 if task is try_out else weight) for task, weight in TASKS]
NEED_A_MACHINE = ("restart", "start", "add_disk", "take_snapshot", "run_command_on", "add_extension")


def ordinary_task(estate, subscription, user, time):
    """A user does one thing that people of his job do."""
    draw = estate.draw
    application = draw.weighted([("portal", 6), ("cli", 2), ("ps", 1)])
    session = azure_session(estate, subscription, user, time, application)
    tasks = TASKS_OF_DEVELOPMENT if subscription.kind == "dev" else TASKS
    task = draw.weighted(tasks + (ADMIN_TASKS if user.job == "admin" else []))
    machine = draw.choice(subscription.machines) if subscription.machines else None
    if machine is None and task.__name__ in NEED_A_MACHINE:
        task = look_at
    task(session, time, machine)
