/**
 * What the page says beside its data: failures with a way on, and news for those who do not see it.
 */

import { h } from "./dom.js";

/** Tells a screen reader what has changed. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

/**
 * A panel that says what failed, why, and what can be done.
 *
 * @param {string} what what the page was doing, such as `The alerts could not be loaded`
 * @param {Error} error why not
 * @param {{label: string, act: Function}} wayOn the way on
 */
export function problem(what, error, wayOn) {
  announce(`${what}. ${error.message}`);
  return h("div", { class: "problem" },
    h("h2", { class: "problem-title" }, what),
    h("p", {}, error.message),
    advice(error),
    h("p", { class: "problem-actions" },
      h("button", { type: "button", class: "button", on: { click: wayOn.act } }, wayOn.label)),
    reference(error));
}

/** What a person can do about a status; the message of the server says the rest. */
function advice(error) {
  const text = ADVICE[error.status] ?? (error.status >= 500 ? ADVICE[500] : undefined);
  return text === undefined ? null : h("p", {}, text);
}

const ADVICE = {
  0: "Check that tenantwatch still runs, then try again.",
  401: "The server does not take this page's token. Reload the page to get another.",
  403: "Reading alerts needs PartnerSecurity.Read.All in the token, changing them PartnerSecurity.ReadWrite.All.",
  404: "Either it does not exist, or it belongs to a partner that this token may not see.",
  429: "The server is asked too often. Wait a moment, then try again.",
  500: "The fault is the server's. Its log has the rest under the request id below.",
};

/** What to quote to whoever looks after the server. */
function reference(error) {
  const parts = [];
  if (error.status) parts.push(`HTTP ${error.status}`);
  if (error.code) parts.push(error.code);
  if (error.requestId) parts.push(`request id ${error.requestId}`);
  return parts.length === 0 ? null : h("p", { class: "problem-reference" }, parts.join(" · "));
}
