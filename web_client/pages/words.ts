/** What the pages say of a request, and how its code is read; pure. */

import type { Asked, Client, Until } from "./asked.ts";

/** The choice, as the owner says it. */
export const untilLabels: Readonly<Record<Until, string>> = {
  once: "Once",
  day: "For a day",
  week: "For a week",
  revoked: "Until I take it back",
};

/** What the choice comes to. */
export const untilHints: Readonly<Record<Until, string>> = {
  once: "It ends after ten minutes. Then the question comes again.",
  day: "It ends by itself after 24 hours.",
  week: "It ends by itself after seven days.",
  revoked: "You can take it back at any time on the dashboard.",
};

/** Return what is asked, as a heading; a program's name is its own word for itself, so no heading repeats it. */
export function titleOf({ kind, client }: Asked): string {
  const who = client.origin !== null ? "A site" : kind === "device" ? "A program or device" : "A program";
  return kind === "command" ? `${who} wants to run a command` : `${who} wants to use this computer`;
}

/** Return the name that a program gives itself. */
export function programName({ id }: Client): string {
  return id.replace(/^native:/, "");
}

/**
 * Cut an origin so that the registrable domain is what the eye meets. Without one (localhost, an address), or with one
 * that is not the host's end, the whole host is it.
 */
export function originParts({ origin, domain }: Client): { before: string; strong: string; after: string } {
  const { protocol, hostname, port } = new URL(origin ?? "");
  const isEnd = domain !== null && (hostname === domain || hostname.endsWith(`.${domain}`));
  const strong = isEnd ? domain : hostname;
  const subdomains = hostname.slice(0, hostname.length - strong.length);
  return { before: `${protocol}//${subdomains}`, strong, after: port === "" ? "" : `:${port}` };
}

/** Whether a host has a label with letters outside of ASCII, which elsewhere may look like another name (RFC 5891). */
export function isInternational({ origin }: Client): boolean {
  return origin !== null && new URL(origin).hostname.split(".").some((label) => label.startsWith("xn--"));
}

/** Read a code as people type it: case, dashes and spaces do not matter; undefined where it cannot be one. */
export function codeOf(typed: string): string | undefined {
  const letters = typed.toUpperCase().replace(/[\s\-\u2010-\u2015_.]/g, "");
  return /^[A-Z0-9]{8}$/.test(letters) ? `${letters.slice(0, 4)}-${letters.slice(4)}` : undefined;
}

/** Say how many: `1 key`, `2 keys`. */
export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Write a time as this person's browser does; empty where it is none. */
export function moment(time: unknown): string {
  const date = new Date(typeof time === "string" ? time : Number.NaN);
  return Number.isNaN(date.getTime()) ? "" : date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}
