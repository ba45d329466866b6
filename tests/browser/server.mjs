/**
 * The server under test: one that runs already (`TENANTWATCH_URL`), or the binary in demo mode
 * (`TENANTWATCH_BIN`), which these tests start on a free port and stop again.
 */

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import readline from "node:readline";

/** A demo makes up an estate and searches it before it serves. */
const START_TIMEOUT_MS = 180_000;

/** How long the server may take to end by itself before it is killed. */
const STOP_TIMEOUT_MS = 10_000;

/** How much of what the server said is quoted when it does not start. */
const QUOTED_CHARACTERS = 4_000;

/**
 * Finds or starts the server.
 *
 * @returns {Promise<{url: string, stop: () => Promise<void>}>} url ends with a slash
 */
export async function findServer(env = process.env) {
  if (env.TENANTWATCH_URL) return { url: new URL("/", env.TENANTWATCH_URL).href, stop: async () => {} };
  if (env.TENANTWATCH_BIN) return startDemo(env.TENANTWATCH_BIN);
  throw new Error("set TENANTWATCH_URL to a running demo server, or TENANTWATCH_BIN to the binary");
}

async function startDemo(binary) {
  const dataDir = await mkdtemp(path.join(tmpdir(), "tenantwatch-browser-"));
  const child = spawn(
    path.resolve(binary),
    ["demo", "--listen", "127.0.0.1:0", "--data-dir", dataDir, "--customers", "8", "--days", "30"],
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
    return { url: await announcedUrl(child), stop };
  } catch (error) {
    await stop();
    throw error;
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
