/**
 * What the list shows: a query as the address bar, the controls and `$filter` write it. Pure.
 *
 * `$orderby=severity` is not offered, because Graph orders an enumeration by its numbers and those
 * are not an order of severity.
 */

import { DAY_MS, RESPONSE_WINDOW_MS, filterTime } from "./time.js";

/** The choices of status, by the name that stands in the address. */
export const STATUS_CHOICES = [
  ["open", "Open"],
  ["overdue", "Overdue"],
  ["active", "Active"],
  ["investigating", "Investigating"],
  ["resolved", "Resolved"],
  ["all", "All"],
];

/** The choices of severity. */
export const SEVERITY_CHOICES = [
  ["any", "Any"],
  ["high", "High"],
  ["medium", "Medium"],
  ["low", "Low"],
  ["informational", "Informational"],
];

const ORDERS = {
  newest: ["Newest first", "detectedDateTime desc"],
  due: ["Least time left", "detectedDateTime asc"],
  seen: ["Last seen first", "lastObservedDateTime desc"],
  customer: ["By customer", "customerTenantId asc,detectedDateTime desc"],
};

/** The choices of order. */
export const ORDER_CHOICES = Object.entries(ORDERS).map(([name, [label]]) => [name, label]);

/** What the list shows when nobody has asked for anything else. */
export const DEFAULT_QUERY = Object.freeze({ status: "open", severity: "any", search: "", order: "newest" });

/** How long a search may be; ids are shorter by far. */
export const SEARCH_LENGTH_MAX = 128;

/** Reads a query from the part of the address after `?`; what is not known falls back to the default. */
export function readQuery(text) {
  const given = new URLSearchParams(text);
  const choice = (name, choices) =>
    choices.some(([value]) => value === given.get(name)) ? given.get(name) : DEFAULT_QUERY[name];
  return {
    status: choice("status", STATUS_CHOICES),
    severity: choice("severity", SEVERITY_CHOICES),
    order: choice("order", ORDER_CHOICES),
    search: (given.get("search") ?? "").trim().slice(0, SEARCH_LENGTH_MAX),
  };
}

/** Writes a query as an address; the reverse of {@link readQuery}. Defaults are left out. */
export function writeQuery(query) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== DEFAULT_QUERY[name]) parameters.set(name, value);
  }
  const text = parameters.toString();
  return text === "" ? "#/" : `#/?${text}`;
}

/** Whether two queries ask for the same. */
export function sameQuery(one, other) {
  return Object.keys(DEFAULT_QUERY).every((name) => one[name] === other[name]);
}

/** Whether a query leaves anything out beside resolved alerts. */
export function isNarrowed(query) {
  return query.severity !== DEFAULT_QUERY.severity || query.search !== "";
}

/** The `$filter` of a query, or an empty string if it leaves nothing out. */
export function filterText(query, now) {
  return [statusFilter(query.status, now), severityFilter(query.severity), searchFilter(query.search)]
    .filter((part) => part !== "")
    .join(" and ");
}

/** The `$orderby` of a query. */
export function orderText(query) {
  return ORDERS[query.order][1];
}

/** Alerts that somebody still has to deal with. */
export const OPEN_FILTER = "status ne 'resolved'";

/** Open alerts whose time to respond is over. */
export function overdueFilter(now) {
  return `${OPEN_FILTER} and detectedDateTime lt ${filterTime(now - RESPONSE_WINDOW_MS)}`;
}

/** Alerts that were resolved in the last seven days. */
export function resolvedThisWeekFilter(now) {
  return `status eq 'resolved' and resolvedOnDateTime ge ${filterTime(now - 7 * DAY_MS)}`;
}

function statusFilter(status, now) {
  switch (status) {
    case "all": return "";
    case "open": return OPEN_FILTER;
    case "overdue": return overdueFilter(now);
    default: return `status eq ${quoted(status)}`;
  }
}

function severityFilter(severity) {
  return severity === "any" ? "" : `severity eq ${quoted(severity)}`;
}

/** Ids are kept in lower case and `contains` minds case, so what is sought is lowered too. */
function searchFilter(search) {
  if (search === "") return "";
  const part = quoted(search.toLowerCase());
  return `(contains(customerTenantId,${part}) or contains(subscriptionId,${part}))`;
}

function quoted(text) {
  return `'${text.replaceAll("'", "''")}'`;
}
