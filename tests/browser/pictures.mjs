/**
 * Makes the pictures of README and docs: `TENANTWATCH_BIN=… node pictures.mjs`, or with `TENANTWATCH_URL` as for the tests.
 */

import path from "node:path";
import { fileURLToPath } from "node:url";
import { PHONE, launchBrowser } from "./browser.mjs";
import { ALERTS, Estate } from "./estate.mjs";
import { findServer } from "./server.mjs";

const FOLDER = fileURLToPath(new URL("../../docs/images/", import.meta.url));
const WIDE = { width: 1360, height: 900 };
/** Of the overview more is worth a look than a window of usual height shows. */
const HIGH = { width: 1360, height: 1240 };

const estate = new Estate();
estate.server = await findServer();
const browser = await launchBrowser();

async function picture(name, hash, ready, { dark = false, viewport = WIDE, start = async () => {}, before = async () => {} } = {}) {
  const context = await browser.newContext({ viewport, colorScheme: dark ? "dark" : "light", reducedMotion: "reduce", locale: "en-GB", deviceScaleFactor: 1 });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(estate.url + hash);
  await start(page);
  await ready(page).waitFor();
  await before(page);
  await page.waitForLoadState("networkidle").catch(() => {});
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: path.join(FOLDER, `${name}.png`) });
  await context.close();
}

/**
 * What a partner has behind it who has worked with it for a while: those of the oldest alerts that are still open in a
 * demo are resolved, so that the pictures show figures, and not how they look without.
 */
async function resolveSome() {
  const { value } = await estate.api(`${ALERTS}?$filter=${encodeURIComponent("status eq 'active'")}&$orderby=detectedDateTime&$top=50`);
  const overdue = value.filter((each) => Date.now() - Date.parse(each.detectedDateTime) > 24 * 3_600_000);
  for (const [index, each] of overdue.slice(0, Math.floor(overdue.length * 0.7)).entries()) {
    await estate.setStatus(each.id, { status: "resolved", resolvedReason: index % 4 === 3 ? "legitimate" : "fraud" });
  }
}

try {
  await resolveSome();
  const alert = await estate.freshAlert((each) => each.severity === "high" && each.additionalDetails.ExpectedCost !== undefined);
  const canvas = (page) => page.locator("canvas").first();
  const one = `#/alerts/${encodeURIComponent(alert.id)}`;
  await picture("overview", "#/", (page) => page.locator(".health li").first(), { viewport: HIGH });
  await picture("overview-dark", "#/", (page) => page.locator(".health li").first(), { dark: true, viewport: HIGH });
  await picture("alerts", "#/alerts", (page) => page.locator("tr[data-id]").first(), { before: (page) => page.getByRole("button", { name: "High", exact: true }).click() });
  await picture("alert", one, canvas);
  await picture("alert-phone", one, canvas, { dark: true, viewport: PHONE });
  await picture("tuning", `#/tuning?detector=${alert.additionalDetails.DetectorId}`, (page) => page.locator("#preview-sum"));
  await picture("detector", "#/detectors?id=vm_anomalous_deployment", (page) => page.locator("#replay-sum"), {
    start: async (page) => {
      const numbers = page.getByRole("region", { name: "Numbers it compares with" });
      await numbers.getByLabel("Points min").fill("7");
      await numbers.getByRole("button", { name: "Replay" }).click();
    },
    before: async (page) => {
      await page.locator("#replay-sum").waitFor();
      await page.getByRole("heading", { name: "Numbers it compares with" }).evaluate((heading) => heading.scrollIntoView({ block: "start" }));
    },
  });
  await picture("explorer", "#/explorer", (page) => page.getByRole("button", { name: /List security alerts/ }), {
    before: async (page) => {
      await page.getByRole("button", { name: /Open alerts of high severity/ }).click();
      await page.getByRole("button", { name: "Send", exact: true }).click();
      await page.locator(".status strong").waitFor();
    },
  });
} finally {
  await browser.close();
  await estate.server.stop();
}
