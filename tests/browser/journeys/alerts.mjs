/** The table: filter, text of the filter, views, search, order, columns, pages, bulk changes. */

import assert from "node:assert/strict";
import { LOOKS, assertAccessible } from "../browser.mjs";
import { ALERTS, rows } from "../estate.mjs";
import { OPEN } from "./words.mjs";

/** Requests for a page of rows; those for counts ask for ids alone. */
const ROW_REQUESTS = /securityAlerts\?.*displayName/;

const amount = (page, count) => page.locator(".list-amount", { hasText: count === 0 ? "No alerts" : new RegExp(`of ${count} alert`) }).waitFor();
const shownFilter = (page) => page.locator(".filter").getAttribute("data-filter");

export default function define(journey, estate) {
  journey("the table shows open alerts, each with its clock", {}, async (page) => {
    await estate.openList(page);
    const open = await estate.count(OPEN);
    await amount(page, open);
    assert.equal(await rows(page).count(), Math.min(open, 50));
    const first = rows(page).first();
    assert.match(await first.locator(".cell-response").innerText(), /left|Overdue/);
    assert.match(await first.locator(".cell-severity").innerText(), /High|Medium|Low|Informational/);
  });

  journey("a filter is chosen, shown as text, kept as a view, and found again", {}, async (page) => {
    await estate.openList(page);
    const severity = await rows(page).first().getAttribute("data-severity");
    const word = severity.charAt(0).toUpperCase() + severity.slice(1);
    await page.getByRole("group", { name: "Severity" }).getByRole("button", { name: word }).click();
    const filter = `${OPEN} and severity eq '${severity}'`;
    await amount(page, await estate.count(filter));
    assert.equal(await shownFilter(page), filter);
    assert.match(new URL(page.url()).hash, new RegExp(`severity=${severity}`));

    await page.getByLabel("Clock").selectOption("overdue");
    await amount(page, await estate.count(`${filter} and detectedDateTime lt now() sub duration'PT24H'`));
    await page.getByRole("button", { name: "Save view" }).click();
    await page.getByLabel("Name of the view").fill("Night shift");
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "Night shift" }).waitFor();
    await page.getByRole("link", { name: "All", exact: true }).click();
    await amount(page, await estate.count(""));
    await page.reload();
    await page.getByRole("link", { name: "Night shift" }).click();
    await amount(page, await estate.count(`${filter} and detectedDateTime lt now() sub duration'PT24H'`));
    await page.getByRole("button", { name: "Remove the view Night shift" }).click();
    await page.getByRole("link", { name: "Night shift" }).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByRole("link", { name: "Night shift" }).waitFor();
    await page.goBack();
    await amount(page, await estate.count(""));
  });

  journey("a filter that is written becomes choices where they can say it", {}, async (page) => {
    await estate.openList(page);
    const write = async (text) => {
      await page.getByRole("button", { name: "Edit filter" }).click();
      await page.getByLabel("$filter").fill(text);
      await page.keyboard.press("Enter");
    };
    await write("status eq 'active' and severity in ('high','medium')");
    await amount(page, await estate.count("status eq 'active' and severity in ('high','medium')"));
    assert.equal(await page.locator("#status").inputValue(), "active");
    assert.equal(await page.getByRole("button", { name: "High", exact: true }).getAttribute("aria-pressed"), "true");

    const own = "startswith(displayName,'Un') or length(description) gt 200";
    await write(own);
    await amount(page, await estate.count(own));
    assert.equal(await shownFilter(page), own);
    await page.reload();
    await amount(page, await estate.count(own));
  });

  journey("a wrong filter is explained", { failures: true }, async (page) => {
    await page.goto(`${estate.url}#/alerts?${new URLSearchParams({ filter: "severty eq 'high'" })}`);
    const panel = page.locator(".problem");
    assert.match(await panel.innerText(), /unknown property 'severty' at 0; did you mean 'severity'/);
    await page.getByRole("button", { name: "Drop it" }).click();
    await rows(page).first().waitFor();
  });

  journey("a search finds words, and parts of ids", {}, async (page) => {
    await estate.openList(page, "#/alerts?status=any");
    const alert = await estate.freshAlert();
    const word = alert.displayName.split(" ")[0];
    await page.getByLabel("Search", { exact: true }).fill(word);
    const { "@odata.count": found } = await estate.api(`${ALERTS}?$top=1&$count=true&$search=${encodeURIComponent(`"${word}"`)}`);
    await amount(page, found);
    const part = alert.subscriptionId.slice(0, 18);
    await page.getByLabel("Search", { exact: true }).fill(part.toUpperCase());
    await amount(page, await estate.count(`contains(customerTenantId,'${part}') or contains(subscriptionId,'${part}') or contains(id,'${part}')`));
    await page.getByLabel("Search", { exact: true }).fill("zzzznobody");
    await page.getByRole("heading", { name: "No alert matches" }).waitFor();
    await assertAccessible(page, "nothing found");
    await page.getByRole("link", { name: "Clear the filter" }).click();
    await rows(page).first().waitFor();
  });

  journey("the server sorts, and columns come and go", {}, async (page) => {
    await estate.openList(page, "#/alerts?status=any");
    await page.getByRole("button", { name: "Severity" }).first().click();
    await page.locator('th[aria-sort="descending"]', { hasText: "Severity" }).waitFor();
    const order = ["high", "medium", "low", "informational"];
    const shown = await rows(page).evaluateAll((all) => all.map((row) => row.dataset.severity));
    assert.deepEqual(shown, [...shown].sort((one, other) => order.indexOf(one) - order.indexOf(other)));
    await page.getByText("Columns").first().click();
    await page.getByRole("checkbox", { name: "Confidence" }).check();
    await rows(page).first().locator(".cell-confidence", { hasText: /High|Medium|Low/ }).waitFor();
    await page.getByRole("checkbox", { name: "Customer" }).uncheck();
    await rows(page).first().locator(".cell-customer").waitFor({ state: "detached" });
    await page.getByRole("radio", { name: "Roomy" }).check();
    assert.equal(await page.locator("table.alerts").getAttribute("data-density"), "roomy");
  });

  journey("following the pages shows each alert once", {}, async (page) => {
    const total = await estate.count("");
    assert.ok(total >= 3, "the demo has at least three alerts");
    const size = Math.max(1, Math.ceil(total / 3));
    await page.route(ROW_REQUESTS, (route) =>
      route.continue({ url: route.request().url().replace("$top=50", `$top=${size}`) }));
    await estate.openList(page, "#/alerts?status=any");
    const seen = [];
    const collect = async () => seen.push(...(await rows(page).evaluateAll((all) => all.map((row) => row.dataset.id))));
    await collect();
    for (let number = 2; seen.length < total; number += 1) {
      await page.getByRole("button", { name: "Next" }).click();
      await page.getByText(new RegExp(`^Page ${number}\\b`)).waitFor();
      await collect();
    }
    assert.equal(new Set(seen).size, total);
    await page.getByRole("button", { name: "Previous" }).click();
    await rows(page).first().waitFor();
  });

  for (const [look, options] of LOOKS) journey(`filtered, kept as a view, several resolved after a look at what changes, undone: ${look}`, options, async (page) => {
    const foldedOut = page.getByRole("button", { name: /^Filter/ });
    await estate.openList(page);
    if (await foldedOut.isVisible()) await foldedOut.click();
    await page.locator("#status").selectOption("active");
    await page.locator('tr[data-id]:not([data-status="active"])').first().waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Save view" }).click();
    await page.getByLabel("Name of the view").fill("Not taken up");
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "Resolved", exact: true }).click();
    await page.waitForURL(/status=resolved/);
    await page.getByRole("link", { name: "Not taken up" }).click();
    await page.locator('tr[data-status="active"]').first().waitFor();
    await resolvesSeveral(page);
  });

  const resolvesSeveral = async (page) => {
    const wanted = await rows(page).evaluateAll((all) => all.slice(0, 3).map((row) => row.dataset.id));
    assert.equal(wanted.length, 3, "the demo has three active alerts");
    for (const id of wanted) await page.locator(`tr[data-id="${id}"]`).getByRole("checkbox").check();
    const bulk = page.getByRole("region", { name: "Selected alerts" });
    await bulk.getByText("3 alerts selected").waitFor();
    await bulk.getByRole("button", { name: "Legitimate" }).click();
    const dialog = page.getByRole("dialog", { name: /Resolve as legitimate/ });
    assert.match(await dialog.innerText(), /3 alerts will change/);
    assert.equal(await dialog.locator("tbody tr").count(), 3);
    assert.match(await dialog.locator("tbody tr").first().innerText(), /Active.*→.*Resolved as legitimate/s);
    await assertAccessible(page, "preview of a bulk change");
    for (const id of wanted) assert.equal((await estate.alert(id)).status, "active", "nothing happens before it is confirmed");
    await dialog.getByRole("button", { name: /^Resolve as legitimate \(3\)/ }).click();
    await page.getByText(/3 alerts: resolved as legitimate/).first().waitFor();
    for (const id of wanted) {
      const { status, resolvedReason } = await estate.alert(id);
      assert.deepEqual([status, resolvedReason], ["resolved", "legitimate"]);
    }
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("Undone.").first().waitFor();
    for (const id of wanted) {
      const { status, resolvedReason } = await estate.alert(id);
      assert.deepEqual([status, resolvedReason], ["active", null]);
    }
  };

  journey("rows do not wait until they are counted, and another order counts nothing anew", {}, async (page) => {
    const total = await estate.count("");
    const size = Math.max(1, Math.ceil(total / 3));
    await page.route(ROW_REQUESTS, (route) => route.continue({ url: route.request().url().replace("$top=50", `$top=${size}`) }));
    let counts = 0;
    let release;
    const held = new Promise((resolve) => (release = resolve));
    await page.route(/securityAlerts\?.*\$top=0/, async (route) => {
      counts += 1;
      await held;
      await route.continue();
    });
    await estate.openList(page, "#/alerts?status=any");
    await page.locator(".list-amount", { hasText: `1–${size} of …` }).waitFor();
    release();
    await amount(page, total);
    await page.getByRole("columnheader").getByRole("button", { name: "Severity" }).click();
    await page.locator('th[aria-sort="descending"]', { hasText: "Severity" }).waitFor();
    await page.locator('table.alerts[aria-busy="false"]').waitFor();
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByText(/^Page 2\b/).waitFor();
    await amount(page, total);
    assert.equal(counts, 1);
    // What one page holds is counted by nobody.
    const alert = await estate.freshAlert();
    await page.goto(`${estate.url}#/alerts?${new URLSearchParams({ status: "any", search: alert.id })}`);
    await amount(page, 1);
    assert.equal(counts, 1);
  });

  journey("the table follows what others do, and asks whoever has selected", {}, async (page) => {
    const alert = await estate.freshAlert();
    await estate.openList(page, "#/alerts?status=active");
    const row = page.locator(`tr[data-id="${alert.id}"]`);
    await row.waitFor();
    await page.getByText(/^Live/).first().waitFor({ state: "attached" });
    await estate.setStatus(alert.id, { status: "investigating" });
    await row.waitFor({ state: "detached" });
    await estate.setStatus(alert.id, { status: "active" });
    await row.waitFor();
    await row.getByRole("checkbox").check();
    await estate.setStatus(alert.id, { status: "investigating" });
    await page.getByRole("button", { name: "Alerts have changed. Show" }).click();
    await row.waitFor({ state: "detached" });
    await estate.setStatus(alert.id, { status: "active" });
  });

  journey("an address holds the filter, the order and the search, for whoever gets it", {}, async (page) => {
    const alert = await estate.freshAlert();
    const query = { status: "any", severity: alert.severity, customer: alert.customerTenantId, search: alert.displayName.split(" ")[0], order: "displayName asc" };
    await estate.openList(page, `#/alerts?${new URLSearchParams(query)}`);
    assert.equal(await page.locator("#status").inputValue(), "any");
    assert.equal(await page.getByLabel("Search", { exact: true }).inputValue(), query.search);
    await page.locator('th[aria-sort="ascending"]', { hasText: "Alert" }).waitFor();
    assert.ok((await rows(page).evaluateAll((all) => all.map((row) => row.dataset.id))).includes(alert.id));
    assert.match(await shownFilter(page), new RegExp(`severity eq '${alert.severity}' and customerTenantId eq '${alert.customerTenantId}'`));
  });

  journey("what somebody else changed meanwhile is left alone", {}, async (page) => {
    const alert = await estate.freshAlert();
    await estate.openList(page, "#/alerts?status=active");
    await page.locator(`tr[data-id="${alert.id}"]`).getByRole("checkbox").check();
    await estate.setStatus(alert.id, { status: "investigating" });
    await page.getByRole("region", { name: "Selected alerts" }).getByRole("button", { name: "Fraud" }).click();
    await page.getByRole("button", { name: /^Resolve as fraud \(1\)/ }).click();
    await page.getByText(/somebody else changed it meanwhile/).first().waitFor();
    assert.equal((await estate.alert(alert.id)).status, "investigating");
    await estate.setStatus(alert.id, { status: "active" });
  });

  journey("a failure is explained and can be tried again", { failures: true }, async (page) => {
    const error = { code: "generalException", message: "internal error", innerError: { "request-id": "req-77" } };
    await page.route(ROW_REQUESTS, (route) => route.fulfill({ status: 500, json: { error } }), { times: 1 });
    await page.goto(`${estate.url}#/alerts`);
    const panel = page.locator(".problem");
    await panel.waitFor();
    assert.match(await panel.innerText(), /could not be loaded[\s\S]*internal error/);
    assert.match(await panel.innerText(), /HTTP 500 · generalException · request id req-77/);
    await panel.getByRole("button", { name: "Try again" }).click();
    await rows(page).first().waitFor();
  });

  journey("without any alert the page says how to get some", {}, async (page) => {
    await page.route(/securityAlerts\?/, (route) => route.fulfill({ json: { "@odata.count": 0, value: [] } }));
    await page.goto(`${estate.url}#/alerts?status=any`);
    await page.getByRole("heading", { name: "No alerts yet" }).waitFor();
    assert.match(await page.locator(".empty").innerText(), /tenantwatch ingest[\s\S]*tenantwatch detect[\s\S]*tenantwatch demo/);
    await assertAccessible(page, "empty list");
  });

  journey("addresses of the first page still lead to the table", {}, async (page) => {
    await estate.openList(page, "#/?status=all&severity=high");
    await amount(page, await estate.count("severity eq 'high'"));
  });
}
