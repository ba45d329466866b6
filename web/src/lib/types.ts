/** What the API sends and takes; names are those of the wire. */

export interface Alert {
  id: string;
  "@odata.etag"?: string;
  alertType: string;
  displayName: string;
  description?: string | null;
  severity: string;
  confidenceLevel: string;
  status: string;
  detectedDateTime: string;
  firstObservedDateTime?: string | null;
  lastObservedDateTime?: string | null;
  customerTenantId: string;
  subscriptionId: string;
  valueAddedResellerTenantId?: string | null;
  catalogOfferId?: string | null;
  resolvedReason?: string | null;
  resolvedBy?: string | null;
  resolvedOnDateTime?: string | null;
  isTest?: boolean;
  affectedResources?: { resourceId: string; resourceType: string }[];
  additionalDetails?: Record<string, unknown> | null;
  activityLogs?: { statusFrom: string; statusTo: string; updatedBy: string; updatedDateTime: string }[];
}

/** What a caller may change of an alert. */
export interface Change {
  status: string;
  resolvedReason?: string | null;
}

export interface Page<T> {
  value: T[];
  count: number | null;
  nextLink: string | null;
}

export interface Batched {
  id: string;
  method: string;
  url: string;
  headers?: Record<string, string>;
  body?: unknown;
}

export interface BatchReply {
  id: string;
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

export interface Setting {
  name: string;
  default: number;
  min: number | null;
  max: number | null;
  meaning: string;
}

/** A number that somebody chose for a detector. */
export interface ChosenNumber {
  detectorId: string;
  name: string;
  customerTenantId: string | null;
  subscriptionId: string | null;
  value: number;
  reason: string;
  author: string;
  changedDateTime: string;
}

/** A number that would be chosen, or with null taken back. */
export interface NumberChange {
  name: string;
  value: number | null;
  customerTenantId: string | null;
  subscriptionId: string | null;
}

export interface ReplayFigures {
  alerts: number;
  silenced: number;
  subscriptionDays: number;
  alertsPer1000SubscriptionDays: number | null;
}

/** What a detector would have raised, with the numbers of now and with others. */
export interface Replay {
  now: ReplayFigures;
  changed: ReplayFigures;
  days: { day: string; now: number; changed: number }[];
  keptCount: number;
  addedCount: number;
  goneCount: number;
  kept: Alert[];
  added: Alert[];
  gone: Alert[];
}

export interface DetectorHealth {
  detectorId: string;
  title: string;
  state: "ok" | "failed" | "late" | "waiting";
  scheduleSeconds: number;
  lastRunDateTime: string | null;
  lastSuccessDateTime: string | null;
  lastDurationMs: number | null;
  lastFindings: number | null;
  lastError: string | null;
  lastErrorDateTime: string | null;
  nextDueDateTime: string | null;
  watermarkDateTime: string | null;
}

/** How a detector did on simulated estates, as it was published with the server's version. */
export interface Simulated {
  estates: number;
  attacksInAll: number;
  cleanSubscriptionDays: number;
  alerts: number;
  falseAlerts: number;
  precision: number | null;
  attacksTold: number;
  attacksToldFirst: number;
  attacksToldAlone: number;
  medianSecondsToDetect: number | null;
}

export interface Detector {
  id: string;
  version: number | string;
  alertType: string;
  title: string;
  severity: string;
  confidence: string;
  inputs: string[];
  lookbackSeconds: number;
  scheduleSeconds: number;
  meaning: string;
  response: string[];
  mitre: string[];
  source: string;
  origin: string;
  settings: Setting[];
  /** Null for a detector of the operator's own. */
  simulated: Simulated | null;
}

export interface Explanation {
  detector: { id: string; version: number | string; title: string; meaning: string; response: string[] };
  thresholds: { name: string; value: number; meaning: string; chosenBecause: string | null }[];
  series: Series | null;
  /** What it costs, where the server reckons that. */
  moneyAtRisk?: {
    asOfDateTime: string | null; inWords: string;
    amounts: { currency: string; soFar: number; billedSoFar: number; perHour: number }[];
    /** What each resource costs; without a currency no price is known. */
    resources: { resourceId: string; state: string; currency: string | null; soFar: number; perHour: number }[];
  } | null;
  events: { kind: string; rows: Record<string, string>[]; more: boolean }[];
}

export interface Series {
  what: string;
  points: { day: string; value: number }[];
  evidenceFrom: string;
  evidenceUntil: string;
}

/** What open alerts cost, in sum and the most by the hour first. */
export interface MoneyNow {
  totals: { currencies: { currency: string; soFar: number; perHour: number; alerts: number }[]; unpricedAlerts: number; asOfDateTime: string | null };
  value: { alertId: string; displayName: string; customerTenantId: string; currency: string; soFar: number; perHour: number }[];
}

export interface Source {
  name: string;
  type: string;
  state: string;
  lastPolledDateTime: string | null;
  lastSuccessDateTime: string | null;
  lastError: string | null;
  lastErrorDateTime: string | null;
  objects: number;
  records: number;
  bytes: number;
}

export interface Coverage {
  kind: string;
  customerTenantId: string | null;
  subscriptionId: string | null;
  firstEventDateTime: string | null;
  lastEventDateTime: string | null;
  lastArrivalDateTime: string;
  lagSeconds: number | null;
  eventsPerDay: number;
  stored: number;
  duplicates: number;
  rejected: number;
  silent: boolean;
}

export interface Customer {
  customerTenantId: string;
  name: string | null;
  domain: string | null;
  resellerTenantId: string | null;
  country: string | null;
  subscriptions: number;
  importedDateTime: string | null;
  seen: boolean;
}

export interface Notice {
  kind: string;
  subject: string;
  text: string;
  raisedDateTime: string;
}

export interface NewRule {
  detectorId?: string;
  customerTenantId?: string;
  subscriptionId?: string;
  groupingKey?: string;
  evidence?: Record<string, string[]>;
  fromDateTime?: string;
  untilDateTime?: string;
  effect: string;
  reason: string;
}

export interface Rule extends NewRule {
  id: string;
  author: string;
  createdDateTime: string;
  endedDateTime: string | null;
}

export interface Silenced {
  detectorId: string;
  displayName: string;
  description: string;
  severity: string;
  customerTenantId: string | null;
  subscriptionId: string;
  lastObservedDateTime: string;
  ruleId: string;
  suppressedBecause: string;
  firstSilencedDateTime: string;
  lastSilencedDateTime: string;
}

export interface Score {
  currentScore: number;
  maxScore: number;
}
