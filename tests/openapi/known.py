"""What the document cannot know of a server, put into the requests that are made from it.

Its examples name things that are made up: those that are there take their places, so that replies to
right requests are seen and not only 404. Some rules JSON Schema has no words for, or not across the
parts of a request: `complete` keeps them. It changes only values of the right form, so that what
was made wrong on purpose stays wrong.
"""

import base64
import os
import re
from datetime import datetime, timedelta, timezone

import requests

URL = os.environ["SERVER_URL"]
BETA = f"{URL}/beta"
HEADERS = {"Authorization": f"Bearer {os.environ['SERVER_TOKEN']}"}
ALERTS = f"{BETA}/security/partner/securityAlerts"
REGISTRATION = f"{URL}/webhooks/v1/registration"
TESTS = f"{REGISTRATION}/validationEvents"

# The server calls these URLs itself, and tests call nobody but this machine.
SUBSCRIBERS = ("notificationUrl", "lifecycleNotificationUrl")
RECEIVER = os.environ["RECEIVER_URL"]
# Nothing listens there, which a registration does not ask.
NOBODY = "https://127.0.0.1:9/receiver"
TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def send(method: str, url: str, **arguments):
    reply = requests.request(method, url, headers=HEADERS, timeout=20, **arguments)
    assert reply.ok, f"{method} {url}: {reply.status_code} {reply.text}"
    return reply.json() if reply.content else None


def ahead() -> str:
    return (datetime.now(timezone.utc) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


ALERT = send("GET", f"{ALERTS}?$top=1")["value"][0]
# A score is known once an alert was resolved.
send("PATCH", f"{ALERTS}/{ALERT['id']}", json={"status": "resolved", "resolvedReason": "fraud"})

# Any RSA certificate will do to encrypt resource data for.
CERTIFICATE = base64.b64encode(requests.get(f"{URL}/webhooks/v1/certificate", timeout=20).content).decode()


def register(method: str):
    send(method, REGISTRATION, json={"WebhookUrl": NOBODY, "WebhookEvents": ["test-created"]})


register("POST")
TEST_ID = send("POST", TESTS)["correlationId"]


def subscribe() -> str:
    return send("POST", f"{BETA}/subscriptions", json={
        "changeType": "updated", "notificationUrl": RECEIVER, "resource": "security/partner/securityAlerts",
        "expirationDateTime": ahead(), "includeResourceData": True,
        "encryptionCertificate": CERTIFICATE, "encryptionCertificateId": "first",
    })["id"]


def rule_to_end() -> str:
    rule = {"detectorId": "crypto_mining", "effect": "low", "reason": "to be taken back by the tests"}
    return "none" if os.environ.get("TENANTWATCH_EXAMPLE") else send("POST", f"{URL}/tenantwatch/v1/tuningRules", json=rule)["id"]


SUBSCRIPTION_ID = subscribe()
EXAMPLES = {
    "5a3b1e00-0001-4000-8000-000000000007": ALERT["id"],
    "5a3b1e00-0002-4000-8000-000000000002": ALERT["subscriptionId"],
    "5a3b1e00-0003-4000-8000-000000000002": ALERT["customerTenantId"],
    "5a3b1e00-0004-4000-8000-000000000001": SUBSCRIPTION_ID,
    "5a3b1e00-0006-4000-8000-000000000001": TEST_ID,
    "mfaEnforcedForAdmins": "securityAlertsPromptlyResolved",
    "5a3b1e00-0007-4000-8000-000000000001": rule_to_end(),
    # The version of an alert changes with every request that changes it.
    'W/"3"': "*",
}


def real(value):
    """The value with what is there in place of what an example names."""
    if isinstance(value, dict):
        return {name: real(member) for name, member in value.items()}
    if isinstance(value, list):
        return [real(item) for item in value]
    return EXAMPLES.get(value, value) if isinstance(value, str) else value


def is_called(value) -> bool:
    """Whether a server might call it: readers of URLs drop spaces and control characters."""
    return isinstance(value, str) and re.sub(r"[\x00-\x20]", "", value).lower().startswith("http")


def complete(case):
    for name, value in (case.path_parameters or {}).items():
        case.path_parameters[name] = real(value)
    if "If-Match" in (case.headers or {}):
        case.headers["If-Match"] = real(case.headers["If-Match"])
    if isinstance(case.body, dict):
        complete_body(case)
    here = (case.method.upper(), case.path)
    if here == ("GET", "/v1/fraudEvents"):
        complete_fraud_events(case)
    elif here == ("POST", "/webhooks/v1/registration/validationEvents"):
        # Test events go only to a receiver that is registered for them.
        register("PUT")
    elif here == ("DELETE", "/beta/subscriptions/{id}") and case.path_parameters["id"] == SUBSCRIPTION_ID:
        case.path_parameters["id"] = subscribe()
    elif case.path.startswith("/tenantwatch/v1/detectors/{id}/settings/"):
        complete_setting(case)
    elif here == ("POST", "/tenantwatch/v1/detectors/{id}/replay") and isinstance(case.body, dict):
        complete_replay(case.body)
    elif here == ("POST", "/tenantwatch/v1/tuningRules") and isinstance(case.body, dict):
        complete_rule(case.body)
    elif here == ("POST", "/beta/$batch") and isinstance(case.body, dict):
        complete_batch(case.body.get("requests"))


def complete_body(case):
    body = case.body = real(case.body)
    for name in SUBSCRIBERS:
        if is_called(body.get(name)):
            body[name] = RECEIVER
    if is_called(body.get("WebhookUrl")):
        body["WebhookUrl"] = NOBODY
    end = body.get("expirationDateTime")
    if isinstance(end, str) and TIME.fullmatch(end):
        body["expirationDateTime"] = ahead()


def is_time(value) -> bool:
    return isinstance(value, str) and TIME.fullmatch(value) is not None


def is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def complete_setting(case):
    """A number is for a customer or a subscription, and lies within the bounds of its setting."""
    query = case.query or {}
    if "customer" in query and "subscription" in query:
        del query["subscription"]
    if isinstance(case.body, dict) and is_number(case.body.get("value")):
        case.body["value"] = 5


def complete_replay(body):
    """The time lies in the past, and has an end after its beginning; the rest as of a setting."""
    if is_time(body.get("sinceDateTime")):
        body["sinceDateTime"] = "2025-10-01T00:00:00Z"
        if body.get("untilDateTime") is None or is_time(body["untilDateTime"]):
            body["untilDateTime"] = "2025-11-01T00:00:00Z"
    settings = body.get("settings")
    for change in settings if isinstance(settings, list) else []:
        if not isinstance(change, dict):
            continue
        if change.get("customerTenantId") is not None and isinstance(change.get("subscriptionId"), str):
            change["subscriptionId"] = None
        if is_number(change.get("value")):
            change["value"] = 5


def complete_rule(body):
    """The detector is there, and the end lies after the beginning."""
    if isinstance(body.get("detectorId"), str):
        body["detectorId"] = "crypto_mining"
    if is_time(body.get("fromDateTime")):
        body["fromDateTime"] = "2031-02-01T00:00:00Z"
    if is_time(body.get("untilDateTime")):
        body["untilDateTime"] = "2031-03-01T00:00:00Z"


def complete_fraud_events(case):
    """Three parameters are the newer model's, which a header asks for; two of them go together."""
    query = case.query or {}
    pages = [name for name in ("PageSize", "PageNumber") if name in query]
    if len(pages) == 1:
        query["PageNumber" if pages == ["PageSize"] else "PageSize"] = 1
    if pages or "EventType" in query:
        if case.headers.get("X-NewEventsModel", "false").lower() == "false":
            case.headers["X-NewEventsModel"] = "true"


def complete_batch(requests):
    """Ids differ, requests depend only on ones before, and what has a body says of which type it is."""
    ids = []
    for request in requests if isinstance(requests, list) else []:
        if not isinstance(request, dict):
            continue
        own = request.get("id")
        if isinstance(own, str) and own:
            while request["id"].lower() in ids:
                request["id"] += "x"
            own = request["id"].lower()
        for name in ("dependsOn", "depends_on"):
            before = request.get(name)
            if isinstance(before, list) and all(isinstance(one, str) for one in before):
                request[name] = [one for one in before if one.lower() in ids]
        headers = request.get("headers") or {}
        if request.get("body") is not None and isinstance(headers, dict):
            request["headers"] = {"Content-Type": "application/json", **headers}
        if isinstance(own, str):
            ids.append(own)
