"""What programs of the customer do: pipelines, terraform and monitoring."""

from estate.activity import operate
from estate.clock import DAY, DAYS, HOUR, START, is_weekend, local_time, next_working_hour
from estate.life.specialists import render_at_night, study
from estate.operations import create_group, create_machine, delete_group, delete_machine, deploy, grant_role, list_keys
from estate.presence import principal_session
from estate.sign_ins import sign_in_principal

DEPLOYMENTS = {"prod": 0.5, "dev": 1.2, "ml": 0.5, "render": 0.3, "web": 0.8}
SITE_CHANGES = [
    "Microsoft.Web/sites/config/write",
    "Microsoft.Web/sites/write",
    "Microsoft.Web/sites/slots/slotsswap/Action",
]


def pipelines(estate, customer):
    for subscription in customer.established_subscriptions:
        if subscription.kind != "small":
            programs_of(estate, customer, subscription)


def programs_of(estate, customer, subscription):
    draw = estate.draw
    rate = DEPLOYMENTS[subscription.kind] * (1.5 if customer.profile == "large" else 1)
    for day in range(DAYS):
        if START + day * DAY < subscription.born:
            continue
        weekend = is_weekend(day)
        for _ in range(draw.poisson(0.5 * rate * (0.12 if weekend else 1))):
            release(estate, subscription, day)
        if not weekend and customer.terraform is not customer.pipeline and draw.chance(0.35):
            apply_terraform(estate, subscription, day)
    if subscription.kind == "dev" and customer.profile in ("mid", "large", "web"):
        for _ in range(draw.randint(2, 5)):
            test_end_to_end(estate, subscription)
    if subscription.workspace:
        study(estate, subscription)
    if subscription.batch_account:
        render_at_night(estate, subscription)
    if customer.monitoring:
        for day in range(DAYS):
            if draw.chance(0.7):
                time = START + day * DAY + draw.uniform(0, DAY)
                sign_in_principal(estate, customer, time, customer.monitoring, customer.monitoring.address)


def release(estate, subscription, day):
    """The pipeline deploys the product."""
    draw = estate.draw
    customer = subscription.customer
    time = local_time(customer, day, draw.uniform(8.5, 19))
    session = principal_session(estate, subscription, customer.pipeline, time)
    time = deploy(session, time, subscription.resource_groups[0]) + 3
    if subscription.sites:
        site = draw.choice(subscription.sites)
        time = operate(session, time, draw.choice(SITE_CHANGES), site)
        if draw.chance(0.4):
            time = operate(session, time + 2, "Microsoft.Web/sites/publishxml/action", site)
    if subscription.cluster and draw.chance(0.4):
        operation = "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action"
        time = operate(session, time + 2, operation, subscription.cluster.id)
    if subscription.registry and draw.chance(0.2):
        operation = "Microsoft.ContainerRegistry/registries/importImage/action"
        operate(session, time + 2, operation, subscription.registry, long_running=True)


def apply_terraform(estate, subscription, day):
    """Terraform reads its state by a storage key and changes a few resources."""
    draw = estate.draw
    customer = subscription.customer
    accounts = subscription.storage_accounts
    time = local_time(customer, day, draw.uniform(9, 17))
    session = principal_session(estate, subscription, customer.terraform, time)
    time = list_keys(session, time, accounts[0]) + 4
    for _ in range(draw.randint(1, 4)):
        operation, resource = draw.choice(possible_changes(draw, subscription))
        if resource:
            time = operate(session, time + 1, operation, resource, long_running=True) + 2
        else:
            principal = draw.choice(customer.principals)
            role = draw.choice(["AcrPull", "Storage Blob Data Contributor", "Key Vault Secrets User"])
            scope = draw.choice(accounts)
            time = grant_role(session, time + 1, principal.id, "ServicePrincipal", role, scope) + 2


def possible_changes(draw, subscription):
    """Operations of terraform and resources for them; none for a grant, which makes its own."""
    accounts = subscription.storage_accounts
    setting = "/providers/Microsoft.Insights/diagnosticSettings/tf"
    plan = subscription.resource_id(subscription.resource_groups[0], "Microsoft.Web/serverfarms", "plan-main")
    return [
        ("Microsoft.Storage/storageAccounts/write", draw.choice(accounts)),
        ("Microsoft.Network/networkSecurityGroups/write", draw.choice(subscription.security_groups)),
        ("Microsoft.KeyVault/vaults/write", draw.choice(subscription.vaults or accounts)),
        ("Microsoft.Insights/diagnosticSettings/write", draw.choice(accounts) + setting),
        ("Microsoft.Authorization/roleAssignments/write", None),
        ("Microsoft.Web/serverfarms/write", plan),
    ]


def test_end_to_end(estate, subscription):
    """Terraform makes a test environment in the morning and destroys it in the evening or days later."""
    draw = estate.draw
    customer = subscription.customer
    time = next_working_hour(draw, customer, START + draw.uniform(0.5, 40) * DAY, 9, 12)
    count = draw.randint(2, 5)
    group = f"rg-e2e-{draw.randint(100, 999)}"
    session = principal_session(estate, subscription, customer.terraform, time)
    draw.guid()  # nobody uses it, but it belongs to the stream
    created = create_group(session, time, group, subscription.region)
    machines = [
        create_machine(
            session,
            created + 5 + number * 12,
            group,
            f"e2e-{number}",
            draw.choice(["Standard_D2s_v5", "Standard_D4s_v5"]),
            subscription.region,
            tags={"env": "e2e"},
        )
        for number in range(count)
    ]
    time += draw.choice([draw.uniform(3, 9) * HOUR, draw.uniform(3, 9) * HOUR, draw.uniform(1, 3) * DAY])
    session = principal_session(estate, subscription, customer.terraform, time)
    for machine in machines:
        delete_machine(session, time, machine)
        time += draw.uniform(2, 15)
    kind = "Microsoft.Network/networkInterfaces"
    for machine in machines:
        card = subscription.resource_id(group, kind, machine.name + "-nic")
        operate(session, time, f"{kind}/delete", card)
    delete_group(session, time + 60, group)
