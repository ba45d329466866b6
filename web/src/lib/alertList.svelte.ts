/**
 * The table of alerts: what was asked, the page that is shown, what is selected. It outlives its view, so that the
 * way back from an alert leads to where one was.
 */

import * as api from "./api";
import { recall, keep } from "./kept";
import { DEFAULT_QUERY, filterText, orderText, sameQuery, searchText, type Query } from "./query";
import type { Alert } from "./types";

export interface Column {
  key: string;
  label: string;
  /** What `$orderby` says, if the column can be sorted by. */
  sort?: string;
  select: string[];
}

/** All columns, in their order. */
export const COLUMNS: Column[] = [
  { key: "severity", label: "Severity", sort: "severity", select: ["severity"] },
  { key: "alert", label: "Alert", sort: "displayName", select: ["displayName", "alertType", "isTest"] },
  { key: "customer", label: "Customer", sort: "customerTenantId", select: ["customerTenantId"] },
  { key: "subscription", label: "Subscription", sort: "subscriptionId", select: ["subscriptionId"] },
  { key: "confidence", label: "Confidence", sort: "confidenceLevel", select: ["confidenceLevel"] },
  { key: "status", label: "Status", sort: "status", select: ["status", "resolvedReason"] },
  { key: "detected", label: "Detected", sort: "detectedDateTime", select: ["detectedDateTime"] },
  { key: "seen", label: "Last seen", sort: "lastObservedDateTime", select: ["lastObservedDateTime"] },
  { key: "response", label: "Response", select: [] },
];

const COLUMNS_AT_FIRST = ["severity", "alert", "customer", "status", "detected", "response"];
const ALWAYS = ["id", "displayName", "alertType", "severity", "status", "resolvedReason", "resolvedOnDateTime", "detectedDateTime", "isTest", "customerTenantId"];
export const PAGE_SIZES = [25, 50, 100];

/** How many alerts "all that match" may select: as many as a page of the API holds. */
export const SELECTED_MAX = 1000;

const isColumns = (value: unknown) =>
  Array.isArray(value) && value.every((key) => COLUMNS.some((column) => column.key === key)) && value.includes("alert");

class AlertList {
  query = $state.raw<Query>(DEFAULT_QUERY);
  rows = $state.raw<Alert[]>([]);
  /** How many alerts match; null until it is known. */
  count = $state<number | null>(null);
  page = $state(0);
  loading = $state(false);
  /** Whether there is something on the page that belongs to the query. */
  loaded = $state(false);
  error = $state.raw<unknown>(null);
  selected = $state.raw<Map<string, Alert>>(new Map());
  /** The row that the keyboard stands on. */
  at = $state(0);
  columns = $state.raw<string[]>(recall("columns", COLUMNS_AT_FIRST, isColumns));
  pageSize = $state<number>(recall("pageSize", 50, (value) => PAGE_SIZES.includes(value as number)));
  /** Links to the pages that were reached, but for the first. */
  #links: string[] = [];
  #next = $state<string | null>(null);
  #request: AbortController | null = null;
  #counting: AbortController | null = null;
  /** The filter and the search that `count` belongs to. */
  #counted: string | null = null;

  get hasNext(): boolean {
    return this.#next !== null;
  }

  get shownColumns(): Column[] {
    return COLUMNS.filter((column) => this.columns.includes(column.key));
  }

  /** Shows a query from its first page, unless it is shown already. */
  show(query: Query): void {
    if (this.loaded && sameQuery(query, this.query)) return;
    this.query = query;
    this.selected = new Map();
    this.restart();
  }

  restart(): void {
    this.#links = [];
    this.at = 0;
    void this.#load(0);
  }

  /** Reads the page again that is shown, and counts again. */
  refresh(): Promise<void> {
    this.#counted = null;
    return this.#load(this.page);
  }

  async next(): Promise<void> {
    if (this.#next === null || this.loading) return;
    this.#links[this.page] = this.#next;
    this.at = 0;
    await this.#load(this.page + 1);
  }

  async previous(): Promise<void> {
    if (this.page === 0 || this.loading) return;
    this.at = 0;
    await this.#load(this.page - 1);
  }

  setColumns(columns: string[]): void {
    const needed = columns.some((key) => !this.columns.includes(key));
    this.columns = columns;
    keep("columns", columns);
    if (needed) void this.refreshFromStart();
  }

  setPageSize(size: number): void {
    this.pageSize = size;
    keep("pageSize", size);
    void this.refreshFromStart();
  }

  async refreshFromStart(): Promise<void> {
    this.#links = [];
    await this.#load(0);
  }

  /** Puts alerts that were changed in the place of what they were. */
  replace(changed: Alert[]): void {
    const byId = new Map(changed.map((alert) => [alert.id, alert]));
    this.rows = this.rows.map((row) => byId.get(row.id) ?? row);
  }

  toggle(alert: Alert, on = !this.selected.has(alert.id)): void {
    const selected = new Map(this.selected);
    if (on) selected.set(alert.id, alert);
    else selected.delete(alert.id);
    this.selected = selected;
  }

  selectAll(alerts: Alert[], on: boolean): void {
    const selected = new Map(this.selected);
    for (const alert of alerts) {
      if (on) selected.set(alert.id, alert);
      else selected.delete(alert.id);
    }
    this.selected = selected;
  }

  clearSelection(): void {
    this.selected = new Map();
  }

  /** Selects all that match, up to as many as a page of the API may hold. */
  async selectMatching(): Promise<void> {
    const { value } = await api.alerts({ ...this.#options(), top: SELECTED_MAX });
    this.selected = new Map(value.map((alert) => [alert.id, alert]));
  }

  #options(): api.ListOptions {
    const select = [...new Set([...ALWAYS, ...this.shownColumns.flatMap((column) => column.select)])];
    const { query } = this;
    return { filter: filterText(query), search: searchText(query), orderby: orderText(query), select, top: this.pageSize };
  }

  /** What is counted: another order or another page counts nothing anew. */
  #asked(): { filter: string; search: string } {
    return { filter: filterText(this.query), search: searchText(this.query) };
  }

  /**
   * Counts once the rows stand, so that they do not wait for it: to count, the server may have to look at many more
   * alerts than a page has.
   */
  #countIfNew(): void {
    const asked = this.#asked();
    const key = JSON.stringify(asked);
    if (key === this.#counted) return;
    this.#counted = key;
    const request = new AbortController();
    this.#counting = request;
    api.count(asked, request.signal).then((count) => {
      if (!request.signal.aborted) this.count = count;
    }, () => {
      // It is asked for again with the next rows.
      if (this.#counted === key) this.#counted = null;
    });
  }

  async #load(page: number): Promise<void> {
    this.#request?.abort();
    const request = new AbortController();
    this.#request = request;
    this.loading = true;
    this.error = null;
    if (JSON.stringify(this.#asked()) !== this.#counted) {
      // A count of something else is none; one that is only taken again stays until then.
      if (this.#counted !== null) this.count = null;
      this.#counting?.abort();
    }
    try {
      const link = page === 0 ? null : this.#links[page - 1];
      const found = link ? await api.follow(link, request.signal) : await api.alerts(this.#options(), request.signal);
      if (request.signal.aborted) return;
      this.rows = found.value;
      // All that there are: nobody need count them.
      if (page === 0 && found.nextLink === null) {
        this.count = found.value.length;
        this.#counted = JSON.stringify(this.#asked());
      } else this.#countIfNew();
      this.#next = found.nextLink;
      this.page = page;
      this.loaded = true;
      this.at = Math.min(this.at, Math.max(0, found.value.length - 1));
    } catch (error) {
      if (request.signal.aborted || api.isAbandoned(error)) return;
      this.error = error;
      this.loaded = false;
    } finally {
      if (this.#request === request) this.loading = false;
    }
  }
}

export const list = new AlertList();
