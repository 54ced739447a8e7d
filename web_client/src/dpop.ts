/** A DPoP proof: this request, now, by the holder of the key (RFC 9449 section 4.2). */

import { encode, encodeJson, random, sha256 } from "./base64url.ts";
import type { Key } from "./keys.ts";

/** What a proof is about; `url` may carry a query, which the proof leaves out (htu). */
export interface Proven {
  readonly method: string;
  readonly url: string;
  readonly accessToken?: string | undefined;
  /** The daemon's newest, where one is known. */
  readonly nonce?: string | undefined;
}

/** Return a fresh proof for one request. */
export async function prove(key: Key, { method, url, accessToken, nonce }: Proven): Promise<string> {
  const { origin, pathname } = new URL(url);
  const header = encodeJson({ typ: "dpop+jwt", alg: "ES256", jwk: key.jwk });
  const claims = encodeJson({
    jti: random(16),
    htm: method,
    htu: origin + pathname,
    iat: Math.floor(Date.now() / 1000),
    ...(nonce === undefined ? {} : { nonce }),
    ...(accessToken === undefined ? {} : { ath: await sha256(accessToken) }),
  });
  const signed = new TextEncoder().encode(`${header}.${claims}`);
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key.privateKey, signed);
  return `${header}.${claims}.${encode(signature)}`;
}
