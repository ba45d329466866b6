/**
 * The figures in the header; each leads to the alerts it counts.
 */

import { fill, h } from "./dom.js";
import { OPEN_FILTER, overdueFilter, resolvedThisWeekFilter, writeQuery, DEFAULT_QUERY } from "./query.js";

/** The figures: their label, the filter that counts them, and the list they lead to. */
const FIGURES = [
  { name: "open", label: "Open", filter: () => OPEN_FILTER, leadsTo: { status: "open" } },
  { name: "overdue", label: "Overdue", filter: overdueFilter, leadsTo: { status: "overdue", order: "due" } },
  {
    name: "high", label: "Open, high", filter: () => `${OPEN_FILTER} and severity eq 'high'`,
    leadsTo: { severity: "high" },
  },
  {
    name: "resolved", label: "Resolved in 7 days", filter: resolvedThisWeekFilter,
    leadsTo: { status: "resolved" },
  },
];

/** Shows the figures and keeps them. */
export class Counts {
  #api;
  #numbers = new Map();
  #latest = 0;

  constructor(api, root) {
    this.#api = api;
    fill(root, h("ul", {}, FIGURES.map((figure) => {
      const number = h("span", { class: "count-number" }, "–");
      this.#numbers.set(figure.name, number);
      return h("li", {},
        h("a", { class: "count", href: writeQuery({ ...DEFAULT_QUERY, ...figure.leadsTo }), "data-count": figure.name },
          number, " ", h("span", { class: "count-label" }, figure.label)));
    })));
  }

  /** Asks for the figures again. One that cannot be had shows a dash: the list says what is wrong. */
  async refresh() {
    const now = Date.now();
    this.#latest += 1;
    const turn = this.#latest;
    await Promise.all(FIGURES.map(async (figure) => {
      const count = await this.#api.countAlerts(figure.filter(now)).catch(() => null);
      if (turn === this.#latest) this.#show(figure.name, count);
    }));
  }

  #show(name, count) {
    const number = this.#numbers.get(name);
    number.textContent = count === null ? "–" : count.toLocaleString("en-GB");
    number.closest(".count").dataset.some = String(count !== null && count > 0);
  }
}
