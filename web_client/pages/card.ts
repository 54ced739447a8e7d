/** The card of a request: answered here by whoever holds the owner's key, or in a terminal. */

import type { Asked } from "./asked.ts";
import { byId, copies, make, show } from "./dom.ts";
import { askerOf, commandOf, question, wishes } from "./question.ts";
import type { Choice } from "./question.ts";
import { Sections } from "./sections.ts";
import { titleOf } from "./words.ts";

/** The sections of a page about a request, with `question` among them. */
export class Card extends Sections {
  #code = "";

  constructor(ids: readonly string[]) {
    super(ids);
    copies(byId("copy", HTMLButtonElement), () => `tollbridge approve ${this.#code}`);
  }

  /** Show a question that is answered here. */
  ask(asked: Asked, act: (choice: Choice) => void): void {
    this.#show(asked, question(asked, { prefix: "", answers: this.answers, act }));
    show(byId("terminal"), false);
    this.only("question");
  }

  /** Show a question that is answered elsewhere: here nobody holds the owner's key. */
  tell(asked: Asked): void {
    const what = asked.command === null ? wishes(asked.scopes) : commandOf(asked.command, "");
    this.#show(asked, make("div", "question", askerOf(asked.client, ""), what));
    this.terminal(asked.code);
    this.only("question");
  }

  /** Show a question whose answer stands already: no choice is offered. */
  remind(asked: Asked): void {
    this.#show(asked, make("div", "question", askerOf(asked.client, "")));
    show(byId("terminal"), false);
    this.only("question");
  }

  /** Show how to answer in a terminal. */
  terminal(code: string): void {
    this.#code = code;
    byId("code").textContent = code;
    byId("command").textContent = `tollbridge approve ${code}`;
    show(byId("terminal"), true);
  }

  #show(asked: Asked, content: HTMLElement): void {
    byId("title").textContent = titleOf(asked);
    byId("asked").replaceChildren(content);
    this.answers.hold(false);
  }
}
