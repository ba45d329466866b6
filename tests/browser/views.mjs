/** The views that are kept as pictures: where they are, and when they stand. */

export const SIZES = { desk: { width: 1200, height: 900 }, phone: { width: 390, height: 844 } };

/** Below this a page is not looked at. */
export const HEIGHT_MAX = 2000;

/** Until the browser has drawn what was asked of it. */
export const settled = (page) => page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));

/** Name, address and what is there when the page is ready; `alert` is the one whose page is shown. */
export function views(alert) {
  return {
    overview: ["#/", (page) => page.locator(".health li").first()],
    alerts: ["#/alerts", (page) => page.locator("table.alerts tr[data-id]").first()],
    alert: [`#/alerts/${encodeURIComponent(alert)}`, (page) => page.locator("canvas").first()],
    customers: ["#/customers", (page) => page.locator("tr[data-customer]").first()],
    detectors: ["#/detectors?id=vm_anomalous_deployment", (page) => page.getByRole("region", { name: "How its runs fare" }).getByText("Last run")],
    tuning: ["#/tuning?detector=crypto_mining", (page) => page.locator("#preview-sum")],
    explorer: ["#/explorer", (page) => page.getByRole("button", { name: /List security alerts/ })],
  };
}

/** Opens a page whose clock stands at `at`. */
export async function openAt(browser, at, { viewport, dark = false }) {
  const context = await browser.newContext({ viewport, colorScheme: dark ? "dark" : "light", reducedMotion: "reduce", locale: "en-GB", timezoneId: "UTC", deviceScaleFactor: 1 });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await page.clock.setFixedTime(new Date(at));
  return page;
}

/** Goes to a view and waits until nothing moves any more. */
export async function show(page, url, [hash, ready]) {
  await page.goto(url + hash);
  await ready(page).waitFor();
  await page.waitForLoadState("networkidle");
  await page.locator(".bone").first().waitFor({ state: "detached" });
  await page.evaluate(() => document.fonts.ready);
  await settled(page);
}
