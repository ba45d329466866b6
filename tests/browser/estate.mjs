/** What the server under test has, asked through its public API. */

import assert from "node:assert/strict";

export const ALERTS = "beta/security/partner/securityAlerts";

export class Estate {
  server = null;

  get url() {
    return this.server.url;
  }

  async token() {
    const response = await fetch(`${this.url}demo/token`);
    assert.equal(response.status, 200, "the server runs in demo mode");
    return (await response.json()).accessToken;
  }

  /** Asks the API as any client would. */
  async api(path, { method = "GET", body } = {}) {
    const headers = { authorization: `Bearer ${await this.token()}`, "content-type": "application/json" };
    const response = await fetch(this.url + path, { method, headers, body: body && JSON.stringify(body) });
    assert.ok(response.ok, `${method} ${path}: ${response.status}`);
    return response.status === 204 ? null : response.json();
  }

  async count(filter) {
    const query = filter === "" ? "" : `&$filter=${encodeURIComponent(filter)}`;
    return (await this.api(`${ALERTS}?$top=1&$count=true${query}`))["@odata.count"];
  }

  async alert(id) {
    return this.api(`${ALERTS}/${encodeURIComponent(id)}`);
  }

  async setStatus(id, change) {
    return this.api(`${ALERTS}/${encodeURIComponent(id)}`, { method: "PATCH", body: change });
  }

  /** The newest alert that was raised here, has not been taken up, and is what `fits` says. */
  async freshAlert(fits = () => true) {
    const { value } = await this.api(`${ALERTS}?$filter=${encodeURIComponent("status eq 'active'")}&$orderby=detectedDateTime desc&$top=100`);
    const raised = value.filter((each) => each.additionalDetails?.DetectorId && fits(each));
    const alert = raised.find((each) => each.affectedResources.length > 0) ?? raised[0];
    assert.ok(alert, "the demo has such an active alert of a detector");
    return alert;
  }

  addressOf(alert) {
    return `${this.url}#/alerts/${encodeURIComponent(alert.id)}`;
  }

  async openAlert(page, alert) {
    await page.goto(this.addressOf(alert));
    await page.getByRole("heading", { level: 1, name: alert.displayName }).waitFor();
  }

  async openList(page, hash = "#/alerts") {
    await page.goto(this.url + hash);
    await rows(page).first().waitFor();
  }
}

export const rows = (page) => page.locator("table.alerts tbody tr[data-id]");
