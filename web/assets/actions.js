/**
 * Changing the status of an alert.
 */

import { fill, h } from "./dom.js";
import { problem } from "./notice.js";
import { statusPhrase } from "./words.js";

const RESOLUTIONS = [
  ["fraud", "Fraud", "Unauthorised use of the subscription"],
  ["legitimate", "Legitimate", "Expected activity, or a false alarm"],
  ["ignore", "Ignore", "Old, and nobody will follow it up"],
];

/**
 * The changes that an alert's status allows, as buttons.
 *
 * @param {object} alert the alert as it is
 * @param {(change: object) => Promise<void>} change asks the server; rejects if it refuses
 */
export function actionsNode(alert, change) {
  const failure = h("div", { class: "actions-problem" });
  const buttons = h("div", { class: "actions-buttons" });
  const run = async (wanted) => {
    if (buttons.getAttribute("aria-busy") === "true") return;
    setBusy(buttons, true);
    fill(failure);
    try {
      await change(wanted);
    } catch (error) {
      fill(failure, problem("The status could not be changed", error, { label: "Try again", act: () => run(wanted) }));
      // The button that was pressed may have been the last panel's, which is gone.
      if (document.activeElement === document.body) failure.querySelector("button").focus();
    } finally {
      setBusy(buttons, false);
    }
  };
  fill(buttons, alert.status === "resolved" ? reopening(run) : [taking(alert, run), resolving(run)]);
  return h("div", { class: "actions" },
    h("p", { class: "actions-now", tabindex: -1 },
      h("span", { class: "label" }, "Status"),
      h("strong", { class: "status", "data-status": alert.status },
        statusPhrase(alert.status, alert.resolvedReason)),
      alert.resolvedBy ? h("span", { class: "status-by" }, `by ${alert.resolvedBy}`) : null),
    buttons, failure);
}

/** Buttons stay focusable while busy, so that the keyboard does not lose its place. */
function setBusy(buttons, busy) {
  buttons.setAttribute("aria-busy", String(busy));
  for (const button of buttons.querySelectorAll("button")) button.setAttribute("aria-disabled", String(busy));
}

function taking(alert, run) {
  return alert.status === "investigating"
    ? button("Stop investigating", "Back to active", "", () => run({ status: "active" }))
    : button("Start investigating", "Tell others that you are on it", "button-primary",
      () => run({ status: "investigating" }));
}

function resolving(run) {
  return h("div", { class: "actions-resolve", role: "group", "aria-label": "Resolve as" },
    h("span", { class: "label", "aria-hidden": "true" }, "Resolve as"),
    RESOLUTIONS.map(([reason, word, meaning]) =>
      button(word, meaning, `button-${reason}`, () => run({ status: "resolved", resolvedReason: reason }))));
}

function reopening(run) {
  return button("Reopen", "Make it active again; the clock runs from the detection", "", () => run({ status: "active" }));
}

function button(label, title, kind, act) {
  return h("button", { type: "button", class: `button ${kind}`.trim(), title, on: { click: act } }, label);
}
