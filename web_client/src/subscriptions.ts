/** Who hears what: handlers by topic, and those who want to know of gaps. */

import { Listeners } from "./listeners.ts";
import type { BridgeEvent, Gap } from "./types.ts";
import { isFields } from "./types.ts";

/** Hears the events of one topic. */
export type Handler = (event: BridgeEvent) => void;

/** The handlers of one page; a topic is listened to from its first handler to its last. */
export class Subscriptions {
  /** Those who hear of gaps. */
  readonly gaps = new Listeners<[Gap]>();
  readonly #handlers = new Map<string, Listeners<[BridgeEvent]>>();
  readonly #onFirst: (topic: string) => void;
  readonly #onLast: (topic: string) => void;

  /** @param onFirst called when a topic gets its first handler, `onLast` when it has lost its last */
  constructor(onFirst: (topic: string) => void, onLast: (topic: string) => void) {
    this.#onFirst = onFirst;
    this.#onLast = onLast;
  }

  /** The topics that somebody hears. */
  get topics(): string[] {
    return [...this.#handlers.keys()];
  }

  /** Add a handler; returns the function that takes it away. */
  add(topic: string, handler: Handler): () => void {
    const handlers = this.#handlers.get(topic) ?? new Listeners<[BridgeEvent]>();
    const remove = handlers.add(handler);
    if (!this.#handlers.has(topic)) {
      this.#handlers.set(topic, handlers);
      this.#onFirst(topic);
    }
    return () => {
      remove();
      if (handlers.isEmpty && this.#handlers.get(topic) === handlers) {
        this.#handlers.delete(topic);
        this.#onLast(topic);
      }
    };
  }

  /** Hand an event to those who hear its topic; a gap concerns everybody. */
  deliver(event: BridgeEvent): void {
    if (event.topic === "tollbridge" && event.name === "gap") this.gaps.tell(gapOf(event.data));
    this.#handlers.get(event.topic)?.tell(event);
  }
}

function gapOf(data: unknown): Gap {
  const { from, to, snapshot } = isFields(data) ? data : {};
  const text = (value: unknown): string | null => (typeof value === "string" ? value : null);
  return { from: text(from), to: text(to), snapshot };
}
