"""Attacks that make or enlarge virtual machines."""

import copy

from estate.activity import Failure, operate
from estate.clock import DAY, odd_hour
from estate.flows import standing_connection
from estate.intruders import bill_compute, far_regions, fleet, intruder_session, look_around, nearby_address, victim
from estate.networks import home_address, hosting_address
from estate.operations import create_group, create_machine
from estate.presence import principal_session
from estate.scenarios import is_business, scenario


@scenario(where=is_business, times=2)
def gpu_fleet_stolen_user(estate, customer, subscription, time):
    """AiTM-stolen user signs in from a hosting provider, CLI; GPU machines in 3-8 far regions with quota failures;
    cost from the first day
    """
    draw = estate.draw
    user = victim(draw, customer)
    time = odd_hour(draw, customer, time)
    address = hosting_address(draw, customer.country)
    session = intruder_session(estate, subscription, user, time, address)
    time = look_around(session, time)
    fleet(
        session,
        time,
        count=draw.randint(6, 30),
        sizes=draw.choice(
            [
                ["Standard_NC24ads_A100_v4"],
                ["Standard_NC6s_v3", "Standard_NC24s_v3"],
                ["Standard_NC16as_T4_v3"],
                ["Standard_NV36ads_A10_v5", "Standard_NC64as_T4_v3"],
            ]
        ),
        regions=far_regions(draw, subscription, draw.randint(3, 8)),
        spot=draw.chance(0.4),
        failures=draw.randint(3, 10),
        stop=time + draw.uniform(0.8, 3) * DAY,
        public_address=draw.chance(0.4),
    )


@scenario(where=lambda customer, subscription: subscription.kind in ("prod", "dev", "web"), times=2)
def cpu_fleet_near_session(estate, customer, subscription, time):
    """stolen session cookie from a residential address of another city of the same country, portal, unmanaged device;
    12-30 D/F machines in the usual region and one more, mining over 443 where flow logs exist
    """
    draw = estate.draw
    user = victim(draw, customer)
    time = odd_hour(draw, customer, time)
    address = nearby_address(draw, customer, user)
    session = intruder_session(estate, subscription, user, time, address, "portal", how="session")
    time += 400
    machines = fleet(
        session,
        time,
        count=draw.randint(12, 28),
        sizes=[draw.choice(["Standard_D16s_v5", "Standard_D8s_v5", "Standard_F16s_v2", "Standard_D32s_v5"])],
        regions=far_regions(draw, subscription, 2, True) if draw.chance(0.6) else [subscription.region],
        failures=draw.randint(0, 3),
        gap=(20, 90),
        stop=time + draw.uniform(1.2, 3.5) * DAY,
    )
    pool = hosting_address(draw).ip
    for machine in machines[:10]:
        standing_connection(
            estate, subscription, machine, pool, 443, machine.created + draw.uniform(200, 900), machine.stop
        )


@scenario(where=lambda customer, subscription: customer.pipeline and subscription.kind != "small")
def vmss_many_regions_leaked_secret(estate, customer, subscription, time):
    """secret of the deployment service principal leaked; scale sets of 20-100 instances in several regions from
    hosting addresses
    """
    draw = estate.draw
    principal = copy.copy(customer.pipeline)
    principal.credential = "secret"
    time = odd_hour(draw, customer, time)
    address = hosting_address(draw, customer.country)
    session = principal_session(estate, subscription, principal, time, address)
    time += draw.uniform(60, 600)
    for region in far_regions(draw, subscription, draw.randint(3, 6)):
        group = f"rg-{draw.word(5)}"
        time = create_group(session, time, group, region)
        size = draw.choice(["Standard_F72s_v2", "Standard_D32s_v5", "Standard_D16as_v5", "Standard_D96as_v5"])
        count = draw.choice([20, 40, 50, 100])
        scale_set = subscription.resource_id(group, "Microsoft.Compute/virtualMachineScaleSets", f"ss{draw.word(3)}")
        body = {
            "location": region,
            "sku": {"name": size, "tier": "Standard", "capacity": count},
            "properties": {
                "upgradePolicy": {"mode": "Manual"},
                "virtualMachineProfile": {"priority": "Spot" if draw.chance(0.5) else "Regular"},
            },
        }
        time = operate(
            session,
            time + 5,
            "Microsoft.Network/virtualNetworks/write",
            subscription.resource_id(group, "Microsoft.Network/virtualNetworks", "vnet1"),
            long_running=True,
        )
        if draw.chance(0.35):
            time = operate(
                session,
                time + 5,
                "Microsoft.Compute/virtualMachineScaleSets/write",
                scale_set,
                request=body,
                failure=Failure(
                    "OperationNotAllowed",
                    (
                        "Operation could not be completed as it results in exceeding approved Total Regional "
                        "Cores quota."
                    ),
                    "Conflict",
                ),
            )
            time += 5
            body["sku"]["capacity"] = count = max(4, count // 5)
        finished = operate(
            session,
            time,
            "Microsoft.Compute/virtualMachineScaleSets/write",
            scale_set,
            long_running=True,
            request=body,
            response=body,
        )
        bill_compute(
            estate, subscription, scale_set, size, region, count, finished, finished + draw.uniform(0.5, 2) * DAY
        )
        time = finished + draw.uniform(20, 200)


@scenario(where=lambda customer, subscription: subscription.scale_set)
def existing_scaleset_inflated(estate, customer, subscription, time):
    """the customer's own scale set raised from 2 to 40-80 and a custom script put on it by a stolen engineer session;
    nothing new is created
    """
    draw = estate.draw
    user = victim(draw, customer, ("dev", "admin"))
    time = odd_hour(draw, customer, time)
    session = intruder_session(estate, subscription, user, time, hosting_address(draw), "portal", how="session")
    count = draw.randint(40, 80)
    scale_set = subscription.scale_set
    operate(
        session,
        time,
        "Microsoft.Insights/autoscaleSettings/delete",
        subscription.resource_id(
            subscription.resource_groups[0], "Microsoft.Insights/autoscaleSettings", "autoscale-front"
        ),
    )
    body = {"location": subscription.region, "sku": {"name": scale_set.size, "tier": "Standard", "capacity": count}}
    finished = operate(
        session,
        time + 90,
        "Microsoft.Compute/virtualMachineScaleSets/write",
        scale_set.id,
        long_running=True,
        request=body,
        response=body,
    )
    operate(
        session,
        finished + 200,
        "Microsoft.Compute/virtualMachineScaleSets/extensions/write",
        scale_set.id + "/extensions/customScript",
        long_running=True,
        request={"properties": {"publisher": "Microsoft.Azure.Extensions", "type": "CustomScript"}},
    )
    bill_compute(
        estate,
        subscription,
        scale_set.id,
        scale_set.size,
        subscription.region,
        count - 3,
        finished,
        finished + draw.uniform(1.5, 3) * DAY,
    )


@scenario(where=is_business, span=5)
def quota_then_fleet(estate, customer, subscription, time):
    """quota requests in several regions and a support ticket, the fleet one to two days later"""
    draw = estate.draw
    user = victim(draw, customer, ("admin",))
    time = odd_hour(draw, customer, time)
    session = intruder_session(estate, subscription, user, time, hosting_address(draw, customer.country), "portal")
    new_regions = far_regions(draw, subscription, draw.randint(3, 6))
    size, family = draw.choice(
        [
            ("Standard_F72s_v2", "standardFSv2Family"),
            ("Standard_D64s_v5", "standardDSv5Family"),
            ("Standard_NC24ads_A100_v4", "StandardNCADSA100v4Family"),
        ]
    )
    for region in new_regions:
        time = operate(
            session,
            time + draw.uniform(15, 90),
            "Microsoft.Quota/quotas/write",
            (
                f"{subscription.path}/providers/Microsoft.Compute/locations/{region}"
                f"/providers/Microsoft.Quota/quotas/{family}"
            ),
            long_running=True,
            request={
                "properties": {
                    "limit": {"limitObjectType": "LimitValue", "value": draw.choice([350, 500, 1000])},
                    "name": {"value": family},
                }
            },
        )
    operate(
        session,
        time + 400,
        "Microsoft.Support/supportTickets/write",
        f"{subscription.path}/providers/Microsoft.Support/supportTickets/{draw.randint(10**15, 10**16)}",
        long_running=True,
    )
    time += draw.uniform(0.9, 2) * DAY
    session = intruder_session(estate, subscription, user, time, hosting_address(draw, customer.country), "cli")
    fleet(
        session,
        time,
        count=draw.randint(10, 30),
        sizes=[size],
        regions=new_regions,
        failures=2,
        stop=time + draw.uniform(0.8, 2.5) * DAY,
    )


@scenario(where=lambda customer, subscription: subscription.kind == "small" and subscription.has_activity_log)
def small_gpu_pair(estate, customer, subscription, time):
    """two or three GPU machines in a small office's subscription from abroad"""
    draw = estate.draw
    user = customer.owner
    time = odd_hour(draw, customer, time)
    session = intruder_session(
        estate,
        subscription,
        user,
        time,
        home_address(draw, draw.choice(["Hanoi", "Jakarta", "Lagos", "Sao Paulo"])),
        "portal",
        how="password",
    )
    fleet(
        session,
        time,
        count=draw.randint(2, 3),
        sizes=[draw.choice(["Standard_NC6s_v3", "Standard_NC16as_T4_v3"])],
        regions=far_regions(draw, subscription, 1),
        failures=2,
        stop=time + draw.uniform(2, 5) * DAY,
    )


@scenario(where=lambda customer, subscription: subscription.kind in ("dev", "prod"), span=10)
def trickle_machines(estate, customer, subscription, time):
    """two or three D4/D8 machines a day for eight days, below any burst, with a legacy principal from one hosting
    address
    """
    draw = estate.draw
    address = hosting_address(draw, customer.country)
    principal = copy.copy(customer.legacy)
    group = "rg-services"
    region = subscription.region
    for day_number in range(8):
        time = odd_hour(draw, customer, time)
        session = principal_session(estate, subscription, principal, time, address)
        if day_number == 0:
            create_group(session, time, group, region)
        for position in range(draw.randint(2, 3)):
            create_machine(
                session,
                time + 60 + position * 400,
                group,
                f"svc-{day_number}{position}",
                draw.choice(["Standard_D4s_v5", "Standard_D8s_v5"]),
                region,
                with_policy=True,
            )
        time += DAY
