/** What can stand at a place of an address or a body. Pure but for the types of the editor. */

import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { ALERT, type Description, type Property } from "./description";

const OPTIONS: Completion[] = [
  ["$filter=", "an expression that is true or false"], ["$search=", "words and \"phrases\""], ["$orderby=", "properties, each with asc or desc"],
  ["$select=", "properties"], ["$top=", "the size of a page, up to 1000"], ["$skip=", "how many to pass over"], ["$count=true", "how many there are"], ["$format=json", ""],
].map(([label, info]) => ({ label: label!, detail: info, type: "keyword" }));

const WORDS: Completion[] = ["and", "or", "not", "eq", "ne", "gt", "ge", "lt", "le", "in"].map((label) => ({ label: `${label} `, displayLabel: label, type: "keyword" }));
const FUNCTIONS: Completion[] = [
  "contains(", "startswith(", "endswith(", "tolower(", "length(", "year(", "now()", "now() sub duration'P7D'",
].map((label) => ({ label, type: "function" }));

/** Completes an address: its path, its options, and the names and values in them. */
export function addressCompletion(description: () => Description | null) {
  return (context: CompletionContext): CompletionResult | null => {
    const told = description();
    if (told === null) return null;
    const before = context.state.doc.sliceString(0, context.pos);
    const query = before.indexOf("?");
    if (query < 0) {
      if (before === "" && !context.explicit) return null;
      return { from: 0, options: told.paths.map((label) => ({ label, type: "text" })), validFor: /^[\w/$(){}.-]*$/ };
    }
    const option = before.slice(before.lastIndexOf("&", before.length) + 1).slice(before.includes("&") ? 0 : query + 1);
    const equals = option.indexOf("=");
    const from = (text: RegExp) => context.pos - (text.exec(before)?.[0].length ?? 0);
    if (equals < 0) return { from: context.pos - option.length, options: OPTIONS, validFor: /^\$?\w*$/ };
    const name = option.slice(0, equals).replace("$", "").toLowerCase();
    const value = option.slice(equals + 1);
    if (name === "select") return { from: from(/[\w/]*$/), options: properties(told), validFor: /^[\w/]*$/ };
    if (name === "orderby") {
      if (/\w\s+\w*$/.test(value)) return { from: from(/\w*$/), options: ["asc", "desc"].map((label) => ({ label, type: "keyword" })), validFor: /^\w*$/ };
      return { from: from(/[\w/]*$/), options: properties(told), validFor: /^[\w/]*$/ };
    }
    return name === "filter" ? inFilter(told, value, from, context) : null;
  };
}

function inFilter(told: Description, value: string, from: (text: RegExp) => number, context: CompletionContext): CompletionResult | null {
  const compared = /(\w+)\s+(?:eq|ne|gt|ge|lt|le|in)\s+\(?(?:'\w*',)*('?\w*)$/.exec(value);
  if (compared !== null) {
    const property = told.types.get(ALERT)?.find((each) => each.name === compared[1]);
    const values = valuesOf(told, property);
    if (values.length > 0) return { from: context.pos - (compared[2]?.length ?? 0), options: values, validFor: /^'?\w*$/ };
  }
  // Inside a text there is nothing to complete.
  if ((value.match(/'/g)?.length ?? 0) % 2 === 1) return null;
  const word = /[\w/]*$/.exec(value)?.[0] ?? "";
  if (word === "" && !context.explicit && !/[\s(]$|^$/.test(value)) return null;
  const nested = /(\w+)\/any\((\w+):.*\b\2\/\w*$/.exec(value);
  if (nested !== null) {
    const type = told.types.get(ALERT)?.find((each) => each.name === nested[1])?.type ?? "";
    return { from: from(/\w*$/), options: (told.types.get(type) ?? []).map(completion), validFor: /^\w*$/ };
  }
  return { from: from(/[\w/]*$/), options: [...properties(told), ...WORDS, ...FUNCTIONS], validFor: /^[\w/]*$/ };
}

function properties(told: Description): Completion[] {
  return (told.types.get(ALERT) ?? []).map(completion);
}

function completion(property: Property): Completion {
  return { label: property.name, type: "property", detail: property.type.replace("Edm.", ""), info: property.description || undefined, boost: 1 };
}

function valuesOf(told: Description, property: Property | undefined): Completion[] {
  if (property === undefined) return [];
  if (property.type === "Edm.Boolean") return ["true", "false"].map((label) => ({ label, type: "constant" }));
  if (property.type === "Edm.DateTimeOffset") return ["now() sub duration'PT24H'", "now() sub duration'P7D'", new Date().toISOString().replace(/\.\d+/, "")].map((label) => ({ label, type: "constant" }));
  return (told.enums.get(property.type) ?? []).map((member) => ({ label: `'${member}'`, type: "enum" }));
}

/** Completes the body of a change: what can be set, and to what. */
export function bodyCompletion(description: () => Description | null) {
  return (context: CompletionContext): CompletionResult | null => {
    const told = description();
    if (told === null) return null;
    const before = context.state.doc.sliceString(0, context.pos);
    const writable = (told.types.get(ALERT) ?? []).filter((property) => property.writable && property.name !== "id");
    const value = /"(\w+)"\s*:\s*("?\w*)$/.exec(before);
    if (value !== null) {
      const members = told.enums.get(writable.find((each) => each.name === value[1])?.type ?? "") ?? [];
      return members.length === 0 ? null : { from: context.pos - (value[2]?.length ?? 0), options: members.map((member) => ({ label: `"${member}"`, type: "enum" })), validFor: /^"?\w*$/ };
    }
    const name = /[{,]\s*("?\w*)$/.exec(before);
    if (name === null || (name[1] === "" && !context.explicit)) return null;
    return { from: context.pos - (name[1]?.length ?? 0), options: writable.map((property) => ({ label: `"${property.name}": `, displayLabel: property.name, type: "property", detail: property.type })), validFor: /^"?\w*$/ };
  };
}
