/**
 * Where the person is: the part of the address after `#`.
 *
 * The server knows one page, so the place is in the fragment, which also keeps it out of logs on the way.
 */

export interface Place {
  /** `/alerts/…`, always with a slash in front. */
  path: string;
  query: URLSearchParams;
}

class Router {
  place = $state.raw<Place>(read(location.hash));

  constructor() {
    addEventListener("hashchange", () => {
      this.place = read(location.hash);
    });
  }

  /** The parts of the path, decoded. */
  get parts(): string[] {
    return this.place.path.split("/").filter((part) => part !== "").map(decoded);
  }

  /** Goes somewhere; `replace` leaves no trace in the history. */
  go(address: string, { replace = false } = {}): void {
    if (address === location.hash) return;
    if (!replace) {
      location.hash = address;
      return;
    }
    history.replaceState(null, "", address);
    this.place = read(address);
  }
}

/** The one router of this page. */
export const router = new Router();

/** The address of a place, with the parts of the query that are set. */
export function address(path: string, query: Record<string, string | null | undefined> = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") parameters.set(name, value);
  }
  const text = parameters.toString();
  return `#${path}${text === "" ? "" : `?${text}`}`;
}

export function alertAddress(id: string): string {
  return address(`/alerts/${encodeURIComponent(id)}`);
}

function read(hash: string): Place {
  const text = hash.replace(/^#/, "");
  const at = text.indexOf("?");
  const path = at < 0 ? text : text.slice(0, at);
  const query = new URLSearchParams(at < 0 ? "" : text.slice(at + 1));
  // Until the console there was nothing but the list, at the root, with its query.
  const isOldList = (path === "" || path === "/") && [...query.keys()].length > 0;
  return { path: isOldList ? "/alerts" : path || "/", query };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
