"""How times and objects are written in the records."""

import json

from estate.clock import date_of


def timestamp(time):
    """ISO 8601 with seven decimals, as Azure writes it."""
    second = int(time)
    return f"{date_of(second):%Y-%m-%dT%H:%M:%S}.{int((time - second) * 1e7):07d}Z"


def short_timestamp(time):
    """ISO 8601 with milliseconds and an offset, as sign-ins have it inside of their properties."""
    text = timestamp(time)
    return f"{text[:19]}.{text[20:23]}+00:00"


def iso_time(time):
    return date_of(int(time)).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_date(time):
    return iso_time(time)[:10]


def compact_json(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
