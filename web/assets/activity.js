/**
 * The activity log of an alert.
 */

import { exactTime } from "./clock.js";
import { h } from "./dom.js";
import { statusWord } from "./words.js";

/** What has happened to an alert since it was raised, oldest first. */
export function activityNode(alert) {
  return h("ol", { class: "activity" },
    h("li", {}, exactTime(alert.detectedDateTime), h("span", {}, "Alert raised")),
    (alert.activityLogs ?? []).map((entry) =>
      h("li", { "data-to": entry.statusTo }, exactTime(entry.updatedDateTime),
        h("span", {}, h("strong", { class: "actor" }, entry.updatedBy), " ", changeText(entry)))));
}

function changeText({ statusFrom, statusTo }) {
  if (statusFrom === statusTo) return `gave another reason; still ${statusWord(statusTo)}`;
  return `changed ${statusWord(statusFrom)} to ${statusWord(statusTo)}`;
}
