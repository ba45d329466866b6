/**
 * The server under test: one that runs already (`TENANTWATCH_URL`), or the binary in demo mode
 * (`TENANTWATCH_BIN`), which these tests start on a free port and stop again.
 */

import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import readline from "node:readline";
import { promisify } from "node:util";

/** A demo makes up an estate and searches it before it serves. */
const START_TIMEOUT_MS = 600_000;

/** How long the server may take to end by itself before it is killed. */
const STOP_TIMEOUT_MS = 10_000;

/** How much of what the server said is quoted when it does not start. */
const QUOTED_CHARACTERS = 4_000;

/**
 * Finds or starts the server.
 *
 * @returns {Promise<{url: string, stop: () => Promise<void>, take: (what: "customers" | "alerts", text: string) => Promise<void>}>}
 *   url ends with a slash
 */
export async function findServer(env = process.env) {
  if (env.TENANTWATCH_URL) {
    const url = new URL("/", env.TENANTWATCH_URL).href;
    return { url, stop: async () => {}, take: (what, text) => takeIn(env.TENANTWATCH_BIN, env.TENANTWATCH_DATA_DIR, what, text) };
  }
  if (env.TENANTWATCH_BIN) return startDemo(env.TENANTWATCH_BIN);
  throw new Error("set TENANTWATCH_URL to a running demo server, or TENANTWATCH_BIN to the binary");
}

async function startDemo(binary) {
  const dataDir = await mkdtemp(path.join(tmpdir(), "tenantwatch-browser-"));
  const child = spawn(
    path.resolve(binary),
    ["demo", "--listen", "127.0.0.1:0", "--data-dir", dataDir, "--customers", "12", "--days", "40"],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const ended = new Promise((resolve) => {
    child.once("close", resolve);
    child.once("error", resolve);
  });
  const stop = async () => {
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    child.kill("SIGTERM");
    await ended;
    clearTimeout(timer);
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    const url = await announcedUrl(child);
    return { url, stop, take: (what, text) => takeIn(binary, dataDir, what, text) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Gives the server customers or alerts, as an operator does, while it runs. */
async function takeIn(binary, dataDir, what, text) {
  if (!binary || !dataDir) throw new Error("set TENANTWATCH_BIN and TENANTWATCH_DATA_DIR beside TENANTWATCH_URL");
  const file = path.join(dataDir, `${what}-of-the-tests`);
  await writeFile(file, text);
  try {
    await promisify(execFile)(path.resolve(binary), [what, "import", "--data-dir", dataDir, file]);
  } finally {
    await rm(file, { force: true });
  }
}

/** The first line of standard output that is an address. */
function announcedUrl(child) {
  return new Promise((resolve, reject) => {
    let said = "";
    const fail = (why) => reject(new Error(`the demo ${why}; it said:\n${said}`));
    const timer = setTimeout(() => fail("did not start in time"), START_TIMEOUT_MS);
    child.stderr.on("data", (chunk) => {
      said = (said + chunk).slice(-QUOTED_CHARACTERS);
    });
    readline.createInterface({ input: child.stdout }).on("line", (line) => {
      if (!line.startsWith("http://")) return;
      clearTimeout(timer);
      resolve(new URL("/", line.trim().split(/\s/)[0]).href);
    });
    child.once("error", (error) => {
      clearTimeout(timer);
      fail(`could not be run: ${error.message}`);
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      fail(`ended with code ${code}`);
    });
  });
}
