/** The customers' names by id, read once in the background: what is known is shown, else the id stands for it. */

import { customers } from "./api";
import type { Customer } from "./types";

/** What stands for a customer that no record named, and for the subscription of what concerns a tenant. */
export const NIL = "00000000-0000-0000-0000-000000000000";

/** A browser can hold more, but nobody waits for it. */
const MOST = 25_000;

class Directory {
  known = $state.raw<Map<string, Customer>>(new Map());
  #loading: Promise<void> | null = null;

  load(): Promise<void> {
    this.#loading ??= customers([], MOST).then(
      ({ entries }) => {
        this.known = new Map(entries.map((customer) => [customer.customerTenantId, customer]));
      },
      () => {
        this.#loading = null;
      },
    );
    return this.#loading;
  }

  /** Customers by name, and by name and domain: whoever shares one has to be told apart. */
  #alike = $derived.by(() => {
    const alike = new Map<string, number>();
    for (const { name, domain } of this.known.values()) {
      if (name == null) continue;
      for (const key of [name, `${name}\n${domain}`]) alike.set(key, (alike.get(key) ?? 0) + 1);
    }
    return alike;
  });

  /**
   * What tells a customer from another of the same name: its domain, or the beginning of its id. Whoever stops the
   * machines of the wrong one at 2 am does harm.
   */
  distinction(id: string): string | null {
    const { name, domain } = this.known.get(id) ?? {};
    if (name == null || this.#alike.get(name) === 1) return null;
    return domain != null && this.#alike.get(`${name}\n${domain}`) === 1 ? domain : id.slice(0, 8);
  }

  /** The name of a customer, if a list that was imported told it. */
  name(id: string): string | null {
    const customer = this.known.get(id);
    return customer?.name ?? customer?.domain ?? null;
  }
}

export const directory = new Directory();
