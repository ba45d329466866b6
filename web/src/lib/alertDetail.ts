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

/** Alerts of the same subscription, customer, principal or address, the latest first. */
export async function related(alert: Alert, signal: AbortSignal): Promise<Related[]> {
  const { principals, addresses } = actorsOf(alert.additionalDetails);
  const parts = [
    ...(alert.customerTenantId === NIL ? [] : [`customerTenantId eq ${quoted(alert.customerTenantId)}`]),
    ...(alert.subscriptionId === NIL ? [] : [`subscriptionId eq ${quoted(alert.subscriptionId)}`]),
    ...principals.slice(0, 2).flatMap((value) => ["Caller", "Actor"].map((name) => `additionalDetails/${name} eq ${quoted(value)}`)),
    ...addresses.slice(0, 2).map((value) => `contains(additionalDetails/CallerAddresses,${quoted(value)})`),
  ];
  if (parts.length === 0) return [];
  const { value } = await api.alerts({
    filter: `(${parts.join(" or ")}) and id ne ${quoted(alert.id)}`, orderby: "lastObservedDateTime desc", top: RELATED_MAX,
    select: ["id", "displayName", "alertType", "severity", "status", "resolvedReason", "resolvedOnDateTime", "detectedDateTime", "lastObservedDateTime", "customerTenantId", "subscriptionId", "additionalDetails"],
  }, signal);
  return value.map((other) => ({ alert: other, why: shared(alert, other) }));
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
