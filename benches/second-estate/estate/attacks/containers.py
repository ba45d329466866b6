"""Attacks that mine in containers and managed clusters."""

import copy

from estate.activity import operate
from estate.clock import DAY, DAYS, HOUR, START, day_of, odd_hour
from estate.costs import write_cost
from estate.intruders import bill_compute, far_regions, intruder_session, look_around, victim
from estate.networks import hosting_address
from estate.operations import create_group
from estate.presence import principal_session
from estate.scenarios import is_business, scenario


@scenario()
def container_instances_swarm(estate, customer, subscription, time):
    """20-60 container groups over regions by a stolen user; cost as Container Instances"""
    draw = estate.draw
    user = victim(draw, customer)
    time = odd_hour(draw, customer, time)
    session = intruder_session(estate, subscription, user, time, hosting_address(draw, customer.country), "cli")
    count = draw.randint(20, 60)
    new_regions = far_regions(draw, subscription, draw.randint(3, 7))
    group = f"rg{draw.word(4)}"
    time = create_group(session, time, group, new_regions[0])
    for number in range(count):
        region = new_regions[number % len(new_regions)]
        container_group = subscription.resource_id(
            group, "Microsoft.ContainerInstance/containerGroups", f"{draw.choice(['app', 'web', 'job'])}-{draw.word(4)}"
        )
        body = {
            "location": region,
            "properties": {
                "osType": "Linux",
                "restartPolicy": "Always",
                "containers": [
                    {
                        "name": "c1",
                        "properties": {
                            "image": draw.choice(
                                ["docker.io/alpine/" + draw.word(6), draw.word(7) + "/nginx:latest", "ubuntu:22.04"]
                            ),
                            "resources": {"requests": {"cpu": 4, "memoryInGB": 8}},
                        },
                    }
                ],
            },
        }
        finished = operate(
            session,
            time,
            "Microsoft.ContainerInstance/containerGroups/write",
            container_group,
            long_running=True,
            request=body,
            response=body,
        )
        time += draw.uniform(3, 25)
        for day in range(day_of(finished), min(DAYS, day_of(finished) + 3)):
            write_cost(
                estate,
                subscription,
                day,
                category="Container Instances",
                subcategory="",
                meter="Standard vCPU Duration",
                region=region,
                resource=container_group,
                quantity=round(4 * min(24, (START + (day + 1) * DAY - finished) / HOUR), 3),
                unit="1 Hour",
                price=0.0467,
                family="Containers",
                provider="Microsoft.ContainerInstance",
            )


@scenario(where=is_business)
def aks_new_cluster(estate, customer, subscription, time):
    """new managed cluster in a far region with big node pool; nodes seen as scale set of the MC_ group"""
    draw = estate.draw
    user = victim(draw, customer)
    time = odd_hour(draw, customer, time)
    session = intruder_session(
        estate, subscription, user, time, hosting_address(draw, customer.country), draw.choice(["cli", "portal"])
    )
    time = look_around(session, time)
    region = far_regions(draw, subscription, 1)[0]
    group = "k8s-" + draw.word(4)
    time = create_group(session, time, group, region)
    size = draw.choice(["Standard_D16s_v5", "Standard_F32s_v2", "Standard_D48as_v5"])
    count = draw.randint(8, 25)
    cluster = subscription.resource_id(group, "Microsoft.ContainerService/managedClusters", "cluster" + draw.word(3))
    body = {
        "location": region,
        "properties": {
            "dnsPrefix": "k",
            "agentPoolProfiles": [{"name": "nodepool1", "count": count, "vmSize": size, "mode": "System"}],
        },
    }
    finished = operate(
        session,
        time,
        "Microsoft.ContainerService/managedClusters/write",
        cluster,
        long_running=True,
        request=body,
        response=body,
    )
    operate(
        session, finished + 60, "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action", cluster
    )
    bill_compute(
        estate,
        subscription,
        subscription.resource_id(
            f"MC_{group}_{cluster.split('/')[-1]}_{region}",
            "Microsoft.Compute/virtualMachineScaleSets",
            f"aks-nodepool1-{draw.randint(10**7, 10**8)}-vmss",
        ),
        size,
        region,
        count,
        finished,
        finished + draw.uniform(1, 3) * DAY,
    )


@scenario(where=lambda customer, subscription: subscription.cluster)
def aks_nodepool_added(estate, customer, subscription, time):
    """an agent pool of large machines on the customer's own cluster from the pipeline principal's stolen secret"""
    draw = estate.draw
    principal = copy.copy(customer.pipeline)
    principal.credential = "secret"
    time = odd_hour(draw, customer, time)
    session = principal_session(estate, subscription, principal, time, hosting_address(draw))
    size = draw.choice(["Standard_D32s_v5", "Standard_F72s_v2", "Standard_NC24ads_A100_v4"])
    count = draw.randint(4, 20)
    operate(
        session,
        time + 60,
        "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action",
        subscription.cluster.id,
    )
    body = {"properties": {"count": count, "vmSize": size, "mode": "User", "scaleSetPriority": "Regular"}}
    finished = operate(
        session,
        time + 300,
        "Microsoft.ContainerService/managedClusters/agentPools/write",
        subscription.cluster.id + "/agentPools/np" + draw.word(3),
        long_running=True,
        request=body,
        response=body,
    )
    bill_compute(
        estate,
        subscription,
        subscription.cluster.scale_set.replace("pool1", "np2"),
        size,
        subscription.region,
        count,
        finished,
        finished + draw.uniform(1.5, 4) * DAY,
    )


@scenario(where=lambda customer, subscription: customer.legacy is not None)
def container_apps_swarm(estate, customer, subscription, time):
    """Container Apps environments with D32 workload profiles"""
    draw = estate.draw
    user = victim(draw, customer)
    time = odd_hour(draw, customer, time)
    session = intruder_session(estate, subscription, user, time, hosting_address(draw, customer.country), "cli")
    operate(session, time, "Microsoft.App/register/action", subscription.path + "/providers/Microsoft.App")
    for region in far_regions(draw, subscription, draw.randint(3, 6)):
        group = f"ca-{draw.word(4)}"
        time = create_group(session, time + 30, group, region)
        environment = subscription.resource_id(group, "Microsoft.App/managedEnvironments", "env" + draw.word(3))
        time = operate(
            session,
            time,
            "Microsoft.App/managedEnvironments/write",
            environment,
            long_running=True,
            request={
                "location": region,
                "properties": {
                    "workloadProfiles": [
                        {"name": "wp1", "workloadProfileType": "D32", "minimumCount": 3, "maximumCount": 10}
                    ]
                },
            },
            response={"location": region},
        )
        for number in range(draw.randint(3, 9)):
            app = subscription.resource_id(group, "Microsoft.App/containerApps", f"app{number}")
            operate(
                session,
                time + 5,
                "Microsoft.App/containerApps/write",
                app,
                long_running=True,
                request={
                    "location": region,
                    "properties": {
                        "template": {
                            "containers": [
                                {
                                    "image": f"docker.io/{draw.word(6)}/{draw.word(4)}:latest",
                                    "resources": {"cpu": 4, "memory": "8Gi"},
                                }
                            ],
                            "scale": {"minReplicas": 8, "maxReplicas": 30},
                        }
                    },
                },
                response={"location": region},
            )
            time += draw.uniform(5, 30)
        for day in range(day_of(time), min(DAYS, day_of(time) + 3)):
            write_cost(
                estate,
                subscription,
                day,
                category="Azure Container Apps",
                subcategory="",
                meter="Dedicated vCPU Usage",
                region=region,
                resource=environment,
                quantity=round(3 * 32 * min(24, (START + (day + 1) * DAY - time) / HOUR), 3),
                unit="1 Hour",
                price=0.0571,
                family="Containers",
                provider="Microsoft.App",
            )
