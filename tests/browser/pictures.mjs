/**
 * Makes the pictures of README and docs: `TENANTWATCH_BIN=… node pictures.mjs`, or with `TENANTWATCH_URL` as for the tests.
 */

import path from "node:path";
import { fileURLToPath } from "node:url";
import { PHONE, launchBrowser } from "./browser.mjs";
import { Estate } from "./estate.mjs";
import { findServer } from "./server.mjs";

const FOLDER = fileURLToPath(new URL("../../docs/images/", import.meta.url));
const WIDE = { width: 1360, height: 900 };

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

try {
  const alert = await estate.freshAlert((each) => each.severity === "high" && each.additionalDetails.ExpectedCost !== undefined);
  const canvas = (page) => page.locator("canvas").first();
  const one = `#/alerts/${encodeURIComponent(alert.id)}`;
  await picture("overview", "#/", (page) => page.locator(".health li").first());
  await picture("overview-dark", "#/", (page) => page.locator(".health li").first(), { dark: true });
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
