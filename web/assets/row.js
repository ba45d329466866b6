/**
 * One alert as a row of the list.
 */

import { clockNode, relativeTime } from "./clock.js";
import { h } from "./dom.js";
import { alertTypeWord, severityWord, statusPhrase } from "./words.js";

/** What stands for a customer that no record named. */
const UNKNOWN_CUSTOMER = "00000000-0000-0000-0000-000000000000";

/** The columns, in order; the row's cells follow it. */
export const COLUMNS = ["Severity", "Alert", "Customer", "Subscription", "Detected", "Response"];

/** The address of an alert's own view. */
function alertAddress(id) {
  return `#/alerts/${encodeURIComponent(id)}`;
}

/**
 * A row. The roles are written out because the phone layout takes the table's display away, and
 * with it the meaning that browsers give to `table`.
 */
export function alertRow(alert) {
  const cell = (name, ...content) => h("td", { role: "cell", class: `cell-${name}` }, content);
  return h("tr", { role: "row", "data-id": alert.id, "data-severity": alert.severity, "data-status": alert.status },
    cell("severity", severityMark(alert.severity)),
    cell("alert",
      h("a", { class: "row-link", href: alertAddress(alert.id) }, alert.displayName),
      h("span", { class: "row-type" }, alertTypeWord(alert.alertType), alert.isTest ? " · test" : "")),
    cell("customer", customerId(alert.customerTenantId)),
    cell("subscription", shortId(alert.subscriptionId)),
    cell("detected", relativeTime(alert.detectedDateTime)),
    cell("response", clockNode(alert),
      h("span", { class: "row-status" }, statusPhrase(alert.status, alert.resolvedReason))));
}

/** A severity as a mark with its word. */
export function severityMark(severity) {
  return h("span", { class: "severity", "data-severity": severity }, severityWord(severity));
}

/** A customer's id, or words if no record named the customer. */
export function customerId(id) {
  return id === UNKNOWN_CUSTOMER ? h("span", { class: "nothing" }, "Not known") : shortId(id);
}

/** An id that may be cut by the layout; the whole stands beneath the pointer and is what is copied. */
function shortId(id) {
  return h("span", { class: "id", title: id }, id);
}

/** Grey bars in the shape of rows, while the first page is under way. */
export function skeletonRows(count) {
  return Array.from({ length: count }, () =>
    h("tr", { role: "row", class: "skeleton", "aria-hidden": "true" },
      COLUMNS.map(() => h("td", { role: "cell" }, h("span", { class: "bone" })))));
}
