"""Harmless growth of load and cost."""

from estate.activity import operate, write_activity
from estate.clock import DAY, DAYS, HOUR, day_of, next_working_hour
from estate.costs import write_cost
from estate.intruders import bill_compute, engineer, victim
from estate.presence import azure_session, principal_session
from estate.scenarios import scenario


@scenario(where=lambda customer, subscription: subscription.workspace, times=2, span=4)
def gpu_training_run(estate, customer, subscription, time):
    """ML team widens its cluster to 4-12 A100 machines for days"""
    draw = estate.draw
    user = victim(draw, customer, ("ml",))
    time = next_working_hour(draw, customer, time)
    session = azure_session(estate, subscription, user, time)
    count = draw.randint(4, 12)
    size = "Standard_NC24ads_A100_v4"
    compute = subscription.workspace + "/computes/gpu-train"
    body = {
        "location": subscription.region,
        "properties": {
            "computeType": "AmlCompute",
            "properties": {
                "vmSize": size,
                "vmPriority": "Dedicated",
                "scaleSettings": {"minNodeCount": 0, "maxNodeCount": count},
            },
        },
    }
    finished = operate(
        session,
        time,
        "Microsoft.MachineLearningServices/workspaces/computes/write",
        compute,
        long_running=True,
        request=body,
        response=body,
    )
    bill_compute(
        estate,
        subscription,
        compute,
        size,
        subscription.region,
        count * 0.9,
        finished + 900,
        finished + draw.uniform(1.5, 3.5) * DAY,
        provider="Microsoft.MachineLearningServices",
    )


@scenario(where=lambda customer, subscription: subscription.scale_set, times=2, span=4)
def sale_scale_out(estate, customer, subscription, time):
    """autumn sale: autoscale maximum raised by an engineer, instances and bill follow for days"""
    draw = estate.draw
    user = engineer(draw, customer)
    time = next_working_hour(draw, customer, time)
    session = azure_session(estate, subscription, user, time)
    setting = subscription.resource_id(
        subscription.resource_groups[0], "Microsoft.Insights/autoscaleSettings", "autoscale-front"
    )
    operate(
        session,
        time,
        "Microsoft.Insights/autoscaleSettings/write",
        setting,
        request={"properties": {"profiles": [{"capacity": {"minimum": "6", "maximum": "40"}}]}},
    )
    before = 2
    for hour in range(0, 60, 4):
        instances = draw.randint(10, 34)
        write_activity(
            estate,
            subscription,
            time + 5 * HOUR + hour * HOUR,
            f"Microsoft.Insights/AutoscaleSettings/{('Scaleup' if instances > before else 'Scaledown')}/Action",
            setting,
            "Succeeded",
            properties={
                "ResourceName": subscription.scale_set.id,
                "OldInstancesCount": str(before),
                "NewInstancesCount": str(instances),
            },
            category="Autoscale",
            correlation=draw.guid(),
        )
        before = instances
    bill_compute(
        estate,
        subscription,
        subscription.scale_set.id,
        subscription.scale_set.size,
        subscription.region,
        20,
        time + 5 * HOUR,
        time + 3 * DAY,
    )
    day = day_of(time)
    for number in range(1, 4):
        subscription.boost[day + number] = 2.2


@scenario(where=lambda customer, subscription: subscription.kind in ("prod", "web"))
def reservation_purchase(estate, customer, subscription, time):
    """yearly reservation bought: one large purchase line"""
    draw = estate.draw
    day = day_of(time)
    order = draw.guid()
    write_cost(
        estate,
        subscription,
        day,
        category="Virtual Machines",
        subcategory="Dsv5 Series",
        meter="D4s v5",
        region=subscription.region,
        resource=f"/providers/Microsoft.Capacity/reservationOrders/{order}",
        quantity=draw.randint(6, 20),
        unit="1 Year",
        price=1050,
        charge="Purchase",
        term="P1Y",
        benefit=order,
        product="Reserved VM Instance, Standard_D4s_v5, 1 Year",
        model="OnDemand",
        frequency="OneTime",
    )


@scenario(where=lambda customer, subscription: subscription.cluster)
def aks_upgrade(estate, customer, subscription, time):
    """platform engineer adds a new node pool, moves over, deletes the old one"""
    draw = estate.draw
    user = engineer(draw, customer)
    time = next_working_hour(draw, customer, time, 9, 13)
    session = azure_session(estate, subscription, user, time, "cli")
    body = {
        "properties": {
            "count": subscription.cluster.highest,
            "vmSize": subscription.cluster.size,
            "mode": "User",
            "orchestratorVersion": "1.33.4",
        }
    }
    finished = operate(
        session,
        time,
        "Microsoft.ContainerService/managedClusters/agentPools/write",
        subscription.cluster.id + "/agentPools/pool2",
        long_running=True,
        request=body,
        response=body,
    )
    operate(
        session,
        finished + 2 * HOUR,
        "Microsoft.ContainerService/managedClusters/agentPools/delete",
        subscription.cluster.id + "/agentPools/pool1",
        long_running=True,
    )
    bill_compute(
        estate,
        subscription,
        subscription.cluster.scale_set.replace("pool1", "pool2"),
        subscription.cluster.size,
        subscription.region,
        subscription.cluster.highest,
        finished,
        finished + 6 * HOUR,
    )


@scenario(where=lambda customer, subscription: subscription.openai and customer.pipeline, span=8)
def openai_launch(estate, customer, subscription, time):
    """the product's chat feature goes live: deployment by the pipeline, token cost steps up and stays"""
    draw = estate.draw
    time = next_working_hour(draw, customer, time)
    session = principal_session(estate, subscription, customer.pipeline, time)
    operate(
        session,
        time,
        "Microsoft.CognitiveServices/accounts/deployments/write",
        subscription.openai + "/deployments/gpt-4o-prod",
        long_running=True,
        request={
            "sku": {"name": "Standard", "capacity": 120},
            "properties": {"model": {"format": "OpenAI", "name": "gpt-4o"}},
        },
    )
    first_day = day_of(time)
    for day in range(first_day + 1, min(DAYS, first_day + 8)):
        write_cost(
            estate,
            subscription,
            day,
            category="Foundry Models",
            subcategory="Azure OpenAI",
            meter="gpt-4o 1120 Inp regnl Tokens",
            region=subscription.region,
            resource=subscription.openai,
            quantity=round(2500 * (1 + 0.35 * (day - first_day)) * draw.uniform(0.85, 1.15), 2),
            unit="1K",
            price=0.0025,
            family="AI + Machine Learning",
            provider="Microsoft.CognitiveServices",
        )


@scenario(where=lambda customer, subscription: subscription.kind in ("web", "prod"))
def campaign_traffic(estate, customer, subscription, time):
    """campaign: outgoing traffic and requests five-fold for three days; cost only"""
    draw = estate.draw
    day = day_of(time)
    for number in range(3):
        write_cost(
            estate,
            subscription,
            day + number,
            category="Content Delivery Network",
            subcategory="Azure Front Door Standard",
            meter="Standard Data Transfer Out",
            region=subscription.region,
            resource=subscription.resource_id(subscription.resource_groups[0], "Microsoft.Cdn/profiles", "afd-main"),
            quantity=draw.uniform(2500, 5500),
            unit="1 GB",
            price=0.083,
            family="Networking",
            provider="Microsoft.Cdn",
        )
