"""The work of administrators and developers, and visits of the partner."""

from estate.activity import new_session, operate
from estate.clock import DAY, DAYS, START, is_weekend, local_time, next_working_hour
from estate.life.tasks import ordinary_task
from estate.people import partner_user
from estate.sign_ins import sign_in

TASKS_A_DAY = {"small": 0.1, "prod": 1.6, "dev": 2.4, "ml": 0.9, "render": 0.6, "web": 1.5}


def office_work(estate, customer):
    draw = estate.draw
    for subscription in customer.established_subscriptions:
        work_in(estate, customer, subscription)
        if customer.partner_maintained and customer.profile in ("mid", "small") and draw.chance(0.7):
            for _ in range(draw.randint(1, 3)):
                partner_visit(estate, customer, subscription)


def work_in(estate, customer, subscription):
    draw = estate.draw
    workers = [user for user in customer.users if user.job in ("admin", "dev", "ml")]
    rate = TASKS_A_DAY[subscription.kind] * (1.6 if customer.profile == "large" else 1)
    for day in range(DAYS):
        if START + day * DAY < subscription.born:
            continue
        for _ in range(draw.poisson(rate * (0.06 if is_weekend(day) else 1))):
            user = draw.choice(workers)
            hour = draw.uniform(8.7, 17.5) if draw.chance(0.95) else draw.uniform(19, 23)
            time = local_time(customer, day, hour)
            if user.born < time:
                ordinary_task(estate, subscription, user, time)


def partner_visit(estate, customer, subscription):
    """An engineer of the partner resizes a machine, changes a network rule or sets a budget."""
    draw = estate.draw
    office = estate.partner.office
    time = next_working_hour(draw, customer, START + draw.uniform(1, 43) * DAY)
    user = partner_user(estate, customer, draw.randint(0, 3))
    draw.random()  # nobody uses it, but it belongs to the stream
    session = new_session(estate, subscription, user, address=office)
    sign_in(estate, customer, time - 60, user, office, "portal", "arm", session_id=session.id)
    task = draw.choice(["machine", "network", "role", "budget"])
    if task == "machine" and subscription.machines:
        machine = draw.choice(subscription.machines)
        operate(session, time, "Microsoft.Compute/virtualMachines/write", machine.id, long_running=True)
    elif task == "network":
        group = draw.choice(subscription.security_groups)
        operate(session, time, "Microsoft.Network/networkSecurityGroups/write", group, long_running=True)
    else:
        budget = f"{subscription.path}/providers/Microsoft.Consumption/budgets/partner"
        request = {"properties": {"amount": draw.randint(2, 40) * 100}}
        operate(session, time, "Microsoft.Consumption/budgets/write", budget, request=request)
