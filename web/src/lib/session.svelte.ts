/**
 * Where the bearer token comes from.
 *
 * In demo mode on loopback the server hands the page a short-lived token. Everywhere else a person
 * pastes one. Either way the token lives in this module's memory alone: a reload forgets it, and no
 * other page or tab can read it.
 */

/** A token with less time than this is renewed before it is used. */
const RENEW_BEFORE_MS = 60_000;

/** What a token says of its bearer; read for display, never for a decision. */
export type Claims = Record<string, unknown>;

class Session {
  #token: string | null = null;
  #expiresAt = Infinity;
  #given = false;
  #pending: Promise<string> | null = null;
  #answer: ((token: string) => void) | null = null;

  /** The form that is to be shown: not at all, for the first time, or because the last token was refused. */
  asking = $state<"no" | "first" | "refused">("no");

  /** What the present token says. */
  claims = $state.raw<Claims | null>(null);

  /** Whether the token was given by a person, who can be asked again. */
  get isGiven(): boolean {
    return this.#given;
  }

  /** A token to send now. */
  async token(): Promise<string> {
    const stale = this.#token === null || this.#expiresAt - Date.now() < RENEW_BEFORE_MS;
    return stale || this.#token === null ? this.#renew(false) : this.#token;
  }

  /** Another token, after the server refused `refused`. */
  async replace(refused: string): Promise<string> {
    // Of several requests that were refused together, the first renews and the others find it done.
    return this.#token !== null && this.#token !== refused ? this.#token : this.#renew(true);
  }

  /** What the person pasted into the form. */
  give(token: string): void {
    this.asking = "no";
    this.#answer?.(token);
    this.#answer = null;
  }

  /** Whether the token allows to change alerts; unknown counts as yes, since the server decides. */
  get mayWrite(): boolean {
    const granted = permissionsOf(this.claims);
    return granted.length === 0 || granted.includes("PartnerSecurity.ReadWrite.All");
  }

  #renew(refused: boolean): Promise<string> {
    this.#pending ??= this.#obtain(refused).finally(() => {
      this.#pending = null;
    });
    return this.#pending;
  }

  async #obtain(refused: boolean): Promise<string> {
    const issued = this.#given ? null : await demoToken();
    if (issued !== null) {
      this.#token = issued.accessToken;
      this.#expiresAt = expiryOf(issued.expiresOn);
    } else {
      const again = refused && this.#token !== null;
      this.#token = await new Promise<string>((resolve) => {
        this.#answer = resolve;
        this.asking = again ? "refused" : "first";
      });
      this.#expiresAt = Infinity;
      this.#given = true;
    }
    this.claims = readClaims(this.#token);
    return this.#token;
  }
}

/** The one session of this page. */
export const session = new Session();

/** The permissions that claims grant, whether a user's or an application's. */
export function permissionsOf(claims: Claims | null): string[] {
  const scopes = typeof claims?.scp === "string" ? claims.scp.split(" ") : [];
  const roles = Array.isArray(claims?.roles) ? claims.roles.filter((role) => typeof role === "string") : [];
  return [...scopes, ...roles].filter((name) => name !== "");
}

/** The claims of a token; null if it is none that can be read. */
export function readClaims(token: string): Claims | null {
  try {
    const part = token.split(".")[1] ?? "";
    const bytes = Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

/** The server's own token for this page; null if it does not run in demo mode. */
async function demoToken(): Promise<{ accessToken: string; expiresOn: string } | null> {
  const response = await fetch("/demo/token", { headers: { accept: "application/json" }, cache: "no-store" });
  if (!response.ok) return null;
  const issued = await response.json();
  return typeof issued.accessToken === "string" ? issued : null;
}

/** An unreadable expiry means that the token is used until the server refuses it. */
function expiryOf(text: string): number {
  const at = Date.parse(text);
  return Number.isNaN(at) ? Infinity : at;
}
