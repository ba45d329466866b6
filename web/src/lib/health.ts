/** How detectors fare, in words. Pure. */

import { duration } from "./time";
import type { DetectorHealth } from "./types";

const STATES: Record<DetectorHealth["state"], string> = {
  ok: "It ran when it was due, and succeeded.",
  failed: "Its last run failed: what came since its last success has not been looked at.",
  late: "It should have run again by now. Does a server run with detection by schedule?",
  waiting: "It never ran: no record that it reads has come in.",
};

export function stateText(health: DetectorHealth): string {
  return STATES[health.state];
}

/** How long a run took. */
export function tookText(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : duration(ms);
}

export interface Watch {
  ran: number;
  failed: DetectorHealth[];
  late: DetectorHealth[];
  waiting: DetectorHealth[];
}

/** Sorts detectors by how they fare; null if a token may not know. */
export function watchOf(healths: DetectorHealth[]): Watch | null {
  if (healths.length === 0) return null;
  const of = (state: DetectorHealth["state"]) => healths.filter((health) => health.state === state);
  const waiting = of("waiting");
  return { ran: healths.length - waiting.length, failed: of("failed"), late: of("late"), waiting };
}
