/**
 * Evidence: the names and values of `additionalDetails`, made readable.
 *
 * Graph's values are strings, some of which hold JSON text. Reading them is for the eye only: what
 * does not parse is shown as it stands, and nothing is ever left out.
 */

import { exactTime } from "./clock.js";
import { fill, h } from "./dom.js";
import { evidenceWord, taken } from "./words.js";

/** Which names say where the alert came from; they are shown with the detector instead. */
const PROVENANCE = new Set(["DetectorId", "DetectorVersion"]);

/** How many items of a list or rows of a table are shown at first. */
const SHOWN_AT_FIRST = 8;

/** Records with more properties than this do not make a readable table. */
const TABLE_COLUMNS_MAX = 6;

const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;
const DECIMAL = /^-?(0|[1-9]\d{0,14})(\.\d+)?$/;

/** The evidence of an alert as a list of names and values; null if there is none. */
export function evidenceNode(details) {
  const entries = Object.entries(details ?? {})
    .filter(([name]) => !PROVENANCE.has(name) && !name.includes("@odata."));
  if (entries.length === 0) return null;
  return h("dl", { class: "facts evidence" }, entries.map(([name, value]) => [
    h("dt", { title: name }, evidenceWord(name)),
    h("dd", {}, valueNode(readValue(value))),
  ]));
}

/**
 * Reads one value.
 *
 * @returns {{kind: string, value: *}} kind is `text`, `number`, `time`, `truth`, `nothing`, `list`
 *   (of values that are no records), `table` (of records) or `record`
 */
export function readValue(raw) {
  if (raw === null || raw === undefined || raw === "") return { kind: "nothing", value: null };
  if (typeof raw === "boolean") return { kind: "truth", value: raw };
  if (typeof raw === "number") return { kind: "number", value: String(raw) };
  if (Array.isArray(raw)) return readList(raw);
  if (typeof raw === "object") return { kind: "record", value: Object.entries(raw) };
  return readText(String(raw));
}

function readText(text) {
  if (text === "true" || text === "false") return { kind: "truth", value: text === "true" };
  if (DECIMAL.test(text)) return { kind: "number", value: text };
  if (ISO_TIME.test(text)) return { kind: "time", value: text };
  if (/^\s*[[{]/.test(text)) {
    try {
      return readValue(JSON.parse(text));
    } catch {
      // It only looked like JSON.
    }
  }
  return { kind: "text", value: text };
}

function readList(items) {
  if (items.length === 0) return { kind: "nothing", value: null };
  const records = items.every((item) => item !== null && typeof item === "object" && !Array.isArray(item));
  const columns = records ? [...new Set(items.flatMap((item) => Object.keys(item)))] : [];
  return records && columns.length <= TABLE_COLUMNS_MAX
    ? { kind: "table", value: { columns, rows: items } }
    : { kind: "list", value: items };
}

function valueNode({ kind, value }) {
  switch (kind) {
    case "nothing": return h("span", { class: "nothing" }, "none");
    case "truth": return value ? "Yes" : "No";
    case "number": return h("span", { class: "number" }, numberText(value));
    case "time": return exactTime(value);
    case "list": return listNode(value);
    case "table": return tableNode(value);
    case "record": return recordNode(value);
    default: return h("span", { class: "value-text" }, value);
  }
}

/** Groups the digits of large numbers and drops digits that no reader needs. */
export function numberText(text) {
  const number = Number(text);
  const size = Math.abs(number);
  let decimals = 4;
  if (size >= 1) decimals = 2;
  if (size < 0.001) decimals = 8;
  return number.toLocaleString("en-GB", { maximumFractionDigits: decimals, useGrouping: size >= 10_000 });
}

function listNode(items) {
  return shortened(items, "items", (shown) =>
    h("ul", { class: "value-list" }, shown.map((item) => h("li", {}, valueNode(readValue(item))))));
}

function tableNode({ columns, rows }) {
  return shortened(rows, "rows", (shown) =>
    h("div", { class: "value-scroll", tabindex: 0, role: "group", "aria-label": "Table, can be scrolled" },
      h("table", { class: "value-table" },
        h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, taken(name))))),
        h("tbody", {}, shown.map((row) =>
          h("tr", {}, columns.map((name) => h("td", {}, valueNode(readValue(row[name]))))))))));
}

function recordNode(entries) {
  return h("dl", { class: "value-record" },
    entries.map(([name, value]) => [h("dt", {}, taken(name)), h("dd", {}, valueNode(readValue(value)))]));
}

/** The first few of many, and a button for the rest. */
export function shortened(items, noun, draw) {
  if (items.length <= SHOWN_AT_FIRST) return draw(items);
  const box = h("div", { class: "shortened" });
  const showAll = () => {
    fill(box, draw(items));
    box.tabIndex = -1;
    box.focus();
  };
  fill(box, draw(items.slice(0, SHOWN_AT_FIRST)),
    h("button", { type: "button", class: "button button-quiet", on: { click: showAll } },
      `Show all ${items.length.toLocaleString("en-GB")} ${noun}`));
  return box;
}
