/** A request as the owner reads and answers it, on whichever page: who, what, for how long, and two buttons. */

import type { Answers } from "./answers.ts";
import type { Asked, Client, Command, Scope, Until } from "./asked.ts";
import type { Fields } from "../src/types.ts";
import { button, make, show } from "./dom.ts";
import { isInternational, originParts, programName, untilHints, untilLabels } from "./words.ts";
import { visible, written } from "./written.ts";

/** What the owner chose; without scopes and an end where there was nothing to choose. */
export interface Choice {
  readonly answer: "allow" | "deny";
  readonly scopes?: readonly string[];
  readonly until?: Until;
}

/** How a question stands on its page: `prefix` keeps its ids apart from those of the others there. */
export interface Place {
  readonly prefix: string;
  readonly answers: Answers;
  readonly act: (choice: Choice) => void;
}

/** Write who asks: the origin whole and in ASCII, its domain in bold, and what is worth knowing of it. */
export function askerOf(client: Client, prefix: string): HTMLElement {
  const asker = make("div", "asker");
  if (client.origin === null) {
    const name = withId(make("span", "name", make("b", "", visible(programName(client)))), `${prefix}origin`);
    asker.append(
      make("p", "soft", "A program on this computer that calls itself"),
      make("p", "origin", name, " ", make("span", "tag warn", "not verified")),
    );
    return asker;
  }
  asker.append(withId(make("p", "origin", ...originLine(client)), `${prefix}origin`));
  if (client.development) {
    asker.append(
      make(
        "p",
        "soft development",
        make("span", "tag warn", "Development"),
        " Runs on this computer. What you allow ends by itself, after a week at most.",
      ),
    );
  }
  if (isInternational(client)) {
    asker.append(
      make(
        "p",
        "soft",
        make("span", "tag warn", "Look closely"),
        " The name has letters outside of a to z. Elsewhere it may look like another site’s.",
      ),
    );
  }
  return asker;
}

/** Write an origin: the registrable domain strong, the rest soft. */
export function originLine(client: Client): Node[] {
  const { before, strong, after } = originParts(client);
  return [...dotted(before), make("b", "", ...dotted(strong)), make("span", "port", after)];
}

/** Let a name break after its dots, sooner than within a word. */
function dotted(name: string): Node[] {
  const parts = name.split(/(?<=\.)/);
  return parts.flatMap((part, at) => [...(at > 0 ? [make("wbr", "")] : []), document.createTextNode(part)]);
}

/** Write the wishes of somebody whom this browser cannot answer. */
export function wishes(scopes: readonly Scope[]): HTMLElement {
  const isAgain = scopes.some(({ granted }) => granted);
  const items = scopes.map((scope) => make("li", "plain", make("span", "", ...sentence(scope, isAgain))));
  return make("div", "wish", make("p", "soft", "It wants to"), make("ul", "scopes", ...items));
}

/** Write one run of a command: its parameters whole, in a box that scrolls where they are long. */
export function commandOf({ app, name, summary, params }: Command, prefix: string): HTMLElement {
  const id = `${prefix}params`;
  const label = withId(make("p", "soft", "With exactly these values"), `${id}-label`);
  const values = valuesOf(params, label.id);
  const full = visible(`${app}.${name}`);
  const named = make("p", "soft", "The command ", make("span", "code", full));
  const isEmpty = Object.keys(params).length === 0;
  return make(
    "div",
    "run",
    ...(summary === "" ? [make("p", "summary code", full)] : [make("p", "summary", visible(summary)), named]),
    ...(isEmpty ? [make("p", "soft", "It takes no values.")] : [label, values]),
  );
}

/** Write values whole, in a box that scrolls where they are long; `labelledBy` is the id of what they are. */
export function valuesOf(values: Fields, labelledBy: string): HTMLElement {
  const box = make("pre", "params", written(values));
  box.tabIndex = 0; // so that the keyboard can scroll it
  box.setAttribute("role", "region");
  box.setAttribute("aria-labelledby", labelledBy);
  return box;
}

/** Make the whole of a question that can be answered here. */
export function question(asked: Asked, place: Place): HTMLElement {
  const { prefix, answers, act } = place;
  const isCommand = asked.command !== null;
  const deny = withId(button(isCommand ? "Do not run" : "Deny", ""), `${prefix}deny`);
  const allow = withId(button(isCommand ? "Run once" : "Allow", "primary"), `${prefix}allow`);
  for (const made of [deny, allow]) made.setAttribute("aria-describedby", `${prefix}origin`);
  const scopes = isCommand ? undefined : new Scopes(asked.scopes, prefix, (isSome) => (allow.disabled = !isSome));
  const until = isCommand ? undefined : new Ends(asked, prefix);
  answers.guard(deny, () => act({ answer: "deny" }));
  answers.guard(allow, () =>
    act({
      answer: "allow",
      ...(scopes === undefined ? {} : { scopes: scopes.chosen }),
      ...(until === undefined ? {} : { until: until.chosen }),
    }),
  );
  const buttons = make("div", "choice", deny, allow);
  buttons.setAttribute("role", "group");
  buttons.setAttribute("aria-label", "Your answer");
  return make(
    "div",
    "question",
    askerOf(asked.client, prefix),
    ...(asked.command === null ? [] : [commandOf(asked.command, prefix), make("p", "soft", "Your yes is for this one run, within a minute.")]),
    ...(scopes === undefined ? [] : [scopes.element]),
    ...(until === undefined ? [] : [until.element]),
    buttons,
  );
}

/** What may be allowed, each with a box of its own. */
class Scopes {
  readonly element: HTMLElement;
  readonly #boxes: HTMLInputElement[] = [];

  constructor(scopes: readonly Scope[], prefix: string, changed: (isSome: boolean) => void) {
    const none = withId(make("p", "soft none", "Choose at least one, or deny."), `${prefix}none`);
    show(none, false);
    // Whoever was given something before asks for more, or was refused a part: that part wants a tick of its own.
    const isAgain = scopes.some(({ granted }) => granted);
    const items = scopes.map((scope) => make("li", "", this.#box(scope, isAgain)));
    this.element = make("fieldset", "wish", make("legend", "soft", "It wants to"), make("ul", "scopes", ...items), none);
    this.element.addEventListener("change", () => {
      const isSome = this.chosen.length > 0;
      show(none, !isSome);
      changed(isSome);
    });
  }

  get chosen(): string[] {
    return this.#boxes.filter((box) => box.checked).map((box) => box.value);
  }

  #box(scope: Scope, isAgain: boolean): HTMLElement {
    const box = make("input", "");
    box.type = "checkbox";
    box.value = scope.scope;
    box.checked = scope.granted || !isAgain;
    this.#boxes.push(box);
    return make("label", "", box, make("span", "", ...sentence(scope, isAgain)));
  }
}

/** For how long. */
class Ends {
  readonly element: HTMLElement;
  #chosen: Until;

  constructor({ untils, until }: Asked, prefix: string) {
    this.#chosen = until;
    const hint = withId(make("p", "soft hint", untilHints[until]), `${prefix}hint`);
    hint.setAttribute("role", "status");
    const items = untils.map((one) => this.#radio(one, `${prefix}until`));
    this.element = make("fieldset", "ends", make("legend", "soft", "For how long?"), make("div", "ways", ...items), hint);
    this.element.addEventListener("change", () => (hint.textContent = untilHints[this.#chosen]));
    show(this.element, untils.length > 1);
  }

  get chosen(): Until {
    return this.#chosen;
  }

  #radio(until: Until, name: string): HTMLElement {
    const radio = make("input", "");
    radio.type = "radio";
    radio.name = name;
    radio.value = until;
    radio.checked = until === this.#chosen;
    radio.addEventListener("change", () => (this.#chosen = until));
    return make("label", "", radio, make("span", "", untilLabels[until]));
  }
}

function sentence({ scope, sentence, granted }: Scope, isAgain: boolean): Node[] {
  const tag = granted ? [make("span", "tag good", "allowed before")] : isAgain ? [make("span", "tag", "new")] : [];
  return [document.createTextNode(sentence), make("small", "", make("span", "code", scope), ...tag)];
}

function withId<Kind extends HTMLElement>(element: Kind, id: string): Kind {
  element.id = id;
  return element;
}
