/**
 * Changing the status of alerts, and taking it back.
 *
 * The API allows every transition, so what was done can be undone by writing what was there before. The activity log
 * keeps both, as it should. An undo names the version that the change made, so that it never overwrites what somebody
 * else did meanwhile.
 */

import * as api from "./api";
import type { Alert, BatchReply, Change } from "./types";

/** What became of a change of many. */
export interface Outcome {
  changed: Alert[];
  failed: { alert: Alert; why: string }[];
}

/** The change that leads back to how an alert is now. */
export function wayBack(alert: Alert): Change {
  return alert.status === "resolved" && alert.resolvedReason
    ? { status: alert.status, resolvedReason: alert.resolvedReason }
    : { status: alert.status };
}

/** Whether a change would leave an alert as it is. */
export function isSo(alert: Alert, change: Change): boolean {
  return alert.status === change.status && (alert.resolvedReason ?? null) === (change.resolvedReason ?? null);
}

/** Changes each alert, if it is still in the version that was seen. */
export async function changeAll(wanted: { alert: Alert; change: Change }[], progress: (done: number) => void): Promise<Outcome> {
  const outcome: Outcome = { changed: [], failed: [] };
  for (let start = 0; start < wanted.length; start += api.BATCH_MAX) {
    const part = wanted.slice(start, start + api.BATCH_MAX);
    const replies = await api.batch(part.map(({ alert, change }, index) => {
      const etag = alert["@odata.etag"];
      return {
        id: String(index), method: "PATCH",
        url: `/security/partner/securityAlerts/${encodeURIComponent(alert.id)}`,
        headers: { "Content-Type": "application/json", ...(etag === undefined ? {} : { "If-Match": etag }) },
        body: change,
      };
    }));
    part.forEach(({ alert }, index) => sort(alert, replies.get(String(index)), outcome));
    progress(Math.min(wanted.length, start + part.length));
  }
  return outcome;
}

function sort(before: Alert, reply: BatchReply | undefined, outcome: Outcome): void {
  if (reply !== undefined && reply.status >= 200 && reply.status < 300 && reply.body) {
    outcome.changed.push(reply.body as Alert);
    return;
  }
  const message = api.errorOf(reply?.body).message;
  const why = reply?.status === 412 ? "somebody else changed it meanwhile" : typeof message === "string" ? message : "no answer";
  outcome.failed.push({ alert: before, why });
}
