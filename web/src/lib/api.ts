/**
 * The public API, as any other client sees it.
 */

import { session } from "./session.svelte";
import type { Alert, Batched, BatchReply, Change, ChosenNumber, Coverage, Customer, Detector, DetectorHealth, Explanation, NumberChange, Replay, MoneyNow, Notice, Page, Rule, NewRule, Score, Silenced, Source } from "./types";

const ALERTS = "/beta/security/partner/securityAlerts";
const OWN = "/tenantwatch/v1";

/** How many requests a batch may hold; the server's limit, which is Graph's. */
export const BATCH_MAX = 20;

/** A request that did not succeed. */
export class ApiError extends Error {
  readonly code: string | null;
  readonly requestId: string | null;

  /** @param status the HTTP status; 0 if the server could not be reached */
  constructor(readonly status: number, body: Record<string, unknown>) {
    super(typeof body.message === "string" && body.message !== "" ? body.message : `The server answered ${status}.`);
    this.name = "ApiError";
    this.code = typeof body.code === "string" ? body.code : null;
    const inner = (body.innerError ?? body.innererror ?? {}) as Record<string, unknown>;
    this.requestId = typeof inner["request-id"] === "string" ? inner["request-id"] : null;
  }
}

/** The query options of a list of alerts. */
export interface ListOptions {
  filter?: string;
  search?: string;
  orderby?: string;
  select?: string[];
  top?: number;
  count?: boolean;
}

interface Sent {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** The address of a list of alerts with its options. */
export function alertsPath(options: ListOptions): string {
  const parts: [string, string][] = [];
  if (options.filter) parts.push(["$filter", options.filter]);
  if (options.search) parts.push(["$search", options.search]);
  if (options.orderby) parts.push(["$orderby", options.orderby]);
  if (options.select) parts.push(["$select", options.select.join(",")]);
  if (options.top !== undefined) parts.push(["$top", String(options.top)]);
  if (options.count) parts.push(["$count", "true"]);
  return `${ALERTS}?${encode(parts)}`;
}

/** The address of an alert. */
export function alertPath(id: string): string {
  return `${ALERTS}/${encodeURIComponent(id)}`;
}

export async function alerts(options: ListOptions, signal?: AbortSignal): Promise<Page<Alert>> {
  return page(await request(alertsPath(options), { signal }));
}

/**
 * The page that a link leads to.
 *
 * Only its path is used: the token must not go to another host, and behind a proxy the link may
 * carry a name that the browser does not know.
 */
export async function follow(link: string, signal?: AbortSignal): Promise<Page<Alert>> {
  return page(await request(samePath(link), { signal }));
}

export async function alert(id: string, signal?: AbortSignal): Promise<Alert> {
  return request(alertPath(id), { signal });
}

/** Changes the status of an alert; gives the alert as it then is. */
export async function changeAlert(id: string, change: Change): Promise<Alert> {
  return request(alertPath(id), { method: "PATCH", body: change });
}

/** Sends many requests, twenty at a time, and gives the replies by id. */
export async function batch(requests: Batched[], signal?: AbortSignal): Promise<Map<string, BatchReply>> {
  const replies = new Map<string, BatchReply>();
  for (let start = 0; start < requests.length; start += BATCH_MAX) {
    const body = { requests: requests.slice(start, start + BATCH_MAX) };
    const answer = await request<{ responses: BatchReply[] }>("/beta/$batch", { method: "POST", body, signal });
    for (const reply of answer.responses) replies.set(reply.id, reply);
  }
  return replies;
}

/** How many alerts each filter leaves, in as few requests as possible. */
export async function counts(filters: string[], signal?: AbortSignal): Promise<number[]> {
  const requests = filters.map((filter, index): Batched => ({
    id: String(index), method: "GET",
    url: `/security/partner/securityAlerts?${encode([["$filter", filter], ["$select", "id"], ["$top", "1"], ["$count", "true"]])}`,
  }));
  const replies = await batch(requests, signal);
  return filters.map((_, index) => {
    const reply = replies.get(String(index));
    if (reply === undefined || reply.status !== 200) throw new ApiError(reply?.status ?? 0, errorOf(reply?.body));
    return Number((reply.body as Record<string, unknown>)["@odata.count"]);
  });
}

/** How many alerts a filter and a search leave. */
export async function count(options: { filter?: string; search?: string }, signal?: AbortSignal): Promise<number> {
  return (await alerts({ ...options, select: ["id"], top: 0, count: true }, signal)).count ?? 0;
}

/** What changed since a link; without one, the link from now on. */
export async function changes(link: string | null): Promise<{ ids: string[]; next: string | null; link: string | null }> {
  const answer = await request<Record<string, unknown> & { value: { id: string }[] }>(
    link === null ? `${ALERTS}/delta()?${encode([["$select", "id"], ["$deltatoken", "latest"]])}` : samePath(link));
  const text = (name: string) => (typeof answer[name] === "string" ? (answer[name] as string) : null);
  return { ids: answer.value.map(({ id }) => id), next: text("@odata.nextLink"), link: text("@odata.deltaLink") };
}

let knownDetectors: Promise<Detector[]> | null = null;

/** All detectors. They change only with the server's files, so one answer serves the page. */
export async function detectors(): Promise<Detector[]> {
  knownDetectors ??= request<{ value?: Detector[] }>(`${OWN}/detectors`).then((answer) => answer.value ?? []);
  try {
    return await knownDetectors;
  } catch (error) {
    knownDetectors = null;
    throw error;
  }
}

/** How the runs of the detectors fare; none for a token that sees only some customers. */
export async function detectorHealth(): Promise<DetectorHealth[]> {
  return (await request<{ value: DetectorHealth[] }>(`${OWN}/detectorHealth`)).value;
}

/** The numbers that were chosen, of one detector or of all. */
export async function chosenNumbers(detector?: string): Promise<ChosenNumber[]> {
  const query = detector === undefined ? "" : `?${encode([["detector", detector]])}`;
  return (await request<{ value: ChosenNumber[] }>(`${OWN}/detectorSettings${query}`)).value;
}

function numberPath(detector: string, name: string, place: { customerTenantId: string | null; subscriptionId: string | null }): string {
  const query: [string, string][] = [];
  if (place.customerTenantId !== null) query.push(["customer", place.customerTenantId]);
  if (place.subscriptionId !== null) query.push(["subscription", place.subscriptionId]);
  return `${OWN}/detectors/${encodeURIComponent(detector)}/settings/${encodeURIComponent(name)}${query.length === 0 ? "" : `?${encode(query)}`}`;
}

/** Chooses a number of a detector for all, a customer or a subscription. */
export async function chooseNumber(detector: string, name: string, place: { customerTenantId: string | null; subscriptionId: string | null }, value: number, reason: string): Promise<ChosenNumber> {
  return request(numberPath(detector, name, place), { method: "PUT", body: { value, reason } });
}

/** Takes a chosen number back. */
export async function unchooseNumber(detector: string, name: string, place: { customerTenantId: string | null; subscriptionId: string | null }): Promise<void> {
  await request(numberPath(detector, name, place), { method: "DELETE" });
}

/** Runs a detector over the past, with the numbers of now and with others; nothing is raised. Abandoned, it stops. */
export async function replay(detector: string, since: Date, changes: NumberChange[], signal: AbortSignal): Promise<Replay> {
  const settings = changes.map(({ name, value, customerTenantId, subscriptionId }) => ({ name, value, customerTenantId, subscriptionId }));
  return request(`${OWN}/detectors/${encodeURIComponent(detector)}/replay`, { method: "POST", body: { sinceDateTime: since.toISOString(), settings }, signal });
}

export async function explanation(id: string, signal?: AbortSignal): Promise<Explanation> {
  return request(`${OWN}/alerts/${encodeURIComponent(id)}/explanation`, { signal });
}

/** What open alerts cost, and the few that cost the most by the hour. */
export async function moneyNow(): Promise<MoneyNow> {
  return request(`${OWN}/moneyAtRisk?top=100`);
}

export async function sources(): Promise<Source[]> {
  return (await request<{ value: Source[] }>(`${OWN}/sources`)).value;
}

export async function notices(): Promise<Notice[]> {
  return (await request<{ value: Notice[] }>(`${OWN}/notices`)).value;
}

/** All pages of the coverage, up to `most` entries. */
export async function coverage(query: [string, string][], most: number, signal?: AbortSignal): Promise<{ entries: Coverage[]; more: boolean }> {
  return allOf<Coverage>(`${OWN}/coverage?${encode([...query, ["top", String(Math.min(1000, most))]])}`, most, signal);
}

/** All pages of the customers, up to `most`. */
export async function customers(query: [string, string][], most: number, signal?: AbortSignal): Promise<{ entries: Customer[]; more: boolean }> {
  return allOf<Customer>(`${OWN}/customers?${encode([...query, ["top", String(Math.min(1000, most))]])}`, most, signal);
}

async function allOf<T>(first: string, most: number, signal?: AbortSignal): Promise<{ entries: T[]; more: boolean }> {
  const entries: T[] = [];
  let link: string | null = first;
  while (link !== null && entries.length < most) {
    const answer: { value: T[]; nextLink?: string } = await request(link, { signal });
    entries.push(...answer.value);
    link = answer.nextLink ?? null;
  }
  return { entries, more: link !== null };
}

export async function rules(ended: boolean): Promise<Rule[]> {
  return (await request<{ value: Rule[] }>(`${OWN}/tuningRules${ended ? "?ended=true" : ""}`)).value;
}

export async function addRule(rule: NewRule): Promise<Rule> {
  return request(`${OWN}/tuningRules`, { method: "POST", body: rule });
}

export async function endRule(id: string): Promise<void> {
  await request(`${OWN}/tuningRules/${encodeURIComponent(id)}`, { method: "DELETE" });
}

export async function silenced(query: [string, string][]): Promise<Silenced[]> {
  return (await request<{ value: Silenced[] }>(`${OWN}/silenced?${encode(query)}`)).value;
}

/**
 * The security score, null if nothing is known that it could be made of, and what is known towards it. In a batch,
 * since a browser writes every 404 into its console, and here it is an ordinary answer.
 */
export async function score(): Promise<{ score: Score | null; requirements: Record<string, unknown>[] }> {
  const replies = await batch([
    { id: "score", method: "GET", url: "/security/partner/securityScore" },
    { id: "requirements", method: "GET", url: "/security/partner/securityScore/requirements" },
  ]);
  const body = (id: string) => {
    const reply = replies.get(id);
    // What could not be read is not what is not there.
    if (reply === undefined || (reply.status !== 200 && reply.status !== 404)) throw new ApiError(reply?.status ?? 0, errorOf(reply?.body));
    return reply.status === 200 ? reply.body : null;
  };
  const list = body("requirements") as { value: Record<string, unknown>[] } | null;
  return { score: body("score") as Score | null, requirements: list?.value ?? [] };
}

/** Sends a request as it is, and gives whatever comes back. Only paths of this server are taken. */
export async function send(path: string, sent: { method: string; headers: Record<string, string>; body?: string; signal?: AbortSignal }): Promise<Response> {
  const token = await session.token();
  return fetched(samePath(path), {
    method: sent.method,
    headers: { authorization: `Bearer ${token}`, ...sent.headers },
    body: sent.body,
    signal: sent.signal,
  });
}

/** The path of an address, without its scheme and host. */
export function samePath(link: string): string {
  const { pathname, search } = new URL(link, location.origin);
  return pathname + search;
}

/** Sends a request; a refused token is replaced once, or as often as a person gives another. */
async function request<T>(path: string, options: Sent = {}): Promise<T> {
  let token = await tokenFrom(() => session.token());
  let response = await withToken(path, token, options);
  let replaced = false;
  while (response.status === 401 && (session.isGiven || !replaced)) {
    const refused = token;
    token = await tokenFrom(() => session.replace(refused));
    response = await withToken(path, token, options);
    replaced = true;
  }
  if (!response.ok) throw new ApiError(response.status, await errorBody(response));
  return response.status === 204 ? (undefined as T) : response.json();
}

async function tokenFrom(source: () => Promise<string>): Promise<string> {
  try {
    return await source();
  } catch (error) {
    throw unreachable(error);
  }
}

async function withToken(path: string, token: string, { method = "GET", body, headers, signal }: Sent): Promise<Response> {
  const all: Record<string, string> = { accept: "application/json", authorization: `Bearer ${token}`, ...headers };
  if (body !== undefined) all["content-type"] = "application/json";
  return fetched(path, { method, headers: all, body: body === undefined ? undefined : JSON.stringify(body), signal });
}

async function fetched(path: string, options: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { ...options, cache: "no-store" });
  } catch (error) {
    throw unreachable(error);
  }
}

/** Fetch tells a failed connection as a TypeError; an abandoned request keeps its own name. */
function unreachable(error: unknown): unknown {
  return error instanceof TypeError ? new ApiError(0, { message: "The server does not answer." }) : error;
}

/** Whether a request was given up because nobody waits for it any more. */
export function isAbandoned(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

/** A proxy on the way may answer with something else than Graph's body; then the status must do. */
async function errorBody(response: Response): Promise<Record<string, unknown>> {
  try {
    return errorOf(await response.json());
  } catch {
    return {};
  }
}

export function errorOf(body: unknown): Record<string, unknown> {
  return ((body as Record<string, unknown> | undefined)?.error ?? {}) as Record<string, unknown>;
}

function page(answer: Record<string, unknown>): Page<Alert> {
  return {
    value: (answer.value as Alert[]) ?? [],
    count: (answer["@odata.count"] as number | undefined) ?? null,
    nextLink: (answer["@odata.nextLink"] as string | undefined) ?? null,
  };
}

/** Spaces as `%20`: `+` means a space only in forms, and not every server reads it so. */
export function encode(parts: [string, string][]): string {
  return parts.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
}
