/** One alert, and the token that opens it. */

import assert from "node:assert/strict";
import { assertAccessible } from "../browser.mjs";
import { rows } from "../estate.mjs";

export default function define(journey, estate) {
  journey("an alert says what happened, why, where, how long is left and what to do", {}, async (page) => {
    const alert = await estate.freshAlert();
    await estate.openAlert(page, alert);
    const main = page.locator("main");
    await main.locator(".response .clock-text").waitFor();
    await page.getByRole("region", { name: "Why it fired" }).getByText(/marked are the days of the evidence/).waitFor();
    const text = await main.innerText();
    for (const expected of [alert.customerTenantId, alert.subscriptionId, alert.additionalDetails.DetectorId]) {
      assert.ok(text.includes(expected), expected);
    }
    if (alert.description) assert.ok(text.includes(alert.description.split("\n")[0]), "the description");
    assert.match(await main.locator(".response .clock-text").innerText(), /left|Overdue by/);
    assert.ok((await main.locator(".evidence dt").count()) > 0, "evidence");
    assert.equal(await main.locator(".resources li").count(), Math.min(alert.affectedResources.length, 6));
    assert.ok((await main.getByRole("checkbox").count()) > 0, "a checklist");
    assert.equal(await main.locator(".activity li").count(), 1 + alert.activityLogs.length);
    assert.ok((await page.title()).startsWith(alert.displayName));
  });

  journey("a chained alert tells its stages in order, with times, and what is near to it", {}, async (page) => {
    const near = await estate.freshAlert();
    const story = ["2031-02-03 04:10 rights: 2 × roleassignments/write", "2031-02-03 04:31 defences: 1 × diagnosticsettings/delete", "2031-02-03 05:02 machines: 40 × virtualmachines/write"];
    const chained = {
      ...near, id: "5c41a1ed-0001-4000-8000-000000000001", displayName: "Several stages of an attack on one subscription", alertType: "AttackChain", affectedResources: [], activityLogs: [],
      additionalDetails: { ...near.additionalDetails, DetectorId: "attack_chain", Story: JSON.stringify(story) },
    };
    delete chained["@odata.etag"];
    delete chained["@odata.context"];
    await estate.server.take("alerts", JSON.stringify(chained));
    await estate.openAlert(page, chained);
    const stages = page.getByRole("region", { name: "In the order of events" }).getByRole("listitem");
    assert.equal(await stages.count(), story.length);
    assert.match(await stages.nth(0).innerText(), /04:10[\s\S]*Rights[\s\S]*roleassignments/);
    assert.match(await stages.nth(2).innerText(), /05:02[\s\S]*Machines[\s\S]*40 × virtualmachines/);
    await page.getByRole("region", { name: "Contain it" }).getByRole("checkbox").first().waitFor();
    await assertAccessible(page, "a chained alert");
    // They share customer, subscription and whoever did it: the closest is said.
    const other = page.getByRole("region", { name: "Related alerts" }).getByRole("listitem").filter({ hasText: near.displayName }).first();
    await other.waitFor();
    assert.match(await other.innerText(), /same (principal|address|subscription)/);
    await estate.setStatus(chained.id, { status: "resolved", resolvedReason: "ignore" });
  });

  journey("the picture says in a table what it shows", {}, async (page) => {
    const alert = await estate.freshAlert();
    const { series } = await estate.api(`tenantwatch/v1/alerts/${encodeURIComponent(alert.id)}/explanation`);
    assert.ok(series, "the demo's alerts have a series");
    await estate.openAlert(page, alert);
    const why = page.getByRole("region", { name: "Why it fired" });
    await why.locator("canvas").waitFor();
    await why.getByText("As a table").click();
    const told = await why.locator("figure tbody tr").allInnerTexts();
    assert.equal(told.length, series.points.length);
    assert.ok(told.filter((row) => row.includes("(evidence)")).length > 0);
  });

  journey("who did it and what else happened there is one click away", {}, async (page) => {
    const alert = await estate.freshAlert((each) => each.additionalDetails.Caller?.includes("@"));
    await estate.openAlert(page, alert);
    await page.getByRole("region", { name: "Who, and from where" }).getByRole("link", { name: alert.additionalDetails.Caller }).click();
    await rows(page).first().waitFor();
    const found = await rows(page).evaluateAll((all) => all.map((row) => row.dataset.id));
    assert.ok(found.includes(alert.id));
  });

  journey("back from an alert leads to its row", {}, async (page) => {
    await estate.openList(page);
    const link = rows(page).nth((await rows(page).count()) - 1).locator(".row-link");
    const address = await link.getAttribute("href");
    await link.click();
    await page.locator(".detail h1").waitFor();
    assert.equal(new URL(page.url()).hash, address);
    await page.goBack();
    await page.locator(`.row-link[href="${address}"]:focus`).waitFor();
  });

  journey("a ticked step is still ticked after a reload", {}, async (page) => {
    const alert = await estate.freshAlert();
    await estate.openAlert(page, alert);
    await page.getByRole("checkbox").first().waitFor();
    const steps = await page.getByRole("checkbox").count();
    await page.getByRole("checkbox").nth(1).check();
    await page.getByText(`1 of ${steps} done`).first().waitFor();
    await page.reload();
    await page.getByRole("checkbox").first().waitFor();
    assert.equal(await page.getByRole("checkbox").nth(0).isChecked(), false);
    assert.equal(await page.getByRole("checkbox").nth(1).isChecked(), true);
  });

  journey("an alert is taken up, resolved as fraud, undone and reopened; page and API agree", {}, async (page) => {
    const alert = await estate.freshAlert();
    await estate.openAlert(page, alert);
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
    const resolved = await estate.alert(alert.id);
    assert.deepEqual([resolved.status, resolved.resolvedReason], ["resolved", "fraud"]);

    await page.getByRole("button", { name: "Undo" }).last().click();
    await status.filter({ hasText: "Investigating" }).waitFor();
    assert.equal((await estate.alert(alert.id)).status, "investigating");
    await page.getByRole("button", { name: "Ignore" }).click();
    await status.filter({ hasText: "Resolved, ignored" }).waitFor();
    await page.getByRole("button", { name: "Reopen" }).click();
    await status.filter({ hasText: "Active" }).waitFor();
    assert.match(await log.last().innerText(), /Resolved to Active/);
    const reopened = await estate.alert(alert.id);
    assert.deepEqual([reopened.status, reopened.resolvedReason, reopened.resolvedBy], ["active", null, null]);
  });

  journey("an unknown alert is said to be unknown, with a way on", { failures: true }, async (page) => {
    await page.goto(`${estate.url}#/alerts/no-such-alert`);
    await page.getByRole("heading", { name: "There is no such alert" }).waitFor();
    assert.match(await page.locator(".problem-reference").innerText(), /HTTP 404 .* request id \S+/);
    await assertAccessible(page, "unknown alert");
    await page.getByRole("button", { name: "Show all alerts" }).click();
    await rows(page).first().waitFor();
  });

  journey("a refused change leaves the alert as it was", { failures: true, dark: true }, async (page) => {
    const alert = await estate.freshAlert();
    await estate.openAlert(page, alert);
    const error = { code: "Forbidden", message: "missing scope" };
    await page.route(/securityAlerts\//, (route) => route.fulfill({ status: 403, json: { error } }));
    await page.getByRole("button", { name: "Legitimate" }).click();
    await page.getByRole("heading", { name: "The status could not be changed" }).waitFor();
    assert.equal(await page.locator(".actions .status").innerText(), "Active");
    await assertAccessible(page, "refused change, dark");
    assert.equal((await estate.alert(alert.id)).status, "active");
  });

  journey("a token that the server no longer takes is replaced once", { failures: true }, async (page) => {
    let tokens = 0;
    page.on("request", (request) => {
      if (request.url().endsWith("/demo/token")) tokens += 1;
    });
    await page.route("**/demo/token", (route) =>
      route.fulfill({ json: { accessToken: "stale", expiresOn: "2999-01-01T00:00:00Z" } }), { times: 1 });
    await estate.openList(page);
    assert.equal(tokens, 2, "all requests that were refused share one new token");
  });

  journey("outside demo mode the page asks for a token", { failures: true }, async (page) => {
    const good = await estate.token();
    await page.route("**/demo/token", (route) => route.fulfill({ status: 404, json: {} }));
    await page.goto(`${estate.url}#/alerts`);
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
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]));
    assert.ok(!kept.includes(good), "the token is in memory only");
  });

  journey("text of an alert is never markup", {}, async (page) => {
    const alert = await estate.freshAlert();
    const hostile = '<img src="x" onerror="document.title=1"><b>x</b>';
    const body = {
      ...alert, displayName: hostile, description: hostile, alertType: hostile,
      additionalDetails: { [hostile]: hostile, List: JSON.stringify([hostile, { [hostile]: hostile }]), Caller: hostile, Story: JSON.stringify([hostile]) },
      affectedResources: [{ resourceId: hostile, resourceType: hostile }],
      activityLogs: [{ statusFrom: "active", statusTo: "active", updatedBy: hostile, updatedDateTime: hostile }],
    };
    await page.route(/securityAlerts\/[^?]/, (route) => (route.request().url().includes("delta") ? route.continue() : route.fulfill({ json: body })));
    await estate.openAlert(page, body);
    assert.equal(await page.locator("main img, main b").count(), 0);
    assert.ok((await page.locator("main").innerText()).includes(hostile));
  });
}
