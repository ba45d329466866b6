/** What the console says beside its data: news for screen readers, and short messages that can be undone. */

const SHOWN_MS = 12_000;

export interface Message {
  key: number;
  text: string;
  tone: "done" | "failed";
  undo: (() => Promise<void>) | null;
}

class News {
  /** What a screen reader is told next. */
  spoken = $state("");
  messages = $state.raw<Message[]>([]);
  #next = 1;
  #timers = new Map<number, ReturnType<typeof setTimeout>>();

  announce(text: string): void {
    this.spoken = text;
  }

  /** Shows a message for a while; with a way back, if there is one. */
  tell(text: string, { undo = null, tone = "done" }: { undo?: (() => Promise<void>) | null; tone?: Message["tone"] } = {}): void {
    const message: Message = { key: this.#next++, text, tone, undo };
    this.messages = [...this.messages.slice(-2), message];
    this.announce(undo === null ? text : `${text} You can undo this.`);
    this.resume(message.key);
  }

  close(key: number): void {
    this.hold(key);
    this.messages = this.messages.filter((message) => message.key !== key);
  }

  /** A message that has the pointer or the focus stays: WCAG 2.2.1 wants enough time. */
  hold(key: number): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
  }

  resume(key: number): void {
    this.hold(key);
    this.#timers.set(key, setTimeout(() => this.close(key), SHOWN_MS));
  }
}

export const news = new News();
