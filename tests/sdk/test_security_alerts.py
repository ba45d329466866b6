"""What a program written against Microsoft Graph does with partner security alerts."""

import asyncio
from datetime import datetime, timezone

import httpx
import pytest
from conftest import READ, READ_WRITE, make_client
from kiota_abstractions.api_error import APIError
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph_beta.generated.models.o_data_errors.o_data_error import ODataError
from msgraph_beta.generated.models.partner.security.partner_security_alert import PartnerSecurityAlert
from msgraph_beta.generated.models.partner.security.security_alert_resolved_reason import SecurityAlertResolvedReason
from msgraph_beta.generated.models.partner.security.security_alert_severity import SecurityAlertSeverity
from msgraph_beta.generated.models.partner.security.security_alert_status import SecurityAlertStatus
from msgraph_beta.generated.security.partner.security_alerts.security_alerts_request_builder import (
    SecurityAlertsRequestBuilder,
)
from msgraph_core.tasks.page_iterator import PageIterator

Query = SecurityAlertsRequestBuilder.SecurityAlertsRequestBuilderGetQueryParameters


# The SDK's connections belong to the loop that opened them, so all calls share one.
LOOP = asyncio.new_event_loop()


def run(coroutine):
    return LOOP.run_until_complete(coroutine)


def alerts_of(client, **query):
    """One page of alerts."""
    configuration = RequestConfiguration(query_parameters=Query(**query))
    return client.security.partner.security_alerts.get(request_configuration=configuration)


def test_list_gives_typed_alerts(reader):
    page = run(alerts_of(reader))
    assert page.value, "the demo's estate has alerts"
    for alert in page.value:
        assert isinstance(alert, PartnerSecurityAlert)
        assert alert.id and alert.alert_type and alert.display_name and alert.subscription_id
        assert alert.customer_tenant_id != "00000000-0000-0000-0000-000000000000"
        assert isinstance(alert.severity, SecurityAlertSeverity)
        assert isinstance(alert.status, SecurityAlertStatus)
        assert alert.detected_date_time <= datetime.now(timezone.utc)
        assert alert.first_observed_date_time <= alert.last_observed_date_time
        assert alert.is_test is False
        assert alert.additional_details.additional_data["DetectorId"]


def test_filter_leaves_what_was_asked_for(reader):
    everything = run(alerts_of(reader, top=1000)).value
    high = run(alerts_of(reader, filter="severity eq 'high' and status eq 'active'", top=1000)).value
    expected = {a.id for a in everything
                if a.severity == SecurityAlertSeverity.High and a.status == SecurityAlertStatus.Active}
    assert {a.id for a in high} == expected and expected

    one = everything[0]
    same = run(alerts_of(reader, filter=f"subscriptionId eq '{one.subscription_id}' and contains(alertType, '_')"))
    assert all(a.subscription_id == one.subscription_id and "_" in a.alert_type for a in same.value)
    since = one.detected_date_time.strftime("%Y-%m-%dT%H:%M:%SZ")
    later = run(alerts_of(reader, filter=f"detectedDateTime ge {since}", top=1000)).value
    assert one.id in {a.id for a in later}
    detector = one.additional_details.additional_data["DetectorId"]
    nested = run(alerts_of(reader, filter=f"additionalDetails/DetectorId eq '{detector}'", top=1000)).value
    assert {a.id for a in nested} == {
        a.id for a in everything if a.additional_details.additional_data["DetectorId"] == detector}


def test_select_gives_only_what_was_asked_for(reader):
    page = run(alerts_of(reader, select=["id", "status"], top=3))
    for alert in page.value:
        assert alert.id and alert.status
        assert alert.display_name is None and alert.severity is None and alert.subscription_id is None


def test_count_counts_all_and_not_only_the_page(reader):
    everything = run(alerts_of(reader, top=1000)).value
    page = run(alerts_of(reader, count=True, top=2))
    assert page.odata_count == len(everything)
    assert len(page.value) == 2
    counted = run(reader.security.partner.security_alerts.count.get())
    assert counted == len(everything)


def test_orderby_sorts_severity_by_meaning(reader):
    rank = {SecurityAlertSeverity.High: 3, SecurityAlertSeverity.Medium: 2, SecurityAlertSeverity.Low: 1,
            SecurityAlertSeverity.Informational: 0}
    alerts = run(alerts_of(reader, orderby=["severity desc", "detectedDateTime asc"], top=1000)).value
    keys = [(-rank[a.severity], a.detected_date_time) for a in alerts]
    assert keys == sorted(keys)


def test_pages_give_every_alert_once(reader):
    everything = [a.id for a in run(alerts_of(reader, top=1000)).value]

    async def collect():
        first = await alerts_of(reader, top=3)
        assert first.odata_next_link.startswith("http://127.0.0.1:")
        seen = []

        def visit(alert):
            seen.append(alert.id)
            return True

        iterator = PageIterator(first, reader.request_adapter)
        await iterator.iterate(visit)
        return seen

    assert run(collect()) == everything

    async def by_link():
        page, ids = await alerts_of(reader, top=4), []
        while True:
            ids += [a.id for a in page.value]
            if not page.odata_next_link:
                return ids
            page = await reader.security.partner.security_alerts.with_url(page.odata_next_link).get()

    assert run(by_link()) == everything


def test_get_gives_one_alert_whole(reader):
    listed = run(alerts_of(reader, top=1)).value[0]
    alert = run(reader.security.partner.security_alerts.by_partner_security_alert_id(listed.id).get())
    assert alert.id == listed.id
    assert alert.description == listed.description
    assert [r.resource_id for r in alert.affected_resources] == [r.resource_id for r in listed.affected_resources]


def test_patch_moves_an_alert_and_logs_it(writer):
    alert = run(alerts_of(writer, filter="status eq 'active'", top=1)).value[0]
    item = writer.security.partner.security_alerts.by_partner_security_alert_id(alert.id)

    taken = run(item.patch(PartnerSecurityAlert(status=SecurityAlertStatus.Investigating)))
    assert taken.status == SecurityAlertStatus.Investigating
    resolved = run(item.patch(PartnerSecurityAlert(
        status=SecurityAlertStatus.Resolved, resolved_reason=SecurityAlertResolvedReason.Fraud)))
    assert resolved.status == SecurityAlertStatus.Resolved
    assert resolved.resolved_reason == SecurityAlertResolvedReason.Fraud
    assert resolved.resolved_by == "ann@partner.example"
    assert resolved.resolved_on_date_time
    moves = [(log.status_from, log.status_to, log.updated_by) for log in resolved.activity_logs]
    assert moves == [
        (SecurityAlertStatus.Active, SecurityAlertStatus.Investigating, "ann@partner.example"),
        (SecurityAlertStatus.Investigating, SecurityAlertStatus.Resolved, "ann@partner.example"),
    ]
    assert run(item.get()).status == SecurityAlertStatus.Resolved

    reopened = run(item.patch(PartnerSecurityAlert(status=SecurityAlertStatus.Active)))
    assert reopened.resolved_by is None and reopened.resolved_reason is None
    assert len(reopened.activity_logs) == 3


def test_errors_are_graphs(server, reader):
    def failure(coroutine):
        with pytest.raises(ODataError) as caught:
            run(coroutine)
        return caught.value

    wrong_filter = failure(alerts_of(reader, filter="severty eq 'high'"))
    assert wrong_filter.response_status_code == 400
    assert wrong_filter.error.code == "BadRequest"
    assert "'severty'" in wrong_filter.error.message and " at 0" in wrong_filter.error.message

    item = reader.security.partner.security_alerts.by_partner_security_alert_id
    assert failure(item("no-such-alert").get()).response_status_code == 404
    refused = failure(item("x").patch(PartnerSecurityAlert(status=SecurityAlertStatus.Active)))
    assert refused.response_status_code == 403
    assert READ_WRITE in refused.error.message

    nobody = failure(alerts_of(make_client(server, "not-a-token")))
    assert nobody.response_status_code == 401
    assert nobody.error.code == "InvalidAuthenticationToken"


def test_another_partner_sees_nothing(server, reader):
    alert = run(alerts_of(reader, top=1)).value[0]
    other = make_client(server, server.token("--scope", READ, "--partner-tenant", "7e4a9c1e-bbbb-4000-8000-000000000002"))
    assert run(alerts_of(other)).value == []
    with pytest.raises(APIError) as caught:
        run(other.security.partner.security_alerts.by_partner_security_alert_id(alert.id).get())
    assert caught.value.response_status_code == 404


def test_raw_requests_that_go_wrong(server):
    """What the SDK never sends, but somebody will."""
    token = server.token("--scope", READ_WRITE, "--user", "ann@partner.example")
    headers = {"Authorization": f"Bearer {token}"}
    base = f"{server.url}/beta/security/partner/securityAlerts"
    alert = httpx.get(base, headers=headers).json()["value"][0]["id"]

    def check(reply, status, *words):
        assert reply.status_code == status, reply.text
        error = reply.json()["error"]
        assert error["innerError"]["request-id"] == reply.headers["request-id"]
        for word in words:
            assert word in error["message"], error["message"]

    check(httpx.get(base), 401, "empty")
    assert httpx.get(base).headers["WWW-Authenticate"].startswith("Bearer realm=\"\", authorization_uri=")
    check(httpx.get(base, params={"$filter": "severity eq"}, headers=headers), 400, "$filter", "11")
    check(httpx.get(base, params={"$expand": "x"}, headers=headers), 400, "$expand")
    check(httpx.get(base, params={"$skiptoken": "AAAA"}, headers=headers), 400, "$skiptoken")
    json_headers = {**headers, "Content-Type": "application/json"}
    check(httpx.patch(f"{base}/{alert}", content="{", headers=json_headers), 400, "JSON")
    check(httpx.patch(f"{base}/{alert}", json={"status": "done"}, headers=headers), 400, "'done'", "investigating")
    check(httpx.patch(f"{base}/{alert}", json={"status": 7}, headers=headers), 400, "status")
    check(httpx.patch(f"{base}/{alert}", json={"colour": "red", "status": "active"}, headers=headers), 400, "colour")
    check(httpx.patch(f"{base}/{alert}", json={"status": "active", "severity": "informational"}, headers=headers), 400, "severity")
    check(httpx.patch(f"{base}/{alert}", content=b"x" * 2_000_000, headers=json_headers), 413)
    check(httpx.patch(f"{base}/{alert}", content="status=active", headers=headers | {"Content-Type": "text/plain"}), 415)
    check(httpx.delete(f"{base}/{alert}", headers=headers), 405, "PATCH")
    check(httpx.get(f"{server.url}/beta/users", headers=headers), 404, "/beta/users")
