/** 2 am: from a link to understood, contained and resolved as fraud, on a phone; and with the keyboard alone. */

import assert from "node:assert/strict";
import { PHONE } from "../browser.mjs";
import { rows } from "../estate.mjs";

export default function define(journey, estate) {
  journey("2 am on a phone: a link, what happened, the checklist, resolved as fraud", { viewport: PHONE, dark: true }, async (page) => {
    const alert = await estate.freshAlert((each) => each.severity === "high");
    await estate.openAlert(page, alert);
    const inView = (locator) => locator.evaluate((node) => node.getBoundingClientRect().top < innerHeight && node.getBoundingClientRect().bottom > 0);
    await page.locator(".response .clock-text").waitFor();
    assert.ok(await inView(page.getByRole("heading", { level: 1 })), "what it is, without scrolling");
    assert.ok(await inView(page.locator(".response .clock-text")), "how long is left, without scrolling");
    assert.ok(await inView(page.getByRole("button", { name: "Start investigating" })), "the first action, without scrolling");
    await page.getByRole("button", { name: "Start investigating" }).click();
    await page.locator(".actions .status", { hasText: "Investigating" }).waitFor();
    const boxes = page.getByRole("region", { name: "Contain it" }).getByRole("checkbox");
    await boxes.first().waitFor();
    const steps = await boxes.count();
    for (let step = 0; step < steps; step += 1) await boxes.nth(step).check();
    await page.getByText(`${steps} of ${steps} done`).first().waitFor();
    await page.getByRole("button", { name: "Fraud" }).click();
    await page.locator(".actions .status", { hasText: "Resolved as fraud" }).waitFor();
    const { status, resolvedReason } = await estate.alert(alert.id);
    assert.deepEqual([status, resolvedReason], ["resolved", "fraud"]);
    await estate.setStatus(alert.id, { status: "active" });
  });

  journey("an incident can be worked through with the keyboard alone", {}, async (page) => {
    await estate.openList(page);
    const focused = (attribute) => page.evaluate((name) => document.activeElement.getAttribute(name), attribute);
    const tabTo = async (matches, key = "Tab") => {
      for (let presses = 0; presses < 60; presses += 1) {
        await page.keyboard.press(key);
        if (await page.evaluate((selector) => document.activeElement.matches(selector), matches)) return;
      }
      assert.fail(`${key} never reached ${matches}`);
    };
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press("Tab");
    assert.equal(await focused("id"), "skip");
    await page.keyboard.press("Enter");
    await tabTo(".row-link");
    const first = await focused("href");
    if ((await rows(page).count()) > 1) {
      await page.keyboard.press("j");
      await page.waitForFunction((before) => document.activeElement.getAttribute("href") !== before, first);
      await page.keyboard.press("ArrowUp");
      await page.locator(`.row-link[href="${first}"]:focus`).waitFor();
    }
    await page.keyboard.press("x");
    await page.getByText("1 alert selected").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Enter");
    await page.locator(".detail h1:focus").waitFor();
    await tabTo(".actions button");
    await tabTo(".checklist input");
    await page.keyboard.press("Space");
    assert.equal(await page.evaluate(() => document.activeElement.checked), true);
    await page.keyboard.press("u");
    await page.locator(`.row-link[href="${first}"]:focus`).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("c");
    await page.getByRole("heading", { level: 1, name: "Customers and sources" }).waitFor();
    await page.keyboard.press("/");
    await page.locator("#search:focus").waitFor();
    await page.keyboard.press("Escape");
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press("?");
    const dialog = page.getByRole("dialog", { name: "Keyboard" });
    await dialog.getByLabel("Single keys work outside the table").uncheck();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await page.keyboard.press("?");
    assert.equal(await page.getByRole("dialog").count(), 0, "single keys are off");
  });
}
