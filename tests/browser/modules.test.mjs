/**
 * The page's pure modules, table by table. They run in the browser that will run them, served from
 * their files without any server.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launchBrowser } from "./browser.mjs";

const WEB = fileURLToPath(new URL("../../web/", import.meta.url));
const ORIGIN = "http://page.invalid/";
const NOW = Date.parse("2031-02-04T12:00:00Z");

let browser;
let page;

before(async () => {
  browser = await launchBrowser();
  page = await browser.newPage();
  await page.route(`${ORIGIN}**`, async (route) => {
    const file = path.join(WEB, new URL(route.request().url()).pathname);
    if (!file.endsWith(".js")) {
      await route.fulfill({ contentType: "text/html", body: "<!doctype html><title>modules</title>" });
      return;
    }
    await route.fulfill({ contentType: "text/javascript", body: await readFile(file, "utf8") });
  });
  await page.goto(ORIGIN);
});

after(() => browser?.close());

/** Calls an exported function for each row and compares what it gives. */
async function check(module, name, table) {
  const found = await page.evaluate(
    async ([file, exported, calls]) => {
      const loaded = await import(`/assets/${file}`);
      return calls.map((given) => loaded[exported](...given) ?? null);
    },
    [module, name, table.map(([given]) => given)],
  );
  table.forEach(([given, expected], row) => assert.deepEqual(found[row], expected, `${name}(${JSON.stringify(given)})`));
}

test("a length of time reads in its two largest units", () =>
  check("time.js", "duration", [
    [[0], "under a minute"],
    [[59_999], "under a minute"],
    [[60_000], "1 min"],
    [[-3_600_000], "1 h"],
    [[3_660_000], "1 h 1 min"],
    [[86_400_000], "1 d"],
    [[93_600_000 + 59_000], "1 d 2 h"],
  ]));

test("a time reads relative to now", () =>
  check("time.js", "relative", [
    [[NOW, NOW], "just now"],
    [[NOW - 3_660_000, NOW], "1 h ago"],
    [[NOW + 7_200_000, NOW], "in 2 h"],
    [[NOW - 3 * 86_400_000, NOW], "3 d ago"],
  ]));

test("times of any precision are read", () =>
  check("time.js", "parseTime", [
    [["2031-02-04T12:00:00Z"], NOW],
    [["2031-02-04T12:00:00.5Z"], NOW + 500],
    [["2031-02-04T12:00:00.789012345Z"], NOW + 789],
    [["2031-02-04T14:00:00+02:00"], NOW],
    [["soon"], null],
    [[null], null],
  ]));

test("the response clock runs for 24 hours from detection", async () => {
  const clocks = [
    ["active", "2031-02-04T11:00:00Z", null, "ok", "23 h left"],
    ["investigating", "2031-02-03T19:59:00Z", null, "soon", "7 h 59 min left"],
    ["active", "2031-02-03T13:00:00Z", null, "urgent", "1 h left"],
    ["active", "2031-02-03T12:00:00Z", null, "overdue", "Overdue by under a minute"],
    ["active", "2031-02-01T09:00:00Z", null, "overdue", "Overdue by 2 d 3 h"],
    ["resolved", "2031-02-01T09:00:00Z", "2031-02-01T12:30:00Z", "met", "Resolved after 3 h 30 min"],
    ["resolved", "2031-02-01T09:00:00Z", "2031-02-02T10:00:00Z", "missed", "Resolved late, after 1 d 1 h"],
    ["resolved", "2031-02-01T09:00:00Z", null, "met", "Resolved"],
    ["active", "unreadable", null, "unknown", "No detection time"],
  ];
  const found = await page.evaluate(async ([alerts, now]) => {
    const { responseClock } = await import("/assets/time.js");
    return alerts.map((alert) => responseClock(alert, now)).map(({ state, text }) => [state, text]);
  }, [clocks.map(([status, detectedDateTime, resolvedOnDateTime]) => ({ status, detectedDateTime, resolvedOnDateTime })), NOW]);
  assert.deepEqual(found, clocks.map(([, , , state, text]) => [state, text]));
});

test("a query becomes a filter", () => {
  const all = { status: "all", severity: "any", search: "", order: "newest" };
  return check("query.js", "filterText", [
    [[all, NOW], ""],
    [[{ ...all, status: "open" }, NOW], "status ne 'resolved'"],
    [[{ ...all, status: "investigating", severity: "high" }, NOW], "status eq 'investigating' and severity eq 'high'"],
    [[{ ...all, status: "overdue" }, NOW], "status ne 'resolved' and detectedDateTime lt 2031-02-03T12:00:00Z"],
    [[{ ...all, search: "AB'C" }, NOW], "(contains(customerTenantId,'ab''c') or contains(subscriptionId,'ab''c'))"],
  ]);
});

test("a query is read from the address, and what makes no sense falls back", () =>
  check("query.js", "readQuery", [
    [[""], { status: "open", severity: "any", order: "newest", search: "" }],
    [["status=all&severity=low&order=due&search=%20x+y%20"], { status: "all", severity: "low", order: "due", search: "x y" }],
    [["status=or 1 eq 1&order=__proto__"], { status: "open", severity: "any", order: "newest", search: "" }],
  ]));

test("a query is written to the address and reads back", async () => {
  const queries = ["open", "overdue", "all"].flatMap((status) =>
    ["any", "low"].flatMap((severity) =>
      ["", "a b&c=%'#"].map((search) => ({ status, severity, order: "due", search }))));
  const back = await page.evaluate(async (all) => {
    const { readQuery, writeQuery } = await import("/assets/query.js");
    return all.map((query) => readQuery(writeQuery(query).split("?")[1] ?? ""));
  }, queries);
  assert.deepEqual(back, queries);
});

test("names of the wire are taken apart", () =>
  check("words.js", "taken", [
    [["VM_AnomalousDeployment"], "VM anomalous deployment"],
    [["callerIpAddress"], "Caller IP address"],
    [["ARMOperations"], "ARM operations"],
    [["robust_z-score.max"], "Robust z score max"],
    [[""], ""],
    [[null], "Unknown"],
  ]));

test("values are read for the eye", () =>
  check("evidence.js", "readValue", [
    [[""], { kind: "nothing", value: null }],
    [[null], { kind: "nothing", value: null }],
    [["[]"], { kind: "nothing", value: null }],
    [["true"], { kind: "truth", value: true }],
    [["41822"], { kind: "number", value: "41822" }],
    [["-0.5"], { kind: "number", value: "-0.5" }],
    [["0012"], { kind: "text", value: "0012" }],
    [["1e5"], { kind: "text", value: "1e5" }],
    [["2031-02-04T12:00:00.123Z"], { kind: "time", value: "2031-02-04T12:00:00.123Z" }],
    [["2031-02-04"], { kind: "text", value: "2031-02-04" }],
    [['["a","b"]'], { kind: "list", value: ["a", "b"] }],
    [['[{"x":1},{"y":2}]'], { kind: "table", value: { columns: ["x", "y"], rows: [{ x: 1 }, { y: 2 }] } }],
    [['{"x":1}'], { kind: "record", value: [["x", 1]] }],
    [["[not json"], { kind: "text", value: "[not json" }],
    [[["a"]], { kind: "list", value: ["a"] }],
  ]));

test("numbers lose only digits that nobody needs", () =>
  check("evidence.js", "numberText", [
    [["34"], "34"],
    [["2031"], "2031"],
    [["18234.5012"], "18,234.5"],
    [["0.00012345"], "0.00012345"],
    [["0.333333"], "0.3333"],
    [["0"], "0"],
  ]));

test("a resource path is taken apart", () =>
  check("resources.js", "readResource", [
    [["/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm1"],
      { name: "vm1", kind: "microsoft.compute/virtualmachines", group: "rg" }],
    [["/subscriptions/s/resourceGroups/rg/providers/Microsoft.Sql/servers/a/databases/b"],
      { name: "a / b", kind: "Microsoft.Sql/servers/databases", group: "rg" }],
    [["/subscriptions/s/providers/microsoft.authorization/roleassignments/1"],
      { name: "1", kind: "microsoft.authorization/roleassignments", group: null }],
    [["/subscriptions/s/resourcegroups/rg"], { name: "rg", kind: "resource group", group: null }],
    [["/subscriptions/s"], { name: "s", kind: "subscription", group: null }],
    [["vm01"], { name: "vm01", kind: null, group: null }],
    [["/"], { name: "/", kind: null, group: null }],
    [["/providers"], { name: "providers", kind: "", group: null }],
  ]));

test("an alert finds its detector by id, then by kind", async () => {
  const detectors = [{ id: "a", alertType: "CryptoMining" }, { id: "b", alertType: "CryptoMining" }];
  const found = (details, alertType) => [[{ additionalDetails: details, alertType }, detectors]];
  await check("detector.js", "detectorOf", [
    [...found({ DetectorId: "b" }, "Other"), detectors[1]],
    [...found({ DetectorId: "gone" }, "cryptoMining"), detectors[0]],
    [...found(null, "cryptomining"), detectors[0]],
    [...found(null, "Other"), null],
  ]);
});
