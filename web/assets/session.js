/**
 * Where the bearer token comes from.
 *
 * In demo mode on loopback the server hands the page a short-lived token. Everywhere else a person
 * pastes one. Either way the token lives in this module's memory alone: a reload forgets it, and no
 * other page or tab can read it.
 */

/** A token with less time than this is renewed before it is used. */
const RENEW_BEFORE_MS = 60_000;

/** Holds the token and renews it. */
export class Session {
  #askPerson;
  #token = null;
  #expiresAt = Infinity;
  #given = false;
  #pending = null;

  /**
   * @param {(refused: boolean) => Promise<string>} askPerson shows the form and gives what was
   *   pasted; `refused` if the server did not take the last token
   */
  constructor(askPerson) {
    this.#askPerson = askPerson;
  }

  /** Whether the token was given by a person, who can be asked again. */
  get isGiven() {
    return this.#given;
  }

  /** A token to send now. */
  async token() {
    const stale = this.#token === null || this.#expiresAt - Date.now() < RENEW_BEFORE_MS;
    return stale ? this.#renew(false) : this.#token;
  }

  /** Another token, after the server refused `refused`. */
  async replace(refused) {
    // Of several requests that were refused together, the first renews and the others find it done.
    return this.#token !== null && this.#token !== refused ? this.#token : this.#renew(true);
  }

  #renew(refused) {
    this.#pending ??= this.#obtain(refused).finally(() => {
      this.#pending = null;
    });
    return this.#pending;
  }

  async #obtain(refused) {
    const issued = this.#given ? null : await demoToken();
    if (issued !== null) {
      this.#token = issued.accessToken;
      this.#expiresAt = expiryOf(issued.expiresOn);
    } else {
      this.#token = await this.#askPerson(refused && this.#token !== null);
      this.#expiresAt = Infinity;
      this.#given = true;
    }
    return this.#token;
  }
}

/** The server's own token for this page; null if it does not run in demo mode. */
async function demoToken() {
  const response = await fetch("/demo/token", { headers: { accept: "application/json" }, cache: "no-store" });
  if (!response.ok) return null;
  const issued = await response.json();
  return typeof issued.accessToken === "string" ? issued : null;
}

/** An unreadable expiry means that the token is used until the server refuses it. */
function expiryOf(text) {
  const at = Date.parse(text);
  return Number.isNaN(at) ? Infinity : at;
}
