/**
 * Records the replies that the pictures of `snapshots` are made from, of a demo that it starts or finds as the tests
 * do: `TENANTWATCH_BIN=… node record.mjs`. Only needed when a page shows what was not recorded; the pictures change
 * then, as each demo is another: make them anew with `UPDATE_SNAPSHOTS=1 node --test snapshots.test.mjs`, and look.
 */

import { launchBrowser } from "./browser.mjs";
import { Estate } from "./estate.mjs";
import { record, writeRecording } from "./recorded.mjs";
import { findServer } from "./server.mjs";
import { SIZES, openAt, show, views } from "./views.mjs";

const estate = new Estate();
estate.server = await findServer();
const browser = await launchBrowser();
try {
  const at = new Date().toISOString();
  const replies = new Map();
  const shown = await estate.freshAlert((each) => each.severity === "high" && each.additionalDetails.ExpectedCost !== undefined);
  for (const viewport of Object.values(SIZES)) {
    const page = await openAt(browser, at, { viewport });
    const done = record(page, estate.url, replies);
    for (const view of Object.values(views(shown.id))) {
      await show(page, estate.url, view);
      await done();
    }
    await page.context().close();
  }
  await writeRecording(new URL("snapshots/replies.json.gz", import.meta.url), { at, alert: shown.id, replies });
} finally {
  await browser.close();
  await estate.server.stop();
}
