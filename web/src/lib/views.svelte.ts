/** Views: queries with a name. Some come with the console, others are kept in this browser. */

import { keep, recall } from "./kept";
import { DEFAULT_QUERY, readQuery, writeQuery, type Query } from "./query";

export interface View {
  name: string;
  query: Query;
  own: boolean;
}

const BUILT_IN: View[] = [
  { name: "Open", query: DEFAULT_QUERY, own: false },
  { name: "Overdue", query: { ...DEFAULT_QUERY, clock: "overdue", order: "detectedDateTime asc" }, own: false },
  { name: "Due next", query: { ...DEFAULT_QUERY, since: "PT24H", order: "detectedDateTime asc" }, own: false },
  { name: "High and open", query: { ...DEFAULT_QUERY, severities: ["high"] }, own: false },
  { name: "Being investigated", query: { ...DEFAULT_QUERY, status: "investigating" }, own: false },
  { name: "Resolved", query: { ...DEFAULT_QUERY, status: "resolved", order: "resolvedOnDateTime desc" }, own: false },
  { name: "All", query: { ...DEFAULT_QUERY, status: "any" }, own: false },
];

type Kept = { name: string; query: Record<string, string> }[];

const isKept = (value: unknown) => Array.isArray(value) && value.every((view) =>
  typeof view?.name === "string" && typeof view?.query === "object" && view.query !== null);

class Views {
  #own = $state.raw<Kept>(recall<Kept>("views", [], isKept));

  get all(): View[] {
    const own = this.#own.map(({ name, query }) => ({ name, query: readQuery(new URLSearchParams(query)), own: true }));
    return [...BUILT_IN, ...own];
  }

  /** Keeps a query under a name; one of the same name gives way. Tells whether the browser keeps it. */
  save(name: string, query: Query): boolean {
    return this.#set([...this.#own.filter((view) => view.name !== name), { name, query: writeQuery(query) }]);
  }

  remove(name: string): boolean {
    return this.#set(this.#own.filter((view) => view.name !== name));
  }

  #set(own: Kept): boolean {
    this.#own = own;
    return keep("views", own.length === 0 ? null : own);
  }
}

export const views = new Views();
