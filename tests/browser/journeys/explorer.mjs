/** The explorer: list, get, patch, a wrong filter; completion, share, history; and code that runs. */

import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { LOOKS, assertFits } from "../browser.mjs";
import { ALERTS } from "../estate.mjs";
import { runRust } from "../rust.mjs";

const run = promisify(execFile);
const withProgram = (program, file) => ({ file, run: async (cwd, env) => (await run(program, [file], { cwd, env })).stdout });

const isThere = (program, ...args) => spawnSync(program, args, { stdio: "ignore" }).status === 0;

/**
 * The languages that can be run, each with how it runs a file: those that are on every machine that runs these tests, and
 * what else is there. What is not is parsed in `modules.test.mjs`.
 */
const RUNNERS = {
  ...(isThere("go", "version") ? { Go: { file: "request.go", run: async (cwd, env) => (await run("go", ["run", "request.go"], { cwd, env: { ...env, GOPROXY: "off", GO111MODULE: "off" } })).stdout } } : {}),
  ...(isThere("pwsh", "-v") ? { PowerShell: withProgram("pwsh", "request.ps1") } : {}),
  // A file by itself is a program since .NET 10.
  ...(isThere("dotnet", "run", "--help") ? { "C#": { file: "request.cs", run: async (cwd, env) => (await run("dotnet", ["run", "request.cs"], { cwd, env })).stdout } } : {}),
  curl: withProgram("bash", "request.sh"), Python: withProgram("python3", "request.py"),
  JavaScript: withProgram(process.execPath, "request.mjs"), Rust: { file: "request.rs", run: runRust },
};

export default function define(journey, estate) {
  const open = async (page, query = "") => {
    await page.goto(`${estate.url}#/explorer${query}`);
    await page.getByRole("textbox", { name: "Address" }).waitFor();
  };
  const send = async (page, status) => {
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.locator(".status strong", { hasText: String(status) }).waitFor();
  };
  const response = (page) => page.getByRole("tabpanel").locator(".response-body .cm-content").innerText();
  const write = async (page, text) => {
    const address = page.getByRole("textbox", { name: "Address" });
    await address.click();
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.insertText(text);
  };

  for (const [look, options] of LOOKS) journey(`the samples list, get and change an alert; a wrong filter is mended: ${look}`, { ...options, failures: true }, async (page) => {
    await open(page);
    const { value } = await estate.api(`${ALERTS}?$orderby=detectedDateTime desc&$select=id,status&$top=1`);
    await page.getByRole("button", { name: /Open alerts of high severity/ }).click();
    await send(page, 200);
    assert.match(await response(page), /@odata\.count/);
    assert.match(await page.locator(".status").innerText(), /\d+ ms[\s\S]*(bytes|kB)/);
    await page.getByRole("tab", { name: "Response headers" }).click();
    assert.match(await page.getByRole("tabpanel").innerText(), /request-id/);
    await page.getByRole("tab", { name: "Response", exact: true }).click();

    await page.getByRole("button", { name: /One alert/ }).click();
    await send(page, 200);
    assert.ok((await response(page)).includes(value[0].id));

    await page.getByRole("button", { name: /Take an alert up/ }).click();
    await send(page, 200);
    assert.equal((await estate.alert(value[0].id)).status, "investigating");
    await estate.setStatus(value[0].id, { status: value[0].status });

    await page.getByRole("button", { name: "History" }).click();
    assert.match(await page.getByRole("complementary").innerText(), /PATCH[\s\S]*200[\s\S]*GET/);
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save as a file" }).click()]);
    assert.equal(download.suggestedFilename(), "tenantwatch-requests.json");
    const saved = await readFile(await download.path(), "utf8");
    const { requests } = JSON.parse(saved);
    assert.deepEqual(requests.map(({ method, status }) => [method, status]), [["PATCH", 200], ["GET", 200], ["GET", 200]]);
    assert.match(requests[0].body, /investigating/);
    assert.ok(!/bearer|eyJ/i.test(saved), "no token");

    await page.getByLabel("Method").selectOption("GET");
    await write(page, `/${ALERTS}?$filter=severty eq 'high'&$top=1`);
    await send(page, 400);
    const refusal = page.locator(".refusal");
    assert.match(await refusal.innerText(), /unknown property 'severty'/);
    assert.equal(await refusal.locator("mark").innerText(), "severty");
    await refusal.getByRole("button", { name: "Use severity and send" }).click();
    await page.locator(".status strong", { hasText: "200" }).waitFor();
    await assertFits(page, `explorer with an answer, ${look}`);
  });

  journey("a request is shared as a link that fills the form of whoever opens it", {}, async (page) => {
    await open(page);
    await page.getByRole("button", { name: /Take an alert up/ }).click();
    await page.getByText("Headers").first().click();
    await page.getByRole("button", { name: "Add a header" }).click();
    await page.getByLabel("Name of header 1").fill("Prefer");
    await page.getByLabel("Value of header 1").fill("return=minimal");
    await page.getByRole("button", { name: "Share" }).click();
    await page.waitForURL(/method=PATCH/);
    const link = page.url();
    assert.ok(!/eyJ/.test(link), "no token");
    const address = await page.getByRole("textbox", { name: "Address" }).innerText();
    await page.goto("about:blank");
    await page.goto(link);
    await page.getByRole("textbox", { name: "Address" }).waitFor();
    assert.equal(await page.getByRole("textbox", { name: "Address" }).innerText(), address);
    assert.equal(await page.getByLabel("Method").inputValue(), "PATCH");
    assert.match(await page.getByRole("textbox", { name: "Body, JSON" }).innerText(), /investigating/);
    assert.equal(await page.getByLabel("Value of header 1").inputValue(), "return=minimal");
  });

  journey("what was sent is sent again from the history", {}, async (page) => {
    await open(page);
    await page.getByRole("button", { name: /Search in all texts/ }).click();
    await send(page, 200);
    const address = await page.getByRole("textbox", { name: "Address" }).innerText();
    await write(page, `/${ALERTS}?$top=1`);
    await page.getByRole("button", { name: "History" }).click();
    await page.getByRole("complementary").getByRole("button", { name: /\$search/ }).click();
    assert.equal(await page.getByRole("textbox", { name: "Address" }).innerText(), address);
    await send(page, 200);
  });

  journey("every route of the server is offered, with an alert and a detector that there are", {}, async (page) => {
    await open(page);
    const { paths } = await (await fetch(`${estate.url}beta/openapi.json`)).json();
    const own = Object.entries(paths).filter(([path]) => path.startsWith("/tenantwatch/")).flatMap(([, item]) => Object.values(item));
    assert.ok(own.length >= 18);
    const find = async (title) => {
      await page.getByLabel("Find a request").fill(title);
      const sample = page.getByRole("button", { name: new RegExp(`${title}$`) });
      await sample.waitFor();
      return sample;
    };
    for (const { summary } of own) await find(summary);
    for (const title of ["Say why an alert fired", "Say how the detectors fare", "Say what a detector would have raised"]) {
      await (await find(title)).click();
      await send(page, 200);
    }
  });

  journey("names and values are completed from $metadata", {}, async (page) => {
    await open(page);
    await page.getByRole("button", { name: /List security alerts/ }).waitFor();
    await write(page, `/${ALERTS}?$filter=sever`);
    await page.keyboard.press("Control+Space");
    await page.locator(".cm-tooltip-autocomplete").getByText("severity", { exact: true }).waitFor();
    await page.waitForTimeout(100); // The editor takes no key for a moment, lest a list that pops up swallows it.
    await page.keyboard.press("Enter");
    await page.keyboard.type(" eq ");
    await page.keyboard.press("Control+Space");
    await page.locator(".cm-tooltip-autocomplete").getByText("'informational'").waitFor();
  });

  journey("a body that is not JSON is said to be none", {}, async (page) => {
    await open(page);
    await page.getByRole("button", { name: /Take an alert up/ }).click();
    await page.getByRole("textbox", { name: "Body, JSON" }).click();
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.insertText('{"status": }');
    await page.getByText(/This is not JSON yet/).waitFor();
  });

  journey("a link fills the form and sends nothing", {}, async (page) => {
    let sent = 0;
    page.on("request", (request) => {
      if (request.method() === "PATCH") sent += 1;
    });
    const query = new URLSearchParams({ method: "PATCH", url: `/${ALERTS}/x`, body: '{"status":"resolved"}', header: "If-Match: *" });
    await open(page, `?${query}`);
    assert.equal(await page.getByLabel("Method").inputValue(), "PATCH");
    assert.match(await page.getByRole("textbox", { name: "Body, JSON" }).innerText(), /resolved/);
    assert.equal(await page.getByLabel("Value of header 1").inputValue(), "*");
    await page.waitForTimeout(500);
    assert.equal(sent, 0);
  });

  journey("permissions and the token's claims are told", {}, async (page) => {
    await open(page);
    await page.getByRole("tab", { name: "Permissions and token" }).click();
    const panel = page.getByRole("tabpanel");
    await panel.locator('[data-has="true"]', { hasText: "PartnerSecurity.ReadWrite.All" }).waitFor();
    assert.match(await panel.innerText(), /api:\/\/tenantwatch/);
  });

  for (const [language, { file, run: runFile }] of Object.entries(RUNNERS)) {
    journey(`the code for ${language} runs`, {}, async (page) => {
      const alert = await estate.freshAlert();
      const folder = await mkdtemp(path.join(tmpdir(), "tenantwatch-code-"));
      const env = { ...process.env, TENANTWATCH_TOKEN: await estate.token() };
      const tryOut = async (query, expected) => {
        await page.goto("about:blank");
        await open(page, `?${new URLSearchParams(query)}`);
        await page.getByRole("tab", { name: "Code" }).click();
        await page.getByRole("group", { name: "Language" }).getByRole("button", { name: language, exact: true }).click();
        await writeFile(path.join(folder, file), await page.locator("pre.code").textContent());
        assert.match(await runFile(folder, env), expected, query.method);
      };
      try {
        await tryOut({ method: "GET", url: `/${ALERTS}?$filter=displayName ne 'it''s "quoted" $HOME \\n'&$top=1&$count=true` }, /"@odata\.count":\s*\d+/);
        await tryOut({ method: "PATCH", url: `/${ALERTS}/${alert.id}`, body: '{"status":"investigating","note@x":"it\'s \\"quoted\\""}', header: "Prefer: return=representation" }, /"status":\s*"investigating"/);
      } finally {
        await estate.setStatus(alert.id, { status: "active" });
        await rm(folder, { recursive: true, force: true });
      }
    });
  }
}
