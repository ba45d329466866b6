/**
 * What the list says when it has nothing to show.
 */

import { h } from "./dom.js";
import { announce } from "./notice.js";
import { isNarrowed } from "./query.js";

/**
 * @param {object} query what was asked for
 * @param {number|null} total how many alerts there are at all; null if that is not known
 * @param {(change: object) => void} goTo shows the default query with a change
 */
export function emptyList(query, total, goTo) {
  if (total === 0) return noAlertsYet();
  if (isNarrowed(query)) {
    return panel("No alert matches",
      "Nothing has this status, severity and id together. The search looks into the ids of customer and subscription.",
      button("Clear the filter", () => goTo({})));
  }
  if (query.status === "open" || query.status === "overdue" || query.status === "active") {
    return panel(query.status === "overdue" ? "Nothing is overdue" : "Nothing waits for you",
      query.status === "overdue"
        ? "Every open alert is still within the 24 hours that a partner has to respond."
        : "Every alert has been taken up or resolved. New ones appear here as detectors find them.",
      button("Show all alerts", () => goTo({ status: "all" })));
  }
  return panel("No alert has this status", "Choose another status, or look at all of them.",
    button("Show all alerts", () => goTo({ status: "all" })));
}

/** The very first visit: say where alerts come from and how to get some. */
function noAlertsYet() {
  return panel("No alerts yet",
    "Alerts come from detectors that search your customers' Azure records for signs of fraud. "
      + "Bring in some records, then let the detectors run:",
    h("ol", { class: "empty-steps" },
      step("Read records: activity logs, cost exports, flow logs; files or folders, plain or gzip.",
        "tenantwatch ingest PATH"),
      step("Search them. The server also does this by itself, on each detector's schedule.", "tenantwatch detect"),
      step("Only looking? This makes up an estate with attacks in it and serves it.", "tenantwatch demo")));
}

function step(text, command) {
  return h("li", {}, h("span", {}, text), h("code", { class: "command" }, command));
}

function panel(title, text, ...more) {
  announce(`${title}. ${text}`);
  return h("div", { class: "empty" }, h("h2", { class: "empty-title" }, title), h("p", {}, text), more);
}

function button(label, act) {
  return h("button", { type: "button", class: "button", on: { click: act } }, label);
}
