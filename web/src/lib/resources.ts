/** An Azure resource path, taken apart. */
export interface Resource {
  name: string;
  /** The provider's type, such as `microsoft.compute/virtualmachines`. */
  kind: string | null;
  group: string | null;
}

/** Takes an Azure resource path apart; a path of another shape is its own name. */
export function readResource(path: string): Resource {
  const segments = path.split("/").filter((segment) => segment !== "");
  const after = (word: string) => {
    const at = segments.findIndex((segment) => segment.toLowerCase() === word);
    return at >= 0 ? (segments[at + 1] ?? null) : null;
  };
  const provider = segments.map((segment) => segment.toLowerCase()).lastIndexOf("providers");
  if (provider < 0) return { name: segments.at(-1) ?? path, kind: kindOfScope(segments), group: null };
  // After the provider come pairs of type and name, one for each level.
  const pairs = segments.slice(provider + 2);
  const types = pairs.filter((_, index) => index % 2 === 0);
  const names = pairs.filter((_, index) => index % 2 === 1);
  return {
    name: names.length > 0 ? names.join(" / ") : (segments.at(-1) ?? path),
    kind: [segments[provider + 1], ...types].filter(Boolean).join("/"),
    group: after("resourcegroups"),
  };
}

function kindOfScope(segments: string[]): string | null {
  const kind = segments.at(-2)?.toLowerCase() ?? "";
  return { subscriptions: "subscription", resourcegroups: "resource group" }[kind] ?? null;
}
