"""Attacks that mine or resell through managed compute services."""

import copy

from estate.activity import operate
from estate.clock import DAY, DAYS, HOUR, START, day_of, odd_hour
from estate.costs import write_cost
from estate.intruders import bill_compute, far_regions, intruder_session, victim
from estate.networks import hosting_address
from estate.operations import create_group
from estate.presence import principal_session
from estate.scenarios import scenario


@scenario(
    where=lambda customer, subscription: (
        customer.pipeline and subscription.kind != "render" and (subscription.kind != "small")
    )
)
def batch_pools(estate, customer, subscription, time):
    """Batch accounts and low-priority pools in 2-4 regions by a stolen legacy service principal"""
    draw = estate.draw
    principal = customer.legacy
    time = odd_hour(draw, customer, time)
    session = principal_session(estate, subscription, principal, time, hosting_address(draw))
    time += 200
    operate(session, time, "Microsoft.Batch/register/action", subscription.path + "/providers/Microsoft.Batch")
    for region in far_regions(draw, subscription, draw.randint(2, 4)):
        group = f"batch{draw.word(3)}"
        time = create_group(session, time + 20, group, region)
        batch_account = subscription.resource_id(group, "Microsoft.Batch/batchAccounts", f"b{draw.word(6)}")
        time = operate(
            session,
            time,
            "Microsoft.Batch/batchAccounts/write",
            batch_account,
            long_running=True,
            request={"location": region},
            response={
                "location": region,
                "properties": {"provisioningState": "Creating", "dedicatedCoreQuota": 0, "lowPriorityCoreQuota": 500},
            },
        )
        time = operate(session, time + 9, "Microsoft.Batch/batchAccounts/listKeys/action", batch_account)
        size = draw.choice(["Standard_D16s_v3", "Standard_F16s_v2", "Standard_F32s_v2"])
        count = draw.randint(8, 30)
        for number in range(draw.randint(1, 3)):
            finished = operate(
                session,
                time + 9,
                "Microsoft.Batch/batchAccounts/pools/write",
                batch_account + f"/pools/p{number}",
                request={
                    "properties": {"vmSize": size, "scaleSettings": {"fixedScale": {"targetLowPriorityNodes": count}}}
                },
                response={"properties": {"vmSize": size, "allocationState": "Resizing"}},
            )
            bill_compute(
                estate,
                subscription,
                batch_account + f"/pools/p{number}",
                size,
                region,
                count,
                finished,
                finished + draw.uniform(1, 3) * DAY,
                spot=True,
                provider="Microsoft.Batch",
            )
            time = finished


@scenario(where=lambda customer, subscription: subscription.kind not in ("ml", "small"))
def ml_compute_regions(estate, customer, subscription, time):
    """ML workspaces with compute clusters in several regions by a phished developer"""
    draw = estate.draw
    user = victim(draw, customer)
    time = odd_hour(draw, customer, time)
    session = intruder_session(estate, subscription, user, time, hosting_address(draw, customer.country), "portal")
    for region in far_regions(draw, subscription, draw.randint(2, 5)):
        group = f"ml{draw.word(3)}"
        time = create_group(session, time + 30, group, region)
        workspace = subscription.resource_id(group, "Microsoft.MachineLearningServices/workspaces", f"ws{draw.word(4)}")
        time = operate(
            session,
            time,
            "Microsoft.MachineLearningServices/workspaces/write",
            workspace,
            long_running=True,
            request={"location": region},
            response={"location": region},
        )
        for number in range(draw.randint(1, 3)):
            size = draw.choice(["Standard_NC6s_v3", "Standard_D16s_v3", "Standard_NC24ads_A100_v4", "Standard_F16s_v2"])
            count = draw.randint(2, 8)
            body = {
                "location": region,
                "properties": {
                    "computeType": "AmlCompute",
                    "properties": {
                        "vmSize": size.upper() if draw.chance(0.5) else size,
                        "vmPriority": draw.choice(["LowPriority", "Dedicated"]),
                        "scaleSettings": {"minNodeCount": count, "maxNodeCount": count},
                    },
                },
            }
            finished = operate(
                session,
                time + 20,
                "Microsoft.MachineLearningServices/workspaces/computes/write",
                workspace + f"/computes/c{number}{draw.word(2)}",
                long_running=True,
                request=body,
                response=body,
            )
            bill_compute(
                estate,
                subscription,
                workspace + f"/computes/c{number}",
                size,
                region,
                count,
                finished,
                finished + draw.uniform(0.6, 2.5) * DAY,
                provider="Microsoft.MachineLearningServices",
            )
            time = finished


@scenario(where=lambda customer, subscription: subscription.openai, times=2, span=7)
def llmjacking(estate, customer, subscription, time):
    """keys of the Azure OpenAI account listed with a stolen secret from hosting, a larger model deployed, network rule
    opened; tokens cost ten to sixty times the usual over days
    """
    draw = estate.draw
    principal = copy.copy(customer.legacy or customer.pipeline)
    principal.credential = "secret"
    time = odd_hour(draw, customer, time)
    session = principal_session(estate, subscription, principal, time, hosting_address(draw))
    operate(session, time + 30, "Microsoft.CognitiveServices/accounts/listKeys/action", subscription.openai)
    if draw.chance(0.7):
        operate(
            session,
            time + 200,
            "Microsoft.CognitiveServices/accounts/write",
            subscription.openai,
            long_running=True,
            request={
                "location": subscription.region,
                "properties": {"publicNetworkAccess": "Enabled", "networkAcls": {"defaultAction": "Allow"}},
            },
        )
    for model in draw.sample(["gpt-4o", "gpt-4.1", "o3", "gpt-5"], draw.randint(1, 3)):
        time = operate(
            session,
            time + 300,
            "Microsoft.CognitiveServices/accounts/deployments/write",
            subscription.openai + "/deployments/" + model,
            long_running=True,
            request={
                "sku": {"name": "GlobalStandard", "capacity": draw.choice([450, 1000, 2000])},
                "properties": {"model": {"format": "OpenAI", "name": model}},
            },
        )
    first_day = day_of(time)
    factor = draw.uniform(3, 20)
    for day in range(first_day, min(DAYS, first_day + draw.randint(3, 6))):
        write_cost(
            estate,
            subscription,
            day,
            category="Foundry Models",
            subcategory="Azure OpenAI",
            meter="gpt 4.1 Outp glbl Tokens",
            region=subscription.region,
            resource=subscription.openai,
            quantity=round(factor * draw.uniform(6000, 14000) * (0.4 if day == first_day else 1), 2),
            unit="1K",
            price=0.008,
            family="AI + Machine Learning",
            provider="Microsoft.CognitiveServices",
        )


@scenario(where=lambda customer, subscription: subscription.sites)
def appservice_regions(estate, customer, subscription, time):
    """App Service plans P3v3 with container sites in many regions by a stolen pipeline secret"""
    draw = estate.draw
    principal = copy.copy(customer.pipeline) if customer.pipeline else None
    time = odd_hour(draw, customer, time)
    session = (
        principal_session(estate, subscription, principal, time, hosting_address(draw, customer.country))
        if principal
        else intruder_session(
            estate, subscription, victim(draw, customer), time, hosting_address(draw, customer.country)
        )
    )
    for region in far_regions(draw, subscription, draw.randint(4, 8)):
        group = "web" + draw.word(4)
        time = create_group(session, time + 20, group, region)
        plan = subscription.resource_id(group, "Microsoft.Web/serverfarms", "plan" + draw.word(3))
        time = operate(
            session,
            time,
            "Microsoft.Web/serverfarms/write",
            plan,
            request={"location": region, "sku": {"name": "P3v3", "tier": "PremiumV3", "capacity": draw.randint(5, 10)}},
        )
        time = operate(
            session,
            time + 5,
            "Microsoft.Web/sites/write",
            subscription.resource_id(group, "Microsoft.Web/sites", "s" + draw.word(7)),
            long_running=True,
            request={
                "location": region,
                "properties": {"siteConfig": {"linuxFxVersion": "DOCKER|" + draw.word(6) + "/" + draw.word(4)}},
            },
        )
        for day in range(day_of(time), min(DAYS, day_of(time) + 3)):
            write_cost(
                estate,
                subscription,
                day,
                category="Azure App Service",
                subcategory="Premium v3 Plan - Linux",
                meter="P3v3 App",
                region=region,
                resource=plan,
                quantity=round(7 * min(24, (START + (day + 1) * DAY - time) / HOUR), 2),
                unit="1 Hour",
                price=0.62,
                provider="Microsoft.Web",
            )
