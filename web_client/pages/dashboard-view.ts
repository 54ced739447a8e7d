/** What the dashboard shows, row by row; it decides nothing and asks nobody. */

import { list, readAsked, readClient, text } from "./asked.ts";
import type { Client } from "./asked.ts";
import { byId, make, originLine, show } from "./dom.ts";
import type { Fields } from "../src/types.ts";

/** What a person may do on the page; each resolves once it is done. */
export interface Acts {
  readonly answer: (code: string, answer: "allow" | "deny") => Promise<void>;
  readonly revoke: (grant: string) => Promise<void>;
}

/** The lists of the page; one is built again only when what it shows has changed, so that the focus stays. */
export class View {
  readonly #acts: Acts;
  readonly #shown = new Map<string, string>();

  constructor(acts: Acts) {
    this.#acts = acts;
  }

  /** Show who asks. */
  requests(answer: Fields): void {
    const items = list(answer["requests"]);
    const same = items.map(({ age: _, ...rest }) => rest); // the age alone is no news
    this.#rows("requests", same, "Nobody asks for anything now.", (item) => this.#request(item));
    byId("requests").classList.toggle("asks", items.length > 0);
    document.title = items.length > 0 ? `(${items.length}) Tollbridge` : "Tollbridge";
  }

  /** Show who has an answer. */
  grants(answer: Fields): void {
    const items = list(answer["grants"]);
    const denied = items.filter((item) => item["answer"] === "denied");
    const allowed = items.filter((item) => item["answer"] !== "denied");
    const empty = "No site is connected. Open one that uses Tollbridge, and it asks you.";
    this.#rows("allowed", allowed, empty, (item) => this.#grant(item));
    this.#rows("denied", denied, "", (item) => this.#grant(item));
    show(byId("denied-group"), denied.length > 0);
  }

  /** Show what was refused, newest first. */
  refusals(answer: Fields): void {
    this.#rows("refusals", list(answer["refusals"]).reverse(), "Nothing was refused.", refusal);
  }

  /** Show where the daemon is and how it fares. */
  facts(status: Fields): void {
    const lines = [
      `Version ${text(status["version"])}`,
      text(status["base"]),
      live(Number(status["sessions"] ?? 0)),
    ];
    byId("facts").replaceChildren(...lines.map((line) => make("span", "", line)));
  }

  #rows(id: string, items: readonly Fields[], empty: string, row: (item: Fields) => HTMLElement): void {
    const now = JSON.stringify(items);
    if (this.#shown.get(id) === now) return;
    this.#shown.set(id, now);
    byId(id).replaceChildren(...(items.length > 0 ? items.map(row) : [make("li", "empty", empty)]));
    const count = document.getElementById(`${id}-count`);
    if (count !== null) count.textContent = String(items.length);
  }

  #request(item: Fields): HTMLElement {
    const { client, scopes, code } = readAsked(item);
    const sentences = make("ul", "sentences soft", ...scopes.map(({ sentence }) => make("li", "", sentence)));
    const act = (answer: "allow" | "deny") => () => this.#acts.answer(code, answer);
    const deny = button("Deny", "small", act("deny"));
    const allow = button("Allow", "small primary", act("allow"));
    const what = make("div", "what", name(client), sentences, make("p", "facts", "Code ", make("span", "code", code)));
    return make("li", "", what, make("div", "acts", deny, allow));
  }

  #grant(item: Fields): HTMLElement {
    const client = readClient(item["client"]);
    const isDenied = item["answer"] === "denied";
    const label = isDenied ? "Forget" : isDashboard(client) ? "Sign out" : "Disconnect";
    const end = sure(label, () => this.#acts.revoke(text(item["id"])));
    end.setAttribute("aria-label", `${label} ${client.id}`);
    const what = make(
      "div",
      "what",
      name(client),
      make("ul", "facts", ...facts(item, isDenied).map((fact) => make("li", "", fact))),
    );
    return make("li", "", what, make("div", "acts", end));
  }
}

function live(count: number): string {
  return `${count} ${count === 1 ? "page or program" : "pages or programs"} listening`;
}

function name(client: Client): HTMLElement {
  const tags: HTMLElement[] = [];
  if (isDashboard(client)) return make("p", "origin", make("b", "", "This dashboard"));
  if (client.kind === "native") tags.push(make("span", "tag", "program"));
  if (client.development) tags.push(make("span", "tag warn", "development"));
  const shown = client.origin === null ? [make("b", "", client.id.replace(/^native:/, ""))] : originLine(client.origin);
  return make("p", "origin", make("span", "name", ...shown), ...tags);
}

/** Whether it is this page itself. */
function isDashboard({ id }: Client): boolean {
  return id === location.origin;
}

function facts(item: Fields, isDenied: boolean): string[] {
  const since = `${isDenied ? "You said no" : "Since"} ${day(item["created"])}`;
  const until = item["until"] == null ? "" : `, until ${day(item["until"])}`;
  if (isDenied) return [since + until];
  const count = Number(item["pairings"] ?? 0);
  const scopes = Array.isArray(item["scopes"]) ? item["scopes"].map(text) : [];
  const sentences = Array.isArray(item["sentences"]) ? item["sentences"].map(text) : scopes;
  return [
    ...(scopes.includes("owner") ? ["Answers for you"] : sentences),
    `${since}${until} · ${count} ${count === 1 ? "key" : "keys"}`,
  ];
}

function refusal(item: Fields): HTMLElement {
  const origin = text(item["origin"]);
  const asked = `${text(item["method"])} ${text(item["path"])}`;
  const count = Number(item["count"] ?? 1);
  const where = make("p", "", make("span", "code", asked), origin === "" ? "" : ` from ${origin}`);
  const facts = make(
    "div",
    "facts",
    make("p", "", `${count > 1 ? `${count} times, last ` : ""}${day(item["time"])} · ${text(item["reason"])}`),
    make("p", "", text(item["remedy"])),
  );
  return make("li", "", make("div", "what", where, facts));
}

function button(label: string, style: string, act: () => Promise<void>): HTMLButtonElement {
  const made = make("button", style, label);
  made.type = "button";
  made.addEventListener("click", async () => {
    made.disabled = true;
    await act();
    made.disabled = false;
  });
  return made;
}

/** A button that asks once more before it does what cannot be undone by pressing it again. */
function sure(label: string, act: () => Promise<void>): HTMLButtonElement {
  const made: HTMLButtonElement = button(label, "small danger", async () => {
    if (made.classList.contains("sure")) return await act();
    made.classList.add("sure");
    made.textContent = `${label}?`;
    setTimeout(() => {
      made.classList.remove("sure");
      made.textContent = label;
    }, 4_000);
  });
  return made;
}

function day(time: unknown): string {
  const date = new Date(text(time));
  if (Number.isNaN(date.getTime())) return "";
  return date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}
