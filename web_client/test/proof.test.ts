/** The daemon's signed answer: everything in it is compared, and nothing else passes. */

import { rejects } from "node:assert/strict";
import { test } from "node:test";

import { encode, encodeJson } from "../src/base64url.ts";
import { makeKeyPair, read } from "../src/keys.ts";
import { checkProof } from "../src/proof.ts";
import type { Expected } from "../src/proof.ts";

const EXPECTED: Expected = { nonce: "n".repeat(32), origin: "https://app.example", port: 4380, purpose: "hello" };
const HEADER = { alg: "ES256", typ: "tollbridge-proof+jwt" };
const CLAIMS = { nonce: EXPECTED.nonce, origin: EXPECTED.origin, port: 4380, iat: 1_800_000_000, for: "hello" };
const UNVERIFIED = { code: "daemon_unverified" };

async function sign(pair: CryptoKeyPair, claims: object = CLAIMS, header: object = HEADER): Promise<string> {
  const signed = `${encodeJson(header)}.${encodeJson(claims)}`;
  const bytes = new TextEncoder().encode(signed);
  return `${signed}.${encode(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, bytes))}`;
}

test("the proof of the pinned key passes", async () => {
  const pair = await makeKeyPair();

  await checkProof(await sign(pair), (await read(pair)).jwk, EXPECTED);
});

for (const [name, changed] of [
  ["nonce", { nonce: "m".repeat(32) }],
  ["origin", { origin: "https://other.example" }],
  ["port", { port: 4381 }],
  ["port as text", { port: "4380" }],
  ["purpose", { for: "socket" }],
] as const) {
  test(`a proof with another ${name} is refused`, async () => {
    const pair = await makeKeyPair();
    const proof = await sign(pair, { ...CLAIMS, ...changed });

    await rejects(checkProof(proof, (await read(pair)).jwk, EXPECTED), UNVERIFIED);
  });
}

for (const [name, header] of [
  ["type", { ...HEADER, typ: "dpop+jwt" }],
  ["algorithm", { ...HEADER, alg: "none" }],
] as const) {
  test(`a proof of another ${name} is refused`, async () => {
    const pair = await makeKeyPair();

    await rejects(checkProof(await sign(pair, CLAIMS, header), (await read(pair)).jwk, EXPECTED), UNVERIFIED);
  });
}

test("a proof of another key is refused", async () => {
  const [stranger, pinned] = [await makeKeyPair(), await makeKeyPair()];

  await rejects(checkProof(await sign(stranger), (await read(pinned)).jwk, EXPECTED), UNVERIFIED);
});

test("claims put under an old signature are refused", async () => {
  const pair = await makeKeyPair();
  const [header, , signature] = (await sign(pair, { ...CLAIMS, nonce: "old".repeat(8) })).split(".");

  await rejects(
    checkProof(`${header}.${encodeJson(CLAIMS)}.${signature}`, (await read(pair)).jwk, EXPECTED),
    UNVERIFIED,
  );
});

for (const proof of [undefined, null, 7, "", "a.b", "a.b.c", "a.b.c.d", `${encodeJson(HEADER)}.!!.!!`]) {
  test(`${JSON.stringify(proof) ?? "nothing"} is no proof`, async () => {
    const pair = await makeKeyPair();

    await rejects(checkProof(proof, (await read(pair)).jwk, EXPECTED), UNVERIFIED);
  });
}
