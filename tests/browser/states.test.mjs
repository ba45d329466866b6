/**
 * Pages with nothing to show, with a server that fails, and while they wait; and how their parts lie, at every width.
 * From recorded replies: no demo is ever empty, and none fails when it is told to.
 */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertAccessible, assertFits, launchBrowser } from "./browser.mjs";
import { readRecording, serveRecorded } from "./recorded.mjs";
import { SIZES, openAt, show, views } from "./views.mjs";

let recording;
let server;
let browser;

/** What the server does with its replies: changed from test to test. */
let alter = (_, reply) => reply;

before(async () => {
  recording = await readRecording(new URL("snapshots/replies.json.gz", import.meta.url));
  server = await serveRecorded(recording, (path, reply) => alter(path, reply));
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  server?.stop();
});

async function onPage(options, run) {
  const page = await openAt(browser, recording.at, { viewport: SIZES.desk, ...options });
  const uncaught = [];
  page.on("pageerror", (error) => uncaught.push(error.message));
  try {
    await run(page);
    assert.deepEqual(uncaught, []);
  } finally {
    alter = (_, reply) => reply;
    await page.context().close();
  }
}

const refused = (status, code, message) => ({ status, type: "application/json", body: JSON.stringify({ error: { code, message, innerError: { "request-id": "5a3b1e00-0001-4000-8000-0000000000aa" } } }) });
const isDescription = (path) => path.endsWith("openapi.json") || path.endsWith("$metadata");

/** The server of a partner of whom nothing is known yet: detectors, and no records. */
function nothing(path, reply) {
  if (isDescription(path) || path.endsWith("/detectors")) return reply;
  if (/securityScore$|explanation$|securityAlerts\/[^/(]+$/.test(path)) return refused(404, "notFound", "There is none.");
  const body = JSON.parse(reply.body);
  const { "@odata.nextLink": _, nextLink: __, ...told } = body;
  const never = { state: "waiting", lastRunDateTime: null, lastSuccessDateTime: null, lastDurationMs: null, lastFindings: null, lastError: null, lastErrorDateTime: null, nextDueDateTime: null, watermarkDateTime: null };
  const value = path.endsWith("detectorHealth") ? body.value.map((each) => ({ ...each, ...never })) : [];
  const totals = told.totals && { ...told.totals, currencies: [], unpricedAlerts: 0 };
  return { ...reply, body: JSON.stringify({ ...told, value, ...(totals ? { totals } : {}), ...("@odata.count" in told ? { "@odata.count": 0 } : {}) }) };
}

/** What each page says when there is nothing: why, and what leads on. */
const TAUGHT = {
  overview: /Nothing is open\.[\s\S]*No record has come in yet[\s\S]*New alerts a day: none in this time[\s\S]*tenantwatch ingest PATH[\s\S]*each waits for the first record[\s\S]*No detector has run yet/,
  alerts: /Nothing waits for you[\s\S]*Show all alerts/,
  alert: /There is no such alert[\s\S]*Show all alerts/,
  customers: /No customer is known yet[\s\S]*tenantwatch customers import list\.csv[\s\S]*tenantwatch ingest PATH[\s\S]*\[\[sources\]\]/,
  detectors: /It never ran: no record that it reads has come in/,
  tuning: /No rule holds[\s\S]*make a rule that names it as narrowly as you can/,
  explorer: /Send the request to see what comes back/,
};

for (const [size, dark] of [["desk", false], ["phone", true]]) {
  test(`a page without anything to show says why, and what to do: ${size}`, () => onPage({ viewport: SIZES[size], dark }, async (page) => {
    alter = nothing;
    for (const [name, [hash]] of Object.entries(views(recording.alert))) {
      await page.goto(server.url + hash);
      await page.waitForFunction((source) => new RegExp(source).test(document.querySelector("main")?.innerText ?? ""), TAUGHT[name].source)
        .catch(async () => assert.match(await page.locator("main").innerText(), TAUGHT[name], name));
      await page.locator(".bone").first().waitFor({ state: "detached" });
      await assertFits(page, `${name} without anything, ${size}`);
      await assertAccessible(page, `${name} without anything, ${size}`);
    }
  }));
}

/** What would be said of what is not there, while nobody knows. */
const CLAIMS = /None resolved yet|None judged yet|Not known|No source reports|None is open|No rule holds|Nothing yet|Nothing is open|Nothing waits|No customer is known|No records yet|\b0 open/;

test("a server that fails is told as that, never as nothing there, and the way on leads on", () => onPage({}, async (page) => {
  for (const [name, view] of Object.entries(views(recording.alert))) {
    alter = () => refused(503, "serviceUnavailable", "The store does not answer.");
    // Each from its beginning: what was read before would be shown.
    await page.goto("about:blank");
    await page.goto(server.url + view[0]);
    await page.getByRole("button", { name: "Try again" }).first().waitFor();
    await page.locator(".bone").first().waitFor({ state: "detached" });
    assert.doesNotMatch(await page.locator("main").innerText(), CLAIMS, name);
    assert.match(await page.locator(".problem").first().innerText(), name === "explorer" ? /answered 503/ : /The store does not answer[\s\S]*request id/, name);
    await assertAccessible(page, `${name} of a server that fails`);

    alter = (_, reply) => reply;
    for (const again of (await page.getByRole("button", { name: "Try again" }).all()).reverse()) await again.click();
    await view[1](page).waitFor();
    await page.locator(".problem").first().waitFor({ state: "detached" });
  }
}));

test("related alerts that cannot be read are told as that, beside an alert that was", () => onPage({}, async (page) => {
  const [hash, isThere] = views(recording.alert).alert;
  alter = (path, reply) => (path.endsWith("/securityAlerts") ? refused(503, "serviceUnavailable", "The store does not answer.") : reply);
  await page.goto(server.url + hash);
  await isThere(page).waitFor();
  const near = page.getByRole("region", { name: "Related alerts" });
  await near.getByText("The related alerts could not be loaded").waitFor();
  assert.doesNotMatch(await near.innerText(), /None on this/);
  alter = (_, reply) => reply;
  await near.getByRole("button", { name: "Try again" }).click();
  await near.getByRole("link").first().waitFor();
}));

test("what is on its way is a shape of it, under the heading of the page", () => onPage({}, async (page) => {
  for (const [name, view] of Object.entries(views(recording.alert))) {
    if (name === "explorer") continue;
    let release;
    const held = new Promise((resolve) => (release = resolve));
    alter = async (path, reply) => {
      if (!path.includes("delta()")) await held;
      return reply;
    };
    await page.goto("about:blank");
    await page.goto(server.url + view[0]);
    await page.locator(".bone").first().waitFor();
    const heading = await page.locator("main h1").count();
    assert.equal(name === "alert" || heading === 1, true, `${name} has its heading while it waits`);
    release();
    await view[1](page).waitFor();
    await page.locator(".bone").first().waitFor({ state: "detached" });
  }
}));

/**
 * Parts that lie on each other, and texts that are cut off without dots that say so.
 */
const mistakes = (page) => page.evaluate(() => {
  const shown = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && element.getClientRects().length > 0;
  const called = (element) => `${element.tagName.toLowerCase()}.${element.className} "${(element.innerText || element.getAttribute("aria-label") || element.id || "").trim().slice(0, 40)}"`;
  const found = [];
  const main = document.querySelector("main");
  const targets = [...main.querySelectorAll("a, button, input, select, textarea, summary")].filter(shown);
  // Line by line, as a text that breaks has one box around all; what is scrolled out of sight lies on nothing.
  const lines = (element) => {
    let boxes = [...element.getClientRects()].map(({ left, top, right, bottom }) => ({ left, top, right, bottom }));
    for (let outer = element.parentElement; outer !== null; outer = outer.parentElement) {
      if (getComputedStyle(outer).overflow === "visible") continue;
      const edge = outer.getBoundingClientRect();
      boxes = boxes.map((box) => ({ left: Math.max(box.left, edge.left), top: Math.max(box.top, edge.top), right: Math.min(box.right, edge.right), bottom: Math.min(box.bottom, edge.bottom) }));
    }
    return boxes;
  };
  const boxes = targets.map((element) => ({ element, at: lines(element) }));
  const meet = (one, other) => Math.min(one.right, other.right) - Math.max(one.left, other.left) > 2 && Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 2;
  boxes.forEach(({ element, at }, index) => {
    for (const other of boxes.slice(index + 1)) {
      if (element.contains(other.element) || other.element.contains(element)) continue;
      if (at.some((one) => other.at.some((two) => meet(one, two)))) found.push(`${called(element)} lies on ${called(other.element)}`);
    }
  });
  for (const element of main.querySelectorAll("*")) {
    if (!shown(element) || element.closest("svg, canvas, .visually-hidden, details:not([open])") || element.shadowRoot) continue;
    const style = getComputedStyle(element);
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== "");
    const hides = ["hidden", "clip"].includes(style.overflowX) || ["hidden", "clip"].includes(style.overflowY);
    // What is clipped away as a whole is for those who hear the page.
    if (!own || !hides || style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none" || style.clipPath === "inset(50%)") continue;
    if (element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1) found.push(`${called(element)} is cut off`);
  }
  return [...new Set(found)];
});

for (const width of [1920, 1200, 768, 640, 390, 320]) {
  test(`nothing lies on anything else and nothing is cut off, ${width} pixels wide`, () => onPage({ viewport: { width, height: 800 } }, async (page) => {
    for (const [name, view] of Object.entries(views(recording.alert))) {
      await show(page, server.url, view);
      assert.deepEqual(await mistakes(page), [], `${name} at ${width} px`);
      await assertFits(page, `${name} at ${width} px`);
    }
  }));
}

test("what lies on another part or is cut off is found", () => onPage({}, async (page) => {
  await show(page, server.url, views(recording.alert).alerts);
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("h1 { inline-size: 2rem; overflow: hidden; white-space: nowrap } main button { margin-inline-end: -2rem }");
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  });
  const found = await mistakes(page);
  assert.ok(found.some((each) => each.includes("is cut off")) && found.some((each) => each.includes("lies on")), found.join("\n"));
}));
