/** This page's pairing and its tokens: kept, refreshed one at a time across tabs, and used to sign requests. */

import { AuthorizationError } from "./errors.ts";
import { answered } from "./http.ts";
import { keyIn } from "./keys.ts";
import type { Key, PublicJwk } from "./keys.ts";
import { Nonces, sendProved } from "./nonces.ts";
import type { Store } from "./store.ts";
import { askToken, revokeToken } from "./token.ts";
import type { Tokens } from "./token.ts";
import type { Fields } from "./types.ts";

const NAME = "pairing";

/** Refreshed this long before the end, so that a token does not end on its way; milliseconds. */
const EARLY_MS = 30_000;

/** What outlives the page. The access token does not: it stays in memory. */
export interface Pairing {
  readonly refreshToken: string;
  readonly daemonKey: PublicJwk | undefined;
  readonly port: number;
  readonly scope: string;
}

/** A request that carries the token; `body` becomes JSON. */
export interface Signed {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/** The tokens of one store. */
export class Access {
  readonly #store: Store;
  readonly #nonces = new Nonces();
  #tokens: Tokens | undefined;
  #refreshing: Promise<Tokens> | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Return the pairing, undefined where the owner has to be asked. */
  async pairing(): Promise<Pairing | undefined> {
    return await this.#store.get<Pairing>(NAME);
  }

  /** Ask for tokens, as `askToken` does; what is learnt of the daemon's nonces serves the requests after it. */
  async ask(base: string, key: Key, fields: Record<string, string>, deadlineMs?: number): Promise<Tokens> {
    return await askToken(this.#nonces, base, key, fields, deadlineMs);
  }

  /** Keep the tokens of a new pairing. */
  async keep(tokens: Tokens, port: number): Promise<void> {
    this.#tokens = tokens;
    const { refreshToken, daemonKey, scope } = tokens;
    if (refreshToken === undefined) return; // allowed for once: it ends with the page
    await this.#store.put(NAME, { refreshToken, daemonKey, port, scope } satisfies Pairing);
  }

  /** Drop the tokens; the key stays. */
  async drop(): Promise<void> {
    this.#tokens = undefined;
    await this.#store.delete(NAME);
  }

  /** Drop the tokens and give them back to the daemon at `base`; one that does not answer will let them end by time. */
  async giveBack(base: string): Promise<void> {
    const pairing = await this.pairing();
    await this.drop();
    if (pairing === undefined || base === "") return;
    const key = await keyIn(this.#store);
    await revokeToken(this.#nonces, base, key, pairing.refreshToken).catch(() => undefined);
  }

  /** Forget the access token, so that the next request refreshes it. */
  expire(): void {
    this.#tokens = undefined;
  }

  /**
   * Send a request with token and proof to a daemon that has proved itself; a refused token is refreshed once.
   *
   * @throws AuthorizationError `invalid_grant`: the pairing has ended, its tokens are dropped
   * @throws DaemonError the daemon answered with a problem
   */
  async request(base: string, signed: Signed): Promise<Fields> {
    const tokens = await this.#current(base);
    const response = await this.#send(base, signed, tokens);
    if (response.status !== 401) return await answered(response);
    if (this.#tokens === tokens) this.expire();
    return await answered(await this.#send(base, signed, await this.#current(base)));
  }

  async #send(base: string, { method, path, body, signal }: Signed, { accessToken }: Tokens): Promise<Response> {
    const json = body === undefined ? undefined : JSON.stringify(body);
    return await sendProved(this.#nonces, base + path, {
      method,
      key: await keyIn(this.#store),
      accessToken,
      headers: {
        Authorization: `DPoP ${accessToken}`,
        ...(json === undefined ? {} : { "Content-Type": "application/json" }),
      },
      body: json,
      signal,
    });
  }

  async #current(base: string): Promise<Tokens> {
    const tokens = this.#tokens;
    if (tokens !== undefined && Date.now() < tokens.expiresAt - EARLY_MS) return tokens;
    this.#refreshing ??= this.#refresh(base).finally(() => (this.#refreshing = undefined));
    return await this.#refreshing;
  }

  /** Under a lock, and with what the store has now: another tab may have rotated the refresh token meanwhile. */
  async #refresh(base: string): Promise<Tokens> {
    return await navigator.locks.request(`${this.#store.name}:refresh`, async () => {
      const pairing = await this.pairing();
      if (pairing === undefined) throw new AuthorizationError("not_paired", "the owner has not allowed this page yet");
      try {
        const key = await keyIn(this.#store);
        const fields = { grant_type: "refresh_token", refresh_token: pairing.refreshToken };
        const tokens = await this.ask(base, key, fields);
        const { refreshToken = pairing.refreshToken, scope } = tokens;
        await this.#store.put(NAME, { ...pairing, refreshToken, scope, port: Number(new URL(base).port) });
        this.#tokens = tokens;
        return tokens;
      } catch (error) {
        if (error instanceof AuthorizationError && error.code === "invalid_grant") await this.drop();
        throw error;
      }
    });
  }
}
