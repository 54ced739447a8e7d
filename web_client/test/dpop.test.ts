/** The proof's shape (RFC 9449 section 4.2), checked with the public key that it carries. */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";

import { decode } from "../src/base64url.ts";
import { prove } from "../src/dpop.ts";
import { makeKeyPair, read, thumbprintOf } from "../src/keys.ts";
import type { PublicJwk } from "../src/keys.ts";

type Claims = Record<string, unknown>;

function parse(part: string | undefined): Claims {
  return JSON.parse(new TextDecoder().decode(decode(part ?? ""))) as Claims;
}

async function isSignedBy(proof: string, jwk: PublicJwk): Promise<boolean> {
  const [header, claims, signature] = proof.split(".");
  const key = await crypto.subtle.importKey("jwk", { ...jwk }, { name: "ECDSA", namedCurve: "P-256" }, false, [
    "verify",
  ]);
  const signed = new TextEncoder().encode(`${header}.${claims}`);
  return await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, decode(signature ?? ""), signed);
}

test("a proof carries its public key alone, and is signed by it", async () => {
  const key = await read(await makeKeyPair());

  const proof = await prove(key, { method: "POST", url: "http://127.0.0.1:4380/oauth/token" });

  const header = parse(proof.split(".")[0]);
  deepEqual(header, { typ: "dpop+jwt", alg: "ES256", jwk: key.jwk });
  deepEqual(Object.keys(key.jwk), ["kty", "crv", "x", "y"]);
  ok(await isSignedBy(proof, key.jwk));
});

test("a proof names method, address without query, and time", async () => {
  const key = await read(await makeKeyPair());

  const proof = await prove(key, { method: "GET", url: "http://127.0.0.1:4380/v1/apps/player/state?returnafter=3#x" });

  const claims = parse(proof.split(".")[1]);
  equal(claims["htm"], "GET");
  equal(claims["htu"], "http://127.0.0.1:4380/v1/apps/player/state");
  match(String(claims["jti"]), /^[A-Za-z0-9_-]{22}$/);
  ok(Math.abs(Number(claims["iat"]) - Date.now() / 1000) < 5);
  equal("ath" in claims, false);
});

test("a proof beside a token carries the token's hash", async () => {
  const key = await read(await makeKeyPair());
  // RFC 9449 section 7.1: the token and the hash of its example.
  const accessToken = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";

  const proof = await prove(key, { method: "GET", url: "http://127.0.0.1:4380/v1/apps", accessToken });

  equal(parse(proof.split(".")[1])["ath"], "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
});

test("a proof carries the daemon's nonce, once one is known", async () => {
  const key = await read(await makeKeyPair());
  const about = { method: "GET", url: "http://127.0.0.1:4380/v1/apps" };

  const proof = await prove(key, { ...about, nonce: "n-1" });
  const first = await prove(key, about);

  equal(parse(proof.split(".")[1])["nonce"], "n-1");
  equal("nonce" in parse(first.split(".")[1]), false);
});

test("no two proofs are the same", async () => {
  const key = await read(await makeKeyPair());
  const about = { method: "GET", url: "http://127.0.0.1:4380/v1/apps" };

  equal((await prove(key, about)) === (await prove(key, about)), false);
});

test("the private half of a key cannot be exported", async () => {
  const { privateKey } = await makeKeyPair();

  equal(privateKey.extractable, false);
});

test("a thumbprint is that of RFC 9449 section 6.1", async () => {
  const jwk = {
    kty: "EC",
    crv: "P-256",
    x: "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    y: "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
  } as const;

  equal(await thumbprintOf(jwk), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
});
