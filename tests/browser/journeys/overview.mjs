/** The overview: what is open, what breaches next, and that it stays true while it is open. */

import assert from "node:assert/strict";
import { OPEN } from "./words.mjs";

export default function define(journey, estate) {
  journey("the overview counts what is open, by severity and against the clock", {}, async (page) => {
    await page.goto(estate.url);
    const open = await estate.count(OPEN);
    await page.getByRole("heading", { level: 1, name: new RegExp(`^${open} open`) }).waitFor();
    for (const severity of ["high", "medium"]) {
      const row = page.locator(".matrix tr", { hasText: new RegExp(severity, "i") });
      assert.equal(Number(await row.locator(".total").innerText()), await estate.count(`${OPEN} and severity eq '${severity}'`));
    }
    const overdue = await estate.count(`${OPEN} and severity eq 'high' and detectedDateTime lt now() sub duration'PT24H'`);
    assert.equal(Number(/\d+/.exec(await page.locator(".matrix tbody tr").first().locator("td").first().innerText())[0]), overdue);
    await page.locator(".figures").getByText("Mean response, 30 days").waitFor();
    await page.getByRole("region", { name: "Customers with open alerts" }).getByRole("link").first().waitFor();
    await page.getByRole("region", { name: "Freshness of records" }).getByText("Activity log").waitFor();
    await page.getByText(/\d+ of \d+ detectors have records/).waitFor();
    const { value: healths } = await estate.api("tenantwatch/v1/detectorHealth");
    const ran = healths.filter((health) => health.state !== "waiting").length;
    await page.getByText(`${ran} of ${ran} that ran did when due, without a failure.`).waitFor();
  });

  journey("the overview names the detectors that failed and those that are late", {}, async (page) => {
    const { value: healths } = await estate.api("tenantwatch/v1/detectorHealth");
    const [failed, late] = healths;
    const told = healths.map((health) => ({ ...health, state: health === failed ? "failed" : health === late ? "late" : health.state }));
    await page.route("**/detectorHealth", (route) => route.fulfill({ json: { value: told } }));
    await page.goto(estate.url);
    await page.getByText("1 detector failed").waitFor();
    await page.getByText("1 detector is late").waitFor();
    await page.getByRole("link", { name: late.title }).waitFor();
    await page.getByRole("link", { name: failed.title }).click();
    await page.getByText("Its last run failed").waitFor();
  });

  journey("the overview names the customers that are quiet the longest, and leads to their records", {}, async (page) => {
    const { value } = await estate.api("tenantwatch/v1/coverage?top=1000");
    const fresh = new Map();
    for (const { customerTenantId, lastEventDateTime } of value) fresh.set(customerTenantId, Math.max(fresh.get(customerTenantId) ?? 0, Date.parse(lastEventDateTime)));
    const [[oldest]] = [...fresh].sort(([, one], [, other]) => one - other);
    // One of its kinds went silent, so that it is told first, whoever else is quiet.
    const silent = value.find((entry) => entry.customerTenantId !== oldest);
    await page.route("**/coverage?*", (route) => route.fulfill({ json: { value: value.map((entry) => ({ ...entry, silent: entry === silent })) } }));
    await page.goto(estate.url);
    const rows = page.getByRole("list", { name: "Customers quiet the longest" }).getByRole("listitem");
    await rows.nth(1).waitFor();
    assert.match(await rows.nth(0).innerText(), /silent: [\s\S]*last event/);
    assert.doesNotMatch(await rows.nth(1).innerText(), /silent/);
    assert.match(await rows.nth(1).getByRole("link").getAttribute("href"), new RegExp(oldest));
    await rows.nth(0).getByRole("link").click();
    await page.locator(`tr[data-customer="${silent.customerTenantId}"]`).waitFor();
    assert.equal(await page.locator("tr[data-customer]").count(), 1);
  });

  journey("the overview says what open alerts cost, and which cost most", {}, async (page) => {
    const { totals, value } = await estate.api("tenantwatch/v1/moneyAtRisk?top=100");
    assert.ok(totals.currencies.length > 0 && value.length > 0, "the demo's alerts have prices");
    await page.goto(estate.url);
    const money = page.getByRole("region", { name: "Money at risk now" });
    await money.waitFor();
    const amount = (number) => number.toLocaleString("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    for (const { currency, perHour, alerts } of totals.currencies) {
      const sum = money.locator(".sums li", { hasText: currency });
      const text = await sum.innerText();
      assert.match(text, perHour > 0 ? /an hour/ : /nothing by the hour now/);
      assert.match(text, new RegExp(`so far, ${alerts} alert`));
    }
    const dearest = value[0];
    await money.getByText(`${dearest.currency} ${amount(dearest.perHour)}`).first().waitFor();
    // A customer is told once, however many alerts price the same machines.
    const customers = new Set(value.map(({ customerTenantId, currency }) => `${customerTenantId} ${currency}`));
    assert.equal(await money.locator(".dear").count(), Math.min(5, customers.size));
    await money.locator(".dear a").first().click();
    await page.getByRole("heading", { level: 1, name: dearest.displayName }).waitFor();
    await page.locator(".response .money strong", { hasText: dearest.currency }).waitFor();

    // Of an alert whose own resources have prices; others name addresses or a tenant.
    for (const { alertId } of value) {
      const alert = await estate.alert(alertId);
      const { moneyAtRisk } = await estate.api(`tenantwatch/v1/alerts/${encodeURIComponent(alertId)}/explanation`);
      const priced = new Set(moneyAtRisk.resources.filter(({ perHour }) => perHour > 0).map(({ resourceId }) => resourceId.toLowerCase()));
      if (!alert.affectedResources.some(({ resourceId }) => priced.has(resourceId.toLowerCase()))) continue;
      await estate.openAlert(page, alert);
      break;
    }
    await page.getByRole("region", { name: "Affected resources" }).getByText(/an hour, .* so far/).first().waitFor();
    const told = await page.locator(".resources li").allInnerTexts();
    const hourly = told.map((text) => Number(/ ([\d.,]+) an hour/.exec(text)?.[1].replaceAll(",", "") ?? 0));
    assert.deepEqual(hourly, [...hourly].sort((one, other) => other - one), "the dearest first");
  });

  journey("a cell of the overview leads to its alerts", {}, async (page) => {
    await page.goto(estate.url);
    const cell = page.locator(".matrix a.cell").first();
    const expected = Number(/\d+/.exec(await cell.innerText())[0]);
    await cell.click();
    await page.locator(".list-amount", { hasText: `of ${expected} alert` }).waitFor();
  });

  journey("the overview follows what others do", {}, async (page) => {
    const alert = await estate.freshAlert();
    await page.goto(estate.url);
    const open = await estate.count(OPEN);
    await page.getByRole("heading", { level: 1, name: new RegExp(`^${open} open`) }).waitFor();
    await page.getByText(/^Live/).first().waitFor({ state: "attached" });
    await estate.setStatus(alert.id, { status: "resolved", resolvedReason: "ignore" });
    await page.getByRole("heading", { level: 1, name: new RegExp(`^(${open - 1} open|Nothing)`) }).waitFor();
    await estate.setStatus(alert.id, { status: "active" });
    await page.getByRole("heading", { level: 1, name: new RegExp(`^${open} open`) }).waitFor();
  });
}
