/** The page's key: ES256, its private half never leaves the browser (RFC 9449; RFC 7518 section 3.4). */

import { sha256 } from "./base64url.ts";
import type { Store } from "./store.ts";

const NAME = "key";

/** A public P-256 key (RFC 7517). */
export interface PublicJwk {
  readonly kty: "EC";
  readonly crv: "P-256";
  readonly x: string;
  readonly y: string;
}

/** A key pair with its public half written out, and that half's RFC 7638 thumbprint. */
export interface Key {
  readonly privateKey: CryptoKey;
  readonly jwk: PublicJwk;
  readonly thumbprint: string;
}

/** Return this page's key, made at the first call; one for all tabs. */
export async function keyIn(store: Store): Promise<Key> {
  const known = await store.get<CryptoKeyPair>(NAME);
  return await read(known ?? (await navigator.locks.request(`${store.name}:key`, () => firstKey(store))));
}

/** Return this page's key, undefined where there is none. */
export async function knownKeyIn(store: Store): Promise<Key | undefined> {
  const known = await store.get<CryptoKeyPair>(NAME);
  return known === undefined ? undefined : await read(known);
}

/** Drop the key: what it signed for is lost. */
export async function dropKeyIn(store: Store): Promise<void> {
  await store.delete(NAME);
}

/** Make a key pair whose private half cannot be exported. */
export async function makeKeyPair(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
}

/** Write out the public half of a pair. */
export async function read(pair: CryptoKeyPair): Promise<Key> {
  const { x = "", y = "" } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const jwk: PublicJwk = { kty: "EC", crv: "P-256", x, y };
  return { privateKey: pair.privateKey, jwk, thumbprint: await thumbprintOf(jwk) };
}

/** Return the RFC 7638 thumbprint. */
export async function thumbprintOf(jwk: PublicJwk): Promise<string> {
  const { crv, kty, x, y } = jwk; // section 3.2: the required members alone, in this order
  return await sha256(JSON.stringify({ crv, kty, x, y }));
}

async function firstKey(store: Store): Promise<CryptoKeyPair> {
  const known = await store.get<CryptoKeyPair>(NAME); // another tab may have been first
  if (known !== undefined) return known;
  const pair = await makeKeyPair();
  await store.put(NAME, pair);
  return pair;
}
