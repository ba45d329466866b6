/** What keeps the watch working: customers who went quiet, detectors, rules. */

import assert from "node:assert/strict";
import { LOOKS, assertAccessible, assertFits } from "../browser.mjs";

export default function define(journey, estate) {
  for (const [look, options] of LOOKS) journey(`a customer who sends nothing is found: ${look}`, options, async (page) => {
    const stale = { id: "7e4a9c1e-5ca1-4000-8000-00000000000f", name: "Quiet Harbour Logistics" };
    await estate.server.take("customers", `customerTenantId,name,domain\n${stale.id},${stale.name},quiet-harbour.example\n`);
    await page.goto(`${estate.url}#/customers`);
    await page.getByRole("button", { name: /^Never sent anything/ }).click();
    const row = page.locator(`tr[data-customer="${stale.id}"]`);
    await row.waitFor();
    assert.match(await row.innerText(), /Quiet Harbour Logistics[\s\S]*Never sent anything/);
    await page.getByRole("button", { name: /^All/ }).click();
    await page.getByLabel("Find a customer").fill("quiet-harbour");
    await row.waitFor();
    assert.equal(await page.locator("tr[data-customer]").count(), 1);
  });

  journey("customers of one name are told apart", {}, async (page) => {
    const twins = ["7e4a9c1e-5ca1-4000-8000-0000000000a1", "8e4a9c1e-5ca1-4000-8000-0000000000a2", "9e4a9c1e-5ca1-4000-8000-0000000000a3"];
    const domains = ["twin-harbour.example", "twin-harbour.example", "twin-harbour-north.example"];
    await estate.server.take("customers", `customerTenantId,name,domain\n${twins.map((id, index) => `${id},Twin Harbour,${domains[index]}\n`).join("")}`);
    await page.goto(`${estate.url}#/customers?search=twin-harbour`);
    for (const [index, expected] of ["Twin Harbour 7e4a9c1e", "Twin Harbour 8e4a9c1e", "Twin Harbour twin-harbour-north.example"].entries()) {
      await page.locator(`tr[data-customer="${twins[index]}"]`).getByText(expected.split(" ").at(-1), { exact: true }).waitFor();
      assert.equal(await page.locator(`tr[data-customer="${twins[index]}"] th`).innerText(), expected);
    }
  });

  journey("a customer's coverage opens to its subscriptions", {}, async (page) => {
    const { value } = await estate.api("tenantwatch/v1/coverage?top=1");
    await page.goto(`${estate.url}#/customers`);
    const row = page.locator(`tr[data-customer="${value[0].customerTenantId}"]`);
    await row.getByRole("button").click();
    await page.getByText(value[0].subscriptionId ?? "the tenant").first().waitFor();
  });

  journey("a detector tells what it means, raised and compares with", {}, async (page) => {
    await page.goto(`${estate.url}#/detectors`);
    await page.getByLabel("Find a detector").fill("vm_anomalous");
    await page.getByRole("link", { name: /Unusual deployment of virtual machines/ }).click();
    const open = await estate.count("status ne 'resolved' and additionalDetails/DetectorId eq 'vm_anomalous_deployment'");
    const raised = page.getByRole("region", { name: "What it raised" });
    await raised.getByText("Open").waitFor();
    assert.equal(Number(await raised.locator("dd").first().innerText()), open);
    const runs = page.getByRole("region", { name: "How its runs fare" });
    await runs.getByText("It ran when it was due, and succeeded.").waitFor();
    assert.match(await runs.innerText(), /Last run[\s\S]*Last success[\s\S]*Next due[\s\S]*Has seen events up to\s+\d/);
  });

  const DETECTOR = "vm_anomalous_deployment";
  const chosen = async () => (await estate.api(`tenantwatch/v1/detectorSettings?detector=${DETECTOR}`)).value.map(({ name, value, reason, customerTenantId }) => ({ name, value, reason, customerTenantId }));
  const openNumbers = async (page) => {
    await page.goto(`${estate.url}#/detectors?id=${DETECTOR}`);
    const numbers = page.getByRole("region", { name: "Numbers it compares with" });
    await numbers.getByLabel("Points min").waitFor();
    return numbers;
  };

  for (const [look, options] of LOOKS) {
    journey(`a number is replayed before it is saved, saved, undone, and taken back: ${look}`, options, async (page) => {
      const numbers = await openNumbers(page);
      await numbers.getByText("Now 4, the detector's own.").waitFor();
      await numbers.getByLabel("Points min").fill("12");
      await numbers.getByText("Give a number from 1 to 11.").waitFor();
      assert.equal(await numbers.getByRole("button", { name: "Save" }).isDisabled(), true);

      // The replay says what the server's own says: with eleven of ten points nothing comes.
      await numbers.getByLabel("Points min").fill("11");
      const since = new Date(Date.now() - 30 * 86_400_000).toISOString();
      const told = await estate.api(`tenantwatch/v1/detectors/${DETECTOR}/replay`, { method: "POST", body: { sinceDateTime: since, settings: [{ name: "points_min", value: 11 }] } });
      assert.ok(told.now.alerts > 0 && told.changed.alerts === 0, JSON.stringify(told.now));
      await numbers.getByRole("button", { name: "Replay" }).click();
      const sum = page.locator("#replay-sum");
      await sum.waitFor();
      const alerts = (count) => `${count} ${count === 1 ? "alert" : "alerts"}`;
      assert.equal(await sum.innerText(), `${alerts(told.now.alerts)} now, 0 with your numbers in 30 days: ${alerts(told.goneCount)} would not have come.`);
      await numbers.getByText(/For each 1,000 subscription-days: [\d.]+ now, 0 with yours/).waitFor();
      await numbers.locator("canvas").waitFor();
      await numbers.getByRole("heading", { name: "Would not have come" }).waitFor();
      assert.equal(await numbers.locator(".touched li").count(), Math.min(6, told.goneCount));
      await assertAccessible(page, `a replay, ${look}`);
      await assertFits(page, `a replay, ${look}`);
      await numbers.getByLabel("Try them on the past").selectOption("7 days");
      await numbers.getByText("The form has changed since").waitFor();

      await numbers.getByLabel(/^Reason/).fill("A journey of the tests");
      await numbers.getByRole("button", { name: "Save" }).click();
      await numbers.getByText("Now 11, chosen for this; as it comes 4.").waitFor();
      assert.deepEqual(await chosen(), [{ name: "points_min", value: 11, reason: "A journey of the tests", customerTenantId: null }]);
      await page.getByRole("button", { name: "Undo" }).click();
      await numbers.getByText("Now 4, the detector's own.").waitFor();
      assert.deepEqual(await chosen(), []);

      // For one customer, by its name; then taken back, and that undone.
      const { value: [customer] } = await estate.api("tenantwatch/v1/customers?seen=true&top=1");
      await numbers.getByLabel("Numbers for").selectOption("one customer");
      await numbers.getByText("Say for whom.").waitFor();
      await numbers.getByLabel("Customer", { exact: true }).fill(customer.name);
      await numbers.getByLabel("Machines min").fill("5");
      await numbers.getByLabel(/^Reason/).fill("They deploy at night");
      await numbers.getByRole("button", { name: "Save" }).click();
      const row = numbers.locator("table.chosen tr", { hasText: "They deploy at night" });
      await row.getByText(customer.name, { exact: true }).waitFor();
      const narrow = { name: "machines_min", value: 5, reason: "They deploy at night", customerTenantId: customer.customerTenantId };
      assert.deepEqual(await chosen(), [narrow]);
      await row.getByRole("button", { name: /^Take back/ }).click();
      await row.waitFor({ state: "detached" });
      await page.locator(".message", { hasText: "is no longer chosen" }).getByRole("button", { name: "Undo" }).click();
      await row.waitFor();
      assert.deepEqual(await chosen(), [narrow]);
      await row.getByRole("button", { name: /^Take back/ }).click();
      await row.waitFor({ state: "detached" });
      assert.deepEqual(await chosen(), []);
    });
  }

  journey("what somebody else chose meanwhile is not undone", {}, async (page) => {
    const numbers = await openNumbers(page);
    await numbers.getByLabel("Points min").fill("6");
    await numbers.getByLabel(/^Reason/).fill("Mine");
    await numbers.getByRole("button", { name: "Save" }).click();
    await numbers.getByText("Now 6, chosen for this").waitFor();
    const path = `tenantwatch/v1/detectors/${DETECTOR}/settings/points_min`;
    await estate.api(path, { method: "PUT", body: { value: 7, reason: "Theirs" } });
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText(/changed by somebody else meanwhile/).first().waitFor();
    assert.deepEqual((await chosen()).map(({ value, reason }) => [value, reason]), [[7, "Theirs"]]);
    await estate.api(path, { method: "DELETE" });
  });

  journey("a replay that cannot run now says what to do", { failures: true }, async (page) => {
    const numbers = await openNumbers(page);
    await page.route("**/replay", (route) => route.fulfill({ status: 429, contentType: "application/json", headers: { "retry-after": "10" }, body: JSON.stringify({ error: { code: "TooManyRequests", message: "2 replays run already, as many as may at once; wait for one of them to end, then ask again." } }) }));
    await numbers.getByRole("button", { name: "Replay" }).click();
    await numbers.getByText(/2 replays run already/).waitFor();
    await page.unroute("**/replay");
    await numbers.getByRole("button", { name: "Try again" }).click();
    await page.locator("#replay-sum").waitFor();
  });

  journey("a rule is looked at before it is saved, saved, undone and taken back", {}, async (page) => {
    const alert = await estate.freshAlert((each) => each.additionalDetails.Caller?.includes("@"));
    const { DetectorId: detector, Caller: caller } = alert.additionalDetails;
    await page.goto(`${estate.url}#/tuning?${new URLSearchParams({ detector })}`);
    const same = `additionalDetails/DetectorId eq '${detector}' and detectedDateTime ge now() sub duration'P60D'`;
    await page.getByLabel("Evidence", { exact: true }).fill("caller");
    await page.getByLabel("holds none but").fill(caller.toUpperCase());
    const [all, his] = [await estate.count(same), await estate.count(`${same} and additionalDetails/Caller eq '${caller}'`)];
    await page.locator("#preview-sum", { hasText: `${his} of ${all}` }).waitFor();
    await page.getByLabel(/^Reason/).fill("A journey of the tests");
    await page.getByRole("button", { name: "Save the rule" }).click();
    const row = page.locator("tr", { hasText: "A journey of the tests" });
    await row.waitFor();
    const { value } = await estate.api("tenantwatch/v1/tuningRules");
    assert.deepEqual(value.find((rule) => rule.reason === "A journey of the tests").evidence, { caller: [caller.toUpperCase()] });
    await page.getByRole("button", { name: "Undo" }).click();
    await row.waitFor({ state: "detached" });
    assert.equal((await estate.api("tenantwatch/v1/tuningRules")).value.some((rule) => rule.reason === "A journey of the tests"), false);

    await page.getByLabel(/^Reason/).fill("A second one");
    await page.getByRole("button", { name: "Save the rule" }).click();
    const second = page.locator("tr", { hasText: "A second one" });
    await second.getByRole("button", { name: "Take back" }).click();
    await second.waitFor({ state: "detached" });
    await page.getByLabel("with those that ended").check();
    await second.getByText(/ended/).waitFor();
  });

  journey("what was said of a customer stands beside its records, with the reasons", {}, async (page) => {
    const { value } = await estate.api("tenantwatch/v1/coverage?top=1000");
    const { customerTenantId: customer, subscriptionId: subscription } = value.find((entry) => entry.customerTenantId && entry.subscriptionId);
    const soon = new Date(Date.now() + 3 * 86_400_000).toISOString();
    const rules = [
      { customerTenantId: customer, effect: "silence", untilDateTime: soon, reason: "They move to another region until Friday" },
      { subscriptionId: subscription, detectorId: DETECTOR, evidence: { caller: ["deploy@customer.example"] }, effect: "silence", reason: "Their pipeline" },
    ];
    const made = [];
    for (const rule of rules) made.push(await estate.api("tenantwatch/v1/tuningRules", { method: "POST", body: rule }));
    const number = `tenantwatch/v1/detectors/${DETECTOR}/settings/points_min?customer=${customer}`;
    await estate.api(number, { method: "PUT", body: { value: 6, reason: "A render farm" } });
    await page.goto(`${estate.url}#/customers`);
    const row = page.locator(`tr[data-customer="${customer}"]`);
    await row.getByText("2 rules").waitFor();
    await row.getByRole("button").first().click();
    const held = page.getByRole("list", { name: "Rules and numbers for this customer" });
    await held.waitFor();
    const text = await held.innerText();
    for (const expected of [/Snoozed: any detector, until/, /They move to another region until Friday/, /Silenced: .*deploy@customer\.example.*Their pipeline/, /Points min 6: .*A render farm/]) assert.match(text, expected);
    await assertAccessible(page, "a customer's rules");
    for (const { id } of made) await estate.api(`tenantwatch/v1/tuningRules/${id}`, { method: "DELETE" });
    await estate.api(number, { method: "DELETE" });
    await page.reload();
    await row.getByRole("button").first().click();
    await page.getByText("No rule is about this customer alone").waitFor();
  });

  journey("a detector's figures on simulated estates stand beside those of the partner", {}, async (page) => {
    const { simulated } = await estate.api(`tenantwatch/v1/detectors/${DETECTOR}`);
    assert.ok(simulated.estates > 0 && simulated.attacksTold > 0, "the published evaluation is part of the binary");
    const of = `additionalDetails/DetectorId eq '${DETECTOR}' and resolvedReason`;
    const alert = await estate.freshAlert((each) => each.additionalDetails.DetectorId === DETECTOR);
    await estate.setStatus(alert.id, { status: "resolved", resolvedReason: "fraud" });
    const [fraud, legitimate] = [await estate.count(`${of} eq 'fraud'`), await estate.count(`${of} eq 'legitimate'`)];
    await page.goto(`${estate.url}#/detectors?id=${DETECTOR}`);
    const measured = page.getByRole("region", { name: "On simulated estates" });
    await measured.getByText(`${simulated.estates} estates`).waitFor();
    const text = await measured.innerText();
    for (const [name, value] of [["Alerts", simulated.alerts], ["Of them false", simulated.falseAlerts], ["Were attacks", `${Math.round(simulated.precision * 100)} %`], ["Attacks told of", simulated.attacksTold], ["First to tell", simulated.attacksToldFirst]]) {
      assert.match(text, new RegExp(`${name}\\s+${value}`));
    }
    assert.match(text, /Made-up estates/);
    await page.locator("#own-share", { hasText: `${Math.round((fraud / (fraud + legitimate)) * 100)} %` }).waitFor();
    await estate.setStatus(alert.id, { status: "active" });
  });

  journey("a rule that would have hidden fraud is warned of", {}, async (page) => {
    const alert = await estate.freshAlert((each) => Date.now() - Date.parse(each.detectedDateTime) < 50 * 86_400_000);
    await estate.setStatus(alert.id, { status: "resolved", resolvedReason: "fraud" });
    await page.goto(`${estate.url}#/tuning?${new URLSearchParams({ detector: alert.additionalDetails.DetectorId, subscription: alert.subscriptionId })}`);
    await page.getByText(/resolved as fraud\.?/).first().waitFor();
    assert.match(await page.locator(".danger").innerText(), /would have hidden/);
    await estate.setStatus(alert.id, { status: "active" });
  });
}
