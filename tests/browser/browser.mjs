/**
 * The browser, and a page that is watched: whatever it logs as an error or asks of another host
 * fails the test.
 */

import assert from "node:assert/strict";
import axe from "axe-core";
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

/** How long any one step may take. */
const STEP_TIMEOUT_MS = 30_000;

export const DESKTOP = { width: 1280, height: 860 };
export const PHONE = { width: 390, height: 844 };

/** How a journey looks that is walked twice: by day at a desk, and at night on a phone. */
export const LOOKS = [["desk, light", {}], ["phone, dark", { viewport: PHONE, dark: true }]];

/** Starts the browser that `CHROMIUM` names, or Debian's. */
export function launchBrowser(env = process.env, flags = []) {
  return chromium.launch({ executablePath: env.CHROMIUM || "/usr/bin/chromium", headless: true, args: [...FLAGS, ...flags] });
}

/**
 * Runs a journey on a fresh, watched page.
 *
 * @param {Browser} browser
 * @param {string} url the only host that the page may talk to
 * @param {object} options `viewport`, `dark`, `scale`, pixels of the screen for one of the page; `letters`, the size that
 *   the user chose for them, in a browser of its own; `failures`: the journey makes requests fail, which the
 *   browser logs by itself
 * @param {(page: Page) => Promise<void>} journey
 */
export async function onPage(browser, url, options, journey) {
  if (options.letters === undefined) return onPageOf(browser, url, options, journey);
  const own = await launchBrowser(process.env, [`--blink-settings=defaultFontSize=${options.letters}`]);
  try {
    return await onPageOf(own, url, options, journey);
  } finally {
    await own.close();
  }
}

async function onPageOf(browser, url, { viewport = DESKTOP, dark = false, scale = 1, failures = false }, journey) {
  const context = await browser.newContext({
    viewport, colorScheme: dark ? "dark" : "light", reducedMotion: "reduce", locale: "en-GB", deviceScaleFactor: scale,
  });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(STEP_TIMEOUT_MS);
    const complaints = watch(page, new URL(url).host, failures);
    await journey(page);
    assert.deepEqual(complaints, []);
  } finally {
    await context.close();
  }
}

function watch(page, host, failures) {
  const complaints = [];
  page.on("console", (message) => {
    const expected = failures && message.text().startsWith("Failed to load resource");
    if (["error", "warning"].includes(message.type()) && !expected) complaints.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`uncaught: ${error.message}`));
  page.on("request", (request) => {
    const { protocol, host: asked } = new URL(request.url());
    if (protocol.startsWith("http") && asked !== host) complaints.push(`request to ${asked}`);
  });
  return complaints;
}

/** Asserts that axe finds nothing against WCAG 2 level A and AA, 2.1 and 2.2 included. */
export async function assertAccessible(page, what) {
  // Evaluated through the debugger, as the page's policy rightly refuses injected scripts.
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    });
    return violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map((node) => node.target.join(" ")) }));
  });
  assert.deepEqual(found, [], what);
}

/** Asserts that nothing makes the page wider than the window. */
export async function assertFits(page, what) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= window, `${what}: content is ${content} px wide in a window of ${window} px`);
}
