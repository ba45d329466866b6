/**
 * The console's pure modules, table by table. They are bundled as the console's own build does it, and run in Node.
 */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "../../web/node_modules/esbuild/lib/main.js";
import { misfits, partsOf } from "./grammar.mjs";

const SOURCES = fileURLToPath(new URL("../../web/src/", import.meta.url));
const NAMES = ["lib/time", "lib/query", "lib/words", "lib/evidence", "lib/resources", "explorer/snippets", "lib/freshness", "lib/health", "lib/numbers"];
const NOW = Date.parse("2031-02-04T12:00:00Z");

const modules = {};

before(async () => {
  for (const name of NAMES) {
    const { outputFiles } = await build({ entryPoints: [`${SOURCES}${name}.ts`], bundle: true, write: false, format: "esm", platform: "neutral", logLevel: "silent" });
    modules[name] = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
  }
});

/** Calls an exported function for each row and compares what it gives. */
function check(module, name, table) {
  for (const [given, expected] of table) {
    assert.deepEqual(modules[module][name](...given) ?? null, expected, `${name}(${JSON.stringify(given)})`);
  }
}

test("a length of time reads in its two largest units", () =>
  check("lib/time", "duration", [
    [[0], "under a minute"],
    [[59_999], "under a minute"],
    [[60_000], "1 min"],
    [[-3_600_000], "1 h"],
    [[3_660_000], "1 h 1 min"],
    [[86_400_000], "1 d"],
    [[93_600_000 + 59_000], "1 d 2 h"],
  ]));

test("a time reads relative to now", () =>
  check("lib/time", "relative", [
    [[NOW, NOW], "just now"],
    [[NOW - 3_660_000, NOW], "1 h ago"],
    [[NOW + 7_200_000, NOW], "in 2 h"],
    [[NOW - 3 * 86_400_000, NOW], "3 d ago"],
  ]));

test("times of any precision are read", () =>
  check("lib/time", "parseTime", [
    [["2031-02-04T12:00:00Z"], NOW],
    [["2031-02-04T12:00:00.5Z"], NOW + 500],
    [["2031-02-04T12:00:00.789012345Z"], NOW + 789],
    [["2031-02-04T14:00:00+02:00"], NOW],
    [["soon"], null],
    [[null], null],
  ]));

test("the response clock runs for 24 hours from detection", () => {
  for (const [status, detectedDateTime, resolvedOnDateTime, state, text] of [
    ["active", "2031-02-04T11:00:00Z", null, "ok", "23 h left"],
    ["investigating", "2031-02-03T19:59:00Z", null, "soon", "7 h 59 min left"],
    ["active", "2031-02-03T13:00:00Z", null, "urgent", "1 h left"],
    ["active", "2031-02-03T12:00:00Z", null, "overdue", "Overdue by under a minute"],
    ["active", "2031-02-01T09:00:00Z", null, "overdue", "Overdue by 2 d 3 h"],
    ["resolved", "2031-02-01T09:00:00Z", "2031-02-01T12:30:00Z", "met", "Resolved after 3 h 30 min"],
    ["resolved", "2031-02-01T09:00:00Z", "2031-02-02T10:00:00Z", "missed", "Resolved late, after 1 d 1 h"],
    ["resolved", "2031-02-01T09:00:00Z", null, "met", "Resolved"],
    ["active", "unreadable", null, "unknown", "No detection time"],
  ]) {
    const clock = modules["lib/time"].responseClock({ status, detectedDateTime, resolvedOnDateTime }, NOW);
    assert.deepEqual([clock.state, clock.text], [state, text]);
  }
});

const any = (change) => ({ status: "any", clock: "any", severities: [], detector: "", customer: "", subscription: "", since: "", search: "", order: "detectedDateTime desc", filter: "", ...change });

test("choices become a filter", () =>
  check("lib/query", "filterText", [
    [[any({})], ""],
    [[any({ status: "open" })], "status in ('active','investigating','unknownFutureValue')"],
    [[any({ status: "investigating", severities: ["high"] })], "status eq 'investigating' and severity eq 'high'"],
    [[any({ severities: ["high", "low"] })], "severity in ('high','low')"],
    [[any({ clock: "overdue", since: "P7D" })], "detectedDateTime lt now() sub duration'PT24H' and detectedDateTime ge now() sub duration'P7D'"],
    [[any({ detector: "it's" })], "additionalDetails/DetectorId eq 'it''s'"],
    [[any({ search: "AB12CD34" })], "(contains(customerTenantId,'ab12cd34') or contains(subscriptionId,'ab12cd34') or contains(id,'ab12cd34'))"],
    [[any({ search: "mining pool" })], ""],
    [[any({ status: "open", filter: "isTest" })], "isTest"],
  ]));

test("a search is a phrase, unless it is part of an id", () =>
  check("lib/query", "searchText", [
    [[any({ search: "mining pool" })], '"mining pool"'],
    [[any({ search: 'say "x" \\' })], '"say \\"x\\" \\\\"'],
    [[any({ search: "7e4a9c1e-cccc" })], ""],
    [[any({ search: " " })], ""],
  ]));

test("a filter of choices becomes choices again, another stays a text", () => {
  const { filterText, readFilter } = modules["lib/query"];
  for (const status of ["any", "open", "active", "resolved"]) {
    for (const clock of ["any", "overdue", "2h", "8h"]) {
      for (const severities of [[], ["low"], ["high", "medium"]]) {
        const query = any({ status, clock, severities, customer: "it's and so", since: "P30D", search: "kept" });
        assert.deepEqual(readFilter(filterText(query), query), query, filterText(query));
      }
    }
  }
  assert.deepEqual(readFilter("status ne 'resolved'", any({})), any({ status: "open" }));
  for (const text of ["isTest", "severity eq 'high' or status eq 'active'", "status eq 'active' and status eq 'resolved'", "severity in ('high','worst')", "not (status ne 'resolved')"]) {
    assert.equal(readFilter(text, any({})), null, text);
  }
});

test("a query is written to the address and reads back", () => {
  const { readQuery, writeQuery } = modules["lib/query"];
  for (const search of ["", "a b&c=%'#"]) {
    for (const order of ["severity desc", "displayName asc"]) {
      const query = any({ status: "resolved", severities: ["high", "low"], search, order, filter: "x eq 'a&b'" });
      assert.deepEqual(readQuery(new URLSearchParams(new URLSearchParams(writeQuery(query)).toString())), query);
    }
  }
  const asked = (text) => readQuery(new URLSearchParams(text));
  assert.deepEqual(asked("status=or 1 eq 1&order=__proto__ desc&severity=worst"), any({ status: "open" }));
  assert.deepEqual(asked("status=overdue&severity=low"), any({ status: "open", clock: "overdue", severities: ["low"] }));
});

test("names of the wire are taken apart", () =>
  check("lib/words", "taken", [
    [["VM_AnomalousDeployment"], "VM anomalous deployment"],
    [["callerIpAddress"], "Caller IP address"],
    [["ARMOperations"], "ARM operations"],
    [["robust_z-score.max"], "Robust z score max"],
    [[""], ""],
    [[null], "Unknown"],
  ]));

test("values are read for the eye", () =>
  check("lib/evidence", "readValue", [
    [[""], { kind: "nothing" }],
    [[null], { kind: "nothing" }],
    [["[]"], { kind: "nothing" }],
    [["true"], { kind: "truth", value: true }],
    [["41822"], { kind: "number", value: "41822" }],
    [["-0.5"], { kind: "number", value: "-0.5" }],
    [["0012"], { kind: "text", value: "0012" }],
    [["1e5"], { kind: "text", value: "1e5" }],
    [["2031-02-04T12:00:00.123Z"], { kind: "time", value: "2031-02-04T12:00:00.123Z" }],
    [["2031-02-04"], { kind: "text", value: "2031-02-04" }],
    [['["a","b"]'], { kind: "list", value: ["a", "b"] }],
    [['[{"x":1},{"y":2}]'], { kind: "table", columns: ["x", "y"], rows: [{ x: 1 }, { y: 2 }] }],
    [['{"x":1}'], { kind: "record", value: [["x", 1]] }],
    [["[not json"], { kind: "text", value: "[not json" }],
    [[["a"]], { kind: "list", value: ["a"] }],
  ]));

test("numbers lose only digits that nobody needs", () =>
  check("lib/evidence", "numberText", [
    [["34"], "34"],
    [["2031"], "2031"],
    [["18234.5012"], "18,234.5"],
    [["0.00012345"], "0.00012345"],
    [["0.333333"], "0.3333"],
    [["0"], "0"],
  ]));

test("who and from where is read from the evidence", () =>
  check("lib/evidence", "actorsOf", [
    [[{ Caller: "ann@x.example", CallerAddresses: '["203.0.113.9","203.0.113.9"]', VM_IP: "10.0.0.4", Countries: '["FR"]', Machines: "3" }],
      { principals: ["ann@x.example"], addresses: ["203.0.113.9", "10.0.0.4"], countries: ["FR"] }],
    [[{ Addresses: "not one" }], { principals: [], addresses: [], countries: [] }],
    [[null], { principals: [], addresses: [], countries: [] }],
  ]));

test("what is said of money beyond its amounts is told once", () =>
  check("lib/evidence", "beyondAmounts", [
    [["EUR 480.00 so far (200.00 of it billed), 20.00 an hour now. What is not billed yet is priced as listed.", 1], "What is not billed yet is priced as listed."],
    [["EUR 77.00 so far (all of it billed), 2.00 an hour now.", 1], ""],
    [["EUR 1.00 so far (all of it billed), nothing by the hour now. USD 2.00 so far (none of it billed yet), 1.00 an hour now. Of one resource no price is known; it is not counted.", 2], "Of one resource no price is known; it is not counted."],
  ]));

test("the stages of a chained alert are told in order", () =>
  check("lib/evidence", "storyOf", [
    [[{ Story: '["2031-02-03 04:10 rights: 2 × a, b","no time in it"]' }], [
      { at: Date.parse("2031-02-03T04:10Z"), when: "2031-02-03 04:10", stage: "rights", what: "2 × a, b" },
      { at: null, when: "", stage: "", what: "no time in it" },
    ]],
    [[{}], []],
  ]));

test("a resource path is taken apart", () =>
  check("lib/resources", "readResource", [
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

test("coverage is summed up, the silent first", () => {
  const entry = (customer, kind, lastEventDateTime, silent) => ({ customerTenantId: customer, kind, lastEventDateTime, lastArrivalDateTime: lastEventDateTime, stored: 2, rejected: 1, eventsPerDay: 3, silent });
  const summed = modules["lib/freshness"].summedUp([
    entry("a", "cost", "2031-02-01T00:00:00Z", false), entry("b", "cost", "2031-02-02T00:00:00Z", true), entry("a", "flow", "2031-02-03T00:00:00Z", false),
  ], (each) => each.customerTenantId);
  assert.deepEqual(summed.map(({ key, silent, lastEvent, stored }) => [key, silent.length, lastEvent, stored]), [["b", 1, "2031-02-02T00:00:00Z", 2], ["a", 0, "2031-02-03T00:00:00Z", 4]]);
});

test("which number holds, and what a form would change", () => {
  const { FOR_ALL, changesOf, holding } = modules["lib/numbers"];
  const setting = { name: "points", default: 4, min: 1, max: 11, meaning: "" };
  const made = (value, customerTenantId = null, subscriptionId = null) => ({ name: "points", value, customerTenantId, subscriptionId });
  const of = (customer) => ({ customerTenantId: customer, subscriptionId: null });
  const chosen = [made(5), made(6, "c1")];
  assert.deepEqual(holding([], setting, FOR_ALL), { value: 4, from: "detector" });
  assert.deepEqual(holding(chosen, setting, FOR_ALL), { value: 5, from: "here" });
  assert.deepEqual(holding(chosen, setting, of("c1")), { value: 6, from: "here" });
  assert.deepEqual(holding(chosen, setting, of("c2")), { value: 5, from: "all" });
  assert.deepEqual(changesOf([setting], chosen, FOR_ALL, {}), []);
  assert.deepEqual(changesOf([setting], chosen, FOR_ALL, { points: "5" }), []);
  assert.deepEqual(changesOf([setting], chosen, FOR_ALL, { points: "12" }), []);
  assert.deepEqual(changesOf([setting], chosen, of("c2"), { points: 7 }), [{ name: "points", value: 7, customerTenantId: "c2", subscriptionId: null }]);
});

test("a number that cannot be is said to be none", () =>
  check("lib/numbers", "problemOf", [
    [[{ min: 1, max: 11 }, ""], null],
    [[{ min: 1, max: 11 }, "11"], null],
    [[{ min: 1, max: 11 }, "0"], "Give a number from 1 to 11."],
    [[{ min: 1, max: null }, "0"], "Give a number of at least 1."],
    [[{ min: null, max: 3 }, "4"], "Give a number of at most 3."],
    [[{ min: null, max: null }, "x"], "Give a number."],
  ]));

test("a replay is told in a sentence", () => {
  const replay = (now, changed, goneCount, addedCount) => ({ now: { alerts: now }, changed: { alerts: changed }, goneCount, addedCount });
  check("lib/numbers", "replaySentence", [
    [[replay(2, 2, 0, 0), 30], "2 alerts now, 2 with your numbers in 30 days: the same alerts would have come."],
    [[replay(1, 0, 1, 0), 7], "1 alert now, 0 with your numbers in 7 days: 1 alert would not have come."],
    [[replay(2, 3, 1, 2), 30], "2 alerts now, 3 with your numbers in 30 days: 1 alert would not have come, 2 more would have come."],
  ]);
});

test("how long a run took is told in the unit that fits", () =>
  check("lib/health", "tookText", [[[0], "0 ms"], [[999], "999 ms"], [[1000], "1.0 s"], [[59_940], "59.9 s"], [[61_000], "1 min"]]));

test("detectors are sorted by how they fare", () => {
  const { watchOf } = modules["lib/health"];
  assert.equal(watchOf([]), null);
  const watch = watchOf(["ok", "failed", "late", "waiting", "ok"].map((state, index) => ({ detectorId: String(index), state })));
  assert.deepEqual([watch.ran, watch.failed.length, watch.late.length, watch.waiting.length], [4, 1, 1, 1]);
});

test("code in every language has the request in it, and no token", () => {
  const { LANGUAGES, snippet } = modules["explorer/snippets"];
  const request = { method: "PATCH", url: "https://x.example/a?$filter=b%20eq%20'c'", headers: [["If-Match", 'W/"1"']], body: '{"a":"it\'s"}' };
  for (const language of LANGUAGES) {
    const code = snippet(language, request);
    for (const part of ["PATCH", "x.example", "If-Match", "TENANTWATCH_TOKEN"]) assert.ok(code.includes(part), `${language}: ${part}`);
  }
});

/** What would end a text of some language too soon, or be read as more than a text. */
const NASTY = `it's "quoted" \u2019print\u2018 $HOME \`tick\` \\n {0} #{x} %s`;

/** C# and PowerShell, and Go where it is not installed, cannot be run here: their grammars judge. */
for (const [language, grammar, kind, read] of [
  ["C#", "c-sharp", "string_literal", JSON.parse],
  ["Go", "go", "interpreted_string_literal", JSON.parse],
  ["PowerShell", "powershell", "verbatim_string_characters", (text) => text.slice(1, -1).replace(/(['\u2018-\u201b])\1/g, "$1")],
]) {
  test(`the code for ${language} is what its grammar says, and its texts say what was asked`, async () => {
    const url = `http://127.0.0.1:8080/beta/x?$filter=displayName eq '${NASTY}'`;
    const body = JSON.stringify({ status: "investigating", [NASTY]: NASTY });
    for (const request of [
      { method: "GET", url, headers: [], body: "" },
      { method: "PATCH", url, headers: [["Content-Type", "application/json"], ["If-Match", 'W/"7"'], ["Prefer", NASTY]], body },
    ]) {
      const code = modules["explorer/snippets"].snippet(language, request);
      assert.deepEqual(await misfits(grammar, code), [], code);
      const texts = (await partsOf(grammar, code, kind)).map(read);
      for (const text of [request.method, request.url, ...request.headers.slice(1).flat(), ...(request.body === "" ? [] : [body])]) assert.ok(texts.includes(text), `${text} in ${code}`);
      assert.ok(!code.includes("eyJ"), "the token comes from the environment");
      assert.ok((await misfits(grammar, code.replace("Bearer", "Bea\"r'er"))).length > 0, "a quote that ends too soon is found");
    }
  });
}
