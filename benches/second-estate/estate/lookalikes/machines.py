"""Harmless work with many machines."""

from estate.activity import operate
from estate.clock import DAY, END, HOUR, START, day_of, local_time, next_working_hour, weekday
from estate.intruders import bill_compute, far_regions, victim
from estate.operations import (
    create_group,
    create_machine,
    deallocate,
    delete_group,
    delete_machine,
    grant_role,
    machine_body,
    start_machine,
)
from estate.presence import azure_session, principal_session
from estate.scenarios import scenario


@scenario(where=lambda customer, subscription: subscription.kind == "prod")
def migration_80_vms(estate, customer, subscription, time):
    """60-80 machines over three working days by an engineer from the office, tags with a change number"""
    draw = estate.draw
    user = victim(draw, customer, ("admin",))
    count = draw.randint(60, 80)
    number = 0
    group = "rg-migration-wave1"
    change = f"CHG00{draw.randint(10000, 99999)}"
    for wave in range(3):
        time = next_working_hour(draw, customer, time, 8.5, 9.5)
        session = azure_session(estate, subscription, user, time)
        if wave == 0:
            create_group(session, time, group, subscription.region)
        for _ in range(count // 3):
            create_machine(
                session,
                time + 60,
                group,
                f"{customer.prefix.lower()}-mig-{number:03d}",
                draw.choice(["Standard_D4s_v5", "Standard_D8s_v5", "Standard_E4s_v5", "Standard_D2s_v5"]),
                subscription.region,
                tags={"change": change, "project": "datacenter-exit"},
                with_policy=draw.chance(0.5),
            )
            number += 1
            time += draw.uniform(60, 900)
        time = START + (day_of(time) + 1) * DAY


@scenario(where=lambda customer, subscription: customer.pipeline and subscription.kind in ("dev", "prod", "web"))
def load_test(estate, customer, subscription, time):
    """20-30 D8 machines for four hours by the pipeline, then deleted"""
    draw = estate.draw
    time = next_working_hour(draw, customer, time, 10, 14)
    session = principal_session(estate, subscription, customer.pipeline, time)
    group = "rg-loadtest"
    create_group(session, time, group, subscription.region)
    machines = [
        create_machine(
            session,
            time + 9 + 3 * number,
            group,
            f"load-{number:02d}",
            "Standard_D8s_v5",
            subscription.region,
            tags={"purpose": "loadtest"},
        )
        for number in range(draw.randint(20, 30))
    ]
    time += draw.uniform(3, 5) * HOUR
    session = principal_session(estate, subscription, customer.pipeline, time)
    for machine in machines:
        delete_machine(session, time, machine)
        time += 2
    delete_group(session, time + 90, group)


@scenario(where=lambda customer, subscription: customer.terraform and subscription.kind in ("prod", "web"))
def region_rollout(estate, customer, subscription, time):
    """the usual terraform principal builds the product in a region never used before"""
    draw = estate.draw
    time = next_working_hour(draw, customer, time, 9, 12)
    session = principal_session(estate, subscription, customer.terraform, time)
    region = far_regions(draw, subscription, 1)[0]
    group = f"rg-prod-{region}"
    create_group(session, time, group, region)
    change = f"CHG00{draw.randint(10000, 99999)}"
    for kind in (
        "Microsoft.Network/virtualNetworks",
        "Microsoft.Storage/storageAccounts",
        "Microsoft.KeyVault/vaults",
        "Microsoft.Network/applicationGateways",
    ):
        time = operate(
            session,
            time + 9,
            kind + "/write",
            subscription.resource_id(group, kind, draw.word(8)),
            long_running=True,
            request={"location": region, "tags": {"change": change}},
        )
    for number in range(draw.randint(6, 12)):
        create_machine(
            session,
            time,
            group,
            f"{customer.prefix.lower()}-app-{region[:3]}{number}",
            "Standard_D4s_v5",
            region,
            tags={"change": change},
        )
        time += 15


@scenario(
    where=lambda customer, subscription: (
        subscription.backup_vault and len(subscription.machines) >= 5 and (subscription.kind in ("prod", "web"))
    )
)
def dr_exercise(estate, customer, subscription, time):
    """announced exercise at the weekend: production machines deallocated, copies made in the pair region by an admin,
    removed next day
    """
    draw = estate.draw
    user = victim(draw, customer, ("admin",))
    day = day_of(time)
    while weekday(day) != 5:
        day += 1
    time = local_time(customer, day, 8)
    session = azure_session(estate, subscription, user, time)
    region = far_regions(draw, subscription, 1)[0]
    machines = []
    group = "rg-dr-failover"
    create_group(session, time, group, region)
    for machine in subscription.machines:
        time = deallocate(session, time, machine) + 9
    for machine in subscription.machines:
        machines.append(
            create_machine(
                session, time, group, machine.name + "-test", machine.size, region, tags={"dr": "exercise-2026"}
            )
        )
        time += draw.uniform(30, 90)
    time = local_time(customer, day + 1, 10)
    session = azure_session(estate, subscription, user, time)
    for machine in machines:
        time = delete_machine(session, time, machine)
    delete_group(session, time, group)
    for machine in subscription.machines:
        time = start_machine(session, time, machine) + 4


@scenario(where=lambda customer, subscription: customer.terraform and subscription.kind == "dev", times=2)
def terraform_bulk_delete(estate, customer, subscription, time):
    """terraform destroys a test environment: 40-70 deletions within minutes, storage and vaults among them"""
    draw = estate.draw
    time = next_working_hour(draw, customer, time, 11, 17)
    session = principal_session(estate, subscription, customer.terraform, time)
    group = "rg-qa-old"
    for _ in range(draw.randint(40, 70)):
        kind = draw.choice(
            [
                "Microsoft.Compute/virtualMachines",
                "Microsoft.Network/networkInterfaces",
                "Microsoft.Compute/disks",
                "Microsoft.Storage/storageAccounts",
                "Microsoft.KeyVault/vaults",
                "Microsoft.Web/sites",
                "Microsoft.Network/networkSecurityGroups",
                "Microsoft.Sql/servers/databases",
            ]
        )
        operate(
            session,
            time,
            kind + "/delete",
            subscription.resource_id(group, kind, f"qa-{draw.word(4)}"),
            long_running=True,
        )
        time += draw.uniform(1, 12)
    delete_group(session, time + 60, group)


@scenario(where=lambda customer, subscription: subscription.purpose == "lz")
def landing_zone_subscription(estate, customer, subscription, time):
    """platform pipeline vends a new subscription and its baseline, then machines of the first project"""
    draw = estate.draw
    time = subscription.born + 60
    session = principal_session(estate, subscription, customer.terraform, time)
    grant_role(session, time, customer.owner.id, "User", "Owner")
    grant_role(session, time + 9, customer.pipeline.id, "ServicePrincipal", "Contributor")
    for operation, resource in [
        (
            "Microsoft.Authorization/policyAssignments/write",
            subscription.path + "/providers/Microsoft.Authorization/policyAssignments/baseline",
        ),
        (
            "Microsoft.Insights/diagnosticSettings/write",
            subscription.path + "/providers/Microsoft.Insights/diagnosticSettings/to-soc",
        ),
        (
            "Microsoft.Security/pricings/write",
            subscription.path + "/providers/Microsoft.Security/pricings/VirtualMachines",
        ),
        ("Microsoft.Consumption/budgets/write", subscription.path + "/providers/Microsoft.Consumption/budgets/monthly"),
    ]:
        time = operate(session, time + 9, operation, resource)
    create_group(session, time, "rg-project", subscription.region)
    for number in range(draw.randint(5, 9)):
        create_machine(
            session, time + 60 + number * 20, "rg-project", f"prj-{number:02d}", "Standard_D4s_v5", subscription.region
        )


@scenario(where=lambda customer, subscription: subscription.kind in ("prod", "web", "ml"), span=5)
def planned_quota(estate, customer, subscription, time):
    """cloud engineer asks for quota in the own and the pair region, machines some days later"""
    draw = estate.draw
    user = victim(draw, customer, ("admin",))
    time = next_working_hour(draw, customer, time)
    session = azure_session(estate, subscription, user, time)
    for region in [subscription.region] + far_regions(draw, subscription, 1):
        time = operate(
            session,
            time + 60,
            "Microsoft.Quota/quotas/write",
            (
                f"{subscription.path}/providers/Microsoft.Compute/locations/{region}"
                "/providers/Microsoft.Quota/quotas/standardDSv5Family"
            ),
            long_running=True,
            request={"properties": {"limit": {"limitObjectType": "LimitValue", "value": 200}}},
        )
    operate(
        session,
        time + 200,
        "Microsoft.Support/supportTickets/write",
        f"{subscription.path}/providers/Microsoft.Support/supportTickets/{draw.randint(10**15, 10**16)}",
        long_running=True,
    )
    time = next_working_hour(draw, customer, time + 3 * DAY)
    session = azure_session(estate, subscription, user, time)
    for number in range(4):
        create_machine(
            session,
            time + number * 200,
            subscription.resource_groups[0],
            f"{customer.prefix.lower()}-big-{number}",
            "Standard_D16s_v5",
            subscription.region,
            tags={"project": "erp-2027"},
        )


@scenario(where=lambda customer, subscription: subscription.kind == "prod" and len(subscription.machines) >= 4, span=4)
def month_end_resize(estate, customer, subscription, time):
    """ERP machines made four times larger for month end and back"""
    draw = estate.draw
    user = victim(draw, customer, ("admin",))
    time = next_working_hour(
        draw, customer, max(time, START + 11.2 * DAY) if time < START + 13 * DAY else START + 41.2 * DAY
    )
    session = azure_session(estate, subscription, user, time)
    for machine in subscription.machines[:4]:
        deallocate(session, time, machine)
        body = machine_body(machine.region, "Standard_E32s_v5")
        finished = operate(
            session,
            time + 90,
            "Microsoft.Compute/virtualMachines/write",
            machine.id,
            long_running=True,
            request=body,
            response=body,
        )
        start_machine(session, finished, machine)
        bill_compute(
            estate, subscription, machine.id, "Standard_E32s_v5", machine.region, 1, finished, finished + 2.5 * DAY
        )
        time = finished + 60
    time = next_working_hour(draw, customer, time + 2 * DAY)
    if time < END - HOUR:
        session = azure_session(estate, subscription, user, time)
        for machine in subscription.machines[:4]:
            body = machine_body(machine.region, machine.size)
            time = operate(
                session,
                time + 90,
                "Microsoft.Compute/virtualMachines/write",
                machine.id,
                long_running=True,
                request=body,
                response=body,
            )
