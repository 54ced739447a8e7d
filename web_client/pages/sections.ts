/** A page that is one card: one of its sections shows at a time, and no answer counts right after another came. */

import { Answers } from "./answers.ts";
import { byId, focusOn, show, tell } from "./dom.ts";

/** The page's document; `ids` are those of its sections, with `message` among them. */
export class Sections {
  readonly answers = new Answers((sentence) => tell(byId("news"), sentence));
  readonly #ids: readonly string[];

  constructor(ids: readonly string[]) {
    this.#ids = ids;
    byId("again").addEventListener("click", () => location.reload());
  }

  /** Show one section alone. */
  only(section: string): void {
    for (const id of this.#ids) show(byId(id), id === section);
    show(byId("failed"), false);
    byId("news").textContent = "";
    this.answers.changed();
  }

  /** An answer is on its way: nothing to press any more. */
  busy(): void {
    show(byId("failed"), false);
    this.answers.hold(true);
  }

  /** The answer did not get through; the question stands. */
  failed(sentence: string): void {
    byId("failed").textContent = sentence;
    show(byId("failed"), true);
    this.answers.hold(false);
  }

  /** Show a message in place of the question; `retry` is what the button says that loads the page again. */
  message(title: string, sentence: string, retry?: string): void {
    byId("message-title").textContent = title;
    byId("message-text").textContent = sentence;
    byId("again").textContent = retry ?? "";
    show(byId("again"), retry !== undefined);
    this.only("message");
    focusOn(byId("message-title"));
  }
}
