/** What keeps the watch working: customers who went quiet, detectors, rules. */

import assert from "node:assert/strict";

export default function define(journey, estate) {
  journey("a customer who sends nothing is found", {}, async (page) => {
    const stale = { id: "7e4a9c1e-5ca1-4000-8000-00000000000f", name: "Quiet Harbour Logistics" };
    await estate.server.importCustomers(`customerTenantId,name,domain\n${stale.id},${stale.name},quiet-harbour.example\n`);
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
    await page.getByLabel("Points min").fill("6");
    await page.getByText(/tenantwatch replay --detector vm_anomalous_deployment --since \S+ --set points_min=6/).waitFor();
    await page.getByText(/tenantwatch tuning set vm_anomalous_deployment points_min=6/).waitFor();
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

  journey("a rule that would have hidden fraud is warned of", {}, async (page) => {
    const alert = await estate.freshAlert((each) => Date.now() - Date.parse(each.detectedDateTime) < 50 * 86_400_000);
    await estate.setStatus(alert.id, { status: "resolved", resolvedReason: "fraud" });
    await page.goto(`${estate.url}#/tuning?${new URLSearchParams({ detector: alert.additionalDetails.DetectorId, subscription: alert.subscriptionId })}`);
    await page.getByText(/resolved as fraud\.?/).first().waitFor();
    assert.match(await page.locator(".danger").innerText(), /would have hidden/);
    await estate.setStatus(alert.id, { status: "active" });
  });
}
