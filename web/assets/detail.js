/**
 * One alert: what happened, why it fired, what to do, and what has been done.
 */

import { actionsNode } from "./actions.js";
import { activityNode } from "./activity.js";
import { checklistNode } from "./checklist.js";
import { clockNode, exactTime, relativeTime } from "./clock.js";
import { detectorOf, provenanceNode } from "./detector.js";
import { fill, h } from "./dom.js";
import { evidenceNode } from "./evidence.js";
import { announce, problem } from "./notice.js";
import { resourcesNode } from "./resources.js";
import { customerId, severityMark } from "./row.js";
import { parseTime, absolute, responseClock } from "./time.js";
import { alertTypeWord, severityWord, statusPhrase } from "./words.js";

/** The view of one alert. */
export class DetailView {
  #api;
  #onChanged;
  #leave;
  #request = null;
  #alert = null;
  #detectors = null;

  /** The element that shows the alert. */
  root = h("article", { class: "detail" });

  /**
   * @param {Api} api where alerts come from
   * @param {(alert: object) => void} onChanged an alert reads differently now
   * @param {() => void} leave the person wants the list
   */
  constructor(api, onChanged, leave) {
    this.#api = api;
    this.#onChanged = onChanged;
    this.#leave = leave;
  }

  /** What the browser's tab is to say. */
  get title() {
    return this.#alert?.displayName ?? "Alert";
  }

  /** Loads and shows an alert; the promise ends when it is drawn, or why not. */
  async show(id) {
    this.#request?.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    this.#alert = null;
    this.root.setAttribute("aria-busy", "true");
    fill(this.root, this.#wayBack(), skeleton());
    try {
      const [alert, detectors] = await Promise.all([this.#api.alert(id, signal), this.#loadDetectors()]);
      if (signal.aborted) return;
      this.#alert = alert;
      this.#detectors = detectors;
      this.#draw();
    } catch (error) {
      if (signal.aborted) return;
      fill(this.root, this.#wayBack(), this.#notShown(id, error));
    }
    this.root.removeAttribute("aria-busy");
  }

  /** Puts the focus where reading starts. */
  focus() {
    this.root.querySelector("h1, .problem-title")?.focus();
  }

  /** An alert is worth showing without its detector, so a failure here is only noted. */
  async #loadDetectors() {
    try {
      return { known: await this.#api.detectors(), error: null };
    } catch (error) {
      return { known: [], error };
    }
  }

  #notShown(id, error) {
    const unknown = error.status === 404;
    const panel = problem(unknown ? "There is no such alert" : "The alert could not be loaded", error,
      unknown ? { label: "Show all alerts", act: this.#leave } : { label: "Try again", act: () => this.show(id) });
    panel.querySelector(".problem-title").tabIndex = -1;
    return panel;
  }

  #wayBack() {
    return h("p", { class: "way-back" },
      h("a", { href: "#/", on: { click: (event) => { event.preventDefault(); this.#leave(); } } }, "← All alerts"));
  }

  #draw() {
    const alert = this.#alert;
    const detector = detectorOf(alert, this.#detectors.known);
    fill(this.root,
      this.#wayBack(),
      headNode(alert),
      h("section", { class: "response card", "aria-label": "Response" },
        responseNode(alert), actionsNode(alert, (change) => this.#change(change))),
      h("div", { class: "detail-columns" },
        h("div", { class: "detail-story" }, whatNode(alert), whyNode(alert, detector)),
        h("section", { class: "detail-contain card", "aria-labelledby": "contain-title" },
          h("h2", { id: "contain-title" }, "Contain it"), this.#containment(alert, detector)),
        h("div", { class: "detail-rest" },
          section("resources", `Affected resources (${alert.affectedResources.length})`,
            resourcesNode(alert.affectedResources)),
          section("activity", "Activity log", activityNode(alert)))));
  }

  #containment(alert, detector) {
    if (detector !== null && detector.response?.length > 0) return checklistNode(alert.id, detector.response);
    if (this.#detectors.error !== null) {
      return problem("The steps could not be loaded", this.#detectors.error,
        { label: "Try again", act: () => this.show(alert.id) });
    }
    return h("p", { class: "nothing" },
      "No detector on this server knows this kind of alert, so there are no steps for it. ",
      "Confirm with the customer what was expected before anything is stopped.");
  }

  async #change(change) {
    const changed = await this.#api.changeStatus(this.#alert.id, change);
    this.#alert = changed;
    this.#onChanged(changed);
    this.#draw();
    this.root.querySelector(".actions-now").focus();
    announce(`Status is now: ${statusPhrase(changed.status, changed.resolvedReason)}`);
  }
}

function headNode(alert) {
  return h("header", { class: "detail-head" },
    h("p", { class: "detail-tags" },
      severityMark(alert.severity),
      h("span", { class: "tag" }, alertTypeWord(alert.alertType)),
      h("span", { class: "tag" }, `${severityWord(alert.confidenceLevel)} confidence`),
      alert.isTest ? h("span", { class: "tag" }, "Test") : null),
    h("h1", { tabindex: -1 }, alert.displayName),
    h("dl", { class: "detail-whose" },
      fact("Customer", customerId(alert.customerTenantId)),
      fact("Subscription", h("span", { class: "id-whole" }, alert.subscriptionId)),
      alert.valueAddedResellerTenantId
        ? fact("Reseller", h("span", { class: "id-whole" }, alert.valueAddedResellerTenantId)) : null,
      alert.catalogOfferId ? fact("Offer", alert.catalogOfferId) : null));
}

function responseNode(alert) {
  const resolved = alert.status === "resolved";
  const { dueAt } = responseClock(alert, Date.now());
  const due = dueAt === null ? null : `Due ${absolute(dueAt)}, 24 hours from detection`;
  return h("div", { class: "response-clock" },
    h("span", { class: "label" }, resolved ? "Time to respond" : "Time left to respond"),
    clockNode(alert, { long: true }),
    h("span", { class: "response-due" }, resolved ? ["On ", exactTime(alert.resolvedOnDateTime)] : due));
}

function whatNode(alert) {
  return section("what", "What happened",
    alert.description
      ? h("p", { class: "description" }, alert.description)
      : h("p", { class: "nothing" }, "No description came with this alert."),
    h("dl", { class: "facts facts-row" },
      observed("First seen", alert.firstObservedDateTime),
      observed("Last seen", alert.lastObservedDateTime),
      observed("Detected", alert.detectedDateTime)));
}

function observed(name, text) {
  const known = parseTime(text) !== null;
  return fact(name, exactTime(text), known ? h("span", { class: "beside" }, relativeTime(text)) : null);
}

function whyNode(alert, detector) {
  const evidence = evidenceNode(alert.additionalDetails);
  return section("why", "Why it fired",
    detector?.meaning ? h("p", { class: "meaning" }, detector.meaning) : null,
    evidence ?? h("p", { class: "nothing" }, "No evidence came with this alert."),
    provenanceNode(alert, detector));
}

function section(name, title, ...content) {
  return h("section", { class: `card detail-${name}`, "aria-labelledby": `${name}-title` },
    h("h2", { id: `${name}-title` }, title), content);
}

function fact(name, ...value) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, value));
}

function skeleton() {
  const bones = (count) => Array.from({ length: count }, () => h("span", { class: "bone" }));
  return h("div", { class: "skeleton skeleton-detail", "aria-hidden": "true" },
    h("div", { class: "card" }, bones(2)), h("div", { class: "card" }, bones(5)), h("div", { class: "card" }, bones(4)));
}
