/** What the page for codes shows; it decides nothing and asks nobody. */

import type { Asked } from "./asked.ts";
import { Card } from "./card.ts";
import { byId, focusOn, show } from "./dom.ts";
import type { Choice } from "./question.ts";

/** What a person may do on the page. */
export interface Acts {
  readonly look: (typed: string) => void;
  readonly answer: (choice: Choice) => void;
}

/** The page's document. */
export class View {
  readonly #card = new Card(["stuck", "enter", "question", "elsewhere", "message"]);
  readonly #acts: Acts;
  readonly #typed = byId("typed", HTMLInputElement);

  constructor(acts: Acts) {
    this.#acts = acts;
    byId("form").addEventListener("submit", (event) => {
      event.preventDefault();
      acts.look(this.#typed.value);
    });
    byId("other").addEventListener("click", () => {
      this.enter("");
      this.#typed.focus();
    });
  }

  /** Ask for a code; one that came in the address stands there already, and still wants a click (RFC 8628 section 3.3.1). */
  enter(code: string): void {
    this.#typed.value = code;
    byId("enter-title").textContent = code === "" ? "Answer a code" : "Did you start this?";
    show(byId("enter-why"), code === "");
    show(byId("enter-warning"), code !== "");
    this.wrong("");
    this.#card.only("enter");
  }

  /** Say what is wrong with the code, beside it. */
  wrong(sentence: string): void {
    byId("wrong").textContent = sentence;
    this.#typed.setAttribute("aria-invalid", String(sentence !== ""));
    byId("continue", HTMLButtonElement).disabled = false;
    if (sentence !== "") this.#typed.focus();
  }

  /** The code is being looked up. */
  looking(): void {
    byId("continue", HTMLButtonElement).disabled = true;
  }

  /** Show what a code asks. */
  question(asked: Asked): void {
    byId("matched").textContent = asked.code;
    show(byId("trust"), asked.kind !== "command"); // there the values matter, and need the room
    this.#card.ask(asked, this.#acts.answer);
    focusOn(byId("title"));
  }

  /** Show how to answer where this browser cannot. */
  elsewhere(code: string): void {
    this.#card.terminal(code);
    this.#card.only("elsewhere");
    focusOn(byId("elsewhere-title"));
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
    this.#card.message(title, sentence, retry);
  }
}
