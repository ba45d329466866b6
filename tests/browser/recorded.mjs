/**
 * Replies of a server, written down once, and a server that gives them again: the same page on every day and every
 * machine. A batch is kept as the requests that it consists of.
 *
 * A request that was not recorded word for word gets the reply to the most similar one of the same path, so that a
 * change of the console needs no new recording; one whose path is not there at all is told.
 */

import { readFile, writeFile } from "node:fs/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { serveConsole } from "./beside.mjs";

const ORIGIN = "{origin}";
const BATCH = "/beta/$batch";

/** @typedef {{at: string, alert: string, replies: Map<string, {status: number, type: string, body: string}>}} Recording */

export async function readRecording(file) {
  const { at, alert, replies } = JSON.parse(gunzipSync(await readFile(file)).toString("utf8"));
  return { at, alert, replies: new Map(replies.map(({ request, ...reply }) => [request, reply])) };
}

export async function writeRecording(file, { at, alert, replies }) {
  const sorted = [...replies].sort(([one], [other]) => (one < other ? -1 : 1)).map(([request, reply]) => ({ request, ...reply }));
  await writeFile(file, gzipSync(JSON.stringify({ at, alert, replies: sorted }), { level: 9 }));
}

/** Writes down what a page asks and is told, but for the page itself and tokens. */
export function record(page, origin, replies) {
  const neutral = (text) => text.replaceAll(origin.replace(/\/$/, ""), ORIGIN);
  const pending = new Set();
  page.on("response", (response) => {
    const request = response.request();
    const { pathname, search } = new URL(request.url());
    if (pathname === "/" || pathname.startsWith("/assets/") || pathname === "/demo/token") return;
    const keep = async () => {
      const text = neutral((await response.body()).toString("utf8"));
      if (pathname !== BATCH) {
        replies.set(`${request.method()} ${pathname}${search}`, { status: response.status(), type: response.headers()["content-type"] ?? "", body: text });
        return;
      }
      const asked = new Map(JSON.parse(request.postData()).requests.map((each) => [each.id, each]));
      for (const { id, status, body } of JSON.parse(text).responses) {
        const { method, url } = asked.get(id);
        replies.set(`${method} /beta${url}`, { status, type: "application/json", body: JSON.stringify(body) });
      }
    };
    const kept = keep().catch(() => {}).finally(() => pending.delete(kept));
    pending.add(kept);
  });
  return () => Promise.all(pending);
}

/** The reply that fits best; undefined if the path was not recorded. */
export function replyTo(replies, method, url) {
  const exact = replies.get(`${method} ${url}`);
  if (exact !== undefined) return exact;
  const [path, query = ""] = url.split("?");
  const parts = new Set(query.split("&"));
  let best;
  for (const [request, reply] of replies) {
    const [asked, askedQuery = ""] = request.slice(method.length + 1).split("?");
    if (!request.startsWith(`${method} `) || asked !== path) continue;
    const alike = askedQuery.split("&").filter((part) => parts.has(part)).length;
    if (best === undefined || alike > best.alike) best = { alike, reply };
  }
  return best?.reply;
}

/** A token that says who it is for, as the explorer shows; nobody signed it. */
function token(at) {
  const seconds = Date.parse(at) / 1000;
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { aud: "https://graph.microsoft.com", exp: Math.floor(seconds) + 3600, iat: Math.floor(seconds), scp: "PartnerSecurity.ReadWrite.All", upn: "demo@partner.example" };
  return { accessToken: `${part({ alg: "none", typ: "JWT" })}.${part(claims)}.`, expiresOn: new Date((seconds + 3600) * 1000).toISOString() };
}

/**
 * Serves the console in front of a recording. `missing` names requests whose path was not recorded.
 *
 * @param {(path: string, reply: object) => object | Promise<object>} alter what is answered in the place of a reply
 */
export async function serveRecorded(recording, alter = (_, reply) => reply) {
  const missing = new Set();
  const find = async (method, url) => {
    const reply = replyTo(recording.replies, method, url);
    if (reply === undefined) missing.add(`${method} ${url.split("?")[0]}`);
    return reply !== undefined ? alter(url.split("?")[0], reply) : { status: 404, type: "application/json", body: '{"error":{"code":"notRecorded","message":"Not recorded."}}' };
  };
  const served = await serveConsole(async (request, response) => {
    const own = (text) => text.replaceAll(ORIGIN, `http://${request.headers.host}`);
    const send = (status, type, text) => response.writeHead(status, { "content-type": type || "application/json", "cache-control": "no-store" }).end(own(text));
    if (request.url === "/demo/token") return send(200, "application/json", JSON.stringify(token(recording.at)));
    if (request.url !== BATCH) {
      const { status, type, body } = await find(request.method, request.url);
      return send(status, type, body);
    }
    let text = "";
    for await (const chunk of request) text += chunk;
    const responses = await Promise.all(JSON.parse(text).requests.map(async ({ id, method, url }) => {
      const { status, body } = await find(method, `/beta${url}`);
      return { id, status, headers: { "content-type": "application/json" }, body: JSON.parse(body) };
    }));
    return send(200, "application/json", JSON.stringify({ responses }));
  });
  return { ...served, missing };
}
