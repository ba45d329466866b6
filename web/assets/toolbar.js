/**
 * The controls above the list. They show a query and ask for another; they do not load anything.
 */

import { fill, h } from "./dom.js";
import { ORDER_CHOICES, SEARCH_LENGTH_MAX, SEVERITY_CHOICES, STATUS_CHOICES } from "./query.js";

/** How long to wait after a keystroke in the search field. */
const TYPING_PAUSE_MS = 250;

/** The controls. */
export class Toolbar {
  #selects = {};
  #search;
  #query;
  #pause;

  /**
   * @param {HTMLElement} root where the controls go
   * @param {(query: object, typing: boolean) => void} onChange another query is wanted; `typing` if
   *   each keystroke would otherwise be a step back in the browser's history
   * @param {() => void} onRefresh the same query is wanted again
   */
  constructor(root, onChange, onRefresh) {
    const ask = (change, typing) => onChange({ ...this.#query, ...change }, typing);
    const select = (name, label, choices) => {
      const control = h("select", { id: `by-${name}`, on: { change: () => ask({ [name]: control.value }, false) } },
        choices.map(([value, word]) => h("option", { value }, word)));
      this.#selects[name] = control;
      return h("div", { class: "field" }, h("label", { for: control.id }, label), control);
    };
    this.#search = h("input", {
      id: "by-search", type: "search", placeholder: "Part of an id", autocomplete: "off", spellcheck: "false",
      maxlength: SEARCH_LENGTH_MAX,
      on: {
        input: () => {
          clearTimeout(this.#pause);
          this.#pause = setTimeout(() => ask({ search: this.#search.value.trim() }, true), TYPING_PAUSE_MS);
        },
      },
    });
    const submit = (event) => {
      event.preventDefault();
      clearTimeout(this.#pause);
      ask({ search: this.#search.value.trim() }, true);
    };
    fill(root, h("form", { class: "toolbar", role: "search", "aria-label": "Alerts", on: { submit } },
      select("status", "Status", STATUS_CHOICES),
      select("severity", "Severity", SEVERITY_CHOICES),
      h("div", { class: "field field-wide" },
        h("label", { for: "by-search" }, "Customer or subscription"), this.#search),
      select("order", "Order", ORDER_CHOICES),
      h("button", { type: "button", class: "button", on: { click: onRefresh } }, "Refresh")));
  }

  /** Shows a query. The search field is left alone while a person types in it. */
  show(query) {
    this.#query = query;
    for (const [name, control] of Object.entries(this.#selects)) control.value = query[name];
    if (document.activeElement !== this.#search) this.#search.value = query.search;
  }
}
