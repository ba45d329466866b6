/**
 * Evidence: the names and values of `additionalDetails`, made readable.
 *
 * Graph's values are strings, some of which hold JSON text. Reading them is for the eye only: what
 * does not parse is shown as it stands, and nothing is ever left out.
 */

export type Read =
  | { kind: "nothing" }
  | { kind: "truth"; value: boolean }
  | { kind: "number" | "time" | "text"; value: string }
  | { kind: "list"; value: unknown[] }
  | { kind: "table"; columns: string[]; rows: Record<string, unknown>[] }
  | { kind: "record"; value: [string, unknown][] };

/** Names that say where the alert came from, or that have a place of their own on the page. */
const ELSEWHERE = new Set(["DetectorId", "DetectorVersion", "Story"]);

/** Records with more properties than this do not make a readable table. */
const TABLE_COLUMNS_MAX = 6;

const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;
const DECIMAL = /^-?(0|[1-9]\d{0,14})(\.\d+)?$/;

type Details = Record<string, unknown> | null | undefined;

/** The entries that are shown as evidence. */
export function evidenceOf(details: Details): [string, unknown][] {
  return Object.entries(details ?? {}).filter(([name]) => !ELSEWHERE.has(name) && !name.includes("@odata."));
}

/** Reads one value. */
export function readValue(raw: unknown): Read {
  if (raw === null || raw === undefined || raw === "") return { kind: "nothing" };
  if (typeof raw === "boolean") return { kind: "truth", value: raw };
  if (typeof raw === "number") return { kind: "number", value: String(raw) };
  if (Array.isArray(raw)) return readList(raw);
  if (typeof raw === "object") return { kind: "record", value: Object.entries(raw) };
  return readText(String(raw));
}

function readText(text: string): Read {
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

function readList(items: unknown[]): Read {
  if (items.length === 0) return { kind: "nothing" };
  const isRecord = (item: unknown) => item !== null && typeof item === "object" && !Array.isArray(item);
  if (!items.every(isRecord)) return { kind: "list", value: items };
  const rows = items as Record<string, unknown>[];
  const columns = [...new Set(rows.flatMap((item) => Object.keys(item)))];
  return columns.length <= TABLE_COLUMNS_MAX ? { kind: "table", columns, rows } : { kind: "list", value: items };
}

/** The texts of an entry, whether it holds one or a list. */
export function textsOf(raw: unknown): string[] {
  const read = readValue(raw);
  if (read.kind === "nothing") return [];
  if (read.kind === "list") return read.value.map((item) => (typeof item === "string" ? item : JSON.stringify(item)));
  return [typeof raw === "string" ? raw : JSON.stringify(raw)];
}

/** Groups the digits of large numbers and drops digits that no reader needs. */
export function numberText(text: string | number): string {
  const number = Number(text);
  const size = Math.abs(number);
  let decimals = 4;
  if (size >= 1) decimals = 2;
  if (size > 0 && size < 0.001) decimals = 8;
  return number.toLocaleString("en-GB", { maximumFractionDigits: decimals, useGrouping: size >= 10_000 });
}

/** What the server says of money beyond the amounts, of which it says a sentence each before. */
export function beyondAmounts(inWords: string, amounts: number): string {
  return inWords.split(/(?<=\.)\s/).slice(amounts).join(" ");
}

/** Who did it and from where: the entries of the details that name people, applications and addresses. */
export function actorsOf(details: Details): { principals: string[]; addresses: string[]; countries: string[] } {
  const named = (pattern: RegExp) =>
    Object.entries(details ?? {}).filter(([name]) => pattern.test(name)).flatMap(([, value]) => textsOf(value));
  const unique = (values: string[]) => [...new Set(values.filter((value) => value !== ""))];
  const isAddress = (value: string) => /^[0-9a-f.:]+(\/\d+)?$/i.test(value) && /[.:]/.test(value);
  return {
    principals: unique(named(/^(callers?|users?|principals?|actors?|initiatedBy|userPrincipalNames?|servicePrincipals?|appName|application(Name)?|guests?)$/i)),
    addresses: unique(named(/(address|addresses|_ips?|ips?)$/i)).filter(isAddress),
    countries: unique(named(/countr(y|ies)$/i)),
  };
}

/** One stage of a chained alert. */
export interface Stage {
  at: number | null;
  when: string;
  stage: string;
  what: string;
}

/** The stages that an alert tells in order, or none. Each is written `2026-11-01 04:10 rights: what was done`. */
export function storyOf(details: Details): Stage[] {
  return textsOf(details?.Story).map((line) => {
    const found = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}) ([^:]+): (.*)$/s.exec(line);
    if (found === null) return { at: null, when: "", stage: "", what: line };
    const [, day, time, stage, what] = found as unknown as [string, string, string, string, string];
    return { at: Date.parse(`${day}T${time}Z`), when: `${day} ${time}`, stage, what };
  });
}
