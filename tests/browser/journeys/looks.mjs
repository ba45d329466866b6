/** Every page, light and dark, on a desk and on a phone: accessible, within the window, and small to load. */

import assert from "node:assert/strict";
import { DESKTOP, PHONE, assertAccessible, assertFits } from "../browser.mjs";

/** What may be loaded before anything is shown, compressed. The limit of the console's issue. */
const FIRST_LOAD_BYTES_MAX = 300_000;

const PAGES = {
  overview: ["#/", (page) => page.locator(".health li").first()],
  alerts: ["#/alerts?status=any", (page) => page.locator("table.alerts tr[data-id]").first()],
  customers: ["#/customers", (page) => page.locator("tr[data-customer]").first()],
  detectors: ["#/detectors", (page) => page.locator(".detail .figures dd").first()],
  tuning: ["#/tuning?detector=crypto_mining", (page) => page.locator("#preview-sum")],
  explorer: ["#/explorer", (page) => page.getByRole("button", { name: /List security alerts/ })],
};

export default function define(journey, estate) {
  for (const [size, viewport] of [["desk", DESKTOP], ["phone", PHONE]]) {
    for (const dark of [false, true]) {
      const look = `${size}, ${dark ? "dark" : "light"}`;
      journey(`every page is accessible and fits: ${look}`, { viewport, dark }, async (page) => {
        for (const [name, [hash, ready]] of Object.entries(PAGES)) {
          await page.goto(estate.url + hash);
          await ready(page).waitFor();
          await assertAccessible(page, `${name}, ${look}`);
          await assertFits(page, `${name}, ${look}`);
        }
        await estate.openAlert(page, await estate.freshAlert());
        await page.locator("canvas").first().waitFor();
        await assertAccessible(page, `alert, ${look}`);
        await assertFits(page, `alert, ${look}`);
        const ground = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
        assert.equal(Number(/\d+/.exec(ground)[0]) < 128, dark, ground);
      });
    }
  }

  // 1280 pixels at 200 % are 640, and at 400 %, which WCAG asks for, 320.
  for (const width of [640, 320]) {
    journey(`at ${1280 / width * 100} % nothing is cut off`, { viewport: { width, height: 480 } }, async (page) => {
      for (const [name, [hash, ready]] of Object.entries(PAGES)) {
        await page.goto(estate.url + hash);
        await ready(page).waitFor();
        await assertFits(page, `${name} at ${width} px`);
      }
      await estate.openAlert(page, await estate.freshAlert());
      await page.locator("canvas").first().waitFor();
      await assertFits(page, `alert at ${width} px`);
    });
  }

  journey("a person's choice of colours goes before the system's, and is kept", { dark: true }, async (page) => {
    await page.goto(estate.url);
    const ground = () => page.evaluate(() => Number(/\d+/.exec(getComputedStyle(document.documentElement).backgroundColor)[0]));
    assert.ok((await ground()) < 128);
    await page.getByRole("button", { name: /^Colours/ }).click();
    assert.ok((await ground()) > 128);
    await page.reload();
    await page.getByRole("button", { name: /^Colours: Light/ }).waitFor();
    assert.ok((await ground()) > 128);
  });

  journey("the first load is small", {}, async (page) => {
    const files = [];
    page.on("response", (response) => {
      const { pathname } = new URL(response.url());
      if (pathname === "/" || pathname.startsWith("/assets/")) files.push(response);
    });
    await page.goto(estate.url);
    await page.locator("canvas").first().waitFor();
    let bytes = 0;
    for (const response of files) {
      const body = await response.body();
      const compressible = /html|css|javascript|svg/.test(response.headers()["content-type"] ?? "");
      bytes += compressible ? (await gzipped(body)) : body.length;
    }
    assert.ok(bytes < FIRST_LOAD_BYTES_MAX, `${bytes} bytes`);
  });
}

async function gzipped(body) {
  const { gzipSync } = await import("node:zlib");
  return gzipSync(body).length;
}
