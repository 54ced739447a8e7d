/** Requests with a proof, and the daemon's nonces in them (RFC 9449 sections 8 and 9): learnt once, then carried along. */

import { prove } from "./dpop.ts";
import { fieldsOf, send } from "./http.ts";
import type { Outgoing } from "./http.ts";
import type { Key } from "./keys.ts";

const WANTED = "use_dpop_nonce";

/** The newest nonce of each daemon, by its base. */
export class Nonces {
  readonly #newest = new Map<string, string>();

  /** Return the nonce for the daemon at `base`, undefined before its first answer. */
  of(base: string): string | undefined {
    return this.#newest.get(base);
  }

  /** Keep the nonce of an answer, where it brings one; section 8.2: from now on this one. */
  take(base: string, response: Response): void {
    const nonce = response.headers.get("DPoP-Nonce");
    if (nonce !== null) this.#newest.set(base, nonce);
  }
}

/** A request as `send` takes it, with the key that proves it and the token that it carries. */
export interface Provable extends Outgoing {
  readonly method: "GET" | "POST" | "DELETE";
  readonly key: Key;
  readonly accessToken?: string | undefined;
}

/**
 * Send a request with a fresh proof; repeated once where the daemon wants another nonce, which it says before anything
 * has run.
 *
 * @throws ConnectionError there was no answer
 */
export async function sendProved(nonces: Nonces, url: string, provable: Provable): Promise<Response> {
  const response = await sendOnce(nonces, url, provable);
  return (await wantsNonce(response)) ? await sendOnce(nonces, url, provable) : response;
}

async function sendOnce(nonces: Nonces, url: string, { key, accessToken, ...outgoing }: Provable): Promise<Response> {
  const { origin } = new URL(url);
  const proof = await prove(key, { method: outgoing.method, url, accessToken, nonce: nonces.of(origin) });
  const response = await send(url, { ...outgoing, headers: { ...outgoing.headers, DPoP: proof } });
  nonces.take(origin, response);
  return response;
}

/** The API says it in a header, the token endpoint in the body. */
async function wantsNonce(response: Response): Promise<boolean> {
  if (!response.headers.has("DPoP-Nonce")) return false;
  if (response.status === 401) return (response.headers.get("WWW-Authenticate") ?? "").includes(`error="${WANTED}"`);
  return response.status === 400 && (await fieldsOf(response.clone()))["error"] === WANTED;
}
