/** The present, for what shows how much time is left. */

const EVERY_MS = 15_000;

class Now {
  at = $state(Date.now());

  constructor() {
    setInterval(() => {
      if (!document.hidden) this.at = Date.now();
    }, EVERY_MS);
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.at = Date.now();
    });
  }
}

export const now = new Now();
