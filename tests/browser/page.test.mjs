/**
 * Journeys through the page against a real server in demo mode.
 *
 * They change alerts, so give them a server of their own. Which alerts there are is the server's
 * matter: each journey looks for one that fits through the same public API as the page.
 */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESKTOP, PHONE, assertAccessible, assertFits, launchBrowser, onPage } from "./browser.mjs";
import { findServer } from "./server.mjs";

const ALERTS = "beta/security/partner/securityAlerts";

/** Requests for a page of rows; the header's counts ask for ids alone. */
const ROW_REQUESTS = /securityAlerts\?.*displayName/;

let server;
let browser;

before(async () => {
  server = await findServer();
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

function journey(name, options, run) {
  test(name, () => onPage(browser, server.url, options, run));
}

async function demoToken() {
  const response = await fetch(`${server.url}demo/token`);
  assert.equal(response.status, 200, "the server runs in demo mode");
  return (await response.json()).accessToken;
}

/** Asks the API as any client would. */
async function api(path) {
  const response = await fetch(server.url + path, { headers: { authorization: `Bearer ${await demoToken()}` } });
  assert.equal(response.status, 200, path);
  return response.json();
}

async function count(filter) {
  const query = filter === "" ? "" : `&$filter=${encodeURIComponent(filter)}`;
  return (await api(`${ALERTS}?$top=1&$count=true${query}`))["@odata.count"];
}

/** The newest alert that was raised here and has not been taken up. */
async function freshAlert() {
  const { value } = await api(`${ALERTS}?$filter=status eq 'active'&$orderby=detectedDateTime desc&$top=50`);
  const alert = value.find((each) => each.additionalDetails?.DetectorId && each.affectedResources.length > 0)
    ?? value.find((each) => each.additionalDetails?.DetectorId);
  assert.ok(alert, "the demo has an active alert of a detector");
  return alert;
}

const rows = (page) => page.locator("table.alerts tbody tr[data-id]");
const addressOf = (alert) => `${server.url}#/alerts/${encodeURIComponent(alert.id)}`;

async function openList(page, hash = "#/") {
  await page.goto(server.url + hash);
  await rows(page).first().waitFor();
}

async function openAlert(page, alert) {
  await page.goto(addressOf(alert));
  await page.getByRole("heading", { level: 1, name: alert.displayName }).waitFor();
}

journey("the list shows open alerts and the header counts them", {}, async (page) => {
  await openList(page);
  const open = await count("status ne 'resolved'");
  assert.ok(open > 0);
  assert.equal(await rows(page).count(), Math.min(open, 25));
  await page.locator('[data-count="open"] .count-number', { hasText: String(open) }).waitFor();
  const first = rows(page).first();
  assert.match(await first.locator(".cell-response").innerText(), /left|Overdue/);
  assert.match(await first.locator(".cell-severity").innerText(), /High|Medium|Low|Informational/);
});

journey("an alert says what happened, why, where, how long is left and what to do", {}, async (page) => {
  const alert = await freshAlert();
  await openAlert(page, alert);
  const main = page.locator("main");
  const text = await main.innerText();
  for (const expected of [alert.customerTenantId, alert.subscriptionId, alert.additionalDetails.DetectorId]) {
    assert.ok(text.includes(expected), expected);
  }
  if (alert.description) assert.ok(text.includes(alert.description.split("\n")[0]), "the description");
  assert.match(await main.locator(".response .clock-text").innerText(), /left|Overdue by/);
  assert.ok((await main.locator(".evidence dt").count()) > 0, "evidence");
  assert.equal(await main.locator(".resources li").count(), Math.min(alert.affectedResources.length, 8));
  assert.ok((await main.getByRole("checkbox").count()) > 0, "a checklist");
  assert.equal(await main.locator(".activity li").count(), 1 + alert.activityLogs.length);
  assert.ok((await page.title()).startsWith(alert.displayName));
});

journey("back from an alert leads to its row", {}, async (page) => {
  await openList(page);
  const link = rows(page).nth((await rows(page).count()) - 1).locator(".row-link");
  const address = await link.getAttribute("href");
  await link.click();
  await page.locator(".detail h1").waitFor();
  assert.equal(new URL(page.url()).hash, address);
  await page.goBack();
  await rows(page).first().waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("href")), address);
});

journey("a ticked step is still ticked after a reload", {}, async (page) => {
  const alert = await freshAlert();
  await openAlert(page, alert);
  const steps = await page.getByRole("checkbox").count();
  await page.getByRole("checkbox").nth(1).check();
  await page.getByText(`1 of ${steps} done`).first().waitFor();
  await page.reload();
  await page.getByRole("checkbox").first().waitFor();
  assert.equal(await page.getByRole("checkbox").nth(0).isChecked(), false);
  assert.equal(await page.getByRole("checkbox").nth(1).isChecked(), true);
});

journey("an alert is taken up, resolved as fraud and reopened; page and API agree", {}, async (page) => {
  const alert = await freshAlert();
  await openAlert(page, alert);
  const status = page.locator(".actions .status");
  const log = page.locator(".activity li");

  await page.getByRole("button", { name: "Start investigating" }).click();
  await status.filter({ hasText: "Investigating" }).waitFor();
  await page.getByRole("button", { name: "Fraud" }).click();
  await status.filter({ hasText: "Resolved as fraud" }).waitFor();
  assert.match(await log.nth(-2).innerText(), /Active to Investigating/);
  assert.match(await log.last().innerText(), /Investigating to Resolved/);
  assert.match(await page.locator(".response .clock-text").innerText(), /^Resolved/);
  assert.match(await page.locator("#announcer").innerText(), /Resolved as fraud/);
  await assertAccessible(page, "resolved alert");

  const resolved = await api(`${ALERTS}/${encodeURIComponent(alert.id)}`);
  assert.equal(resolved.status, "resolved");
  assert.equal(resolved.resolvedReason, "fraud");
  assert.deepEqual(
    resolved.activityLogs.slice(-2).map((entry) => [entry.statusFrom, entry.statusTo]),
    [["active", "investigating"], ["investigating", "resolved"]],
  );

  await page.getByRole("button", { name: "Reopen" }).click();
  await status.filter({ hasText: "Active" }).waitFor();
  assert.match(await log.last().innerText(), /Resolved to Active/);
  const reopened = await api(`${ALERTS}/${encodeURIComponent(alert.id)}`);
  assert.deepEqual([reopened.status, reopened.resolvedReason, reopened.resolvedBy], ["active", null, null]);
});

journey("the list is filtered by severity, and back takes the filter away", {}, async (page) => {
  await openList(page);
  const severity = await rows(page).first().getAttribute("data-severity");
  const expected = await count(`status ne 'resolved' and severity eq '${severity}'`);
  await page.getByLabel("Severity").selectOption(severity);
  await page.locator(".list-amount", { hasText: new RegExp(`\\b${expected} alert`) }).waitFor();
  const shown = await rows(page).evaluateAll((all) => all.map((row) => row.dataset.severity));
  assert.deepEqual([...new Set(shown)], [severity]);
  assert.match(new URL(page.url()).hash, new RegExp(`severity=${severity}`));
  await page.goBack();
  await page.locator(".list-amount", { hasText: new RegExp(`\\b${await count("status ne 'resolved'")} alert`) }).waitFor();
  assert.equal(await page.getByLabel("Severity").inputValue(), "any");
});

journey("the list is searched by a part of an id, whatever its case", {}, async (page) => {
  await openList(page);
  const subscription = await rows(page).first().locator(".cell-subscription").innerText();
  const part = subscription.slice(0, 18);
  const either = `contains(customerTenantId,'${part}') or contains(subscriptionId,'${part}')`;
  const expected = await count(`status ne 'resolved' and (${either})`);
  await page.getByLabel("Customer or subscription").fill(part.toUpperCase());
  await page.locator(".list-amount", { hasText: new RegExp(`\\b${expected} alert`) }).waitFor();
  await page.getByLabel("Customer or subscription").fill("it's no one");
  await page.getByRole("heading", { name: "No alert matches" }).waitFor();
  await page.getByRole("button", { name: "Clear the filter" }).click();
  await rows(page).first().waitFor();
});

journey("following the pages shows each alert once", {}, async (page) => {
  const total = await count("");
  assert.ok(total >= 3, "the demo has at least three alerts");
  const size = Math.max(1, Math.ceil(total / 3));
  await page.route(ROW_REQUESTS, (route) =>
    route.continue({ url: route.request().url().replace("$top=25", `$top=${size}`) }));
  await openList(page, "#/?status=all");
  const more = page.getByRole("button", { name: "Load more" });
  for (let shown = size; shown < total; shown += size) {
    assert.equal(await rows(page).count(), shown);
    await more.click();
    await rows(page).nth(shown).waitFor();
  }
  await more.waitFor({ state: "detached" });
  const ids = await rows(page).evaluateAll((all) => all.map((row) => row.dataset.id));
  assert.equal(ids.length, total);
  assert.equal(new Set(ids).size, total);
});

journey("a failure is explained and can be tried again", { failures: true }, async (page) => {
  const error = { code: "generalException", message: "internal error", innerError: { "request-id": "req-77" } };
  await page.route(ROW_REQUESTS, (route) => route.fulfill({ status: 500, json: { error } }), { times: 1 });
  await page.goto(server.url);
  const panel = page.locator(".problem");
  await panel.waitFor();
  assert.match(await panel.innerText(), /could not be loaded[\s\S]*internal error/);
  assert.match(await panel.innerText(), /HTTP 500 · generalException · request id req-77/);
  await panel.getByRole("button", { name: "Try again" }).click();
  await rows(page).first().waitFor();
});

journey("an unknown alert is said to be unknown, with a way on", { failures: true }, async (page) => {
  await page.goto(`${server.url}#/alerts/no-such-alert`);
  await page.getByRole("heading", { name: "There is no such alert" }).waitFor();
  assert.match(await page.locator(".problem-reference").innerText(), /HTTP 404 .* request id \S+/);
  await assertAccessible(page, "unknown alert");
  await page.getByRole("button", { name: "Show all alerts" }).click();
  await rows(page).first().waitFor();
});

journey("a refused change leaves the alert as it was", { failures: true, dark: true }, async (page) => {
  const alert = await freshAlert();
  await openAlert(page, alert);
  const error = { code: "Forbidden", message: "missing scope" };
  await page.route(/securityAlerts\//, (route) => route.fulfill({ status: 403, json: { error } }));
  await page.getByRole("button", { name: "Legitimate" }).click();
  await page.getByRole("heading", { name: "The status could not be changed" }).waitFor();
  assert.equal(await page.locator(".actions .status").innerText(), "Active");
  await assertAccessible(page, "refused change, dark");
  assert.equal((await api(`${ALERTS}/${encodeURIComponent(alert.id)}`)).status, "active");
});

journey("a token that the server no longer takes is replaced once", { failures: true }, async (page) => {
  let tokens = 0;
  page.on("request", (request) => {
    if (request.url().endsWith("/demo/token")) tokens += 1;
  });
  await page.route("**/demo/token", (route) =>
    route.fulfill({ json: { accessToken: "stale", expiresOn: "2999-01-01T00:00:00Z" } }), { times: 1 });
  await openList(page);
  assert.equal(tokens, 2, "all requests that were refused share one new token");
});

journey("outside demo mode the page asks for a token", { failures: true }, async (page) => {
  const good = await demoToken();
  await page.route("**/demo/token", (route) => route.fulfill({ status: 404, json: {} }));
  await page.goto(server.url);
  const field = page.getByLabel("Bearer token");
  await field.waitFor();
  assert.match(await page.locator(".sign-in").innerText(), /tenantwatch token --scope PartnerSecurity\.ReadWrite\.All/);
  await assertAccessible(page, "token form");
  await field.fill("not-a-token");
  await page.getByRole("button", { name: "Use this token" }).click();
  await page.locator("#token-refused").waitFor();
  await field.fill(`Bearer ${good}`);
  await page.getByRole("button", { name: "Use this token" }).click();
  await rows(page).first().waitFor();
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  assert.ok(!kept.includes(good), "the token is in memory only");
});

journey("without any alert the page says how to get some", {}, async (page) => {
  await page.route(/securityAlerts\?/, (route) => route.fulfill({ json: { "@odata.count": 0, value: [] } }));
  await page.goto(server.url);
  await page.getByRole("heading", { name: "No alerts yet" }).waitFor();
  assert.match(await page.locator(".empty").innerText(), /tenantwatch ingest[\s\S]*tenantwatch detect[\s\S]*tenantwatch demo/);
  await assertAccessible(page, "empty list");
});

journey("text of an alert is never markup", {}, async (page) => {
  const alert = await freshAlert();
  const hostile = '<img src="x" onerror="document.title=1"><b>x</b>';
  const body = {
    ...alert, displayName: hostile, description: hostile, alertType: hostile,
    additionalDetails: { [hostile]: hostile, List: JSON.stringify([hostile, { [hostile]: hostile }]) },
    affectedResources: [{ resourceId: hostile, resourceType: hostile }],
    activityLogs: [{ statusFrom: "active", statusTo: "active", updatedBy: hostile, updatedDateTime: hostile }],
  };
  await page.route(/securityAlerts\//, (route) => route.fulfill({ json: body }));
  await openAlert(page, body);
  assert.equal(await page.locator("main img, main b").count(), 0);
  assert.ok((await page.locator("main").innerText()).includes(hostile));
});

journey("an incident can be worked through with the keyboard alone", {}, async (page) => {
  await openList(page);
  const focused = (attribute) => page.evaluate((name) => document.activeElement.getAttribute(name), attribute);
  const tabTo = async (matches, key = "Tab") => {
    for (let presses = 0; presses < 60; presses += 1) {
      await page.keyboard.press(key);
      if (await page.evaluate((selector) => document.activeElement.matches(selector), matches)) return;
    }
    assert.fail(`${key} never reached ${matches}`);
  };
  await page.keyboard.press("Tab");
  assert.equal(await focused("id"), "skip");
  await page.keyboard.press("Enter");
  await tabTo(".row-link");
  const first = await focused("href");
  if ((await rows(page).count()) > 1) {
    await page.keyboard.press("ArrowDown");
    assert.notEqual(await focused("href"), first);
    await page.keyboard.press("ArrowUp");
  }
  await page.keyboard.press("Enter");
  await page.locator(".detail h1").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1");
  await tabTo(".actions-buttons button");
  await tabTo(".checklist input");
  await page.keyboard.press("Space");
  assert.equal(await page.evaluate(() => document.activeElement.checked), true);
  await tabTo(".way-back a", "Shift+Tab");
  await page.keyboard.press("Enter");
  await page.locator(`.row-link[href="${first}"]:focus`).waitFor();
});

for (const [size, viewport] of [["desktop", DESKTOP], ["phone", PHONE]]) {
  for (const dark of [false, true]) {
    const look = `${size}, ${dark ? "dark" : "light"}`;
    journey(`list and alert are accessible and fit: ${look}`, { viewport, dark }, async (page) => {
      await openList(page, "#/?status=all");
      await assertAccessible(page, `list, ${look}`);
      await assertFits(page, `list, ${look}`);
      await openAlert(page, await freshAlert());
      await assertAccessible(page, `alert, ${look}`);
      await assertFits(page, `alert, ${look}`);
      const ground = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      assert.equal(Number(/\d+/.exec(ground)[0]) < 128, dark, ground);
    });
  }
}

// 1280 pixels at 400 % zoom, which WCAG asks for, are 320.
journey("at four times the size nothing is cut off", { viewport: { width: 320, height: 480 } }, async (page) => {
  await openList(page, "#/?status=all");
  await assertFits(page, "list at 320 px");
  await openAlert(page, await freshAlert());
  await assertFits(page, "alert at 320 px");
});
