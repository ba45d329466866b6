"""The work of data scientists and of render farms."""

from estate.activity import operate
from estate.clock import DAYS, END, HOUR, date_of, is_weekend, local_time, weekday
from estate.costs import machine_cost
from estate.people import new_principal
from estate.presence import azure_session, principal_session, small_hash

FRIDAY_AND_SATURDAY = (4, 5)
RENDER_SIZE = "Standard_F32s_v2"


def study(estate, subscription):
    """Data scientists start and stop machines with graphics cards for their work."""
    draw = estate.draw
    customer = subscription.customer
    scientists = [user for user in customer.users if user.job == "ml"]
    for day in range(DAYS):
        if is_weekend(day):
            continue
        for _ in range(draw.poisson(1.1)):
            study_for_hours(estate, subscription, draw.choice(scientists), day)
        if draw.chance(0.25):
            time = local_time(customer, day, draw.uniform(9, 16))
            scientist = draw.choice(scientists)
            session = azure_session(estate, subscription, scientist, local_time(customer, day, 9))
            operation = "Microsoft.MachineLearningServices/workspaces/listKeys/action"
            operate(session, time, operation, subscription.workspace)


def study_for_hours(estate, subscription, user, day):
    draw = estate.draw
    kind = "Microsoft.MachineLearningServices/workspaces/computes"
    time = local_time(subscription.customer, day, draw.uniform(9, 16))
    session = azure_session(estate, subscription, user, time)
    compute = f"{subscription.workspace}/computes/ci-{user.given_name.lower()}"
    operate(session, time, f"{kind}/start/action", compute, long_running=True)
    stopped = min(time + draw.uniform(2, 7) * HOUR, END - 5)
    operate(session, stopped, f"{kind}/stop/action", compute, long_running=True)
    machine_cost(
        estate,
        subscription,
        day,
        compute,
        "Standard_NC6s_v3" if small_hash(user.id) % 2 else "Standard_NC4as_T4_v3",
        subscription.region,
        draw.uniform(2, 8),
        provider="Microsoft.MachineLearningServices",
    )


def render_at_night(estate, subscription):
    """A pool of spot machines renders from the evening to the morning, larger at the end of the month."""
    draw = estate.draw
    customer = subscription.customer
    account = subscription.batch_account
    farm = new_principal(draw, customer, "sp-render-farm", "cert", address=customer.office)
    for day in range(DAYS):
        if weekday(day) in FRIDAY_AND_SATURDAY:
            continue
        time = local_time(customer, day, draw.uniform(19, 20))
        session = principal_session(estate, subscription, farm, time)
        count = draw.randint(6, 14) if date_of(time).day < 25 else draw.randint(14, 24)
        name = f"night-{day:02d}"
        pool = f"{account}/pools/{name}"
        nodes = {"fixedScale": {"targetDedicatedNodes": 0, "targetLowPriorityNodes": count}}
        operate(session, time, "Microsoft.Batch/batchAccounts/listKeys/action", account)
        operate(
            session,
            time + 9,
            "Microsoft.Batch/batchAccounts/pools/write",
            pool,
            request={"properties": {"vmSize": RENDER_SIZE, "scaleSettings": nodes}},
            response={"name": name, "properties": {"vmSize": RENDER_SIZE, "allocationState": "Resizing"}},
        )
        operate(session, time + 9.5 * HOUR, "Microsoft.Batch/batchAccounts/pools/delete", pool)
        for billed_day, hours in ((day, 4.5), (day + 1, 5)):
            machine_cost(
                estate,
                subscription,
                billed_day,
                pool,
                RENDER_SIZE,
                subscription.region,
                count * hours,
                spot=True,
                provider="Microsoft.Batch",
            )
