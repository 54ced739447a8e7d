/**
 * When a click on an answer counts: not before the person can have seen what is asked. Pure but for the clock.
 *
 * A page can have a person click twice, and open or uncover our window between the two clicks; a request can be replaced
 * by another under the pointer; a key can be held down. So an answer counts only when what is shown has been there,
 * visible and in front, without a change, for `ALIVE_AFTER_MS`, before the button was pressed and when it is let go.
 */

export const ALIVE_AFTER_MS = 500;

/** How long what is shown has been still; `now` in milliseconds, never running back. */
export class Stillness {
  readonly #now: () => number;
  #since = Number.POSITIVE_INFINITY;
  #pressedAt: number | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Something has changed, or the window has come to the front or gone to the back: count from now. */
  changed(isInFront: boolean): void {
    this.#since = isInFront ? this.#now() : Number.POSITIVE_INFINITY;
  }

  /** How long until an answer counts: 0 when it does, infinite while the window is not in front. */
  get remaining(): number {
    return Math.max(0, this.#since + ALIVE_AFTER_MS - this.#now());
  }

  /** A pointer or a key goes down on a button; the repeats of a key that is held are no new press. */
  press(): void {
    this.#pressedAt = this.#now();
  }

  /** Whether a click counts now. One without a press, as assistive technology makes it, is held to its own moment. */
  counts(): boolean {
    const pressedAt = this.#pressedAt ?? this.#now();
    if (this.remaining > 0 || pressedAt < this.#since + ALIVE_AFTER_MS) return false;
    this.#pressedAt = undefined;
    return true;
  }
}
