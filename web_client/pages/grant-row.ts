/** One remembered answer on the dashboard: who has it, what it allows, what it does now, and taking it back. */

import { list, number, readClient, text } from "./asked.ts";
import type { Client } from "./asked.ts";
import { make, show } from "./dom.ts";
import { isFields } from "../src/types.ts";
import type { Fields } from "../src/types.ts";
import { originLine } from "./question.ts";
import type { Row } from "./rows.ts";
import { sure } from "./sure.ts";
import { counted, moment, programName } from "./words.ts";

/** What a row needs of its page. */
export interface Acts {
  readonly revoke: (grant: string) => Promise<void>;
  /** Forgets the keys that were told no; what was allowed stays. */
  readonly forgetDenials: (grant: string) => Promise<void>;
  /** Resolves with the grant and its keys. */
  readonly grant: (grant: string) => Promise<Fields>;
  readonly tell: (sentence: string) => void;
}

/** Make the row of one grant. */
export function grantRow(first: Fields, acts: Acts): Row {
  const id = text(first["id"]);
  const client = readClient(first["client"]);
  const isDenied = first["answer"] === "denied";
  const label = isDenied ? "Forget" : isDashboard(client) ? "Sign out" : "Disconnect";
  const end = sure({ label, name: plainName(client), act: () => acts.revoke(id), tell: acts.tell });
  const facts = make("ul", "facts");
  const forget = sure({
    label: "Forget the no",
    name: `to ${plainName(client)}`,
    act: () => acts.forgetDenials(id),
    tell: acts.tell,
  });
  const keys = isDenied ? undefined : new Keys(() => acts.grant(id), plainName(client));
  const what = make("div", "what", nameLine(client), facts, ...(keys === undefined ? [] : [keys.element]));
  const update = (item: Fields): void => {
    const allowed = isDenied ? [] : sentences(item).map((sentence) => make("li", "sentence", sentence));
    show(forget, !isDenied && number(item["denied_keys"]) > 0);
    const lines = isDenied ? deniedFacts(item) : allowedFacts(item);
    facts.replaceChildren(...allowed, ...lines.map((line) => make("li", "", line)));
    keys?.update(item);
  };
  update(first);
  return { element: make("li", "", what, make("div", "acts", forget, end)), update };
}

/** Write who it is, with what is worth knowing of it. */
export function nameLine(client: Client): HTMLElement {
  if (isDashboard(client)) return make("p", "origin", make("b", "", "This dashboard"));
  const tags: HTMLElement[] = [];
  if (client.origin === null) tags.push(make("span", "tag", "program"));
  if (client.development) tags.push(make("span", "tag warn", "development"));
  const shown = client.origin === null ? [make("b", "", programName(client))] : originLine(client);
  return make("p", "origin", make("span", "name", ...shown), ...tags);
}

/** Name it in one plain text. */
export function plainName(client: Client): string {
  return isDashboard(client) ? "this dashboard" : (client.origin ?? programName(client));
}

/** Whether it is this page itself. */
function isDashboard({ id }: Client): boolean {
  return id === location.origin;
}

function deniedFacts(item: Fields): string[] {
  const keys = number(item["denied_keys"]);
  const many = keys > 1 ? ` · asked with ${counted(keys, "key", "keys")}` : "";
  return [`You said no ${moment(item["created"])}${until(item)}${many}`];
}

/** What is allowed; a part that ends sooner than the rest says when. */
function sentences(item: Fields): string[] {
  const scopes = Array.isArray(item["scopes"]) ? item["scopes"].map(text) : [];
  if (scopes.includes("owner")) return ["Answers for you"];
  if (scopes.length === 0) return ["Nothing beyond the once that you allowed"];
  const plain = Array.isArray(item["sentences"]) ? item["sentences"].map(text) : scopes;
  const limits = isFields(item["limits"]) ? item["limits"] : {};
  return scopes.map((scope, at) => {
    const end = limits[scope] === item["until"] ? "" : moment(limits[scope]);
    return `${plain[at] ?? scope}${end === "" ? "" : `, until ${end}`}`;
  });
}

function allowedFacts(item: Fields): string[] {
  const now = [
    counted(number(item["sessions"]), "connection now", "connections now"),
    counted(number(item["commands_today"]), "command today", "commands today"),
  ];
  const denied = number(item["denied_keys"]);
  return [
    `Since ${moment(item["created"])}${until(item)}`,
    now.join(" · "),
    ...(denied > 0 ? [`You said no to ${counted(denied, "other key", "other keys")} of it`] : []),
  ];
}

function until(item: Fields): string {
  return item["until"] == null ? "" : `, until ${moment(item["until"])}`;
}

/** The keys of a grant, one a browser: read when somebody opens them, and again while they are open. */
class Keys {
  readonly element = make("details", "keys");
  readonly #summary = make("summary", "");
  readonly #rows = make("ul", "facts");
  readonly #read: () => Promise<Fields>;
  readonly #name: string;

  constructor(read: () => Promise<Fields>, name: string) {
    this.#read = read;
    this.#name = name;
    this.element.append(this.#summary, this.#rows);
    this.element.addEventListener("toggle", () => void this.#look());
  }

  /** Show how many there are now. */
  update(item: Fields): void {
    const count = number(item["pairings"]);
    show(this.element, count > 0);
    this.#summary.textContent = counted(count, "key", "keys");
    this.#summary.setAttribute("aria-label", `${counted(count, "key", "keys")} of ${this.#name}`);
    void this.#look();
  }

  async #look(): Promise<void> {
    if (!this.element.open) return;
    try {
      const lines = list((await this.#read())["keys"]).map(keyLine);
      this.#rows.replaceChildren(...lines.map((line) => make("li", "", line)));
    } catch {
      // The page says by itself when the daemon is away, or this browser is not the owner's any more.
    }
  }
}

function keyLine(key: Fields): string {
  const live = number(key["sessions"]);
  const now = live > 0 ? ` · ${counted(live, "connection now", "connections now")}` : "";
  const scopes = Array.isArray(key["scopes"]) ? key["scopes"].map(text).join(", ") : "";
  return `Allowed ${moment(key["consented"] ?? key["created"])}${until(key)}${now}${scopes === "" ? "" : ` · ${scopes}`}`;
}
