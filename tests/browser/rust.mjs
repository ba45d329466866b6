/**
 * Compiles and runs the explorer's code for Rust with what the build of the binary left beside it: rustc, and the crates
 * that the code names. So it takes seconds, and fetches nothing.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const BUILT = process.env.TENANTWATCH_BIN ? path.dirname(path.resolve(process.env.TENANTWATCH_BIN)) : fileURLToPath(new URL("../../target/release", import.meta.url));

/** Compiles `request.rs` in the folder, runs it, and gives what it printed. */
export async function runRust(folder, env) {
  const deps = path.join(BUILT, "deps");
  const built = await readdir(deps);
  const crates = (name) => built.filter((file) => file.startsWith(`lib${name}-`) && file.endsWith(".rlib")).map((file) => path.join(deps, file));
  const [reqwests, tokios] = [crates("reqwest"), crates("tokio")];
  assert.ok(reqwests.length > 0 && tokios.length > 0, `${deps} has the crates of the build`);
  // Several versions of a crate may lie there, and those of earlier builds: the first that fits will do.
  let failure;
  for (const reqwest of reqwests) {
    for (const tokio of tokios) {
      try {
        await run("rustc", ["--edition", "2021", "-L", `dependency=${deps}`, "--extern", `reqwest=${reqwest}`, "--extern", `tokio=${tokio}`, "-o", "request", "request.rs"], { cwd: folder });
        return (await run(path.join(folder, "request"), [], { cwd: folder, env })).stdout;
      } catch (error) {
        failure = error;
      }
    }
  }
  throw failure;
}
