/** What the overview shows, asked in as few requests as possible: two batches, a list, and the smaller ones beside. */

import * as api from "./api";
import { DUE_2H, OPEN_FILTER, OVERDUE } from "./query";
import { SEVERITIES } from "./words";
import type { Alert, Coverage, Detector, DetectorHealth, MoneyNow, Notice } from "./types";

/** Where open alerts stand against the clock, by the name that the table's filter has for it. */
export const AGES = [
  { clock: "overdue", label: "Overdue", filter: OVERDUE },
  { clock: "2h", label: "Under 2 h left", filter: `(${DUE_2H})` },
  { clock: "", label: "2 to 8 h left", filter: "detectedDateTime lt now() sub duration'PT16H' and detectedDateTime ge now() sub duration'PT22H'" },
  { clock: "", label: "Over 8 h left", filter: "detectedDateTime ge now() sub duration'PT16H'" },
] as const;

/** How many days the picture of new alerts spans. */
const DAYS = 14;

/** How many open alerts the customers' picture is made of at most: a page of the API, the most severe first. */
export const PICTURED_MAX = 1000;

export interface Figures {
  /** Open alerts: a row for each severity, a column for each age. */
  matrix: number[][];
  newThisWeek: number;
  newWeekBefore: number;
  resolvedThisWeek: number;
  resolved: number;
  fraud30: number;
  legitimate30: number;
}

export interface CustomerHeat {
  id: string;
  open: number;
  high: number;
  medium: number;
  overdue: number;
}

class OverviewData {
  figures = $state.raw<Figures | null>(null);
  days = $state.raw<{ day: string; value: number }[] | null>(null);
  due = $state.raw<Alert[] | null>(null);
  heat = $state.raw<{ customers: CustomerHeat[]; cut: boolean } | null>(null);
  response = $state.raw<{ hours: number | null; score: number | null; scoreMax: number } | null>(null);
  money = $state.raw<MoneyNow | null>(null);
  notices = $state.raw<Notice[] | null>(null);
  coverage = $state.raw<{ entries: Coverage[]; more: boolean } | null>(null);
  detectors = $state.raw<Detector[] | null>(null);
  healths = $state.raw<DetectorHealth[]>([]);
  error = $state.raw<unknown>(null);
  /** How long the last reading of the figures took, from the first request to the last answer. */
  tookMs = $state<number | null>(null);
  /** Whether the figures, the next to breach and the customers are being read. */
  reading = $state(false);
  #urgent: Promise<void> | null = null;
  #rest: Promise<void> | null = null;

  /** Reads everything, what is urgent first; of each part no second reading is begun while one is under way. */
  async read(): Promise<void> {
    this.#urgent ??= this.#readUrgent().finally(() => {
      this.#urgent = null;
    });
    await this.#urgent;
    this.#rest ??= this.#readRest().finally(() => {
      this.#rest = null;
    });
    await this.#rest;
  }

  /** Each part is shown when it is there, and one that fails leaves the others alone. */
  async #all(parts: Promise<void>[]): Promise<void> {
    await Promise.all(parts.map((part) => part.catch((error: unknown) => {
      this.error ??= error;
    })));
  }

  async #readUrgent(): Promise<void> {
    const began = performance.now();
    this.error = null;
    this.reading = true;
    await this.#all([this.#readFigures(), this.#readDue(), this.#readHeat()]);
    this.reading = false;
    this.tookMs = Math.round(performance.now() - began);
  }

  async #readRest(): Promise<void> {
    await this.#all([this.#readDays(), this.#readResponse(), this.#readSources(), this.#readMoney()]);
  }

  async #readFigures(): Promise<void> {
    const cells = SEVERITIES.flatMap((severity) => AGES.map(({ filter }) => `${OPEN_FILTER} and severity eq '${severity}' and ${filter}`));
    const found = await api.counts([
      ...cells,
      "detectedDateTime ge now() sub duration'P7D'",
      "detectedDateTime ge now() sub duration'P14D' and detectedDateTime lt now() sub duration'P7D'",
      "status eq 'resolved' and resolvedOnDateTime ge now() sub duration'P7D'",
      "status eq 'resolved'",
    ]);
    const at = (index: number) => found[index] ?? 0;
    this.figures = {
      matrix: SEVERITIES.map((_, row) => AGES.map((__, column) => at(row * AGES.length + column))),
      newThisWeek: at(16), newWeekBefore: at(17), resolvedThisWeek: at(18), resolved: at(19), fraud30: 0, legitimate30: 0,
    };
  }

  async #readDue(): Promise<void> {
    const select = ["id", "displayName", "alertType", "severity", "status", "resolvedOnDateTime", "detectedDateTime", "customerTenantId"];
    const filter = `${OPEN_FILTER} and detectedDateTime ge now() sub duration'PT24H'`;
    const { value } = await api.alerts({ filter, orderby: "detectedDateTime", top: 6, select });
    this.due = value.length > 0 ? value : (await api.alerts({ filter: OPEN_FILTER, orderby: "severity desc,detectedDateTime", top: 6, select })).value;
  }

  async #readHeat(): Promise<void> {
    const { value, nextLink } = await api.alerts({
      filter: OPEN_FILTER, orderby: "severity desc,detectedDateTime desc", top: PICTURED_MAX,
      select: ["id", "customerTenantId", "severity", "detectedDateTime"],
    });
    const customers = new Map<string, CustomerHeat>();
    const overdueBefore = Date.now() - 24 * 3600 * 1000;
    for (const alert of value) {
      const id = alert.customerTenantId;
      const heat = customers.get(id) ?? { id, open: 0, high: 0, medium: 0, overdue: 0 };
      heat.open += 1;
      if (alert.severity === "high") heat.high += 1;
      if (alert.severity === "medium") heat.medium += 1;
      if (Date.parse(alert.detectedDateTime) < overdueBefore) heat.overdue += 1;
      customers.set(id, heat);
    }
    const weight = (heat: CustomerHeat) => heat.high * 100 + heat.medium * 10 + heat.open;
    const sorted = [...customers.values()].sort((one, other) => weight(other) - weight(one) || one.id.localeCompare(other.id));
    this.heat = { customers: sorted, cut: nextLink !== null };
  }

  async #readDays(): Promise<void> {
    const midnight = Math.floor(Date.now() / 86_400_000) * 86_400_000;
    const starts = Array.from({ length: DAYS }, (_, index) => midnight - (DAYS - 1 - index) * 86_400_000);
    const text = (at: number) => new Date(at).toISOString().replace(".000Z", "Z");
    const [fraud, legitimate, ...days] = await api.counts([
      ...["fraud", "legitimate"].map((reason) => `resolvedReason eq '${reason}' and resolvedOnDateTime ge now() sub duration'P30D'`),
      ...starts.map((start) => `detectedDateTime ge ${text(start)} and detectedDateTime lt ${text(start + 86_400_000)}`),
    ]);
    this.days = starts.map((start, index) => ({ day: text(start).slice(0, 10), value: days[index] ?? 0 }));
    if (this.figures !== null) this.figures = { ...this.figures, fraud30: fraud ?? 0, legitimate30: legitimate ?? 0 };
  }

  async #readResponse(): Promise<void> {
    const { score, requirements } = await api.score();
    const prompt = requirements.find((each) => each.requirementType === "securityAlertsPromptlyResolved");
    const hours = prompt?.averageResponseTimeInHours;
    this.response = { hours: typeof hours === "number" ? hours : null, score: score?.currentScore ?? null, scoreMax: score?.maxScore ?? 100 };
  }

  async #readMoney(): Promise<void> {
    this.money = await api.moneyNow();
  }

  async #readSources(): Promise<void> {
    [this.notices, this.coverage, this.detectors, this.healths] = await Promise.all([api.notices(), api.coverage([], 2000), api.detectors(), api.detectorHealth()]);
  }
}

export const overview = new OverviewData();
