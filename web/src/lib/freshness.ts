/** Coverage, summed up: by customer, and by kind of record. Pure. */

import type { Coverage } from "./types";

export interface Fresh {
  key: string;
  entries: Coverage[];
  silent: Coverage[];
  lastEvent: string | null;
  lastArrival: string | null;
  stored: number;
  rejected: number;
  perDay: number;
}

/** Sums up by what `keyOf` gives; the most silent first, then the longest quiet. */
export function summedUp(coverage: Coverage[], keyOf: (entry: Coverage) => string): Fresh[] {
  const groups = new Map<string, Fresh>();
  for (const entry of coverage) {
    const key = keyOf(entry);
    const group = groups.get(key) ?? { key, entries: [], silent: [], lastEvent: null, lastArrival: null, stored: 0, rejected: 0, perDay: 0 };
    group.entries.push(entry);
    if (entry.silent) group.silent.push(entry);
    group.lastEvent = later(group.lastEvent, entry.lastEventDateTime);
    group.lastArrival = later(group.lastArrival, entry.lastArrivalDateTime);
    group.stored += entry.stored;
    group.rejected += entry.rejected;
    group.perDay += entry.eventsPerDay;
    groups.set(key, group);
  }
  return [...groups.values()].sort((one, other) =>
    other.silent.length - one.silent.length || (one.lastEvent ?? "").localeCompare(other.lastEvent ?? "") || one.key.localeCompare(other.key));
}

function later(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return one ?? other;
  return Date.parse(one) >= Date.parse(other) ? one : other;
}
