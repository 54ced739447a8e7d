/** A set of functions to be told; one that throws does not keep the news from the others. */

/** Functions that are told of `News`. */
export class Listeners<News extends readonly unknown[]> {
  readonly #told = new Set<(...news: News) => void>();

  /** Whether nobody listens. */
  get isEmpty(): boolean {
    return this.#told.size === 0;
  }

  /** Add a function; returns the one that takes it away. */
  add(listener: (...news: News) => void): () => void {
    const own = (...news: News): void => listener(...news); // the same function may be added twice
    this.#told.add(own);
    return () => void this.#told.delete(own);
  }

  /** Tell them all; what they throw goes to the page's own error handler. */
  tell(...news: News): void {
    for (const listener of [...this.#told]) {
      try {
        listener(...news);
      } catch (error) {
        reportError(error);
      }
    }
  }
}

/** Return `end`, which `signal` calls too, where one is given. */
export function until(signal: AbortSignal | undefined, end: () => void): () => void {
  if (signal === undefined) return end;
  if (signal.aborted) end();
  signal.addEventListener("abort", end, { once: true });
  return () => {
    signal.removeEventListener("abort", end);
    end();
  };
}
