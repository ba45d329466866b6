/**
 * The resources that an alert names.
 */

import { h } from "./dom.js";
import { shortened } from "./evidence.js";
import { taken } from "./words.js";

/** The affected resources; words if there are none. */
export function resourcesNode(resources) {
  if (resources.length === 0) {
    return h("p", { class: "nothing" }, "None named. Some kinds of alert concern the subscription as a whole.");
  }
  return shortened(resources, "resources", (shown) =>
    h("ul", { class: "resources" }, shown.map((resource) => resourceNode(resource))));
}

function resourceNode(resource) {
  const { name, kind, group } = readResource(resource.resourceId);
  const about = [kind ?? taken(resource.resourceType), group === null ? null : `in ${group}`]
    .filter((part) => part !== null)
    .join(" ");
  return h("li", {},
    h("span", { class: "resource-name" }, name), " ", h("span", { class: "resource-about" }, about),
    h("span", { class: "resource-path id-whole" }, resource.resourceId));
}

/**
 * Takes an Azure resource path apart.
 *
 * @returns {{name: string, kind: string|null, group: string|null}} kind is the provider's type, such
 *   as `microsoft.compute/virtualmachines`; a path of another shape is its own name
 */
export function readResource(path) {
  const segments = path.split("/").filter((segment) => segment !== "");
  const after = (word) => {
    const at = segments.findIndex((segment) => segment.toLowerCase() === word);
    return at >= 0 && at + 1 < segments.length ? segments[at + 1] : null;
  };
  const group = after("resourcegroups");
  const provider = segments.map((segment) => segment.toLowerCase()).lastIndexOf("providers");
  if (provider < 0) return { name: segments.at(-1) ?? path, kind: kindOfScope(segments), group: null };
  // After the provider come pairs of type and name, one for each level.
  const pairs = segments.slice(provider + 2);
  const types = pairs.filter((_, index) => index % 2 === 0);
  const names = pairs.filter((_, index) => index % 2 === 1);
  return {
    name: names.length > 0 ? names.join(" / ") : segments.at(-1),
    kind: [segments[provider + 1], ...types].filter(Boolean).join("/"),
    group,
  };
}

function kindOfScope(segments) {
  const kind = segments.at(-2)?.toLowerCase();
  return { subscriptions: "subscription", resourcegroups: "resource group" }[kind] ?? null;
}
