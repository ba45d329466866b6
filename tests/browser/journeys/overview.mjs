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
