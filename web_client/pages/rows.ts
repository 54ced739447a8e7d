/** A list whose rows stay while what they are about stays: the focus, an open part and a half-given answer stay too. */

import { byId, make } from "./dom.ts";
import type { Fields } from "../src/types.ts";

/** One row; `update` gets what is new about the same thing. */
export interface Row {
  readonly element: HTMLElement;
  readonly update?: (item: Fields) => void;
}

/** What the rows of one list are. */
export interface Kind {
  /** What a row is about; another key is another row. */
  readonly key: (item: Fields) => string;
  readonly row: (item: Fields) => Row;
  /** What the list says when it has none. */
  readonly empty: string;
}

/** The list with `id`, and its count, where the page has one (`ID-count`). */
export class Rows {
  readonly #list: HTMLElement;
  readonly #count: HTMLElement | null;
  readonly #kind: Kind;
  readonly #rows = new Map<string, Row>();
  readonly #empty: HTMLElement;

  constructor(id: string, kind: Kind) {
    this.#list = byId(id);
    this.#count = document.getElementById(`${id}-count`);
    this.#kind = kind;
    this.#empty = make("li", "empty", kind.empty);
  }

  /** Show these; returns the items whose rows are new, and whether any row is gone. */
  show(items: readonly Fields[]): { came: Fields[]; isGone: boolean } {
    const keys = items.map(this.#kind.key);
    const gone = [...this.#rows.keys()].filter((key) => !keys.includes(key));
    for (const key of gone) this.#rows.get(key)?.element.remove();
    for (const key of gone) this.#rows.delete(key);
    const came = items.filter((item, at) => this.#keep(keys[at] ?? "", item));
    this.#order(keys.flatMap((key) => this.#rows.get(key)?.element ?? []));
    if (this.#count !== null) this.#count.textContent = String(items.length);
    return { came, isGone: gone.length > 0 };
  }

  /** Make a row, or tell the one that is there; returns whether it was made. */
  #keep(key: string, item: Fields): boolean {
    const known = this.#rows.get(key);
    if (known === undefined) this.#rows.set(key, this.#kind.row(item));
    else known.update?.(item);
    return known === undefined;
  }

  /** Put rows in order, moving none that stands right: one that is moved loses the focus. */
  #order(elements: readonly HTMLElement[]): void {
    if (elements.length === 0) return this.#list.replaceChildren(this.#empty);
    this.#empty.remove();
    let at = this.#list.firstElementChild;
    for (const element of elements) {
      if (element === at) at = at.nextElementSibling;
      else this.#list.insertBefore(element, at);
    }
  }
}
