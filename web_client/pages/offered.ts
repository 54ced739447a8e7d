/** What an offer would run, read out of the link itself; whether it is true, the daemon's signature decides. Pure. */

import { isFields } from "../src/types.ts";
import { number, text } from "./asked.ts";
import type { Command } from "./asked.ts";

/** One command, how often it may be run, and until when (RFC 3339). */
export interface Offered {
  readonly command: Command;
  readonly uses: number;
  readonly until: string;
}

/**
 * Read an offer, `base64url(JSON).timestamp.signature`; undefined where it is none.
 *
 * The JSON is `{"id","command","params","uses","until"}`, the command as `player.open`.
 */
export function readOffer(offer: string): Offered | undefined {
  const [payload = "", ...rest] = offer.split(".");
  if (rest.length !== 2) return undefined;
  try {
    const fields: unknown = JSON.parse(decoded(payload));
    const { command, params, uses, until } = isFields(fields) ? fields : {};
    if (typeof command !== "string" || !isFields(params)) return undefined;
    const [app = "", name = ""] = command.split(".");
    if (app === "" || name === "") return undefined;
    return { command: { app, name, summary: "", params }, uses: number(uses), until: text(until) };
  } catch {
    return undefined;
  }
}

function decoded(base64url: string): string {
  const binary = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(binary, (byte) => byte.charCodeAt(0)));
}
