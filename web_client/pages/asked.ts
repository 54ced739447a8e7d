/** What is asked of the owner, as the daemon tells its own pages. */

import { isFields } from "../src/types.ts";
import type { Fields } from "../src/types.ts";

/** Who asks: `origin` of a page, null for a program; `domain` is the part of its host that somebody registered. */
export interface Client {
  readonly id: string;
  readonly kind: string;
  readonly origin: string | null;
  readonly domain: string | null;
  readonly development: boolean;
}

/** A scope in plain words; `granted`: it was allowed earlier. */
export interface Scope {
  readonly scope: string;
  readonly sentence: string;
  readonly granted: boolean;
}

/** For how long a yes holds: ten minutes, 24 hours, seven days, until the owner takes it back. */
export type Until = "once" | "day" | "week" | "revoked";

/** One run of one command, with all its parameters. */
export interface Command {
  readonly app: string;
  readonly name: string;
  readonly summary: string;
  readonly params: Fields;
}

/** A request; `handle` is its own page's alone, `redirectDenied` is where a no leads. */
export interface Asked {
  readonly kind: "authorize" | "device" | "command";
  readonly status: string;
  readonly handle: string;
  readonly code: string;
  readonly client: Client;
  readonly scopes: readonly Scope[];
  readonly untils: readonly Until[];
  readonly until: Until;
  readonly deniedBefore: boolean;
  readonly command: Command | null;
  readonly redirect: string | null;
  readonly redirectDenied: string | null;
}

const KINDS = ["authorize", "device", "command"] as const;
const UNTILS = ["once", "day", "week", "revoked"] as const;

/** Read a request; what is missing is empty, and a yes without a stated end is the shortest one. */
export function readAsked(from: Fields): Asked {
  const untils = Array.isArray(from["untils"]) ? from["untils"].filter(isUntil) : [];
  const { until } = from;
  return {
    kind: KINDS.find((kind) => kind === from["kind"]) ?? "authorize",
    status: text(from["status"]),
    handle: text(from["handle"]),
    code: text(from["code"]),
    client: readClient(from["client"]),
    scopes: list(from["scopes"]).map(readScope),
    untils,
    until: isUntil(until) ? until : (untils[0] ?? "once"),
    deniedBefore: from["denied_before"] === true,
    command: readCommand(from["command"]),
    redirect: textOrNull(from["redirect"]),
    redirectDenied: textOrNull(from["redirect_denied"]),
  };
}

/** Read who asks. */
export function readClient(from: unknown): Client {
  const { id, kind, origin, domain, development } = isFields(from) ? from : {};
  return {
    id: text(id),
    kind: text(kind),
    origin: textOrNull(origin),
    domain: textOrNull(domain),
    development: development === true,
  };
}

/** Return the objects of a list. */
export function list(from: unknown): Fields[] {
  return Array.isArray(from) ? from.filter(isFields) : [];
}

/** Return a text, empty where it is none. */
export function text(from: unknown): string {
  return typeof from === "string" ? from : "";
}

/** Return a number, 0 where it is none. */
export function number(from: unknown): number {
  return typeof from === "number" ? from : 0;
}

function textOrNull(from: unknown): string | null {
  return typeof from === "string" ? from : null;
}

function isUntil(from: unknown): from is Until {
  return UNTILS.some((until) => until === from);
}

function readScope(from: Fields): Scope {
  return { scope: text(from["scope"]), sentence: text(from["sentence"]), granted: from["granted"] === true };
}

function readCommand(from: unknown): Command | null {
  if (!isFields(from)) return null;
  const { app, name, summary, params } = from;
  return { app: text(app), name: text(name), summary: text(summary), params: isFields(params) ? params : {} };
}
