/** What the consent page shows; it decides nothing and asks nobody. */

import type { Asked } from "./asked.ts";
import { Card } from "./card.ts";
import { byId, focusOn, show, tell } from "./dom.ts";
import type { Choice } from "./question.ts";

/** What a person may do on the page. */
export interface Acts {
  readonly answer: (choice: Choice) => void;
  readonly back: () => void;
}

/** The page's document. */
export class View {
  readonly #card = new Card(["stuck", "question", "message"]);
  readonly #acts: Acts;
  #asked: Asked | undefined;
  #isOwner = false;
  #isReconsidered = false;

  constructor(acts: Acts) {
    this.#acts = acts;
    byId("back").addEventListener("click", () => acts.back());
    byId("reconsider").addEventListener("click", () => {
      this.#isReconsidered = true;
      if (this.#asked !== undefined) this.question(this.#asked, this.#isOwner);
      focusOn(byId("title")); // the button that had the focus is gone
    });
  }

  /** Show the question; `isOwner`: it can be answered here. */
  question(asked: Asked, isOwner: boolean): void {
    const isAnother = this.#asked !== undefined && this.#asked.code !== asked.code;
    this.#asked = asked;
    this.#isOwner = isOwner;
    const isRemembered = asked.deniedBefore && !this.#isReconsidered;
    if (!isOwner) this.#card.tell(asked);
    else if (isRemembered) this.#card.remind(asked);
    else this.#card.ask(asked, this.#acts.answer);
    show(byId("remembered"), isRemembered);
    show(byId("change"), isRemembered);
    show(byId("reconsider"), isOwner);
    show(byId("waits"), !isOwner);
    show(byId("foot"), isOwner && !isRemembered);
    byId("how").textContent = isRemembered
      ? "To change your answer, run this in a terminal."
      : "To answer, run this in a terminal. The code must be the same there.";
    if (isAnother) tell(byId("news"), "The question was asked again, with a new code.");
  }

  /** The answer is on its way: nothing to press any more. */
  busy(): void {
    this.#card.busy();
  }

  /** The answer did not get through; the question stands. */
  failed(sentence: string): void {
    this.#card.failed(sentence);
  }

  /** Show a message in place of the question; `retry` is what the button says that loads the page again. */
  message(title: string, sentence: string, retry?: string): void {
    show(byId("foot"), false);
    this.#card.message(title, sentence, retry);
  }
}
