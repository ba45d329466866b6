/**
 * What this browser remembers for its person. Storage may be forbidden or full, and may hold what another
 * version wrote; then the console works on without it.
 */

const PREFIX = "tenantwatch.";

/** What was kept under a name, if it is what `isSound` says. */
export function recall<T>(name: string, otherwise: T, isSound: (value: unknown) => boolean): T {
  try {
    const text = localStorage.getItem(PREFIX + name);
    if (text === null) return otherwise;
    const value: unknown = JSON.parse(text);
    return isSound(value) ? (value as T) : otherwise;
  } catch {
    return otherwise;
  }
}

/** Keeps a value; null forgets it. Tells whether it worked. */
export function keep(name: string, value: unknown): boolean {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
