"""Every operation of the document against a running server: what it sends must be what it says."""

import os

import formats  # noqa: F401  (registers the values of our formats)
import requests
import schemathesis
from hypothesis import HealthCheck, settings

HEADERS = {"Authorization": f"Bearer {os.environ['SERVER_TOKEN']}"}
URL = f"{os.environ['SERVER_URL']}/beta"
schema = schemathesis.openapi.from_url(f"{URL}/openapi.json")

# The alert of the document's examples is made up; one that is there takes its place.
EXAMPLE_ID = schema.raw_schema["components"]["parameters"]["alertId"]["example"]
PAGE = requests.get(f"{URL}/security/partner/securityAlerts?$top=1", headers=HEADERS, timeout=10).json()
ALERT_ID = PAGE["value"][0]["id"]

# The server calls these URLs itself, and tests call nobody but this machine. Nothing listens there.
RECEIVERS = ("notificationUrl", "lifecycleNotificationUrl", "WebhookUrl")
NOBODY = "https://127.0.0.1:9/receiver"


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.path_parameters and case.path_parameters.get("id") == EXAMPLE_ID:
        case.path_parameters["id"] = ALERT_ID
    if isinstance(case.body, dict):
        sent = [name for name in RECEIVERS if isinstance(case.body.get(name), str)]
        case.body.update(dict.fromkeys(sent, NOBODY))


@schema.parametrize()
@settings(max_examples=30, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_operation(case):
    case.call_and_validate(headers=HEADERS)
