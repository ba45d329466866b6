/**
 * Times and the response clock. Pure: the present is always a parameter, in milliseconds.
 */

const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** How long a partner has to respond to an alert, counted from its detection. */
export const RESPONSE_WINDOW_MS = DAY_MS;

/** Below this the clock turns amber: a working day is left to act. */
export const SOON_MS = 8 * HOUR_MS;

/** Below this the clock turns red. */
export const URGENT_MS = 2 * HOUR_MS;

const ABSOLUTE = new Intl.DateTimeFormat("en-GB", {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZone: "UTC",
});
const SHORT = new Intl.DateTimeFormat("en-GB", {
  day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: "UTC",
});
const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
const LOCAL = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });

/** What the response clock needs of an alert. */
export interface Timed {
  status: string;
  detectedDateTime: string;
  resolvedOnDateTime?: string | null;
}

export interface Clock {
  state: "ok" | "soon" | "urgent" | "overdue" | "met" | "missed" | "unknown";
  text: string;
  short: string;
  /** The part of the window that is left, 0 to 1. */
  left: number;
  dueAt: number | null;
}

/**
 * Reads a time of the API. Fractions are cut to milliseconds, because not every browser reads the
 * nine digits that the server may write.
 */
export function parseTime(text: unknown): number | null {
  if (typeof text !== "string") return null;
  const at = Date.parse(text.replace(/(\.\d{3})\d+/, "$1"));
  return Number.isNaN(at) ? null : at;
}

/** A length of time in its two largest units, such as `5 h 12 min`. The sign is dropped. */
export function duration(ms: number): string {
  const length = Math.abs(ms);
  if (length < MINUTE_MS) return "under a minute";
  const days = Math.floor(length / DAY_MS);
  const hours = Math.floor((length % DAY_MS) / HOUR_MS);
  const minutes = Math.floor((length % HOUR_MS) / MINUTE_MS);
  if (days > 0) return hours > 0 ? `${days} d ${hours} h` : `${days} d`;
  if (hours > 0) return minutes > 0 ? `${hours} h ${minutes} min` : `${hours} h`;
  return `${minutes} min`;
}

/** A length of time in its largest unit alone. */
export function roughly(ms: number): string {
  return Math.abs(ms) < MINUTE_MS ? "seconds" : duration(ms).split(" ").slice(0, 2).join(" ");
}

/** How far a time lies from now in its largest unit, such as `3 h ago`. */
export function relative(at: number, now: number): string {
  if (Math.abs(now - at) < MINUTE_MS) return "just now";
  return at > now ? `in ${roughly(now - at)}` : `${roughly(now - at)} ago`;
}

/** A time as it stands in logs, such as `3 Feb 2031, 04:10 UTC`. */
export function absolute(at: number): string {
  return `${ABSOLUTE.format(at)} UTC`;
}

/** A time without its year, for what lies close together. */
export function shortTime(at: number): string {
  return SHORT.format(at);
}

/** A day, such as `Mon, 3 Feb`. */
export function dayText(at: number): string {
  return DAY.format(at);
}

/** The same time where the reader is. */
export function local(at: number): string {
  return `${LOCAL.format(at)} (your time)`;
}

/** A time as a filter writes it: whole seconds, no fraction. */
export function filterTime(at: number): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, "Z");
}

/** Where an alert stands against the time to respond. An open alert runs from its detection, a resolved one stands still. */
export function responseClock(alert: Timed, now: number): Clock {
  const detectedAt = parseTime(alert.detectedDateTime);
  if (detectedAt === null) {
    return { state: "unknown", text: "No detection time", short: "Unknown", left: 0, dueAt: null };
  }
  const dueAt = detectedAt + RESPONSE_WINDOW_MS;
  if (alert.status === "resolved") return settledClock(parseTime(alert.resolvedOnDateTime), detectedAt, dueAt);
  const leftMs = dueAt - now;
  if (leftMs <= 0) {
    const over = duration(leftMs);
    return { state: "overdue", text: `Overdue by ${over}`, short: `Overdue ${over}`, left: 0, dueAt };
  }
  const text = `${duration(leftMs)} left`;
  return { state: openState(leftMs), text, short: text, left: Math.min(1, leftMs / RESPONSE_WINDOW_MS), dueAt };
}

function openState(leftMs: number): Clock["state"] {
  if (leftMs < URGENT_MS) return "urgent";
  return leftMs < SOON_MS ? "soon" : "ok";
}

function settledClock(resolvedAt: number | null, detectedAt: number, dueAt: number): Clock {
  if (resolvedAt === null) return { state: "met", text: "Resolved", short: "Resolved", left: 0, dueAt };
  const took = duration(Math.max(0, resolvedAt - detectedAt));
  return resolvedAt <= dueAt
    ? { state: "met", text: `Resolved after ${took}`, short: `Took ${took}`, left: 0, dueAt }
    : { state: "missed", text: `Resolved late, after ${took}`, short: `Late, took ${took}`, left: 0, dueAt };
}
