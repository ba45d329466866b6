/** What belongs to an alert beyond itself: its detector, and the alerts that are near to it. Pure but for `related`. */

import * as api from "./api";
import { NIL } from "./directory.svelte";
import { actorsOf } from "./evidence";
import { quoted } from "./query";
import type { Alert, Detector } from "./types";

/** How many alerts that are near are shown. */
const RELATED_MAX = 8;

/** The detector that raised an alert. An imported alert names none; then one of the same kind of alert is the nearest. */
export function detectorOf(alert: Alert, detectors: Detector[]): Detector | null {
  const id = alert.additionalDetails?.DetectorId;
  const kind = alert.alertType.toLowerCase();
  return detectors.find((detector) => detector.id === id) ?? detectors.find((detector) => detector.alertType.toLowerCase() === kind) ?? null;
}

export interface Related {
  alert: Alert;
  /** What it shares. */
  why: string;
}

const SHOWN = ["id", "displayName", "alertType", "severity", "status", "resolvedReason", "resolvedOnDateTime", "detectedDateTime", "lastObservedDateTime", "customerTenantId", "subscriptionId", "additionalDetails"];

/**
 * Alerts of the same subscription, customer, principal or address, the latest first.
 *
 * Each is asked for by itself, as an index answers each: customers and subscriptions by their columns, names and
 * addresses as words. One filter that joins them with `or` has the server look into every alert that there is.
 */
export async function related(alert: Alert, signal: AbortSignal): Promise<Related[]> {
  const { principals, addresses } = actorsOf(alert.additionalDetails);
  const asked: api.ListOptions[] = [
    ...(alert.customerTenantId === NIL ? [] : [{ filter: `customerTenantId eq ${quoted(alert.customerTenantId)}` }]),
    ...(alert.subscriptionId === NIL ? [] : [{ filter: `subscriptionId eq ${quoted(alert.subscriptionId)}` }]),
    ...[...principals.slice(0, 2), ...addresses.slice(0, 2)].map((word) => ({ search: `"${word.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"` })),
  ];
  const found = await Promise.all(asked.map((options) => api.alerts({ ...options, orderby: "detectedDateTime desc", top: RELATED_MAX + 1, select: SHOWN }, signal)));
  const others = new Map(found.flatMap(({ value }) => value).map((other) => [other.id, other]));
  others.delete(alert.id);
  const seen = (other: Alert) => other.lastObservedDateTime ?? other.detectedDateTime;
  const latest = [...others.values()].sort((one, other) => seen(other).localeCompare(seen(one)) || one.id.localeCompare(other.id));
  return latest.slice(0, RELATED_MAX).map((other) => ({ alert: other, why: shared(alert, other) }));
}

function shared(alert: Alert, other: Alert): string {
  const [one, two] = [actorsOf(alert.additionalDetails), actorsOf(other.additionalDetails)];
  const both = (left: string[], right: string[]) => left.find((value) => right.some((each) => each.toLowerCase() === value.toLowerCase()));
  const who = both(one.principals, two.principals);
  if (who !== undefined) return `same principal, ${who}`;
  const where = both(one.addresses, two.addresses);
  if (where !== undefined) return `same address, ${where}`;
  return other.subscriptionId === alert.subscriptionId && alert.subscriptionId !== NIL ? "same subscription" : "same customer";
}
