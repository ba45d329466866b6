/** How a person likes the console: kept in this browser. */

import { keep, recall } from "./kept";

export type Theme = "system" | "light" | "dark";
export type Density = "compact" | "roomy";

class Settings {
  #theme = $state<Theme>(recall("theme", "system", (value) => ["system", "light", "dark"].includes(value as string)));
  #density = $state<Density>(recall("density", "compact", (value) => ["compact", "roomy"].includes(value as string)));
  #singleKeys = $state<boolean>(recall("singleKeys", true, (value) => typeof value === "boolean"));

  constructor() {
    this.#applyTheme();
  }

  get theme(): Theme {
    return this.#theme;
  }

  set theme(theme: Theme) {
    this.#theme = theme;
    keep("theme", theme);
    this.#applyTheme();
  }

  get density(): Density {
    return this.#density;
  }

  set density(density: Density) {
    this.#density = density;
    keep("density", density);
  }

  /** Whether keys without Ctrl or Alt do something outside the table. WCAG 2.1.4 wants a way to turn them off. */
  get singleKeys(): boolean {
    return this.#singleKeys;
  }

  set singleKeys(on: boolean) {
    this.#singleKeys = on;
    keep("singleKeys", on);
  }

  #applyTheme(): void {
    const root = document.documentElement;
    if (this.#theme === "system") delete root.dataset.theme;
    else root.dataset.theme = this.#theme;
  }
}

export const settings = new Settings();
