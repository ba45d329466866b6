"""The daily bill of normal life, and the bill of machines that came and went."""

import math

from estate.clock import DAY, DAYS, END, HOUR, START, billed_share, date_of, day_of, is_month_end, is_weekend
from estate.costs import machine_cost, write_cost
from estate.presence import small_hash

AI_METERS = [("Inp", 1000, 0.0025), ("Outp", 200, 0.01)]
APP_SERVICE_PLANS = [
    ("B1", "Basic Plan", 0.018),
    ("S1", "Standard Plan", 0.1),
    ("P1v3", "Premium v3 Plan", 0.207),
    ("P2v3", "Premium v3 Plan", 0.414),
]


class Levels:
    """How much of the things with varying use a subscription has."""

    def __init__(self, draw, subscription):
        share = 0.2 if subscription.kind == "small" else 1
        scale = subscription.scale
        self.stored = {account: draw.uniform(20, 900) * scale * share for account in subscription.storage_accounts}
        self.plans = [(site, draw.choice(APP_SERVICE_PLANS), draw.randint(1, 2)) for site in subscription.sites[:3]]
        self.tokens = draw.uniform(3, 30)
        self.logs = draw.uniform(1, 14) * scale * share
        self.traffic = draw.uniform(5, 300) * scale * share


def noise(draw, deviation):
    return math.exp(draw.gauss(0, deviation))


def daily_bill(estate, subscription):
    """What a subscription costs on each day of normal life."""
    levels = Levels(estate.draw, subscription)
    for day in range(DAYS):
        if START + (day + 1) * DAY <= subscription.born:
            continue
        bill_machines(estate, subscription, day)
        bill_disks(estate, subscription, day)
        bill_storage(estate, subscription, day, levels)
        bill_platform(estate, subscription, day, levels)
        bill_scaling(estate, subscription, day)
        bill_tokens(estate, subscription, day, levels)
        if date_of(START + day * DAY).day == 1 and subscription.kind == "prod":
            bill_support(estate, subscription, day)
    bill_of_runs(estate, subscription)


def week_factor(day):
    return 0.72 if is_weekend(day) else 1.0


def trend(subscription, day):
    return 1 + subscription.growth * day


def bill_machines(estate, subscription, day):
    for machine in subscription.machines:
        hours = 24.0
        if machine.hours == 12:
            hours = 0 if is_weekend(day) else 12 + estate.draw.uniform(-0.2, 0.2)
        model = "Reservation" if machine.reserved else "OnDemand"
        hours *= billed_share(day)
        machine_cost(estate, subscription, day, machine.id, machine.size, machine.region, hours, model=model)


def bill_disks(estate, subscription, day):
    if not subscription.machines:
        return
    write_cost(
        estate,
        subscription,
        day,
        category="Storage",
        subcategory="Premium SSD Managed Disks",
        meter="P10 LRS Disk",
        region=subscription.region,
        resource=subscription.machines[0].id.replace("virtualMachines", "disks") + "_os",
        quantity=round(len(subscription.machines) / 30.0 * billed_share(day), 5),
        unit="1/Month",
        price=19.71,
        family="Storage",
    )
    if day % 2:
        group = subscription.resource_groups[0]
        write_cost(
            estate,
            subscription,
            day,
            category="Virtual Network",
            subcategory="IP Addresses",
            meter="Standard IPv4 Static Public IP",
            region=subscription.region,
            resource=subscription.resource_id(group, "Microsoft.Network/publicIPAddresses", "pip-main"),
            quantity=24 * billed_share(day),
            unit="1 Hour",
            price=0.005,
            family="Networking",
            provider="Microsoft.Network",
        )


def bill_storage(estate, subscription, day, levels):
    """Data stored, operations on it and traffic."""
    draw = estate.draw
    accounts = subscription.storage_accounts
    complete = billed_share(day)
    load = subscription.boost.get(day, 1.0)
    growth = trend(subscription, day)
    for account in accounts[:2]:
        is_page_blob = small_hash(account[-4:].encode().hex()) % 2
        write_cost(
            estate,
            subscription,
            day,
            category="Storage",
            subcategory="Standard Page Blob" if is_page_blob else "Tiered Block Blob",
            meter="Hot LRS Data Stored",
            region=subscription.region,
            resource=account,
            quantity=round(levels.stored[account] / 30 * growth * complete * noise(draw, 0.01), 5),
            unit="1 GB/Month",
            price=0.0196,
            family="Storage",
            provider="Microsoft.Storage",
        )
    write_cost(
        estate,
        subscription,
        day,
        category="Storage",
        subcategory="Tiered Block Blob",
        meter="Hot Read Operations",
        region=subscription.region,
        resource=accounts[0],
        quantity=round(levels.stored[accounts[0]] * week_factor(day) * noise(draw, 0.25) * load * complete, 4),
        unit="10K",
        price=0.005,
        family="Storage",
        provider="Microsoft.Storage",
    )
    write_cost(
        estate,
        subscription,
        day,
        category="Bandwidth",
        subcategory="Rtn Preference: MGN",
        meter="Standard Data Transfer Out",
        region=subscription.region,
        resource=subscription.machines[0].id if subscription.machines else accounts[0],
        quantity=round(levels.traffic * week_factor(day) * growth * noise(draw, 0.22) * load * complete, 4),
        unit="1 GB",
        price=0.08,
        family="Networking",
    )


def bill_platform(estate, subscription, day, levels):
    """Web plans, databases, logs and backup."""
    complete = billed_share(day)
    for site, (size, plan, price), count in levels.plans[:1]:
        write_cost(
            estate,
            subscription,
            day,
            category="Azure App Service",
            subcategory=plan,
            meter=size,
            region=subscription.region,
            resource=site.replace("sites", "serverfarms"),
            quantity=24 * count * complete,
            unit="1 Hour",
            price=price,
            provider="Microsoft.Web",
        )
    for server in subscription.sql_servers:
        write_cost(
            estate,
            subscription,
            day,
            category="SQL Database",
            subcategory="Single/Elastic Pool General Purpose - Compute Gen5",
            meter="vCore",
            region=subscription.region,
            resource=server + "/databases/main",
            quantity=round(24 * 2 * complete, 3),
            unit="1 Hour",
            price=0.152,
            family="Databases",
            provider="Microsoft.Sql",
        )
    if subscription.kind != "small":
        load = subscription.boost.get(day, 1.0)
        write_cost(
            estate,
            subscription,
            day,
            category="Log Analytics",
            subcategory="",
            meter="Pay-as-you-go Data Ingestion",
            region=subscription.region,
            resource=subscription.log_workspace,
            quantity=round(levels.logs * week_factor(day) * noise(estate.draw, 0.15) * load * complete, 4),
            unit="1 GB",
            price=2.3,
            family="Management and Governance",
            provider="Microsoft.OperationalInsights",
        )
    if subscription.backup_vault:
        instances = day % 2
        per_machine = 0.033 if instances else 12
        month_end = 1.25 if is_month_end(day) else 1
        write_cost(
            estate,
            subscription,
            day,
            category="Backup",
            subcategory="",
            meter="Azure VM Protected Instances" if instances else "LRS Data Stored",
            region=subscription.region,
            resource=subscription.backup_vault,
            quantity=round(len(subscription.machines) * per_machine * month_end * complete, 4),
            unit="1/Month" if instances else "1 GB/Month",
            price=10 if instances else 0.0224,
            family="Storage",
            provider="Microsoft.RecoveryServices",
        )


def bill_scaling(estate, subscription, day):
    """Nodes of the cluster and machines of the scale set follow the load."""
    weekend = is_weekend(day)
    load = subscription.boost.get(day, 1.0)
    complete = billed_share(day)
    cluster = subscription.cluster
    if cluster:
        used = 0.15 if weekend else 0.45
        more = (cluster.highest - cluster.lowest) * used * noise(estate.draw, 0.12)
        hours = 24 * ((cluster.lowest + more) * load) * complete
        machine_cost(estate, subscription, day, cluster.scale_set, cluster.size, subscription.region, hours)
    scale_set = subscription.scale_set
    if scale_set:
        used = 0.15 if weekend else 0.4
        more = (scale_set.highest - scale_set.lowest) * used * noise(estate.draw, 0.15)
        hours = 24 * ((scale_set.lowest + more) * load) * complete
        machine_cost(estate, subscription, day, scale_set.id, scale_set.size, subscription.region, hours)


def bill_tokens(estate, subscription, day, levels):
    if not subscription.openai:
        return
    load = 0.3 if is_weekend(day) else 1
    for direction, ratio, price in AI_METERS:
        write_cost(
            estate,
            subscription,
            day,
            category="Foundry Models",
            subcategory="Azure OpenAI",
            meter=f"gpt-4o 1120 {direction} regnl Tokens",
            region=subscription.region,
            resource=subscription.openai,
            quantity=round(
                levels.tokens * ratio * week_factor(day) * load * noise(estate.draw, 0.3) * billed_share(day), 3
            ),
            unit="1K",
            price=price,
            family="AI + Machine Learning",
            provider="Microsoft.CognitiveServices",
        )


def bill_support(estate, subscription, day):
    write_cost(
        estate,
        subscription,
        day,
        category="Support",
        subcategory="",
        meter="Standard Support",
        region=subscription.region,
        resource="",
        quantity=1,
        unit="1/Month",
        price=100,
        charge="Purchase",
        family="Support",
        provider="Microsoft.Support",
        frequency="Recurring",
    )


def bill_of_runs(estate, subscription):
    """Machines that came and went cost what they ran, under the label in force when they were made."""
    for run in subscription.runs:
        for day in range(day_of(run.start), DAYS):
            day_begin = START + day * DAY
            hours = (min(START + (day + 1) * DAY, run.stop or END) - max(day_begin, run.start)) / HOUR
            if hours <= 0:
                break
            hours = hours * billed_share(day) * run.count
            with estate.labelled(run.label):
                machine_cost(estate, subscription, day, run.id, run.size, run.region, hours, run.spot, run.provider)
