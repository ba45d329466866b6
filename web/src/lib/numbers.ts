/** The numbers that detectors compare with: which one holds, what a form changes, what a replay says. Pure. */

import type { ChosenNumber, NumberChange, Replay, Setting } from "./types";

/** For whom a number is chosen: for all, a customer, or a subscription. */
export interface Place {
  customerTenantId: string | null;
  subscriptionId: string | null;
}

export const FOR_ALL: Place = { customerTenantId: null, subscriptionId: null };

/** The choice that was made for exactly this place. */
export function chosenFor(chosen: ChosenNumber[], name: string, place: Place): ChosenNumber | null {
  return chosen.find((one) => one.name === name && one.customerTenantId === place.customerTenantId && one.subscriptionId === place.subscriptionId) ?? null;
}

/** The number that holds at a place, and whether it is that of the place, a wider one, or the detector's own. */
export function holding(chosen: ChosenNumber[], setting: Setting, place: Place): { value: number; from: "here" | "all" | "detector" } {
  const here = chosenFor(chosen, setting.name, place);
  if (here !== null) return { value: here.value, from: "here" };
  const all = chosenFor(chosen, setting.name, FOR_ALL);
  return all === null ? { value: setting.default, from: "detector" } : { value: all.value, from: "all" };
}

/** Why a text cannot be the number of a setting; null if it can, or says nothing. */
export function problemOf(setting: Setting, text: string): string | null {
  if (text.trim() === "") return null;
  const value = Number(text);
  const { min, max } = setting;
  const fits = Number.isFinite(value) && (min === null || value >= min) && (max === null || value <= max);
  if (fits) return null;
  if (min !== null && max !== null) return `Give a number from ${min} to ${max}.`;
  if (min !== null) return `Give a number of at least ${min}.`;
  return max === null ? "Give a number." : `Give a number of at most ${max}.`;
}

/** What a form would change at a place: numbers that differ from what holds there. */
export function changesOf(settings: Setting[], chosen: ChosenNumber[], place: Place, texts: Record<string, string | number | null | undefined>): NumberChange[] {
  return settings.flatMap((setting) => {
    const text = String(texts[setting.name] ?? "");
    if (text.trim() === "" || problemOf(setting, text) !== null) return [];
    const value = Number(text);
    return value === holding(chosen, setting, place).value ? [] : [{ name: setting.name, value, ...place }];
  });
}

/** A replay in a sentence. */
export function replaySentence(replay: Replay, days: number): string {
  const alerts = (count: number) => `${count} ${count === 1 ? "alert" : "alerts"}`;
  const parts = [
    replay.goneCount > 0 ? `${alerts(replay.goneCount)} would not have come` : "",
    replay.addedCount > 0 ? `${replay.addedCount} more would have come` : "",
  ].filter((part) => part !== "");
  const difference = parts.length === 0 ? "the same alerts would have come" : parts.join(", ");
  return `${alerts(replay.now.alerts)} now, ${replay.changed.alerts} with your numbers in ${days} days: ${difference}.`;
}

/** Alerts for each thousand subscription-days, for the eye. */
export function noiseText(noise: number | null): string {
  return noise === null ? "nothing to look at" : noise.toLocaleString("en-GB", { maximumFractionDigits: 2 });
}
