/**
 * Times and response clocks on the page, and keeping them current while the page stays open.
 */

import { h } from "./dom.js";
import { absolute, local, parseTime, relative, responseClock } from "./time.js";

const alertOfClock = new WeakMap();

/** The response clock of an alert: a bar and words, so that colour is never the only sign. */
export function clockNode(alert, { long = false } = {}) {
  const node = h("span", { class: long ? "clock clock-long" : "clock" },
    h("span", { class: "clock-text" }),
    h("span", { class: "clock-bar", "aria-hidden": "true" }, h("span", { class: "clock-fill" })));
  alertOfClock.set(node, alert);
  drawClock(node, Date.now());
  return node;
}

function drawClock(node, now) {
  const long = node.classList.contains("clock-long");
  const clock = responseClock(alertOfClock.get(node), now);
  const text = long ? clock.text : clock.short;
  const label = node.querySelector(".clock-text");
  // Writing the same text again would make a screen reader in a live region say it again.
  if (label.textContent !== text) label.textContent = text;
  node.dataset.state = clock.state;
  node.querySelector(".clock-fill").style.inlineSize = `${(clock.left * 100).toFixed(1)}%`;
}

/** A time relative to now, with the exact time beneath the pointer. */
export function relativeTime(text) {
  const at = parseTime(text);
  if (at === null) return h("span", { class: "nothing" }, "not known");
  return h("time", { datetime: text, class: "relative", title: `${absolute(at)}, ${local(at)}` },
    relative(at, Date.now()));
}

/** An exact time in UTC, with the reader's own beneath the pointer. */
export function exactTime(text) {
  const at = parseTime(text);
  if (at === null) return h("span", { class: "nothing" }, "not known");
  return h("time", { datetime: text, title: local(at) }, absolute(at));
}

/** Brings all clocks and relative times inside an element up to date. */
export function refreshTimes(root) {
  const now = Date.now();
  for (const node of root.querySelectorAll(".clock")) drawClock(node, now);
  for (const node of root.querySelectorAll("time.relative")) {
    const at = parseTime(node.getAttribute("datetime"));
    if (at !== null) node.textContent = relative(at, now);
  }
}
