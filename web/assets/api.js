/**
 * The public API, as any other client sees it.
 */

const ALERTS = "/beta/security/partner/securityAlerts";
const DETECTORS = "/tenantwatch/v1/detectors";

/** What a row of the list needs; a body whole may list hundreds of resources. */
const ROW_PROPERTIES = [
  "id", "alertType", "displayName", "severity", "status", "detectedDateTime", "customerTenantId",
  "subscriptionId", "resolvedReason", "resolvedOnDateTime", "isTest",
].join(",");

const PAGE_SIZE = 25;

/** A request that did not succeed. */
export class ApiError extends Error {
  /**
   * @param {number} status the HTTP status; 0 if the server could not be reached
   * @param {object} body Graph's error body, or as much of it as there is
   */
  constructor(status, body) {
    super(body.message || `The server answered ${status}.`);
    this.name = "ApiError";
    this.status = status;
    this.code = body.code ?? null;
    const inner = body.innerError ?? body.innererror ?? {};
    this.requestId = inner["request-id"] ?? null;
  }
}

/** The API with a session's token. */
export class Api {
  #session;
  #detectors = null;

  constructor(session) {
    this.#session = session;
  }

  /** The first page of alerts. */
  async alerts(filter, order, signal) {
    const parameters = { $select: ROW_PROPERTIES, $orderby: order, $top: PAGE_SIZE, $count: true };
    if (filter !== "") parameters.$filter = filter;
    return page(await this.#request(`${ALERTS}?${encode(parameters)}`, { signal }));
  }

  /**
   * The page that a link leads to.
   *
   * Only its path is used: the token must not go to another host, and behind a proxy the link may
   * carry a name that the browser does not know.
   */
  async nextAlerts(link, signal) {
    const { pathname, search } = new URL(link, location.origin);
    return page(await this.#request(pathname + search, { signal }));
  }

  /** How many alerts a filter leaves. */
  async countAlerts(filter) {
    const parameters = { $select: "id", $top: 1, $count: true };
    if (filter !== "") parameters.$filter = filter;
    return page(await this.#request(`${ALERTS}?${encode(parameters)}`)).count;
  }

  /** One alert, whole. */
  async alert(id, signal) {
    return this.#request(`${ALERTS}/${encodeURIComponent(id)}`, { signal });
  }

  /** Changes the status of an alert; gives the alert as it then is. */
  async changeStatus(id, change) {
    return this.#request(`${ALERTS}/${encodeURIComponent(id)}`, { method: "PATCH", body: change });
  }

  /** All detectors. They change only with the server's files, so one answer serves the page. */
  async detectors() {
    this.#detectors ??= this.#request(DETECTORS).then((answer) => answer.value ?? []);
    try {
      return await this.#detectors;
    } catch (error) {
      this.#detectors = null;
      throw error;
    }
  }

  /** Sends a request; a refused token is replaced once, or as often as a person gives another. */
  async #request(path, options = {}) {
    let token = await this.#tokenFrom(() => this.#session.token());
    let response = await send(path, token, options);
    let replaced = false;
    while (response.status === 401 && (this.#session.isGiven || !replaced)) {
      const refused = token;
      token = await this.#tokenFrom(() => this.#session.replace(refused));
      response = await send(path, token, options);
      replaced = true;
    }
    if (!response.ok) throw new ApiError(response.status, await errorBody(response));
    return response.json();
  }

  async #tokenFrom(source) {
    try {
      return await source();
    } catch (error) {
      throw unreachable(error);
    }
  }
}

async function send(path, token, { method = "GET", body, signal }) {
  const headers = { accept: "application/json", authorization: `Bearer ${token}` };
  if (body !== undefined) headers["content-type"] = "application/json";
  try {
    return await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      signal,
    });
  } catch (error) {
    throw unreachable(error);
  }
}

/** Fetch tells a failed connection as a TypeError; an abandoned request keeps its own name. */
function unreachable(error) {
  if (!(error instanceof TypeError)) return error;
  return new ApiError(0, { message: "The server does not answer." });
}

/** A proxy on the way may answer with something else than Graph's body; then the status must do. */
async function errorBody(response) {
  try {
    return (await response.json()).error ?? {};
  } catch {
    return {};
  }
}

function page(answer) {
  return {
    alerts: answer.value ?? [],
    count: answer["@odata.count"] ?? null,
    nextLink: answer["@odata.nextLink"] ?? null,
  };
}

/** Spaces as `%20`: `+` means a space only in forms, and not every server reads it so. */
function encode(parameters) {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join("&");
}
