/** What was sent before. The addresses outlive the page, bodies do not: they may hold secrets of receivers. */

import { keep, recall } from "../lib/kept";

const MOST = 30;

export interface Past {
  method: string;
  url: string;
  body: string;
  status: number;
  ms: number;
  at: number;
}

const isPast = (value: unknown) => Array.isArray(value) && value.every((one) => typeof one?.url === "string" && typeof one?.method === "string");

class History {
  entries = $state.raw<Past[]>(recall<Past[]>("explorer.past", [], isPast));

  add(entry: Past): void {
    this.entries = [entry, ...this.entries.filter((one) => one.method !== entry.method || one.url !== entry.url || one.body !== entry.body)].slice(0, MOST);
    keep("explorer.past", this.entries.map((one) => ({ ...one, body: "" })));
  }

  /** What was sent, as a file for others: the newest first, with bodies as far as this page still knows them, and no token. */
  exported(): string {
    const entries = this.entries.map(({ at, method, url, body, status, ms }) => ({ at: new Date(at).toISOString(), method, url, ...(body === "" ? {} : { body }), status, ms }));
    return JSON.stringify({ requests: entries }, null, 2);
  }

  clear(): void {
    this.entries = [];
    keep("explorer.past", null);
  }
}

export const past = new History();
