/** What the end of a socket means, and what to do next: a table; pure (protocol section 6). */

/** `again`: after a wait; `refresh`: with a new token; `slowly`: after a long wait; `stop`: only a person can help. */
export type Next = "again" | "refresh" | "slowly" | "stop";

/** How a socket ended; `retryMs` is what the daemon asked us to wait, in milliseconds. */
export interface Ending {
  readonly code: number;
  readonly reason: string;
  readonly retryMs: number;
}

const NEXT: Readonly<Record<number, readonly [Next, string]>> = {
  1006: ["again", "connection_lost"], // killed, asleep, or refused without a word
  1012: ["again", "restarting"],
  4400: ["stop", "malformed_request"],
  4401: ["refresh", "token_invalid"],
  4403: ["stop", "scope_missing"],
  4408: ["again", "request_timeout"], // too slow: what was missed is replayed, or said to be a gap
  4426: ["stop", "version_mismatch"],
  4429: ["slowly", "too_many"],
};

/** Return what to do after a socket closed with `code`, and the error code that says it. */
export function afterClose(code: number): { next: Next; error: string } {
  const [next, error] = NEXT[code] ?? ["again", "connection_lost"];
  return { next, error };
}
