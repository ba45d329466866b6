/** What the server says of itself, `$metadata` and the OpenAPI document, as the explorer needs it. */

import { OPEN_FILTER } from "../lib/query";

interface Told { [name: string]: unknown }

export interface Property {
  name: string;
  /** The name of its type without the namespace, such as `securityAlertSeverity` or `Edm.Boolean`. */
  type: string;
  many: boolean;
  description: string;
  writable: boolean;
}

export interface Sample {
  group: string;
  title: string;
  text: string;
  method: string;
  url: string;
  body: string;
  /** Any of these permissions opens it; none means that no token is needed. */
  permissions: string[];
}

export interface Description {
  samples: Sample[];
  /** The properties of each structured type, by its name without the namespace. */
  types: Map<string, Property[]>;
  /** The members of each enumeration. */
  enums: Map<string, string[]>;
  paths: string[];
}

export const ALERT = "partnerSecurityAlert";

/** Reads both documents; they need no token. */
export async function describe(): Promise<Description> {
  const read = async (path: string): Promise<Told> => {
    const response = await fetch(path, { headers: { accept: "application/json" } });
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return response.json();
  };
  const [metadata, openapi] = await Promise.all([read("/beta/$metadata?$format=json"), read("/beta/openapi.json")]);
  return { ...typesOf(metadata), ...samplesOf(openapi) };
}

function typesOf(metadata: Told): Pick<Description, "types" | "enums"> {
  const types = new Map<string, Property[]>();
  const enums = new Map<string, string[]>();
  for (const schema of Object.values(metadata)) {
    if (typeof schema !== "object" || schema === null) continue;
    for (const [name, told] of Object.entries(schema as Told)) {
      const kind = (told as Told)?.$Kind;
      const members = Object.entries((told ?? {}) as Told).filter(([member]) => !/[@$]/.test(member));
      if (kind === "EnumType") enums.set(name, members.map(([member]) => member).filter((member) => member !== "unknownFutureValue"));
      if (kind === "EntityType" || kind === "ComplexType") types.set(name, members.map(([member, value]) => property(member, value as Told)));
    }
  }
  types.get(ALERT)?.unshift({ name: "id", type: "Edm.String", many: false, description: "The alert's id.", writable: false });
  return { types, enums };
}

function property(name: string, told: Told): Property {
  const type = String(told.$Type ?? "Edm.String");
  return {
    name, type: type.startsWith("Edm.") ? type : (type.split(".").at(-1) ?? type), many: told.$Collection === true,
    description: String(told["@Core.Description"] ?? ""), writable: told["@Core.Permissions"] !== "Read",
  };
}

const METHODS = ["get", "post", "patch", "put", "delete"];

function samplesOf(openapi: Told): Pick<Description, "samples" | "paths"> {
  const samples: Sample[] = [];
  const components = ((openapi.components as Told)?.parameters ?? {}) as Record<string, Told>;
  for (const [path, operations] of Object.entries(openapi.paths as Record<string, Told>)) {
    for (const method of METHODS) {
      const operation = operations[method] as Told | undefined;
      if (operation === undefined) continue;
      const parameters = ((operation.parameters ?? []) as Told[]).map((each) =>
        typeof each.$ref === "string" ? (components[each.$ref.split("/").at(-1) ?? ""] ?? {}) : each);
      const url = path.replace(/\{([^}]+)\}/g, (whole, name) => String(parameters.find((each) => each.name === name)?.example ?? whole));
      const content = (operation.requestBody as Told | undefined)?.content as Record<string, Told> | undefined;
      const examples = content?.["application/json"]?.examples as Record<string, Told> | undefined;
      const example = Object.values(examples ?? {})[0]?.value;
      samples.push({
        group: String((operation.tags as string[])?.[0] ?? "other"), title: String(operation.summary), text: String(operation.description ?? ""),
        method: method.toUpperCase(), url, body: example === undefined ? "" : JSON.stringify(example, null, 2), permissions: permissionsOf(operation),
      });
    }
  }
  return { samples, paths: [...new Set(samples.map((sample) => sample.url.split("?")[0] ?? ""))] };
}

/** The document says permissions in words, since they differ by kind of token; their names are unmistakable. */
function permissionsOf(operation: Told): string[] {
  if (Array.isArray(operation.security) && operation.security.length === 0) return [];
  const named = String(operation.description ?? "").match(/\b[A-Z]\w+\.\w+\.All\b/g) ?? [];
  return named.length > 0 ? [...new Set(named)] : ["PartnerSecurity.Read.All", "PartnerSecurity.ReadWrite.All"];
}

const READ = ["PartnerSecurity.Read.All", "PartnerSecurity.ReadWrite.All"];
/** The requests to begin with: list, get and change, on an alert that there is. */
export function firstSamples(alertId: string | null): Sample[] {
  const id = alertId === null ? "{id}" : encodeURIComponent(alertId);
  const first = (title: string, method: string, url: string, permissions: string[], body = ""): Sample =>
    ({ group: "start here", title, text: "", method, url, body, permissions });
  return [
    first("Open alerts of high severity", "GET", `/beta/security/partner/securityAlerts?$filter=severity eq 'high' and ${OPEN_FILTER}&$select=id,displayName,severity,status,detectedDateTime&$top=5&$count=true`, READ),
    first("One alert", "GET", `/beta/security/partner/securityAlerts/${id}`, READ),
    first("Take an alert up", "PATCH", `/beta/security/partner/securityAlerts/${id}`, ["PartnerSecurity.ReadWrite.All"], '{\n  "status": "investigating"\n}'),
    first("New in the last week, by subscription", "GET", "/beta/security/partner/securityAlerts?$filter=detectedDateTime ge now() sub duration'P7D'&$orderby=subscriptionId&$select=subscriptionId,displayName,detectedDateTime", READ),
    first("Search in all texts", "GET", '/beta/security/partner/securityAlerts?$search="mining"&$select=id,displayName', READ),
  ];
}
