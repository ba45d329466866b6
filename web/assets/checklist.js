/**
 * The containment checklist: a detector's steps, with ticks that this browser remembers.
 *
 * The ticks are a person's own aid, not part of the alert, so they stay in local storage. They are
 * kept by the text of the step: if a later version of the detector moves or rewords a step, no tick
 * can land on a step that nobody has done.
 */

import { h, uniqueId } from "./dom.js";
import { announce } from "./notice.js";

const KEY_PREFIX = "tenantwatch.checklist.";

/** The checklist of an alert. */
export function checklistNode(alertId, steps) {
  const done = readTicks(alertId);
  const progress = h("p", { class: "checklist-progress" });
  const bar = h("progress", { max: steps.length, value: 0, "aria-hidden": "true" });
  const count = () => steps.filter((step) => done.has(step)).length;
  const draw = () => {
    progress.textContent = `${count()} of ${steps.length} done`;
    bar.value = count();
  };
  const items = steps.map((step) => {
    const id = uniqueId("step");
    const box = h("input", { type: "checkbox", id });
    box.checked = done.has(step);
    box.addEventListener("change", () => {
      if (box.checked) done.add(step);
      else done.delete(step);
      const kept = writeTicks(alertId, done);
      draw();
      announce(kept ? progress.textContent : `${progress.textContent}. This browser does not keep the ticks.`);
    });
    return h("li", {}, box, h("label", { for: id }, step));
  });
  draw();
  return h("div", { class: "checklist" },
    h("div", { class: "checklist-head" }, progress, bar),
    h("ol", {}, items),
    h("p", { class: "hint" }, "Ticks stay in this browser."));
}

/** Storage may be forbidden or hold something else; then the list starts unticked. */
function readTicks(alertId) {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY_PREFIX + alertId));
    return new Set(Array.isArray(stored) ? stored : []);
  } catch {
    return new Set();
  }
}

function writeTicks(alertId, done) {
  try {
    if (done.size === 0) localStorage.removeItem(KEY_PREFIX + alertId);
    else localStorage.setItem(KEY_PREFIX + alertId, JSON.stringify([...done]));
    return true;
  } catch {
    return false;
  }
}
