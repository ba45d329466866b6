/**
 * How the pages look: each view of `views.mjs`, light and dark, on a desk and on a phone, beside the picture that
 * was kept of it when somebody last looked at it. The pages stand still: recorded replies, a clock that is stopped,
 * the console's own fonts, no motion.
 *
 * After a wanted change: `UPDATE_SNAPSHOTS=1 node --test snapshots.test.mjs`, look at the pictures, commit them.
 */

import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launchBrowser } from "./browser.mjs";
import { compare, reduce } from "./compare.mjs";
import { readRecording, serveRecorded } from "./recorded.mjs";
import { HEIGHT_MAX, SIZES, openAt, settled, show, views } from "./views.mjs";

const FOLDER = fileURLToPath(new URL("snapshots/", import.meta.url));
/** Letters are drawn alike whatever the machine's settings of fonts are. */
const STEADY = ["--font-render-hinting=none", "--disable-lcd-text", "--force-color-profile=srgb"];

const isUpdating = process.env.UPDATE_SNAPSHOTS === "1";

let recording;
let server;
let browser;
let tool;
let rejected;

before(async () => {
  recording = await readRecording(path.join(FOLDER, "replies.json.gz"));
  server = await serveRecorded(recording);
  browser = await launchBrowser(process.env, STEADY);
  tool = await browser.newPage();
});

after(async () => {
  await browser?.close();
  server?.stop();
});

/** The page as a window would show it that is as high as the page: what is fixed to an edge of the window is there. */
async function shot(page) {
  const { width, height } = page.viewportSize();
  const content = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width, height: Math.max(height, Math.min(content, HEIGHT_MAX)) });
  await settled(page);
  const picture = await page.screenshot({ animations: "disabled", caret: "hide" });
  await page.setViewportSize({ width, height });
  return picture.toString("base64");
}

async function assertLooks(name, page) {
  const full = await shot(page);
  const now = await reduce(tool, full);
  const file = path.join(FOLDER, `${name}.png`);
  if (isUpdating) {
    await writeFile(file, now, "base64");
    return;
  }
  const kept = await readFile(file, "base64").catch(() => null);
  const { places, diff } = kept === null ? { places: [{ x: 0, y: 0 }], diff: now } : await compare(tool, kept, now);
  if (places.length === 0) return;
  rejected ??= await mkdtemp(path.join(tmpdir(), "tenantwatch-looks-"));
  await mkdir(rejected, { recursive: true });
  for (const [kind, picture] of [["now", full], ["diff", diff], ["kept", kept ?? now]]) await writeFile(path.join(rejected, `${name}.${kind}.png`), picture, "base64");
  const where = places.slice(0, 5).map(({ x, y }) => `${x},${y}`).join(" ");
  assert.fail(`${name} looks different${kept === null ? ": no picture was kept" : ` at ${where}`}. See ${path.join(rejected, `${name}.*.png`)}; if it is as it should be, UPDATE_SNAPSHOTS=1 keeps it.`);
}

/** Every view in the two looks that are furthest apart; in the other two those that are looked at most. */
const OFTEN = ["overview", "alert"];
const LOOKS = [["desk", "light"], ["desk", "dark", OFTEN], ["phone", "dark"], ["phone", "light", OFTEN]];

for (const [size, colours, only] of LOOKS) {
  test(`the pages look as they did: ${size}, ${colours}`, async () => {
    const page = await openAt(browser, recording.at, { viewport: SIZES[size], dark: colours === "dark" });
    const wrong = [];
    for (const [name, view] of Object.entries(views(recording.alert))) {
      if (only && !only.includes(name)) continue;
      await show(page, server.url, view);
      await assertLooks(`${name}-${size}-${colours}`, page).catch((error) => wrong.push(error.message));
    }
    await page.context().close();
    assert.deepEqual(wrong, []);
    assert.deepEqual([...server.missing], [], "the console asks for what was not recorded: see record.mjs");
  });
}

/** What somebody would want to be told of, as changes of styles. */
const CHANGES = {
  "a button is gone": "form.filters button, .actions button, .toolbar button, header button { visibility: hidden }",
  "a line moved by four pixels": "h1 { position: relative; inset-block-start: 4px }",
  "texts are larger": "main { font-size: 107% } table { font-size: 107% }",
  "a colour lost its meaning": ":root { --red: var(--soft); --amber: var(--soft) }",
  "a column is narrower": "td, th { padding-inline: 1px !important }",
};

test("a change that a person would see is seen", { skip: isUpdating }, async () => {
  const page = await openAt(browser, recording.at, { viewport: SIZES.desk });
  const view = views(recording.alert).alerts;
  await show(page, server.url, view);
  const before = await reduce(tool, await shot(page));
  assert.deepEqual((await compare(tool, before, await reduce(tool, await shot(page)))).places, [], "the same page looks the same");
  for (const [what, css] of Object.entries(CHANGES)) {
    const sheet = await page.evaluateHandle((text) => {
      const added = new CSSStyleSheet();
      added.replaceSync(text);
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, added];
      return added;
    }, css);
    const { places } = await compare(tool, before, await reduce(tool, await shot(page)));
    assert.notEqual(places.length, 0, what);
    await page.evaluate((added) => {
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((each) => each !== added);
    }, sheet);
  }
  await page.context().close();
});
