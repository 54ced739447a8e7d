/** The token endpoint: a code or a refresh token becomes an access token bound to our key (RFC 6749, RFC 9449). */

import { AuthorizationError, DaemonError, oauthErrorFrom, problemFrom } from "./errors.ts";
import { fieldsOf } from "./http.ts";
import type { Key, PublicJwk } from "./keys.ts";
import { sendProved } from "./nonces.ts";
import type { Nonces } from "./nonces.ts";
import { isFields } from "./types.ts";
import type { Fields } from "./types.ts";

/** What the endpoint hands out; `expiresAt` in milliseconds since the epoch. */
export interface Tokens {
  readonly accessToken: string;
  readonly expiresAt: number;
  readonly scope: string;
  readonly refreshToken: string | undefined;
  readonly daemonKey: PublicJwk | undefined;
}

/**
 * Ask for tokens for `key`; `fields` hold the grant type and what belongs to it, `client_id` is this page's origin.
 *
 * @throws AuthorizationError the answer is no; `invalid_grant`: the pairing or the code has ended
 * @throws ConnectionError there was no answer
 */
export async function askToken(
  nonces: Nonces,
  base: string,
  key: Key,
  fields: Record<string, string>,
  deadlineMs?: number,
): Promise<Tokens> {
  const response = await sendProved(nonces, `${base}/oauth/token`, {
    method: "POST",
    key,
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ ...fields, client_id: location.origin }).toString(),
    ...(deadlineMs === undefined ? {} : { deadline: deadlineMs }),
  });
  const body = await fieldsOf(response);
  if (response.ok) return read(body);
  throw "error" in body ? oauthErrorFrom(body, response.status) : new DaemonError(problemFrom(body, response.status));
}

/**
 * Give a refresh token back (RFC 7009): its pairing ends at the daemon too.
 *
 * @throws ConnectionError there was no answer
 */
export async function revokeToken(nonces: Nonces, base: string, key: Key, token: string): Promise<void> {
  await sendProved(nonces, `${base}/oauth/revoke`, {
    method: "POST",
    key,
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ token, token_type_hint: "refresh_token", client_id: location.origin }).toString(),
  });
}

function read(body: Fields): Tokens {
  const {
    access_token: access,
    token_type: type,
    expires_in: seconds,
    scope,
    refresh_token: refresh,
    daemon_key: key,
  } = body;
  if (typeof access !== "string" || type !== "DPoP" || typeof seconds !== "number") {
    throw new AuthorizationError("bad_answer", "the daemon's token answer is not one");
  }
  return {
    accessToken: access,
    expiresAt: Date.now() + seconds * 1000,
    scope: typeof scope === "string" ? scope : "",
    refreshToken: typeof refresh === "string" ? refresh : undefined,
    daemonKey: readKey(key),
  };
}

function readKey(key: unknown): PublicJwk | undefined {
  if (!isFields(key)) return undefined;
  const { kty, crv, x, y } = key;
  if (kty !== "EC" || crv !== "P-256" || typeof x !== "string" || typeof y !== "string") return undefined;
  return { kty, crv, x, y };
}
