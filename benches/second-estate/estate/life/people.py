"""Daily sign-ins of all users, and the guesses of passwords that every tenant sees."""

from estate.clock import DAY, DAYS, HOUR, START, is_weekend, local_time
from estate.model import Device
from estate.networks import home_address, hosting_address, mobile_address
from estate.places import CITIES
from estate.presence import address_of, everyday_session_id, usual_mfa
from estate.sign_ins import sign_in

INTERACTIVE = [("office", "graph"), ("teams", "graph"), ("outlook", "exo"), ("spo", "spo")]
SILENT = [("teams", "graph"), ("outlook", "exo"), ("onedrive", "spo"), ("edge", "graph")]
GUESSED = [("cli", "arm"), ("exo", "exo"), ("outlook", "exo")]
HOMES_OF_GUESSERS = ["Hanoi", "Sao Paulo", "Jakarta", "Lagos", "Bucharest", "Moscow", "Istanbul", "Bangalore"]


def daily_sign_ins(estate, customer):
    for user in customer.users:
        for day in range(DAYS):
            if is_at_work(estate, user, day):
                sign_ins_of_a_day(estate, customer, user, day)
    for day in range(DAYS):
        guesses_of_a_day(estate, customer, day)


def is_at_work(estate, user, day):
    """Some work at weekends, everybody is sometimes ill, and one week in fourteen is leave."""
    draw = estate.draw
    day_begin = START + day * DAY
    weekend = is_weekend(day)
    if user.born > day_begin + 9 * HOUR or (weekend and not draw.chance(0.12)):
        return False
    travels = user.away and user.away[0] < day_begin < user.away[1]
    on_leave = estate.private_random(f"{user.id}/w{day // 7}").random() < 0.07 and not travels
    return not (on_leave or (not weekend and draw.chance(0.05)))


def sign_ins_of_a_day(estate, customer, user, day):
    draw = estate.draw
    weekend = is_weekend(day)
    hour = draw.uniform(7.2, 9.6) + (1.5 if user.late else 0) + (draw.uniform(1, 9) if weekend else 0)
    time = local_time(customer, day, hour)
    address = address_of(estate, customer, user, time)
    session_id = everyday_session_id(estate, user, time)
    if draw.chance(0.45):
        interactive_sign_ins(estate, customer, user, time, address, session_id)
    for _ in range(1 if weekend else draw.poisson(1.0)):
        sign_in(
            estate,
            customer,
            time + draw.uniform(0.1, 8.5) * HOUR,
            user,
            address,
            *draw.choice(SILENT),
            device=user.device,
            agent=user.device_kind,
            interactive=False,
            session_id=session_id,
            mfa=usual_mfa(customer),
        )
    if user.phone and draw.chance(0.3):
        phone_sign_in(estate, customer, user, day, time)


def interactive_sign_ins(estate, customer, user, time, address, session_id):
    """One success, sometimes with a typing error before it or an interruption."""
    draw = estate.draw
    device = {"device": user.device, "agent": user.device_kind}
    if draw.chance(0.05):
        sign_in(
            estate,
            customer,
            time - draw.uniform(15, 60),
            user,
            address,
            **device,
            error=50126,
            session_id=draw.guid(),
            mfa="none",
            conditional_access="notApplied",
        )
    sign_in(
        estate,
        customer,
        time,
        user,
        address,
        *draw.choice(INTERACTIVE),
        **device,
        session_id=session_id,
        mfa=("fresh" if draw.chance(0.3) else "claim") if customer.requires_mfa else "none",
    )
    if draw.chance(0.04):
        error = draw.choice([50140, 50074, 50076])
        sign_in(estate, customer, time - 9, user, address, **device, error=error, session_id=session_id, mfa="none")


def phone_sign_in(estate, customer, user, day, morning):
    """Mail on the phone, by the mobile network or the wireless network where the user lives."""
    draw = estate.draw
    time = local_time(customer, day, draw.uniform(7, 21))
    travels = user.away and user.away[0] <= morning < user.away[1]
    if draw.chance(0.45):
        abroad = travels and user.away[2].city in CITIES
        address = mobile_address(draw, user.away[2].city if abroad else user.city)
    else:
        address = user.away[2] if travels else user.home_address
    phone = Device(
        id=estate.stable_guid(user.id + "ph") if customer.managed else "",
        name="iPhone",
        os="Ios 18.6.2",
        compliant=customer.managed or None,
        managed=customer.managed or None,
        trust="Azure AD registered",
    )
    sign_in(
        estate,
        customer,
        time,
        user,
        address,
        "outmob",
        "exo",
        device=phone,
        agent="ios",
        interactive=False,
        session_id=estate.stable_guid(user.id + "phs"),
        mfa=usual_mfa(customer),
    )


def guesses_of_a_day(estate, customer, day):
    """Guesses of passwords from everywhere that never succeed."""
    draw = estate.draw
    for _ in range(draw.poisson(0.35 + 0.03 * len(customer.users))):
        user = draw.choice(customer.users)
        if draw.chance(0.4):
            address = hosting_address(draw)
        else:
            address = home_address(draw, draw.choice(HOMES_OF_GUESSERS))
        sign_in(
            estate,
            customer,
            START + day * DAY + draw.uniform(0, DAY),
            user,
            address,
            *draw.choice(GUESSED),
            agent=draw.choice(["go", "py", "axios", "win"]),
            error=draw.choice([50126] * 4 + [50053] * 3),
            mfa="none",
            conditional_access="notApplied",
            client=draw.choice(["Mobile Apps and Desktop clients", "Authenticated SMTP", "Other clients", "Browser"]),
            protocol=draw.choice(["none", "ropc"]),
        )
