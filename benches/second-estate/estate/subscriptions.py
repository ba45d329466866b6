"""Subscriptions and what stands in them."""

from estate.clock import DAY, START
from estate.formats import compact_json
from estate.model import AutomationAccount, Cluster, Machine, ScaleSet, Subscription
from estate.people import new_principal

SECURITY_POLICY_SET = "1f3afdf9-d0c9-4c3d-847f-89da613e70a8"
NETWORK_CARD_VENDORS = ["0D3A", "224B", "6045", "7CED"]


def new_subscription(draw, customer, name, kind, region):
    subscription = Subscription(
        customer=customer,
        id=draw.guid(),
        name=name,
        kind=kind,
        region=region,
        born=START - 99 * DAY,
        product_order=draw.guid(),
        growth=draw.uniform(-0.001, 0.004),
        scale=draw.uniform(0.6, 1.8),
    )
    subscription.policies = audit_policies(draw, subscription)
    customer.subscriptions.append(subscription)
    return subscription


def audit_policies(draw, subscription):
    """The text that policy records of a subscription carry."""
    assignment = f"{subscription.path}/providers/Microsoft.Authorization/policyAssignments/SecurityCenterBuiltIn"
    return compact_json(
        [
            {
                "policyDefinitionId": "/providers/Microsoft.Authorization/policyDefinitions/" + draw.guid(),
                "policySetDefinitionId": (
                    f"/providers/Microsoft.Authorization/policySetDefinitions/{SECURITY_POLICY_SET}"
                ),
                "policyDefinitionReferenceId": draw.word(12),
                "policySetDefinitionName": SECURITY_POLICY_SET,
                "policyDefinitionName": draw.guid(),
                "policyDefinitionEffect": "Audit",
                "policyAssignmentId": assignment,
                "policyAssignmentName": "SecurityCenterBuiltIn",
                "policyAssignmentScope": subscription.path,
                "policyAssignmentSku": {"name": "A1", "tier": "Standard"},
                "policyAssignmentParameters": {},
            }
        ]
    )


def new_mac(draw):
    return "00" + draw.choice(NETWORK_CARD_VENDORS) + draw.hexadecimal(6).upper()


def add_machine(draw, subscription, group, name, size, hours=24):
    subscription.machines.append(
        Machine(
            id=subscription.resource_id(group, "Microsoft.Compute/virtualMachines", name),
            name=name,
            group=group,
            size=size,
            region=subscription.region,
            hours=hours,
            mac=new_mac(draw),
            ip=f"10.{draw.randint(1, 60)}.{draw.randint(0, 8)}.{draw.randint(4, 250)}",
            backed_up=draw.chance(0.13),
            reserved=draw.chance(0.15),
        )
    )


GROUPS = {
    "small": ["rg-main"],
    "prod": ["rg-prod-app", "rg-prod-data", "rg-shared"],
    "dev": ["rg-dev", "rg-test", "rg-shared-dev"],
    "ml": ["rg-ml", "rg-mldata"],
    "render": ["rg-render", "rg-assets"],
    "web": ["rg-web", "rg-web-data"],
}
SIZES_OF_SMALL = ["Standard_B2ms", "Standard_D2s_v5", "Standard_B4ms", "Standard_D4s_v3", "Standard_B2s"]
SIZES_OF_PRODUCTION = [
    "Standard_D2s_v5",
    "Standard_D4s_v5",
    "Standard_D8s_v5",
    "Standard_E4s_v5",
    "Standard_E8s_v5",
    "Standard_D4s_v3",
    "Standard_B4ms",
    "Standard_F4s_v2",
]
SIZES_OF_DEVELOPMENT = ["Standard_B2ms", "Standard_D2s_v5", "Standard_D4s_v5", "Standard_B4ms"]
SIZES_OF_FRONT = ["Standard_D4s_v5", "Standard_D2s_v5", "Standard_F4s_v2"]
SIZES_OF_NODES = ["Standard_D4s_v5", "Standard_D8s_v5", "Standard_D4as_v5"]


def equip(draw, customer, subscription):
    """Gives a subscription the resources of its kind."""
    kind = subscription.kind
    prefix = customer.prefix.lower()
    subscription.resource_groups = GROUPS[kind]
    first_group = subscription.resource_groups[0]

    def in_first_group(resource_kind, name):
        return subscription.resource_id(first_group, resource_kind, name)

    add_storage(draw, subscription, prefix)
    has_cluster = False
    if kind == "small":
        equip_small(draw, subscription, prefix)
    elif kind in ("prod", "web"):
        has_cluster = equip_production(draw, customer, subscription, prefix)
    elif kind == "dev":
        has_cluster = equip_development(draw, subscription, prefix)
    elif kind == "ml":
        subscription.workspace = in_first_group("Microsoft.MachineLearningServices/workspaces", f"mlw-{prefix}")
        add_machine(draw, subscription, first_group, f"{prefix}-jump", "Standard_D2s_v5")
        subscription.openai = in_first_group("Microsoft.CognitiveServices/accounts", f"oai-{prefix}")
    elif kind == "render":
        subscription.batch_account = in_first_group("Microsoft.Batch/batchAccounts", f"{prefix}batch")
        for number in range(1, 4):
            add_machine(draw, subscription, first_group, f"{prefix}-lic{number}", "Standard_D4s_v5")
    if has_cluster:
        add_cluster(draw, customer, subscription, prefix)
    if subscription.machines and (kind != "dev" or draw.chance(0.4)):
        subscription.backup_vault = subscription.resource_id(
            subscription.resource_groups[-1], "Microsoft.RecoveryServices/vaults", f"rsv-{prefix}-{kind}"
        )
    if kind in ("prod", "dev", "web", "ml"):
        subscription.registry = in_first_group("Microsoft.ContainerRegistry/registries", f"acr{prefix}{kind}")
    if kind == "dev" or (kind == "prod" and draw.chance(0.3)):
        name = f"aa-{prefix}-sched"
        account = in_first_group("Microsoft.Automation/automationAccounts", name)
        role = "Virtual Machine Contributor"
        identity = new_principal(draw, customer, name, "cert", role=role, managed_identity=account)
        subscription.automation = AutomationAccount(id=account, principal=identity)
    subscription.log_workspace = in_first_group("Microsoft.OperationalInsights/workspaces", f"log-{prefix}-{kind}")


def add_storage(draw, subscription, prefix):
    """Storage accounts, network security groups and key vaults, which all kinds have."""
    kind = subscription.kind
    groups = subscription.resource_groups
    account_count = {
        "small": draw.randint(1, 2),
        "prod": draw.randint(4, 14),
        "dev": draw.randint(2, 6),
        "ml": draw.randint(3, 8),
        "render": draw.randint(2, 5),
        "web": draw.randint(2, 6),
    }[kind]
    uses = ["data", "logs", "files", "app", "diag", "tfst", "bkp"]
    for _ in range(account_count):
        group = draw.choice(groups)
        name = f"{prefix}{draw.choice(uses)}{draw.word(4)}"
        subscription.storage_accounts.append(subscription.resource_id(group, "Microsoft.Storage/storageAccounts", name))
    for number in range(1 if kind == "small" else 3):
        name = f"nsg-{draw.choice(['app', 'web', 'mgmt'])}-{number}"
        subscription.security_groups.append(
            subscription.resource_id(groups[0], "Microsoft.Network/networkSecurityGroups", name)
        )
    vault_count = {
        "small": 0 if draw.chance(0.5) else 1,
        "prod": draw.randint(2, 6),
        "dev": draw.randint(1, 3),
        "ml": 2,
        "render": 1,
        "web": 2,
    }[kind]
    for _ in range(vault_count):
        group = draw.choice(groups)
        subscription.vaults.append(
            subscription.resource_id(group, "Microsoft.KeyVault/vaults", f"kv-{prefix}-{draw.word(4)}")
        )


def equip_small(draw, subscription, prefix):
    for number in range(draw.randint(0, 3)):
        name = f"{prefix}-{draw.choice(['srv', 'dc', 'ts', 'erp'])}{number + 1}"
        add_machine(draw, subscription, "rg-main", name, draw.choice(SIZES_OF_SMALL))
    if draw.chance(0.4):
        subscription.sites = [subscription.resource_id("rg-main", "Microsoft.Web/sites", f"{prefix}-site")]


def equip_production(draw, customer, subscription, prefix):
    """Returns whether the subscription shall have a cluster."""
    groups = subscription.resource_groups
    for number in range(draw.randint(4, 11) if subscription.kind == "prod" else draw.randint(4, 7)):
        group = draw.choice(groups)
        use = draw.choice(["app", "web", "sql", "erp", "file", "dc", "api", "int"])
        name = f"{prefix}-{use}-p{number + 1:02d}"
        add_machine(draw, subscription, group, name, draw.choice(SIZES_OF_PRODUCTION))
    for number in range(draw.randint(1, 3)):
        server = subscription.resource_id(draw.choice(groups), "Microsoft.Sql/servers", f"sql-{prefix}-{number}")
        subscription.sql_servers.append(server)
    for number in range(draw.randint(2, 6)):
        name = f"{prefix}-{draw.choice(['portal', 'api', 'shop', 'admin', 'svc'])}-{number}"
        subscription.sites.append(subscription.resource_id(groups[0], "Microsoft.Web/sites", name))
    if customer.profile in ("large", "web") or draw.chance(0.3):
        subscription.scale_set = ScaleSet(
            id=subscription.resource_id(groups[0], "Microsoft.Compute/virtualMachineScaleSets", f"vmss-{prefix}-front"),
            size=draw.choice(SIZES_OF_FRONT),
            lowest=2,
            highest=draw.randint(4, 8),
        )
    has_cluster = customer.profile in ("large", "mid") and draw.chance(0.6)
    if draw.chance(0.35):
        subscription.openai = subscription.resource_id(
            groups[0], "Microsoft.CognitiveServices/accounts", f"oai-{prefix}"
        )
    return has_cluster


def equip_development(draw, subscription, prefix):
    """Returns whether the subscription shall have a cluster."""
    groups = subscription.resource_groups
    for number in range(draw.randint(2, 6)):
        group = draw.choice(groups)
        name = f"{prefix}-{draw.choice(['dev', 'test', 'build', 'ci'])}-{number + 1:02d}"
        size = draw.choice(SIZES_OF_DEVELOPMENT)
        add_machine(draw, subscription, group, name, size, hours=12 if draw.chance(0.5) else 24)
    subscription.sites = [
        subscription.resource_id(groups[0], "Microsoft.Web/sites", f"{prefix}-dev-{number}")
        for number in range(draw.randint(1, 4))
    ]
    has_cluster = draw.chance(0.5)
    if draw.chance(0.35):
        subscription.openai = subscription.resource_id(
            groups[0], "Microsoft.CognitiveServices/accounts", f"oai-{prefix}-dev"
        )
    return has_cluster


def add_cluster(draw, customer, subscription, prefix):
    """A managed Kubernetes cluster, whose nodes stand in a group of its own."""
    group = subscription.resource_groups[0]
    kind = "Microsoft.ContainerService/managedClusters"
    name = f"aks-{prefix}-{subscription.kind}"
    node_group = f"MC_{group}_{name}_{subscription.region}"
    scale_set = f"aks-pool1-{draw.randint(10000000, 99999999)}-vmss"
    subscription.cluster = Cluster(
        id=subscription.resource_id(group, kind, name),
        scale_set=subscription.resource_id(node_group, "Microsoft.Compute/virtualMachineScaleSets", scale_set),
        size=draw.choice(SIZES_OF_NODES),
        lowest=draw.randint(2, 3),
        highest=draw.randint(5, 10),
        principal=new_principal(
            draw,
            customer,
            name,
            "cert",
            managed_identity=f"{subscription.path}/resourcegroups/{group}/providers/{kind}/{name}",
        ),
    )
