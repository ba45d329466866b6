"""The calendar of the estate: its 45 days, working hours and time zones. Times are seconds since 1970."""

import math
from datetime import UTC, datetime

HOUR = 3600.0
DAY = 86400.0
DAYS = 45
END = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
START = END - DAYS * 86400

END_OF_SUMMER_IN_EUROPE = datetime(2026, 10, 25, 1, tzinfo=UTC).timestamp()
SUMMER_IN_AUSTRALIA = datetime(2026, 10, 3, 16, tzinfo=UTC).timestamp()

SATURDAY = 5


def date_of(time):
    return datetime.fromtimestamp(time, UTC)


def day_of(time):
    """The number of the day of a time, from 0 to DAYS - 1."""
    return int((time - START) // DAY)


def day_start(time):
    return START + math.floor((time - START) / DAY) * DAY


def weekday(day):
    return date_of(START + day * DAY + 12 * HOUR).weekday()


def is_weekend(day):
    return weekday(day) >= SATURDAY


def is_month_end(day):
    number = date_of(START + day * DAY).day
    return number >= 28 or number <= 1


def utc_offset(country, time):
    """Hours that the clocks of a country are ahead of UTC."""
    summer = time < END_OF_SUMMER_IN_EUROPE
    if country in ("GB", "PT"):
        return 1 if summer else 0
    if country in ("US", "CA"):
        return -5
    if country == "AU":
        return 10 if time < SUMMER_IN_AUSTRALIA else 11
    if country == "SG":
        return 8
    return 2 if summer else 1


def local_time(customer, day, hour):
    """The time when the clocks of a customer show the hour on a day."""
    return START + day * DAY + (hour - utc_offset(customer.country, START + day * DAY + 12 * HOUR)) * HOUR


def next_working_hour(draw, customer, time, earliest=9, latest=16.5):
    """A working hour of the customer at or after the time."""
    day = day_of(time)
    while True:
        moment = local_time(customer, day, draw.uniform(earliest, latest))
        if not is_weekend(day) and moment >= time:
            return moment
        day += 1


def odd_hour(draw, customer, time):
    """An hour that suits an intruder: more often the night of the victim than the working day."""
    day = day_of(time)
    return local_time(customer, day, draw.uniform(9, 17) if draw.chance(0.4) else draw.uniform(-2, 5))


def billed_share(day):
    """How much of a day the cost export knows already: its last two days are not complete."""
    if day < DAYS - 2:
        return 1.0
    return 0.82 if day == DAYS - 2 else 0.45
