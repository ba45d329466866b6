/**
 * The list of alerts: controls, rows, and the way to the next page.
 */

import { refreshTimes } from "./clock.js";
import { fill, h } from "./dom.js";
import { emptyList } from "./empty.js";
import { announce, problem } from "./notice.js";
import { DEFAULT_QUERY, filterText, orderText, sameQuery, writeQuery } from "./query.js";
import { COLUMNS, alertRow, skeletonRows } from "./row.js";
import { Toolbar } from "./toolbar.js";

const SKELETON_ROWS = 8;

/** The list. It keeps its rows while an alert is open, so that going back is instant. */
export class ListView {
  #api;
  #toolbar;
  #query = null;
  #loaded = false;
  #count = null;
  #nextLink = null;
  #request = null;
  #rows = h("tbody", { role: "rowgroup" });
  #table;
  #heading = h("h1", { class: "list-title", tabindex: -1 }, "Alerts");
  #amount = h("p", { class: "list-amount" });
  #below = h("div", { class: "list-below" });
  #onRefresh;

  /** The element that shows the list. */
  root = h("div", { class: "list-view" });

  /**
   * @param {Api} api where alerts come from
   * @param {() => void} onRefresh the person wants everything anew
   */
  constructor(api, onRefresh) {
    this.#api = api;
    this.#onRefresh = onRefresh;
    const controls = h("div");
    this.#toolbar = new Toolbar(controls, (query, typing) => this.#goTo(query, typing), () => this.refresh());
    this.#table = h("table", { role: "table", class: "alerts", "aria-labelledby": "list-title" },
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" },
        COLUMNS.map((name) => h("th", { role: "columnheader", scope: "col" }, name)))),
      this.#rows);
    this.#heading.id = "list-title";
    this.#rows.addEventListener("keydown", (event) => this.#moveBetweenRows(event));
    fill(this.root,
      h("div", { class: "list-head" }, this.#heading, this.#amount), controls, this.#table, this.#below);
  }

  /** What the browser's tab is to say. */
  get title() {
    return "Alerts";
  }

  /** Where this list, as it was last shown, can be found again. */
  get address() {
    return writeQuery(this.#query ?? DEFAULT_QUERY);
  }

  /** Shows the alerts of a query; loads them unless they are there. */
  show(query) {
    const known = this.#loaded && this.#query !== null && sameQuery(this.#query, query);
    this.#query = query;
    this.#toolbar.show(query);
    if (known) {
      refreshTimes(this.root);
    } else {
      this.#load();
    }
  }

  /** Loads the alerts anew. */
  refresh() {
    this.#onRefresh();
    this.#load();
  }

  /** Puts the focus on the row of an alert, or on the heading if it is not in the list. */
  focus(alertId) {
    const link = alertId === null ? null : this.#rowOf(alertId)?.querySelector(".row-link");
    (link ?? this.#heading).focus();
  }

  /**
   * Takes note that an alert reads differently now. Its row stays in place even if the query would
   * leave it out, so that nothing moves under the person's hand; the next load sorts it out.
   */
  update(alert) {
    this.#rowOf(alert.id)?.replaceWith(alertRow(alert));
  }

  #rowOf(alertId) {
    return [...this.#rows.children].find((row) => row.dataset.id === alertId);
  }

  #goTo(query, typing) {
    const address = writeQuery(query);
    if (!typing) {
      location.hash = address;
      return;
    }
    history.replaceState(null, "", address);
    this.show(query);
  }

  async #load() {
    const signal = this.#takeTurn();
    this.#loaded = false;
    this.#table.hidden = false;
    this.#table.setAttribute("aria-busy", "true");
    this.#amount.textContent = "Loading…";
    fill(this.#rows, skeletonRows(SKELETON_ROWS));
    fill(this.#below);
    try {
      const page = await this.#api.alerts(filterText(this.#query, Date.now()), orderText(this.#query), signal);
      if (signal.aborted) return;
      this.#loaded = true;
      this.#count = page.count;
      fill(this.#rows);
      await this.#add(page);
    } catch (error) {
      if (signal.aborted) return;
      fill(this.#rows);
      this.#table.hidden = true;
      this.#amount.textContent = "";
      fill(this.#below, problem("The alerts could not be loaded", error,
        { label: "Try again", act: () => this.#startOver() }));
    } finally {
      if (!signal.aborted) this.#table.removeAttribute("aria-busy");
    }
  }

  async #loadMore(button) {
    const signal = this.#takeTurn();
    button.setAttribute("aria-disabled", "true");
    button.textContent = "Loading…";
    const before = this.#rows.children.length;
    try {
      const page = await this.#api.nextAlerts(this.#nextLink, signal);
      if (signal.aborted) return;
      await this.#add(page);
      // The button has gone or moved; go on reading at the first new alert.
      this.#rows.children[before]?.querySelector(".row-link").focus();
    } catch (error) {
      if (signal.aborted) return;
      fill(this.#below, problem("The next alerts could not be loaded", error,
        { label: "Try again", act: () => this.#tryMoreAgain() }));
    }
  }

  #tryMoreAgain() {
    const button = this.#moreButton();
    fill(this.#below, button);
    button.focus();
    this.#loadMore(button);
  }

  /** Loads anew for a button that goes away by it; the focus needs another place. */
  #startOver() {
    this.#heading.focus();
    this.refresh();
  }

  /** Only the latest request may draw: an older answer could arrive after it. */
  #takeTurn() {
    this.#request?.abort();
    this.#request = new AbortController();
    return this.#request.signal;
  }

  async #add(page) {
    this.#nextLink = page.nextLink;
    this.#rows.append(...page.alerts.map(alertRow));
    const shown = this.#rows.children.length;
    this.#table.hidden = shown === 0;
    if (shown === 0) {
      this.#amount.textContent = "";
      fill(this.#below, await this.#nothingHere());
      return;
    }
    const amount = amountText(shown, this.#count);
    this.#amount.textContent = amount;
    announce(amount);
    fill(this.#below, page.nextLink === null ? null : this.#moreButton());
  }

  #moreButton() {
    const button = h("button", {
      type: "button", class: "button button-more",
      on: { click: () => button.getAttribute("aria-disabled") !== "true" && this.#loadMore(button) },
    }, "Load more");
    return button;
  }

  /** Nothing to show has several reasons, and each has another way on. */
  async #nothingHere() {
    const total = await this.#api.countAlerts("").catch(() => null);
    return emptyList(this.#query, total, (change) => {
      this.#heading.focus();
      location.hash = writeQuery({ ...DEFAULT_QUERY, ...change });
    });
  }

  /** Arrow keys go from row to row; Tab does so too, more slowly. */
  #moveBetweenRows(event) {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    const row = event.target.closest("tr");
    if (step === undefined || row === null || event.altKey || event.ctrlKey || event.metaKey) return;
    const target = row[step]?.querySelector(".row-link");
    if (!target) return;
    event.preventDefault();
    target.focus();
  }
}

function amountText(shown, count) {
  const all = count ?? shown;
  const noun = all === 1 ? "alert" : "alerts";
  return shown < all
    ? `${shown.toLocaleString("en-GB")} of ${all.toLocaleString("en-GB")} ${noun}`
    : `${all.toLocaleString("en-GB")} ${noun}`;
}

