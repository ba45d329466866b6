/** What a program written with Microsoft's JavaScript client does with partner security alerts. */

import assert from "node:assert/strict";
import { test } from "node:test";
import graph from "@microsoft/microsoft-graph-client";

const { BatchRequestContent, BatchResponseContent, Client, PageIterator } = graph;

const ALERTS = "/security/partner/securityAlerts";

function clientOf(url, token) {
  return Client.init({
    baseUrl: `${url}/`,
    defaultVersion: "beta",
    customHosts: new Set([new URL(url).hostname]),
    authProvider: (done) => done(null, token),
  });
}

const client = clientOf(process.env.TENANTWATCH_URL, process.env.TENANTWATCH_TOKEN);
const reader = clientOf(process.env.TENANTWATCH_URL, process.env.TENANTWATCH_READ_TOKEN);

test("a list has Graph's shape, and links that the client follows", async () => {
  const page = await client.api(ALERTS).top(4).get();
  assert.equal(page.value.length, 4);
  assert.equal(page["@odata.context"], `${process.env.TENANTWATCH_URL}/beta/$metadata#security/partner/securityAlerts`);
  assert.ok(page["@odata.nextLink"].startsWith(`${process.env.TENANTWATCH_URL}/beta/`));
  const next = await client.api(page["@odata.nextLink"]).get();
  assert.equal(next.value.length, 4);
  assert.ok(!page.value.some((alert) => next.value.some((other) => other.id === alert.id)));
});

test("the page iterator gives each alert once", async () => {
  const total = Number(await client.api(`${ALERTS}/$count`).get());
  const ids = [];
  const first = await client.api(ALERTS).top(3).get();
  await new PageIterator(client, first, (alert) => { ids.push(alert.id); return true; }).iterate();
  assert.equal(ids.length, total);
  assert.equal(new Set(ids).size, total);
});

test("every query option of a list does what it says", async () => {
  const high = await client.api(ALERTS).filter("severity eq 'high' and not(status eq 'resolved')").get();
  assert.ok(high.value.length > 0 && high.value.every((alert) => alert.severity === "high"));
  const selected = await client.api(ALERTS).select(["id", "status"]).top(2).get();
  for (const alert of selected.value) {
    assert.deepEqual(Object.keys(alert).filter((name) => !name.startsWith("@")), ["id", "status"]);
  }
  const ordered = await client.api(ALERTS).orderby("detectedDateTime").top(50).get();
  const times = ordered.value.map((alert) => Date.parse(alert.detectedDateTime));
  assert.deepEqual(times, [...times].sort((a, b) => a - b));
  const counted = await client.api(ALERTS).count(true).top(1).get();
  assert.equal(counted["@odata.count"], Number(await client.api(`${ALERTS}/$count`).get()));
  const skipped = await client.api(ALERTS).orderby("detectedDateTime").skip(2).top(1).get();
  assert.equal(skipped.value[0].id, ordered.value[2].id);
  const found = await client.api(ALERTS).search("mining").get();
  assert.ok(found.value.length > 0 && found.value.every((alert) => /mining/i.test(JSON.stringify(alert))));
  const nested = await client.api(ALERTS)
    .filter("affectedResources/any(r:contains(r/resourceId,'virtualMachines'))").get();
  assert.ok(nested.value.length > 0);
  assert.ok(nested.value.every((alert) => alert.affectedResources.some((r) => r.resourceId.includes("virtualMachines"))));
});

test("get, patch with an ETag, and a stale ETag", async () => {
  const [{ id }] = (await client.api(ALERTS).filter("status eq 'active'").top(1).get()).value;
  const alert = await client.api(`${ALERTS}/${id}`).get();
  const tag = alert["@odata.etag"];
  const changed = await client.api(`${ALERTS}/${id}`).header("If-Match", tag)
    .patch({ status: "resolved", resolvedReason: "fraud" });
  assert.equal(changed.status, "resolved");
  assert.equal(changed.resolvedReason, "fraud");
  assert.equal(changed.resolvedBy, "ann@partner.example");
  const log = changed.activityLogs.at(-1);
  assert.deepEqual([log.statusFrom, log.statusTo, log.updatedBy], ["active", "resolved", "ann@partner.example"]);
  await assert.rejects(
    client.api(`${ALERTS}/${id}`).header("If-Match", tag).patch({ status: "active" }),
    (error) => error.statusCode === 412 && error.code === "resourceModified",
  );
  // Clients send whole objects back.
  const whole = await client.api(`${ALERTS}/${id}`).patch({ ...changed, status: "active", resolvedReason: null });
  assert.equal(whole.status, "active");
  const nothing = await client.api(`${ALERTS}/${id}`).header("Prefer", "return=minimal").patch({ status: "investigating" });
  assert.equal(nothing, undefined);
});

test("a batch with dependencies", async () => {
  const [{ id }] = (await client.api(ALERTS).orderby("id").top(1).get()).value;
  const url = `${process.env.TENANTWATCH_URL}/beta${ALERTS}/${encodeURIComponent(id)}`;
  const json = { "Content-Type": "application/json" };
  const batch = new BatchRequestContent([
    { id: "1", request: new Request(url, { method: "PATCH", headers: json, body: JSON.stringify({ status: "investigating" }) }) },
    { id: "2", request: new Request(url, { method: "GET" }), dependsOn: ["1"] },
    { id: "3", request: new Request(`${url}-none`, { method: "GET" }), dependsOn: ["2"] },
    { id: "4", request: new Request(url, { method: "GET" }), dependsOn: ["3"] },
  ]);
  const answer = new BatchResponseContent(await client.api("/$batch").post(await batch.getContent()));
  const statuses = ["1", "2", "3", "4"].map((item) => answer.getResponseById(item).status);
  assert.deepEqual(statuses, [200, 200, 404, 424]);
  assert.equal((await answer.getResponseById("2").json()).status, "investigating");
});

test("delta gives all alerts, then what changed", async () => {
  let page = await client.api(`${ALERTS}/delta`).get();
  let seen = page.value.length;
  while (page["@odata.nextLink"]) {
    page = await client.api(page["@odata.nextLink"]).get();
    seen += page.value.length;
  }
  assert.equal(seen, Number(await client.api(`${ALERTS}/$count`).get()));
  const [{ id, status }] = (await client.api(ALERTS).orderby("id").top(1).get()).value;
  await client.api(`${ALERTS}/${id}`).patch({ status: status === "active" ? "investigating" : "active" });
  const changes = await client.api(page["@odata.deltaLink"]).get();
  assert.deepEqual(changes.value.map((alert) => alert.id), [id]);
});

test("errors carry Graph's code and message", async () => {
  const fails = (promise, statusCode, code, words) =>
    assert.rejects(promise, (error) => {
      assert.deepEqual([error.statusCode, error.code], [statusCode, code]);
      assert.match(error.message, words);
      assert.ok(error.requestId);
      return true;
    });
  await fails(client.api(ALERTS).filter("severty eq 'high'").get(), 400, "BadRequest", /did you mean 'severity'/);
  await fails(client.api(`${ALERTS}/none`).get(), 404, "ResourceNotFound", /does not exist/);
  await fails(reader.api(`${ALERTS}/none`).patch({ status: "active" }), 403, "Forbidden", /PartnerSecurity.ReadWrite.All/);
  await fails(clientOf(process.env.TENANTWATCH_URL, "nonsense").api(ALERTS).get(), 401, "InvalidAuthenticationToken", /token/i);
});

test("a throttled request is tried again after the time that the reply names", async () => {
  const throttled = clientOf(process.env.TENANTWATCH_THROTTLED_URL, process.env.TENANTWATCH_THROTTLED_TOKEN);
  const pages = await Promise.all(Array.from({ length: 7 }, () => throttled.api(ALERTS).top(1).get()));
  assert.ok(pages.every((page) => page.value.length === 1));
  // Without the retry, the same load is refused.
  const headers = { Authorization: `Bearer ${process.env.TENANTWATCH_THROTTLED_TOKEN}` };
  const bare = await Promise.all(Array.from({ length: 12 }, () =>
    fetch(`${process.env.TENANTWATCH_THROTTLED_URL}/beta${ALERTS}?$top=1`, { headers })));
  const refused = bare.filter((reply) => reply.status === 429);
  assert.ok(refused.length > 0 && refused.every((reply) => Number(reply.headers.get("retry-after")) >= 1));
});
