"""What happens by itself: schedules, backups, autoscale, health events, advice and policies."""

from estate.activity import evaluate_policy, new_session, operate, write_activity
from estate.clock import DAY, DAYS, START, is_weekend, local_time
from estate.formats import iso_date, timestamp
from estate.model import ServicePrincipal
from estate.presence import small_hash

LOW_ALERTS = [
    "Suspicious authentication activity",
    "Antimalware real-time protection was disabled temporarily",
    "Adaptive application control policy violation was audited",
]


def platform_activity(estate, customer, subscription):
    """All of it, day by day."""
    draw = estate.draw
    backup_service = ServicePrincipal(
        id=estate.stable_guid(customer.tenant_id + "bms"),
        app_id="262044b1-e2ce-469f-a196-69ab7ada62d3",
        name="Backup Management Service",
    )
    usual = subscription.kind != "small"
    for day in range(DAYS):
        day_begin = START + day * DAY
        weekend = is_weekend(day)
        if day_begin + DAY < subscription.born:
            continue
        if subscription.automation and not weekend:
            run_schedule(estate, subscription, day)
        if subscription.backup_vault:
            back_up(estate, subscription, backup_service, day)
        if subscription.cluster:
            scale_cluster(estate, subscription, day)
        if subscription.scale_set:
            scale_front(estate, subscription, day)
        if draw.chance(0.06 if usual else 0.01) and subscription.machines:
            report_health(estate, subscription, day_begin)
        if draw.chance(0.02 if usual else 0.004):
            give_advice(estate, subscription, day_begin)
        if draw.chance(0.012) and subscription.machines:
            raise_low_alert(estate, subscription, day_begin)
        if usual and not weekend and draw.chance(0.5):
            check_policies(estate, subscription, day_begin)


def run_schedule(estate, subscription, day):
    """The automation account starts machines in the morning and stops them in the evening."""
    draw = estate.draw
    machines = [machine for machine in subscription.machines if machine.hours == 12]
    if not machines:
        return
    session = new_session(estate, subscription, principal=subscription.automation.principal, application="sp")
    for hour, action in ((7, "start"), (19, "deallocate")):
        time = local_time(subscription.customer, day, hour) + draw.uniform(0, 120)
        for machine in machines:
            operate(session, time, f"Microsoft.Compute/virtualMachines/{action}/action", machine.id)
            time += draw.uniform(1, 9)


def back_up(estate, subscription, backup_service, day):
    """Restore points come, and those of five days ago go."""
    draw = estate.draw
    kind = "Microsoft.Compute/restorePointCollections"
    session = new_session(estate, subscription, principal=backup_service, application="sp")
    time = local_time(subscription.customer, day, 22) + draw.uniform(0, 3000)
    for machine in subscription.machines:
        if not machine.backed_up:
            continue
        today = iso_date(time).replace("-", "")
        collection = f"AzureBackup_{machine.name}_{small_hash(subscription.id)}"
        point = f"AzureBackup_{today}_{draw.randint(100000, 235959)}"
        restore_point = subscription.resource_id(
            f"AzureBackupRG_{subscription.region}_1", kind, f"{collection}/restorePoints/{point}"
        )
        operate(session, time, f"{kind}/restorePoints/write", restore_point)
        if draw.chance(0.5):
            earlier = iso_date(time - 5 * DAY).replace("-", "")
            removed = time + draw.uniform(1800, 3600)
            operate(session, removed, f"{kind}/restorePoints/delete", restore_point.replace(today, earlier))
        time += draw.uniform(30, 200)


def scale_cluster(estate, subscription, day):
    """The cluster changes the number of its nodes."""
    draw = estate.draw
    cluster = subscription.cluster
    kind = "Microsoft.Compute/virtualMachineScaleSets"
    session = new_session(estate, subscription, principal=cluster.principal, application="sp")
    changes = draw.randint(0, 1) if is_weekend(day) else draw.randint(1, 3)
    for hour in sorted(draw.uniform(6, 20) for _ in range(changes)):
        time = local_time(subscription.customer, day, hour)
        size = {
            "name": cluster.size,
            "tier": "Standard",
            "capacity": draw.randint(cluster.lowest, cluster.highest),
        }
        if draw.chance(0.55):
            operate(
                session,
                time,
                f"{kind}/write",
                cluster.scale_set,
                request={"sku": size},
                response={"location": subscription.region, "sku": size},
            )
        else:
            operate(session, time, f"{kind}/delete/action", cluster.scale_set, long_running=True)


def scale_front(estate, subscription, day):
    """Autoscale makes the scale set larger in the morning and smaller in the evening."""
    draw = estate.draw
    scale_set = subscription.scale_set
    for hour, direction in ((draw.uniform(8, 10), "Scaleup"), (draw.uniform(18, 22), "Scaledown")):
        if is_weekend(day) and draw.chance(0.5):
            continue
        time = local_time(subscription.customer, day, hour)
        correlation = draw.guid()
        more = draw.randint(3, scale_set.highest)
        before, after = (2, more) if direction == "Scaleup" else (more, 2)
        write_activity(
            estate,
            subscription,
            time,
            f"Microsoft.Insights/AutoscaleSettings/{direction}/Action",
            subscription.resource_id(
                subscription.resource_groups[0], "Microsoft.Insights/autoscaleSettings", "autoscale-front"
            ),
            "Succeeded",
            properties={
                "Description": (
                    f"The autoscale engine attempting to scale resource '{scale_set.id}' "
                    f"from {before} instances count to {after} instances count."
                ),
                "ResourceName": scale_set.id,
                "OldInstancesCount": str(before),
                "NewInstancesCount": str(after),
                "ActiveAutoscaleProfile": "{}",
                "LastScaleActionTime": timestamp(time),
            },
            category="Autoscale",
            correlation=correlation,
        )


def report_health(estate, subscription, day_begin):
    """A machine is not available for some minutes."""
    draw = estate.draw
    machine = draw.choice(subscription.machines)
    time = day_begin + draw.uniform(0, DAY)
    for state, event, health in (("Active", "Activated", "Unavailable"), ("Resolved", "Resolved", "Available")):
        write_activity(
            estate,
            subscription,
            time,
            f"Microsoft.Resourcehealth/healthevent/{event}/action",
            machine.id,
            state,
            properties={
                "title": "Virtual machine health status changed to unavailable",
                "cause": "PlatformInitiated",
                "currentHealthStatus": health,
                "previousHealthStatus": "Available",
                "type": "Downtime",
            },
            category="ResourceHealth",
            correlation=draw.guid(),
        )
        time += draw.uniform(120, 1200)


def give_advice(estate, subscription, day_begin):
    draw = estate.draw
    write_activity(
        estate,
        subscription,
        day_begin + draw.uniform(0, DAY),
        "Microsoft.Advisor/recommendations/available/action",
        draw.choice(subscription.storage_accounts),
        "Active",
        properties={
            "recommendationSchemaVersion": "1.0",
            "recommendationCategory": "Cost",
            "recommendationImpact": "Medium",
        },
        category="Recommendation",
        correlation=draw.guid(),
    )


def raise_low_alert(estate, subscription, day_begin):
    """A low alert of Defender that means nothing."""
    draw = estate.draw
    machine = draw.choice(subscription.machines)
    time = day_begin + draw.uniform(0, DAY)
    place = f"{subscription.path}/providers/Microsoft.Security/locations/{subscription.region}"
    write_activity(
        estate,
        subscription,
        time,
        "Microsoft.Security/locations/alerts/activate/action",
        f"{place}/alerts/{draw.guid()}",
        "Active",
        properties={
            "CompromisedEntity": machine.name,
            "Severity": "Low",
            "AlertDisplayName": draw.choice(LOW_ALERTS),
        },
        category="Security",
        correlation=draw.guid(),
    )


def check_policies(estate, subscription, day_begin):
    draw = estate.draw
    assignments = f"{subscription.path}/providers/Microsoft.Authorization/policyAssignments"
    service = ServicePrincipal(
        id=estate.stable_guid(subscription.id + "pol"),
        app_id=estate.stable_guid(subscription.id + "pola"),
        name="ASC-deploy-policy",
        managed_identity=f"{assignments}/x",
    )
    session = new_session(estate, subscription, principal=service, application="sp")
    evaluate_policy(
        session,
        day_begin + draw.uniform(0, DAY),
        draw.choice(subscription.storage_accounts + [machine.id for machine in subscription.machines]),
        effect=draw.choice(["audit", "auditIfNotExists", "auditIfNotExists", "deployIfNotExists"]),
    )
