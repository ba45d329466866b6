/**
 * The console as it was built last, beside a server that runs already: its files with the headers that the binary
 * gives them, everything else passed on. With it the tests try a change of the page without a build of the binary:
 *
 *     node beside.mjs http://127.0.0.1:8080 18081
 *     TENANTWATCH_URL=http://127.0.0.1:18081 node --test
 */

import { readFile } from "node:fs/promises";
import http from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const DIST = path.join(ROOT, "web/dist");
const TYPES = { ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2" };

/** The policy of the binary, read from its source so that there is one. */
async function policy() {
  const source = await readFile(path.join(ROOT, "crates/server/src/api/page.rs"), "utf8");
  return /CONTENT_SECURITY_POLICY: &str = "([^"]+)"/.exec(source)[1];
}

/** Serves the built files with the headers of the binary; `answer` is asked for everything else. */
export async function serveConsole(answer, port = 0) {
  const csp = await policy();
  const server = http.createServer(async (request, response) => {
    const name = request.url === "/" ? "index.html" : request.url.split("?")[0].slice(1);
    if (name !== "index.html" && !/^assets\/[\w.-]+$/.test(name)) {
      answer(request, response);
      return;
    }
    try {
      const file = await readFile(path.join(DIST, name));
      response.writeHead(200, { "content-type": TYPES[path.extname(name)] ?? "application/octet-stream", "content-security-policy": csp, "referrer-policy": "no-referrer", "cache-control": "no-cache" });
      response.end(file);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, stop };
}

/** Serves the built files, and passes the rest on to `origin`. */
export function serveBeside(origin, port = 0) {
  const { hostname, port: there } = new URL(origin);
  return serveConsole((request, response) => {
    const passed = http.request({ hostname, port: there, path: request.url, method: request.method, headers: { ...request.headers, host: `${hostname}:${there}` } }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    passed.on("error", () => response.writeHead(502).end());
    request.pipe(passed);
  }, port);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , origin = "http://127.0.0.1:8080", port = "18081"] = process.argv;
  console.log((await serveBeside(origin, Number(port))).url);
}
