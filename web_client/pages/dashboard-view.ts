/** What the dashboard shows; it decides nothing and asks nobody. */

import { Answers } from "./answers.ts";
import { list, number, readAsked, text } from "./asked.ts";
import { byId, focusOn, make, show, tell } from "./dom.ts";
import { grantRow, plainName } from "./grant-row.ts";
import { offerRow } from "./offer-row.ts";
import { question } from "./question.ts";
import type { Choice } from "./question.ts";
import { Rows } from "./rows.ts";
import type { Row } from "./rows.ts";
import type { Fields } from "../src/types.ts";
import { counted, moment, titleOf } from "./words.ts";

/** What a person may do on the page; each resolves once it is done. */
export interface Acts {
  readonly answer: (code: string, choice: Choice) => Promise<void>;
  readonly revoke: (grant: string) => Promise<void>;
  readonly forgetDenials: (grant: string) => Promise<void>;
  readonly grant: (grant: string) => Promise<Fields>;
  readonly withdraw: (offer: string) => Promise<void>;
}

/** The lists of the page. */
export class View {
  readonly #acts: Acts;
  readonly #answers = new Answers((sentence) => this.#tell(sentence));
  readonly #requests: Rows;
  readonly #allowed: Rows;
  readonly #denied: Rows;
  readonly #offers: Rows;
  readonly #refusals: Rows;

  constructor(acts: Acts) {
    this.#acts = acts;
    const told = { ...acts, tell: (sentence: string) => this.#tell(sentence) };
    const grant = { key: idOf, row: (item: Fields) => grantRow(item, told) };
    this.#requests = new Rows("requests", {
      key: ({ age: _, ...rest }) => JSON.stringify(rest), // the age alone is no news
      row: (item) => this.#request(item),
      empty: "Nobody asks for anything now.",
    });
    this.#allowed = new Rows("allowed", {
      ...grant,
      empty: "No site is connected. Open one that uses Tollbridge, and it asks you.",
    });
    this.#denied = new Rows("denied", { ...grant, empty: "" });
    this.#offers = new Rows("offers", { key: idOf, row: (item) => offerRow(item, told), empty: "" });
    this.#refusals = new Rows("refusals", {
      key: (item) => JSON.stringify(item),
      row: refusal,
      empty: "Nothing was refused.",
    });
  }

  /** Show who asks; somebody new is told to whoever does not look. */
  requests(items: readonly Fields[]): void {
    const { came, isGone } = this.#requests.show(items);
    byId("requests").classList.toggle("asks", items.length > 0);
    document.title = items.length > 0 ? `(${items.length}) Tollbridge` : "Tollbridge";
    if (came.length > 0 || isGone) this.#answers.changed(); // what was under the pointer may be another now
    const newest = came.at(-1);
    if (newest !== undefined) {
      const asked = readAsked(newest);
      this.#tell(`${titleOf(asked)}: ${plainName(asked.client)}`);
    }
  }

  /** Show who has an answer. */
  grants(answer: Fields): void {
    const items = list(answer["grants"]);
    const denied = items.filter((item) => item["answer"] === "denied");
    this.#allowed.show(items.filter((item) => item["answer"] !== "denied"));
    this.#denied.show(denied);
    show(byId("denied-group"), denied.length > 0);
  }

  /** Show the links that others may hold. */
  offers(answer: Fields): void {
    const items = list(answer["offers"]);
    this.#offers.show(items);
    show(byId("offers-group"), items.length > 0);
  }

  /** Show what was refused, newest first. */
  refusals(answer: Fields): void {
    this.#refusals.show(list(answer["refusals"]).reverse());
  }

  /** Show where the daemon is and how it fares. */
  facts(status: Fields): void {
    const live = counted(number(status["sessions"]), "page or program", "pages or programs");
    const lines = [`Version ${text(status["version"])}`, text(status["base"]), `${live} listening`];
    byId("facts").replaceChildren(...lines.map((line) => make("span", "", line)));
  }

  /** Something above the questions has come or gone: they have moved. */
  moved(): void {
    this.#answers.changed();
  }

  #request(item: Fields): Row {
    const asked = readAsked(item);
    const code = make("span", "soft", "Code ", make("span", "code", asked.code));
    const title = make("div", "head", make("h3", "", titleOf(asked)), code);
    const act = async (choice: Choice): Promise<void> => {
      this.#answers.hold(true);
      await this.#acts.answer(asked.code, choice);
      this.#answers.hold(false);
      focusOn(byId("requests-title")); // the button that had the focus is gone
    };
    const answering = question(asked, {
      prefix: `${asked.code}-`,
      answers: this.#answers,
      act: (choice) => void act(choice),
    });
    const before = asked.deniedBefore ? [make("p", "note warn", "You said no to it earlier.")] : [];
    return { element: make("li", "request", title, ...before, answering) };
  }

  #tell(sentence: string): void {
    tell(byId("news"), sentence);
  }
}

function idOf(item: Fields): string {
  return text(item["id"]);
}

function refusal(item: Fields): Row {
  const origin = text(item["origin"]);
  const asked = `${text(item["method"])} ${text(item["path"])}`;
  const count = number(item["count"]);
  const where = make("p", "", make("span", "code", asked), origin === "" ? "" : ` from ${origin}`);
  const facts = make(
    "div",
    "facts",
    make("p", "", `${count > 1 ? `${count} times, last ` : ""}${moment(item["time"])} · ${text(item["reason"])}`),
    make("p", "", text(item["remedy"])),
  );
  return { element: make("li", "", make("div", "what", where, facts)) };
}
