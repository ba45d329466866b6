/**
 * How fast the console is over many alerts, measured in the browser: `node measure.mjs [ALERTS] [TIMES]`.
 *
 * Makes the alerts (always the same), imports and serves them with the binary that `TENANTWATCH_BIN` names, and times
 * each step from the click to the frame in which its rows stand. With `TENANTWATCH_BESIDE` the built files of
 * `web/dist` are served in front of it, for a binary with an older console. `TENANTWATCH_MEASURE_DATA` names a folder
 * that keeps the imported alerts for the next time. Writes a table for docs/performance.md.
 */

import { execFile, spawn } from "node:child_process";
import { createWriteStream, existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import readline from "node:readline";
import { promisify } from "node:util";
import { serveBeside } from "./beside.mjs";
import { DESKTOP, launchBrowser } from "./browser.mjs";

const run = promisify(execFile);
const COUNT = Number(process.argv[2] ?? 100_000);
const TIMES = Number(process.argv[3] ?? 30);
const binary = path.resolve(process.env.TENANTWATCH_BIN ?? "../../target/release/tenantwatch");

/** The same numbers in each run. */
function chance(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

async function writeAlerts(file) {
  const pick = chance(1);
  const out = createWriteStream(file);
  const now = Date.now();
  const hex = (number, length) => number.toString(16).padStart(length, "0");
  const names = ["Unusual deployment of virtual machines", "Machines mine cryptocurrency", "Unusual consumption of Azure resources", "Risky sign-in, then a change in Azure", "Backups or their protection destroyed"];
  for (let number = 0; number < COUNT; number += 1) {
    const kind = pick(names.length);
    const customer = `${hex(pick(2000), 8)}-0000-4000-8000-00000000c000`;
    const subscription = `${hex(pick(6000), 8)}-0000-4000-8000-00000000d000`;
    // Most are old and resolved, a tenth is open.
    const detected = new Date(now - pick(90 * 86_400) * 1000).toISOString();
    const open = pick(10) === 0;
    const resolved = new Date(Math.min(now, Date.parse(detected) + pick(40 * 3600) * 1000)).toISOString();
    const resources = Array.from({ length: 1 + pick(4) }, (_, index) => ({ resourceId: `/subscriptions/${subscription}/resourcegroups/rg-${pick(50)}/providers/microsoft.compute/virtualmachines/vm${index}`, resourceType: "AzureResource" }));
    const alert = {
      id: `${hex(number, 8)}-0b1e-4a39-9a55-2f6f1d0c9e11`, alertType: ["VM_AnomalousDeployment", "CryptoMining", "ARM_AnomalousResourceConsumption", "Entra_RiskySignIn", "Backup_Destruction"][kind],
      displayName: names[kind], description: `${pick(60)} machines in ${pick(6)} regions that this subscription had not used in four weeks, by a caller that was new there.`,
      severity: ["high", "medium", "medium", "low", "informational"][pick(5)], confidenceLevel: ["high", "medium", "low"][pick(3)],
      status: open ? ["active", "investigating"][pick(2)] : "resolved", detectedDateTime: detected, firstObservedDateTime: detected, lastObservedDateTime: detected,
      customerTenantId: customer, subscriptionId: subscription, valueAddedResellerTenantId: null, catalogOfferId: null, isTest: false,
      resolvedBy: open ? null : "ann@partner.example", resolvedOnDateTime: open ? null : resolved, resolvedReason: open ? null : ["fraud", "legitimate", "ignore"][pick(3)],
      affectedResources: resources, activityLogs: [],
      additionalDetails: { Caller: `user${pick(9000)}@customer.example`, CallerAddresses: `["203.0.113.${pick(250)}"]`, Machines: String(pick(60)), Regions: '["francecentral","uksouth"]', DetectorId: ["vm_anomalous_deployment", "crypto_mining", "arm_anomalous_resource_consumption", "risky_sign_in_then_write", "backup_destruction"][kind], DetectorVersion: "1" },
    };
    if (!out.write(`${JSON.stringify(alert)}\n`)) await new Promise((resolve) => out.once("drain", resolve));
  }
  await new Promise((resolve) => out.end(resolve));
}

const p = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];

/** Times steps inside the page: from the moment of the action to the frame after the table has its rows. */
async function timed(page, act) {
  await page.evaluate(() => {
    window.measured = new Promise((resolve) => {
      const table = () => document.querySelector("table.alerts");
      let busy = false;
      const look = () => {
        if (table()?.getAttribute("aria-busy") === "true") busy = true;
        else if (busy && window.began !== undefined) {
          observer.disconnect();
          requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - window.began), 0));
        }
      };
      const observer = new MutationObserver(look);
      observer.observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["aria-busy"] });
      window.began = undefined;
      // What is typed counts from the key that sends it.
      const start = (event) => {
        if (event.type === "keydown" && event.key !== "Enter") return;
        window.began ??= performance.now();
      };
      for (const kind of ["click", "change", "keydown"]) addEventListener(kind, start, { capture: true, once: true });
    });
  });
  await act();
  return page.evaluate(() => window.measured);
}

/** Times from the click to the frame after something stands that was not there. */
async function timedUntil(page, selector, act) {
  await page.evaluate((sought) => {
    window.measured = new Promise((resolve) => {
      let began;
      addEventListener("click", () => (began ??= performance.now()), { capture: true, once: true });
      const observer = new MutationObserver(() => {
        if (document.querySelector(sought) === null) return;
        observer.disconnect();
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - began), 0));
      });
      observer.observe(document.body, { subtree: true, childList: true });
    });
  }, selector);
  await act();
  return page.evaluate(() => window.measured);
}

const work = await mkdtemp(path.join(tmpdir(), "tenantwatch-measure-"));
let server;
let beside;
let browser;
try {
  const file = path.join(work, "alerts.ndjson");
  const data = process.env.TENANTWATCH_MEASURE_DATA ?? path.join(work, "data");
  if (!existsSync(path.join(data, "alerts.db"))) {
    await writeAlerts(file);
    await run(binary, ["alerts", "import", "--data-dir", data, file], { maxBuffer: 1 << 26 });
  }
  const { stdout: token } = await run(binary, ["token", "--data-dir", data, "--scope", "PartnerSecurity.ReadWrite.All"]);
  server = spawn(binary, ["serve", "--data-dir", data, "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "ignore"] });
  let [url] = await new Promise((resolve) => readline.createInterface({ input: server.stdout }).once("line", (line) => resolve([line.trim()])));
  if (process.env.TENANTWATCH_BESIDE) {
    beside = await serveBeside(url);
    url = beside.url;
  }
  browser = await launchBrowser();
  const page = await (await browser.newContext({ viewport: DESKTOP, reducedMotion: "reduce" })).newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(url);
  await page.getByLabel("Bearer token").fill(token.trim());
  await page.getByRole("button", { name: "Use this token" }).click();
  await page.locator(".overview[data-took-ms]").waitFor();

  const overview = [];
  for (let time = 0; time < TIMES; time += 1) {
    await page.getByRole("link", { name: "Alerts" }).first().click();
    await page.locator("table.alerts tr[data-id]").first().waitFor();
    await page.evaluate(() => {
      window.began = performance.now();
      window.shown = new Promise((resolve) => {
        let before = null;
        const look = () => {
          const root = document.querySelector(".overview");
          const took = root?.getAttribute("data-reading");
          if (took === "true") before = true;
          if (before && took === "false") {
            observer.disconnect();
            requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - window.began), 0));
          }
        };
        const observer = new MutationObserver(look);
        observer.observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-reading"] });
      });
      location.hash = "#/";
    });
    overview.push(await page.evaluate(() => window.shown));
  }

  await page.goto(`${url}#/alerts`);
  // The token is in memory alone, so a reload asks for it again; the page stays.
  if (await page.getByLabel("Bearer token").isVisible()) {
    await page.getByLabel("Bearer token").fill(token.trim());
    await page.getByRole("button", { name: "Use this token" }).click();
  }
  const isThere = page.locator("table.alerts tr[data-id]").first();
  await isThere.waitFor();
  // Columns that are not shown at first are sorted by too.
  await page.getByText("Columns").first().click();
  await page.getByRole("checkbox", { name: "Subscription" }).check();
  await page.keyboard.press("Escape");
  await page.getByText("Columns").first().click();

  const status = (value) => page.locator("#status").selectOption(value);
  const sortBy = (name) => page.getByRole("columnheader").getByRole("button", { name }).click();
  const columns = ["Severity", "Alert", "Customer", "Subscription", "Status", "Detected"];
  // Words of every fifth alert, of a dozen and of every 250th; and two that stand in all.
  const words = ["mining", "user17@customer.example", "203.0.113.77"];
  const everywhere = ["francecentral", "uksouth"];
  const detectors = ["vm_anomalous_deployment", "crypto_mining", "risky_sign_in_then_write", ""];
  const customer = (time) => `${((time * 7919) % 2000).toString(16).padStart(8, "0")}-0000-4000-8000-00000000c000`;
  const search = async (word) => {
    await page.getByLabel("Search", { exact: true }).fill(word);
    await page.getByLabel("Search", { exact: true }).press("Enter");
  };
  const pages = (time) => page.getByRole("button", { name: time % 3 < 2 ? "Next" : "Previous" }).click();
  /** Name, the address to begin at, and what is done each time. */
  const steps = [
    ["filter by severity", "", (time) => page.getByRole("group", { name: "Severity" }).getByRole("button", { name: time % 2 ? "High" : "Medium" }).click()],
    ["change the status", "", (time) => status(["resolved", "any", "active", "open"][time % 4])],
    ["sort the open ones by each column", "", (time) => sortBy(columns[time % columns.length])],
    ["next and previous page of the open ones, by severity", "?order=severity+desc", pages],
    ["sort all by each column", "?status=any", (time) => sortBy(columns[time % columns.length])],
    ["sort the resolved by each column", "?status=resolved", (time) => sortBy(columns[time % columns.length])],
    ["next and previous page of all, by title", "?status=any&order=displayName+asc", pages],
    ["filter all by detector", "?status=any", (time) => page.locator("#detector").selectOption(detectors[time % detectors.length])],
    ["filter all by customer", "?status=any", async (time) => {
      await page.locator("#customer").fill(customer(time));
      await page.locator("#customer").press("Enter");
    }],
    ["search all for a word", "?status=any", (time) => search(words[time % words.length])],
    ["search all for a word that each of them has", "?status=any", (time) => search(everywhere[time % everywhere.length])],
  ];
  const rowsOf = [["overview, from the click to all figures, the next to breach and the heat of customers", overview]];
  const goTo = async (hash) => {
    await page.evaluate((to) => { location.hash = to; }, hash);
    await page.waitForFunction(() => document.querySelector("table.alerts")?.getAttribute("aria-busy") === "false");
    await isThere.waitFor();
    // What else was asked for on the way comes to rest.
    await page.waitForTimeout(300);
  };
  for (const [name, query, step] of steps) {
    await goTo("#/alerts?status=investigating");
    await goTo(`#/alerts${query}`);
    const took = [];
    for (let time = 0; time < TIMES; time += 1) took.push(await timed(page, () => step(time)));
    rowsOf.push([`table: ${name}`, took]);
  }
  const opened = [];
  for (let time = 0; time < TIMES; time += 1) {
    await goTo("#/alerts");
    opened.push(await timedUntil(page, ".detail .response .clock-text", () => page.locator("table.alerts .row-link").nth(time % 20).click()));
  }
  rowsOf.push(["an alert: from the click on its row to what happened, its clock and the buttons", opened]);
  console.log(`| what, ${COUNT.toLocaleString("en-GB")} alerts, ${TIMES} times | p50 | p95 | most |\n| --- | ---: | ---: | ---: |`);
  for (const [name, took] of rowsOf) {
    const sorted = [...took].sort((one, other) => one - other);
    console.log(`| ${name} | ${p(sorted, 0.5).toFixed(0)} ms | ${p(sorted, 0.95).toFixed(0)} ms | ${sorted.at(-1).toFixed(0)} ms |`);
  }
} finally {
  await browser?.close();
  beside?.stop();
  server?.kill("SIGTERM");
  await rm(work, { recursive: true, force: true });
}
