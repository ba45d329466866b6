/**
 * What the API's words are called here. Pure.
 */

const STATUS: Record<string, string> = { active: "Active", investigating: "Investigating", resolved: "Resolved" };
const SEVERITY: Record<string, string> = { high: "High", medium: "Medium", low: "Low", informational: "Informational" };
const REASON: Record<string, string> = { fraud: "fraud", legitimate: "legitimate", ignore: "ignored" };

/** Names of evidence that do not read well when only taken apart. */
const EVIDENCE: Record<string, string> = {
  VM_IP: "Addresses of the machines",
  MiningPool_IP: "Addresses of the mining pool",
  CryptoCurrencyMiningPoolDomainName: "Mining pool",
  ConnectionCount: "Connections",
  Vcpus: "vCPUs",
  UsualVcpus: "Usual vCPUs",
};

/** Kinds of record. */
const KINDS: Record<string, string> = {
  activity: "Activity log", cost: "Cost", flow: "Network flows", sign_in: "Sign-ins", audit: "Entra audit",
  dns: "DNS", firewall: "Firewall", inventory: "Inventory", advisory: "Service Health", security_alert: "Defender alerts",
};

/** Short forms that stay in capitals when a name is taken apart. */
const CAPITALS = new Set([
  "AI", "API", "ARM", "CPU", "CSP", "DNS", "GPU", "ID", "IP", "MFA", "ML", "NSG", "SKU", "SSH", "UPN", "URL",
  "USD", "EUR", "GBP", "UTC", "VM", "VPN",
]);

export const STATUSES = ["active", "investigating", "resolved"] as const;
export const SEVERITIES = ["high", "medium", "low", "informational"] as const;
export const REASONS = ["fraud", "legitimate", "ignore"] as const;

export function statusWord(status: string): string {
  return STATUS[status] ?? taken(status);
}

export function severityWord(severity: string): string {
  return SEVERITY[severity] ?? taken(severity);
}

/** A status with the reason, if there is one: `Resolved as fraud`. */
export function statusPhrase(status: string, reason?: string | null): string {
  if (status !== "resolved" || !reason) return statusWord(status);
  return reason === "ignore" ? "Resolved, ignored" : `Resolved as ${REASON[reason] ?? taken(reason)}`;
}

export function evidenceWord(name: string): string {
  return EVIDENCE[name] ?? taken(name);
}

export function kindWord(kind: string): string {
  return KINDS[kind] ?? taken(kind);
}

/** A kind of alert: `VM_AnomalousDeployment` reads `VM anomalous deployment`. */
export function alertTypeWord(alertType: string): string {
  return taken(alertType);
}

/** A count with its noun. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

export function grouped(count: number): string {
  return count.toLocaleString("en-GB");
}

/** Takes a name of the wire apart: `distinctVmSkus_24h` reads `Distinct VM skus 24h`. */
export function taken(name: unknown): string {
  const words = String(name ?? "unknown")
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .split(/[\s_.-]+/)
    .filter((word) => word !== "")
    .map((word) => (CAPITALS.has(word.toUpperCase()) ? word.toUpperCase() : word.toLowerCase()));
  const text = words.join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
