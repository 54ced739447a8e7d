/** What the consent page shows; it decides nothing and asks nobody. */

import type { Asked, Scope } from "./asked.ts";
import { byId, copies, make, originLine, show } from "./dom.ts";

/** Nobody answers a question that has been there for less than this; milliseconds. */
const ALIVE_AFTER_MS = 500;

/** What a person may do on the page. */
export interface Acts {
  readonly allow: (scopes: readonly string[]) => void;
  readonly deny: () => void;
  readonly back: () => void;
}

/** The page's document. */
export class View {
  readonly #allow = byId("allow", HTMLButtonElement);
  readonly #deny = byId("deny", HTMLButtonElement);
  readonly #scopes = byId("scopes");
  #code = "";
  #isReconsidered = false;

  constructor(acts: Acts) {
    this.#allow.addEventListener("click", () => acts.allow(this.#chosen()));
    this.#deny.addEventListener("click", () => acts.deny());
    byId("back").addEventListener("click", () => acts.back());
    byId("again").addEventListener("click", () => location.reload());
    copies(byId("copy", HTMLButtonElement), () => `tollbridge approve ${this.#code}`);
    this.#scopes.addEventListener("change", () => (this.#allow.disabled = this.#chosen().length === 0));
    byId("reconsider").addEventListener("click", () => {
      this.#isReconsidered = true;
      show(byId("change"), false);
      show(byId("ours"), true);
      this.#arm();
      this.#deny.focus(); // the button that had the focus is gone
    });
  }

  /** Show the question; `isOwner`: it can be answered here. */
  question(asked: Asked, isOwner: boolean): void {
    this.#code = asked.code;
    const isRemembered = asked.remembered && !this.#isReconsidered;
    this.#only("question");
    this.#asker(asked);
    this.#scopes.replaceChildren(...asked.scopes.map((scope) => (isOwner ? choosable(scope) : plain(scope))));
    show(byId("remembered"), isRemembered);
    show(byId("ours"), isOwner && !isRemembered);
    show(byId("change"), isRemembered);
    show(byId("reconsider"), isOwner);
    show(byId("terminal"), !isOwner);
    show(byId("waits"), !isOwner && !isRemembered);
    show(byId("foot"), true);
    byId("code").textContent = asked.code;
    byId("command").textContent = `tollbridge approve ${asked.code}`;
    if (isRemembered) byId("how").textContent = "To change your answer, run this in a terminal.";
    if (isOwner) this.#arm();
  }

  /** The answer is on its way: nothing to press any more. */
  busy(isBusy: boolean): void {
    this.#allow.disabled = this.#deny.disabled = isBusy;
    show(byId("failed"), false);
  }

  /** The answer did not get through; the question stands. */
  failed(sentence: string): void {
    this.busy(false);
    byId("failed").textContent = sentence;
    show(byId("failed"), true);
  }

  /** Show a message in place of the question; `retry` is what the button says that loads the page again. */
  message(title: string, sentence: string, retry?: string): void {
    this.#only("message");
    byId("message-title").textContent = title;
    byId("message-text").textContent = sentence;
    byId("again").textContent = retry ?? "";
    show(byId("again"), retry !== undefined);
    show(byId("foot"), false);
  }

  #only(section: "question" | "message"): void {
    for (const id of ["stuck", "question", "message"]) show(byId(id), id === section);
  }

  #asker({ client }: Asked): void {
    const isProgram = client.origin === null;
    byId("title").textContent = isProgram
      ? "A program wants to use this computer"
      : "A site wants to use this computer";
    const name = isProgram ? [make("b", "", client.id.replace(/^native:/, ""))] : originLine(client.origin);
    byId("origin").replaceChildren(...name);
    show(byId("unverified"), isProgram);
    show(byId("development"), client.development);
  }

  #arm(): void {
    this.busy(true);
    setTimeout(() => {
      this.#deny.disabled = false;
      this.#allow.disabled = this.#chosen().length === 0;
    }, ALIVE_AFTER_MS);
  }

  #chosen(): string[] {
    const boxes = [...this.#scopes.querySelectorAll<HTMLInputElement>("input")];
    return boxes.filter((box) => box.checked).map((box) => box.value);
  }
}

function choosable({ scope, sentence, granted }: Scope): HTMLElement {
  const box = make("input", "");
  box.type = "checkbox";
  box.value = scope;
  box.checked = true;
  return make("li", "", make("label", "", box, make("span", "", sentence, small(scope, granted))));
}

function plain({ scope, sentence, granted }: Scope): HTMLElement {
  return make("li", "plain", make("span", "", sentence, small(scope, granted)));
}

function small(scope: string, isGranted: boolean): HTMLElement {
  return make("small", "", make("span", "code", scope), isGranted ? " · allowed earlier" : "");
}
