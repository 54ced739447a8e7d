/** The owner's key in this browser: how the dashboard gets it, and how the pages use it. */

import { Access } from "../src/access.ts";
import { AuthorizationError, DaemonError } from "../src/errors.ts";
import { keyIn } from "../src/keys.ts";
import { Store } from "../src/store.ts";
import type { Fields } from "../src/types.ts";
import { list } from "./asked.ts";
import type { Choice } from "./question.ts";

const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACTIVATION_LINK = "urn:tollbridge:token-type:activation-link";

/** Told when this browser becomes the owner's, so that a consent page that is open shows its buttons. */
const CHANNEL = "tollbridge-owner";

/** The owner, as far as this browser is theirs. */
export class Owner {
  readonly #store = new Store("tollbridge-owner");
  readonly #access = new Access(this.#store);
  #change: number | undefined;

  /** Say whether this browser was made the owner's; a restart of the daemon may have ended that. */
  async isPaired(): Promise<boolean> {
    return (await this.#access.pairing()) !== undefined;
  }

  /** Say whether this browser is the owner's now. */
  async isHere(): Promise<boolean> {
    if (!(await this.isPaired())) return false;
    try {
      await this.request("GET", "/oauth/requests");
      return true;
    } catch (error) {
      if (isOver(error)) return false;
      throw error;
    }
  }

  /**
   * Exchange the secret of an activation link for the owner's tokens (RFC 8693). An earlier pairing of this browser
   * stays as it is where that fails.
   *
   * @throws AuthorizationError the link was used, or is too old
   */
  async activate(secret: string): Promise<void> {
    const fields = { grant_type: TOKEN_EXCHANGE, subject_token: secret, subject_token_type: ACTIVATION_LINK };
    const tokens = await this.#access.ask(location.origin, await keyIn(this.#store), fields);
    await this.#access.keep(tokens, Number(location.port));
    const channel = new BroadcastChannel(CHANNEL);
    channel.postMessage("activated");
    channel.close();
  }

  /** Ask the daemon as the owner. */
  async request(method: "GET" | "POST" | "DELETE", path: string, body?: unknown): Promise<Fields> {
    return await this.#access.request(location.origin, { method, path, ...(body === undefined ? {} : { body }) });
  }

  /** Return what is asked now, oldest first; with `wait`, once it has changed or after so many seconds, at most 10. */
  async asked(wait = 0): Promise<Fields[]> {
    const after = this.#change === undefined ? "" : `&after=${this.#change}`;
    const told = await this.request("GET", `/oauth/requests${wait > 0 ? `?wait=${wait}${after}` : ""}`);
    // Only who waits goes on from here: a look in between must not take a change away from it.
    if (wait > 0) this.#change = typeof told["change"] === "number" ? told["change"] : undefined;
    return list(told["requests"]);
  }

  /** Say yes or no to a request; `scopes` are those allowed, all where left out. */
  async answer(code: string, choice: Choice): Promise<void> {
    await this.request("POST", `/oauth/requests/${encodeURIComponent(code)}`, choice);
  }
}

/** Say whether an error means that this browser is not the owner's any more. */
export function isOver(error: unknown): boolean {
  if (error instanceof AuthorizationError) return true;
  return error instanceof Error && "code" in error && ["token_invalid", "token_required"].includes(String(error.code));
}

/** Say whether an error means that what was named is over: answered by another surface, replaced, or out of time. */
export function isGone(error: unknown): boolean {
  return error instanceof DaemonError && (error.status === 410 || error.status === 404);
}

/** Call `listener` when another tab makes this browser the owner's. */
export function onActivated(listener: () => void): void {
  new BroadcastChannel(CHANNEL).onmessage = listener;
}
