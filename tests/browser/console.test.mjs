/**
 * Journeys through the console against a real server in demo mode, one file for each part of it in `journeys`.
 *
 * They change alerts, so give them a server of their own. Which alerts there are is the server's matter: each journey
 * looks for one that fits through the same public API as the page. All run in this one process, since a demo takes
 * long to make up its estate.
 */

import { after, before, test } from "node:test";
import { launchBrowser, onPage } from "./browser.mjs";
import { Estate } from "./estate.mjs";
import alert from "./journeys/alert.mjs";
import alerts from "./journeys/alerts.mjs";
import explorer from "./journeys/explorer.mjs";
import incident from "./journeys/incident.mjs";
import looks from "./journeys/looks.mjs";
import overview from "./journeys/overview.mjs";
import tending from "./journeys/tending.mjs";
import { findServer } from "./server.mjs";

const estate = new Estate();
let browser;

before(async () => {
  estate.server = await findServer();
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  await estate.server?.stop();
});

/** Defines a journey: `run` gets a fresh, watched page. */
function journey(name, options, run) {
  test(name, () => onPage(browser, estate.url, options, run));
}

for (const define of [overview, alerts, alert, explorer, tending, looks, incident]) define(journey, estate);
