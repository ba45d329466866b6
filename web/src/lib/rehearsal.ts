/**
 * What a tuning rule would have done to the alerts of the last weeks, worked out from the alerts themselves.
 *
 * It follows the server's way of reading a rule (`alerts/src/tuning.rs`): evidence of a name must hold none but the
 * values that are named, without regard to letter case. It looks at alerts as they are now, so what their findings
 * held on the way is not seen; the server's `replay` runs the detector itself.
 */

import * as api from "./api";
import { textsOf } from "./evidence";
import { quoted } from "./query";
import type { Alert, NewRule } from "./types";

/** How many alerts are looked at: a page of the API. */
export const LOOKED_AT_MAX = 1000;
export const DAYS = 60;

export interface Rehearsal {
  /** Alerts that the rule could be about, and those that it is about. */
  alerts: number;
  touched: Alert[];
  cut: boolean;
  days: { day: string; value: number }[];
  part: number[];
}

/** Whether an alert is one of those that a rule names. */
export function covers(rule: NewRule, alert: Alert): boolean {
  const details = Object.entries(alert.additionalDetails ?? {});
  const first = alert.firstObservedDateTime ?? alert.detectedDateTime;
  const last = alert.lastObservedDateTime ?? alert.detectedDateTime;
  return (!rule.detectorId || alert.additionalDetails?.DetectorId === rule.detectorId)
    && (!rule.customerTenantId || alert.customerTenantId === rule.customerTenantId)
    && (!rule.subscriptionId || alert.subscriptionId === rule.subscriptionId)
    && (!rule.fromDateTime || Date.parse(first) >= Date.parse(rule.fromDateTime))
    && (!rule.untilDateTime || Date.parse(last) < Date.parse(rule.untilDateTime))
    && Object.entries(rule.evidence ?? {}).every(([name, allowed]) => {
      const entry = details.find(([known]) => known.toLowerCase() === name.toLowerCase());
      const values = textsOf(entry?.[1]);
      return values.length > 0 && values.every((value) => allowed.some((one) => one.toLowerCase() === value.toLowerCase()));
    });
}

/** Looks at the alerts of the last weeks that came from detectors here. */
export async function rehearse(rule: NewRule, signal: AbortSignal): Promise<Rehearsal> {
  const parts = [
    `detectedDateTime ge now() sub duration'P${DAYS}D'`,
    rule.detectorId ? `additionalDetails/DetectorId eq ${quoted(rule.detectorId)}` : "additionalDetails/DetectorId ne null",
    ...(rule.customerTenantId ? [`customerTenantId eq ${quoted(rule.customerTenantId)}`] : []),
    ...(rule.subscriptionId ? [`subscriptionId eq ${quoted(rule.subscriptionId)}`] : []),
  ];
  const { value, nextLink } = await api.alerts({
    filter: parts.join(" and "), orderby: "detectedDateTime desc", top: LOOKED_AT_MAX,
    select: ["id", "displayName", "severity", "status", "resolvedReason", "detectedDateTime", "firstObservedDateTime", "lastObservedDateTime", "customerTenantId", "subscriptionId", "additionalDetails"],
  }, signal);
  // A rule for the time to come would cover nothing of the past; its time is left out of the picture.
  const timeless = { ...rule, fromDateTime: undefined, untilDateTime: undefined };
  const touched = value.filter((alert) => covers(timeless, alert));
  const today = Math.floor(Date.now() / 86_400_000);
  const days = Array.from({ length: DAYS + 1 }, (_, index) => new Date((today - DAYS + index) * 86_400_000).toISOString().slice(0, 10));
  const count = (alerts: Alert[]) => days.map((day) => alerts.filter((alert) => alert.detectedDateTime.startsWith(day)).length);
  const all = count(value);
  return { alerts: value.length, touched, cut: nextLink !== null, days: days.map((day, index) => ({ day, value: all[index] ?? 0 })), part: count(touched) };
}
