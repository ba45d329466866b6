/**
 * What the API's words are called on the page. Pure.
 */

const STATUS = { active: "Active", investigating: "Investigating", resolved: "Resolved" };
const SEVERITY = { high: "High", medium: "Medium", low: "Low", informational: "Informational" };
const REASON = { fraud: "fraud", legitimate: "legitimate", ignore: "ignored" };

/** Names of evidence that do not read well when only taken apart. */
const EVIDENCE = {
  VM_IP: "Addresses of the machines",
  MiningPool_IP: "Addresses of the mining pool",
  CryptoCurrencyMiningPoolDomainName: "Mining pool",
  ConnectionCount: "Connections",
  Vcpus: "vCPUs",
  UsualVcpus: "Usual vCPUs",
};

/** Short forms that stay in capitals when a name is taken apart. */
const CAPITALS = new Set([
  "AI", "API", "ARM", "CPU", "CSP", "DNS", "GPU", "ID", "IP", "MFA", "ML", "NSG", "SKU", "SSH", "UPN", "URL",
  "USD", "EUR", "GBP", "UTC", "VM", "VPN",
]);

/** A status. */
export function statusWord(status) {
  return STATUS[status] ?? taken(status);
}

/** A severity. */
export function severityWord(severity) {
  return SEVERITY[severity] ?? taken(severity);
}

/** A status with the reason, if there is one: `Resolved as fraud`. */
export function statusPhrase(status, reason) {
  if (status !== "resolved" || !reason) return statusWord(status);
  return reason === "ignore" ? "Resolved, ignored" : `Resolved as ${REASON[reason] ?? taken(reason)}`;
}

/** The name of a piece of evidence. */
export function evidenceWord(name) {
  return EVIDENCE[name] ?? taken(name);
}

/** A kind of alert: `VM_AnomalousDeployment` reads `VM anomalous deployment`. */
export function alertTypeWord(alertType) {
  return taken(alertType);
}

/** Takes a name of the wire apart: `distinctVmSkus_24h` reads `Distinct VM skus 24h`. */
export function taken(name) {
  const words = String(name ?? "unknown")
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .split(/[\s_.-]+/)
    .filter((word) => word !== "")
    .map((word) => (CAPITALS.has(word.toUpperCase()) ? word.toUpperCase() : word.toLowerCase()));
  const text = words.join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
