/**
 * Which detector stands behind an alert, and where it comes from.
 */

import { h } from "./dom.js";

/**
 * The detector that raised an alert. An imported alert names none; then a detector of the same kind
 * of alert is the nearest to it.
 */
export function detectorOf(alert, detectors) {
  const id = alert.additionalDetails?.DetectorId;
  const kind = alert.alertType.toLowerCase();
  return detectors.find((detector) => detector.id === id)
    ?? detectors.find((detector) => detector.alertType.toLowerCase() === kind)
    ?? null;
}

/** The detector's name, version, techniques and source; null if nothing is known. */
export function provenanceNode(alert, detector) {
  const details = alert.additionalDetails ?? {};
  const raisedHere = details.DetectorId !== undefined;
  if (!raisedHere && detector === null) return null;
  const version = details.DetectorVersion ?? (raisedHere ? undefined : detector.version);
  const name = raisedHere ? details.DetectorId : detector.id;
  return h("dl", { class: "facts provenance" },
    fact("Detector", h("code", {}, name), version === undefined ? null : ` version ${version}`,
      raisedHere ? null : " (same kind of alert; this one was imported)"),
    detector?.mitre?.length > 0 ? fact("MITRE ATT&CK", detector.mitre.join(", ")) : null,
    detector?.source ? fact("Idea from", sourceNode(detector.source)) : null);
}

/** Only an https address becomes a link: a manifest is a file, and may hold any text. */
function sourceNode(source) {
  return /^https:\/\/\S+$/.test(source)
    ? h("a", { href: source, rel: "noreferrer", target: "_blank" }, source)
    : source;
}

function fact(name, ...value) {
  return [h("dt", {}, name), h("dd", {}, value)];
}
