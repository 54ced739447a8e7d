/** The callback page's few lines: tell the page that asked how the owner answered, then close. */

import { AuthorizationError, ConnectionError } from "./errors.ts";
import { isFields } from "./types.ts";

/** The channel and the storage name on which the answer is told. */
export const CHANNEL = "tollbridge-callback";

/** What the daemon put into the callback's address (RFC 6749 section 4.1.2, RFC 9207). */
export interface Answer {
  readonly type: typeof CHANNEL;
  readonly state: string;
  readonly iss: string;
  readonly code?: string | undefined;
  readonly error?: string | undefined;
  readonly description?: string | undefined;
}

/**
 * Report this page's own address to whoever waits for it, and close the window. The callback page calls it, and
 * nothing else, in a module script: `import { reportCallback } from "tollbridge/callback"; reportCallback();`.
 *
 * Three ways, because each is missing somewhere: a page in a third-party frame hears only its opener's message, one
 * with `Cross-Origin-Opener-Policy: same-origin` only the other two.
 *
 * @returns whether the address was an answer at all
 */
export function reportCallback(): boolean {
  const answer = parseCallback(location.search);
  history.replaceState(null, "", location.pathname); // the code stays in no history and no Referer
  if (answer === undefined) return false;
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(answer);
  channel.close();
  (window.opener as Window | null)?.postMessage(answer, location.origin);
  try {
    localStorage.setItem(CHANNEL, JSON.stringify(answer));
    localStorage.removeItem(CHANNEL);
  } catch {
    // A page without storage hears the other two.
  }
  window.close();
  return true;
}

/** Read the query of a callback address; undefined where it is none. */
export function parseCallback(search: string): Answer | undefined {
  const query = new URLSearchParams(search);
  const read = (name: string): string | undefined => query.get(name) ?? undefined;
  return readAnswer({
    type: CHANNEL,
    state: read("state"),
    iss: read("iss"),
    code: read("code"),
    error: read("error"),
    description: read("error_description"),
  });
}

/** Read what came by a channel; undefined where it is no answer. */
export function readAnswer(value: unknown): Answer | undefined {
  if (!isFields(value) || value["type"] !== CHANNEL) return undefined;
  const { state, iss, code, error, description } = value;
  if (typeof state !== "string" || typeof iss !== "string") return undefined;
  if ((typeof code === "string") === (typeof error === "string")) return undefined;
  const text = (field: unknown): string | undefined => (typeof field === "string" ? field : undefined);
  return { type: CHANNEL, state, iss, code: text(code), error: text(error), description: text(description) };
}

/**
 * Return the code of the answer to our request.
 *
 * @throws ConnectionError `invalid_callback`: another server answered (RFC 9207 section 2.4)
 * @throws AuthorizationError the owner said no (`access_denied`), or the request was wrong
 */
export function codeOf(answer: Answer, issuer: string): string {
  if (answer.iss !== issuer) throw new ConnectionError("invalid_callback", "the answer comes from another daemon");
  if (answer.code !== undefined) return answer.code;
  throw new AuthorizationError(answer.error ?? "invalid_callback", answer.description ?? "the owner said no");
}
