/** What a site asks, as the daemon tells its own pages. */

import { isFields } from "../src/types.ts";
import type { Fields } from "../src/types.ts";

/** Who asks: `origin` of a page, null for a program. */
export interface Client {
  readonly id: string;
  readonly kind: string;
  readonly origin: string | null;
  readonly development: boolean;
}

/** A scope in plain words; `granted`: it was allowed earlier. */
export interface Scope {
  readonly scope: string;
  readonly sentence: string;
  readonly granted: boolean;
}

/** The answer to `POST /oauth/requests`; `redirectDenied` is where a no leads. */
export interface Asked {
  readonly status: string;
  readonly handle: string;
  readonly code: string;
  readonly client: Client;
  readonly scopes: readonly Scope[];
  readonly redirect: string | null;
  readonly redirectDenied: string | null;
  readonly remembered: boolean;
}

/** Read a request; what is missing is empty. */
export function readAsked(from: Fields): Asked {
  return {
    status: text(from["status"]),
    handle: text(from["handle"]),
    code: text(from["code"]),
    client: readClient(from["client"]),
    scopes: list(from["scopes"]).map(readScope),
    redirect: textOrNull(from["redirect"]),
    redirectDenied: textOrNull(from["redirect_denied"]),
    remembered: from["remembered"] === true,
  };
}

/** Read who asks. */
export function readClient(from: unknown): Client {
  const { id, kind, origin, development } = isFields(from) ? from : {};
  return { id: text(id), kind: text(kind), origin: textOrNull(origin), development: development === true };
}

/** Return the objects of a list. */
export function list(from: unknown): Fields[] {
  return Array.isArray(from) ? from.filter(isFields) : [];
}

/** Return a text, empty where it is none. */
export function text(from: unknown): string {
  return typeof from === "string" ? from : "";
}

function textOrNull(from: unknown): string | null {
  return typeof from === "string" ? from : null;
}

function readScope(from: Fields): Scope {
  return { scope: text(from["scope"]), sentence: text(from["sentence"]), granted: from["granted"] === true };
}
