/**
 * What the table of alerts shows: a query as the address, the filter bar and `$filter` write it. Pure.
 *
 * The bar's choices become a `$filter`; a `$filter` that consists of such parts becomes choices again, and any other
 * is kept as the text that it is.
 */

export interface Query {
  /** `open` is everything that is not resolved. */
  status: "any" | "open" | "active" | "investigating" | "resolved";
  /** Where open alerts stand against the clock. */
  clock: "any" | "overdue" | "2h" | "8h";
  severities: string[];
  detector: string;
  customer: string;
  subscription: string;
  /** Detected since: an ISO 8601 duration, or nothing. */
  since: string;
  search: string;
  order: string;
  /** A filter that the choices cannot say; it goes before them. */
  filter: string;
}

export const DEFAULT_QUERY: Readonly<Query> = Object.freeze({
  status: "open", clock: "any", severities: [], detector: "", customer: "", subscription: "", since: "", search: "",
  order: "detectedDateTime desc", filter: "",
});

export const STATUS_CHOICES: [Query["status"], string][] = [
  ["open", "Open"], ["active", "Active"], ["investigating", "Investigating"], ["resolved", "Resolved"], ["any", "Any status"],
];

export const CLOCK_CHOICES: [Query["clock"], string][] = [
  ["any", "Any time left"], ["overdue", "Overdue"], ["2h", "Due within 2 h"], ["8h", "Due within 8 h"],
];

export const SINCE_CHOICES: [string, string][] = [
  ["", "Any time"], ["PT24H", "Last 24 hours"], ["P7D", "Last 7 days"], ["P30D", "Last 30 days"], ["P90D", "Last 90 days"],
];

/** What can be sorted by, by the name of the column. */
export const SORTABLE = [
  "severity", "displayName", "alertType", "customerTenantId", "subscriptionId", "status", "detectedDateTime",
  "lastObservedDateTime", "confidenceLevel", "resolvedOnDateTime",
];

const NAMES: (keyof Query)[] = ["status", "clock", "detector", "customer", "subscription", "since", "search", "order", "filter"];

/** Reads a query from the address; what is not known falls back to the default. */
export function readQuery(given: URLSearchParams): Query {
  const query: Query = { ...DEFAULT_QUERY };
  const choice = <T extends string>(name: string, choices: [T, string][], otherwise: T): T =>
    choices.find(([value]) => value === given.get(name))?.[0] ?? otherwise;
  // The list of the first page wrote `all` and `overdue` as a status.
  const old = given.get("status");
  query.status = old === "all" ? "any" : choice("status", STATUS_CHOICES, DEFAULT_QUERY.status);
  query.clock = old === "overdue" ? "overdue" : choice("clock", CLOCK_CHOICES, DEFAULT_QUERY.clock);
  query.since = choice("since", SINCE_CHOICES, DEFAULT_QUERY.since);
  query.severities = (given.get("severity") ?? "").split(",").filter((one) => SEVERITIES.includes(one));
  for (const name of ["detector", "customer", "subscription", "search", "filter"] as const) {
    query[name] = (given.get(name) ?? "").trim();
  }
  const order = given.get("order") ?? "";
  if (/^\w+ (asc|desc)$/.test(order) && SORTABLE.includes(order.split(" ")[0] ?? "")) query.order = order;
  return query;
}

const SEVERITIES = ["high", "medium", "low", "informational"];

/** Writes a query for the address; the reverse of {@link readQuery}. Defaults are left out. */
export function writeQuery(query: Query): Record<string, string> {
  const written: Record<string, string> = {};
  for (const name of NAMES) {
    if (query[name] !== DEFAULT_QUERY[name]) written[name] = String(query[name]);
  }
  if (query.severities.length > 0) written.severity = query.severities.join(",");
  return written;
}

/** Whether two queries ask for the same. */
export function sameQuery(one: Query, other: Query): boolean {
  return JSON.stringify(writeQuery(one)) === JSON.stringify(writeQuery(other));
}

/** Whether a query leaves anything out beside what is done. */
export function isNarrowed(query: Query): boolean {
  const { order: _, ...asked } = writeQuery(query);
  return Object.keys(asked).length > 0;
}

/** The `$filter` of a query, or an empty text if it leaves nothing out. */
export function filterText(query: Query): string {
  if (query.filter !== "") return query.filter;
  const parts = [
    statusPart(query.status), clockPart(query.clock), severityPart(query.severities),
    query.detector === "" ? "" : `additionalDetails/DetectorId eq ${quoted(query.detector)}`,
    query.customer === "" ? "" : `customerTenantId eq ${quoted(query.customer)}`,
    query.subscription === "" ? "" : `subscriptionId eq ${quoted(query.subscription)}`,
    query.since === "" ? "" : `detectedDateTime ge now() sub duration'${query.since}'`,
    idPart(query.search),
  ];
  return parts.filter((part) => part !== "").join(" and ");
}

/** The `$search` of a query, or an empty text. */
export function searchText(query: Query): string {
  const text = query.search.trim();
  return text === "" || looksLikeId(text) ? "" : `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** The `$orderby` of a query. Who sorts by severity wants the most urgent of each first. */
export function orderText(query: Query): string {
  return query.order.startsWith("detectedDateTime") ? query.order : `${query.order},detectedDateTime desc`;
}

/**
 * Reads a `$filter` as the choices of the bar; null if it says more than they can.
 * Search and order are not part of it and stay.
 */
export function readFilter(text: string, before: Query): Query | null {
  const query: Query = { ...DEFAULT_QUERY, status: "any", search: looksLikeId(before.search) ? "" : before.search, order: before.order };
  for (const part of conjuncts(text)) {
    if (!readPart(part, query)) return null;
  }
  return query;
}

function readPart(part: string, query: Query): boolean {
  const match = (pattern: RegExp): string | null => pattern.exec(part)?.[1] ?? null;
  const plain = (text: string) => text.replaceAll("''", "'");
  let found: string | null;
  if (part === OPEN_FILTER || part === NOT_RESOLVED) return set(query, "status", "open", "any");
  if ((found = match(/^status eq '(active|investigating|resolved)'$/)) !== null) return set(query, "status", found as Query["status"], "any");
  if ((found = match(/^severity eq '(\w+)'$/)) !== null || (found = match(/^severity in \(('\w+'(?:,'\w+')*)\)$/)) !== null) {
    const severities = found.split(",").map((one) => one.replaceAll("'", ""));
    if (query.severities.length > 0 || !severities.every((one) => SEVERITIES.includes(one))) return false;
    query.severities = severities;
    return true;
  }
  if ((found = match(/^additionalDetails\/DetectorId eq '((?:[^']|'')+)'$/)) !== null) return set(query, "detector", plain(found), "");
  if ((found = match(/^customerTenantId eq '((?:[^']|'')+)'$/)) !== null) return set(query, "customer", plain(found), "");
  if ((found = match(/^subscriptionId eq '((?:[^']|'')+)'$/)) !== null) return set(query, "subscription", plain(found), "");
  if ((found = match(/^detectedDateTime ge now\(\) sub duration'(\w+)'$/)) !== null) {
    return SINCE_CHOICES.some(([value]) => value === found) && set(query, "since", found, "");
  }
  for (const [clock] of CLOCK_CHOICES) {
    if (clock !== "any" && part === clockPart(clock)) return set(query, "clock", clock, "any");
  }
  return false;
}

/** A choice that is made already cannot be made again: two conditions on one property are more than the bar can say. */
function set<Name extends keyof Query>(query: Query, name: Name, value: Query[Name], unset: Query[Name]): boolean {
  if (query[name] !== unset) return false;
  query[name] = value;
  return true;
}

/** The parts that `and` joins at the outermost level. */
function conjuncts(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let inText = false;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === "'") inText = !inText;
    else if (!inText && char === "(") depth += 1;
    else if (!inText && char === ")") depth -= 1;
    else if (!inText && depth === 0 && /^\sand\s/.test(text.slice(at, at + 5))) {
      parts.push(text.slice(start, at).trim());
      start = at + 5;
    }
  }
  parts.push(text.slice(start).trim());
  return parts.filter((part) => part !== "");
}

/**
 * Alerts that somebody still has to deal with. The statuses are named one by one: an index finds what something is, and
 * for what it is not the server looks at all alerts.
 */
export const OPEN_FILTER = "status in ('active','investigating','unknownFutureValue')";

/** The same as people write it. */
const NOT_RESOLVED = "status ne 'resolved'";

const HOUR = (hours: number) => `detectedDateTime lt now() sub duration'PT${hours}H'`;

/** Conditions on where open alerts stand against the 24 hours that a partner has. */
export const OVERDUE = HOUR(24);
export const DUE_2H = `${HOUR(22)} and not (${OVERDUE})`;
export const DUE_8H = `${HOUR(16)} and not (${OVERDUE})`;

function clockPart(clock: Query["clock"]): string {
  if (clock === "any") return "";
  return clock === "overdue" ? OVERDUE : `(${clock === "2h" ? DUE_2H : DUE_8H})`;
}

function statusPart(status: Query["status"]): string {
  if (status === "any") return "";
  return status === "open" ? OPEN_FILTER : `status eq ${quoted(status)}`;
}

function severityPart(severities: string[]): string {
  if (severities.length === 0) return "";
  if (severities.length === 1) return `severity eq ${quoted(severities[0] ?? "")}`;
  return `severity in (${severities.map(quoted).join(",")})`;
}

/** A part of a GUID is looked for in ids, which `$search` does not read. */
export function looksLikeId(text: string): boolean {
  return /^[0-9a-f]{6,8}(-[0-9a-f-]*)?$/i.test(text.trim());
}

/** Ids are kept in lower case and `contains` minds case, so what is sought is lowered too. */
function idPart(search: string): string {
  const text = search.trim();
  if (!looksLikeId(text)) return "";
  const part = quoted(text.toLowerCase());
  return `(contains(customerTenantId,${part}) or contains(subscriptionId,${part}) or contains(id,${part}))`;
}

/** A text as a filter writes it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
