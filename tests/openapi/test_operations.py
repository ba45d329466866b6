"""Every operation of the document against a running server: what it sends must be what it says."""

import os

import formats  # noqa: F401  (registers the values of our formats)
import known
import schemathesis
from hypothesis import HealthCheck, settings

schema = schemathesis.openapi.from_url(f"{known.BETA}/openapi.json")
if os.environ.get("TENANTWATCH_EXAMPLE"):
    # The rest of the server, which the document describes as well, is not there.
    schema = schema.exclude(path_regex="^/(health|metrics|demo/|ingest/|tenantwatch/)")


@schemathesis.hook
def before_call(context, case, kwargs):
    known.complete(case)


@schemathesis.hook
def filter_case(context, case):
    """Leaves out what is wrong only in parameters without a value: the client sends nothing of them."""
    return all(value not in ([], {}, None) for value in (case.query or {}).values())


@schema.parametrize()
@settings(max_examples=30, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_operation(case):
    case.call_and_validate()
