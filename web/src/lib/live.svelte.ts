/**
 * What changed while the page is open, asked by a delta query every few seconds.
 *
 * Pages read `version`: it counts the times that something changed. A page that nobody looks at does not ask.
 */

import { changes } from "./api";

const EVERY_MS = 5_000;
const AFTER_FAILURE_MS = 20_000;

class Live {
  version = $state(0);
  /** The ids that changed last. */
  ids = $state.raw<Set<string>>(new Set());
  state = $state<"starting" | "following" | "broken">("starting");
  /** When the server last said that it is up. */
  heardAt = $state<number | null>(null);
  #link: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Begins to ask; stops with the function that it gives. */
  follow(): () => void {
    let stopped = false;
    const turn = async () => {
      clearTimeout(this.#timer);
      if (stopped) return;
      if (!document.hidden) await this.#ask();
      if (!stopped) this.#timer = setTimeout(turn, this.state === "broken" ? AFTER_FAILURE_MS : EVERY_MS);
    };
    const seen = () => {
      if (!document.hidden) void turn();
    };
    document.addEventListener("visibilitychange", seen);
    void turn();
    return () => {
      stopped = true;
      clearTimeout(this.#timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }

  async #ask(): Promise<void> {
    try {
      const found = new Set<string>();
      const isFirst = this.#link === null;
      let answer = await changes(this.#link);
      for (const id of answer.ids) found.add(id);
      while (answer.next !== null) {
        answer = await changes(answer.next);
        for (const id of answer.ids) found.add(id);
      }
      this.#link = answer.link ?? this.#link;
      this.state = "following";
      this.heardAt = Date.now();
      if (!isFirst && found.size > 0) {
        this.ids = found;
        this.version += 1;
      }
    } catch {
      // A token of the feed may have ended (410): then it starts afresh, and pages load anew.
      if (this.#link !== null) this.version += 1;
      this.#link = null;
      this.state = "broken";
    }
  }
}

export const live = new Live();
