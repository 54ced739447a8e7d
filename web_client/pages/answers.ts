/** The buttons that answer for the owner: they do nothing until what they answer has been seen (`stillness.ts`). */

import { Stillness } from "./stillness.ts";

/** A smaller window shows a button and not the question: whoever opened it chose its size. Of the screen, whatever the zoom. */
const LEAST_WIDTH = 240;
const LEAST_HEIGHT = 320;

/** All answering buttons of a page; one change of what is shown makes all of them wait again. */
export class Answers {
  readonly #still = new Stillness(() => performance.now());
  readonly #buttons = new Set<HTMLButtonElement>();
  readonly #tooEarly: (sentence: string) => void;
  #isHeld = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param tooEarly told, in a sentence, when somebody pressed before it counted */
  constructor(tooEarly: (sentence: string) => void) {
    this.#tooEarly = tooEarly;
    document.addEventListener("visibilitychange", () => this.changed());
    for (const event of ["focus", "blur", "pageshow", "resize"]) addEventListener(event, () => this.changed());
  }

  /** Let a button answer; it is marked `aria-disabled` while it would not, and so keeps the focus. */
  guard(button: HTMLButtonElement, act: () => void): void {
    this.#buttons.add(button);
    button.addEventListener("pointerdown", () => this.#still.press());
    button.addEventListener("keydown", (event) => event.repeat || this.#still.press());
    button.addEventListener("click", () => {
      if (this.#isHeld) return;
      if (this.#still.counts()) act();
      else this.#tooEarly(isLargeEnough() ? "Too quick. Read what is asked, then press again." : "Make this window larger first.");
    });
    this.#mark();
  }

  /** What is shown has changed, or where it is shown. */
  changed(): void {
    this.#still.changed(document.visibilityState === "visible" && document.hasFocus() && isLargeEnough());
    for (const button of this.#buttons) if (!button.isConnected) this.#buttons.delete(button);
    this.#mark();
  }

  /** An answer is on its way: nothing to press any more; when it did not get through, everything is as new. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.changed();
  }

  #mark(): void {
    clearTimeout(this.#timer);
    const { remaining } = this.#still;
    const isAlive = !this.#isHeld && remaining === 0;
    for (const button of this.#buttons) button.setAttribute("aria-disabled", String(!isAlive));
    if (!isAlive && !this.#isHeld && Number.isFinite(remaining)) this.#timer = setTimeout(() => this.#mark(), remaining);
  }
}

function isLargeEnough(): boolean {
  return outerWidth >= LEAST_WIDTH && outerHeight >= LEAST_HEIGHT;
}
