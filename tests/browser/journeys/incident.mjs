/** 2 am: from a link to understood, contained and resolved as fraud, within three clicks; and with the keyboard alone. */

import assert from "node:assert/strict";
import { LOOKS } from "../browser.mjs";
import { rows } from "../estate.mjs";

/** What the console's issue allows from the link to an alert that is resolved as fraud. */
const CLICKS_MAX = 3;

/** Counts what a person clicks, on whatever pages; the count outlives them. */
async function countClicks(page) {
  let clicks = 0;
  await page.exposeFunction("countClick", () => (clicks += 1));
  // Clicks that the page makes itself are not a person's.
  await page.addInitScript(() => addEventListener("click", (event) => event.isTrusted && window.countClick(), { capture: true }));
  return () => clicks;
}

/** Whether its middle can be seen without scrolling: within the window, and under no bar that is fixed to it. */
const inView = (locator) => locator.evaluate((node) => {
  const { left, top, width, height } = node.getBoundingClientRect();
  const there = document.elementFromPoint(left + width / 2, top + height / 2);
  return node.contains(there) || (there?.contains(node) ?? false);
});

export default function define(journey, estate) {
  for (const [look, options] of LOOKS) {
    journey(`2 am, from a link to resolved as fraud in at most three clicks: ${look}`, options, async (page) => {
      const alert = await estate.freshAlert((each) => each.severity === "high");
      const clicks = await countClicks(page);
      // A message somewhere else, with nothing but the link.
      await page.route("**/message", (route) => route.fulfill({ contentType: "text/html", body: `<!doctype html><title>Message</title><a href="${estate.addressOf(alert)}">Look at this</a>` }));
      await page.goto(`${estate.url}message`);
      await page.getByRole("link", { name: "Look at this" }).click();

      // What is there without a click and without scrolling: what it is, whose, how long is left, what can be done.
      await page.getByRole("heading", { level: 1, name: alert.displayName }).waitFor();
      const clock = page.locator(".response .clock-text");
      await clock.waitFor();
      const fraud = page.getByRole("button", { name: "Fraud" });
      // What it costs comes last, and stands before what happened.
      await page.locator(".why canvas").waitFor();
      for (const [what, locator] of [
        ["what it is", page.getByRole("heading", { level: 1 })], ["whose it is", page.getByText(alert.subscriptionId, { exact: true }).first()],
        ["how long is left", clock], ["the first action", page.getByRole("button", { name: "Start investigating" })], ["the last action", fraud],
        ["what happened", page.getByRole("heading", { name: "What happened" })],
      ]) assert.ok(await inView(locator), `${what}, without scrolling`);

      await page.getByRole("button", { name: "Start investigating" }).click();
      await page.locator(".actions .status", { hasText: "Investigating" }).waitFor();
      await fraud.click();
      await page.locator(".actions .status", { hasText: "Resolved as fraud" }).waitFor();
      const { status, resolvedReason } = await estate.alert(alert.id);
      assert.deepEqual([status, resolvedReason], ["resolved", "fraud"]);
      assert.ok(clicks() > 1 && clicks() <= CLICKS_MAX, `${clicks()} clicks, the one on the link among them`);
      await estate.setStatus(alert.id, { status: "active" });
    });

    journey(`2 am, the checklist is worked through before it is resolved: ${look}`, options, async (page) => {
      const alert = await estate.freshAlert((each) => each.severity === "high");
      await estate.openAlert(page, alert);
      await page.getByRole("button", { name: "Start investigating" }).click();
      await page.locator(".actions .status", { hasText: "Investigating" }).waitFor();
      const boxes = page.getByRole("region", { name: "Contain it" }).getByRole("checkbox");
      await boxes.first().waitFor();
      const steps = await boxes.count();
      for (let step = 0; step < steps; step += 1) await boxes.nth(step).check();
      await page.getByText(`${steps} of ${steps} done`).first().waitFor();
      await page.getByRole("button", { name: "Fraud" }).click();
      await page.locator(".actions .status", { hasText: "Resolved as fraud" }).waitFor();
      assert.equal((await estate.alert(alert.id)).resolvedReason, "fraud");
      await estate.setStatus(alert.id, { status: "active" });
    });
  }

  journey("what breaches next is resolved from the overview within three clicks", {}, async (page) => {
    const clicks = await countClicks(page);
    await page.goto(estate.url);
    const link = page.locator(".due .what a").first();
    const [title, id] = [await link.innerText(), decodeURIComponent((await link.getAttribute("href")).split("/").at(-1))];
    await link.click();
    await page.getByRole("heading", { level: 1, name: title }).waitFor();
    await page.getByRole("button", { name: "Fraud" }).click();
    await page.locator(".actions .status", { hasText: "Resolved as fraud" }).waitFor();
    assert.ok(clicks() <= CLICKS_MAX, `${clicks()} clicks`);
    assert.equal((await estate.alert(id)).resolvedReason, "fraud");
    await estate.setStatus(id, { status: "active" });
  });

  journey("an incident is found, contained and resolved as fraud with the keyboard alone", {}, async (page) => {
    // A mouse that is touched fails the journey.
    let pointed = 0;
    await page.exposeFunction("countPointer", () => (pointed += 1));
    await page.addInitScript(() => addEventListener("pointerdown", () => window.countPointer(), { capture: true }));
    await page.goto("about:blank");
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
    const id = decodeURIComponent(first.split("/").at(-1));
    const status = page.locator(".actions .status");
    await page.keyboard.press("i");
    await status.filter({ hasText: "Investigating" }).waitFor();
    await page.keyboard.press("r");
    await page.getByRole("button", { name: "Fraud" }).and(page.locator(":focus")).waitFor();
    await page.keyboard.press("Enter");
    await status.filter({ hasText: "Resolved as fraud" }).waitFor();
    assert.equal((await estate.alert(id)).resolvedReason, "fraud");
    // The way back: the message that offers it is reached like everything else.
    await tabTo(".message:last-child .act");
    await page.keyboard.press("Enter");
    await status.filter({ hasText: "Investigating" }).waitFor();
    assert.equal((await estate.alert(id)).status, "investigating");
    await estate.setStatus(id, { status: "active" });
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
    await tabTo("dialog input[type=checkbox]");
    await page.keyboard.press("Space");
    assert.equal(await dialog.getByLabel("Single keys work outside the table").isChecked(), false);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await page.keyboard.press("?");
    assert.equal(await page.getByRole("dialog").count(), 0, "single keys are off");
    assert.equal(pointed, 0, "no mouse");
  });

  journey("several alerts are selected, looked at and resolved with the keyboard alone", {}, async (page) => {
    await estate.openList(page, "#/alerts?status=active");
    const [one, other] = await rows(page).evaluateAll((all) => all.slice(0, 2).map((row) => row.dataset.id));
    await page.locator(`tr[data-id="${one}"] .row-link`).focus();
    await page.keyboard.press("Shift+ArrowDown");
    await page.getByText("2 alerts selected").waitFor();
    await page.keyboard.press("r");
    await page.getByRole("region", { name: "Selected alerts" }).getByRole("button", { name: "Fraud" }).and(page.locator(":focus")).waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: /Resolve as legitimate/ });
    await dialog.waitFor();
    const confirm = dialog.getByRole("button", { name: /^Resolve as legitimate \(2\)/ });
    for (let presses = 0; presses < 10 && !(await confirm.evaluate((node) => node === document.activeElement)); presses += 1) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByText(/2 alerts: resolved as legitimate/).first().waitFor();
    for (const id of [one, other]) {
      assert.equal((await estate.alert(id)).resolvedReason, "legitimate");
      await estate.setStatus(id, { status: "active" });
    }
  });
}
