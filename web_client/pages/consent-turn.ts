/** Whose turn it is to ask: of the windows of one domain the newest asks, and an older one waits until that is gone. */

/**
 * One window's part in it. The turn is a lock (Web Locks) that a newer window steals: the browser itself gives it back
 * when its window is closed or left, or its process dies, which no message of a window could be trusted to tell.
 */
export class Turn {
  #lost = new AbortController();
  #isMine = false;

  /** Aborted once a newer window has taken the turn from this one. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Take the turn from whichever window has it; `asker` names what one window at a time asks for. */
  async take(asker: string): Promise<void> {
    if (!this.#isMine) await this.#request(asker, { steal: true });
  }

  /** Wait until no other window has the turn, and take it. */
  async wait(asker: string): Promise<void> {
    await this.#request(asker, {});
  }

  #request(asker: string, options: LockOptions): Promise<void> {
    return new Promise((granted, failed) => {
      const lost = new AbortController();
      const held = (): Promise<void> => {
        this.#lost = lost;
        this.#isMine = true;
        granted();
        return new Promise(() => {}); // as long as this window lives
      };
      navigator.locks.request(`tollbridge-asking ${asker}`, options, held).catch((error: unknown) => {
        this.#isMine = false;
        lost.abort();
        failed(error instanceof Error ? error : new Error("no lock")); // of no account once it was granted
      });
    });
  }
}
