/** Nonces: learnt from any answer, and a request that the daemon wanted another nonce for goes out once more. */

import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";

import { decode } from "../src/base64url.ts";
import { makeKeyPair, read } from "../src/keys.ts";
import { Nonces, sendProved } from "../src/nonces.ts";
import { askToken } from "../src/token.ts";

const BASE = "http://127.0.0.1:4380";
const URL_OF_CALL = `${BASE}/v1/apps/player/play`;

/** What the daemon saw of a request. */
interface Seen {
  readonly nonce: unknown;
  readonly jti: unknown;
  readonly body: unknown;
}

/** Stand in for the daemon with these answers, in this order; returns what it saw. */
function answering(...answers: readonly (() => Response)[]): Seen[] {
  const seen: Seen[] = [];
  globalThis.fetch = (async (_url: string, sent: RequestInit) => {
    const proof = new Headers(sent.headers).get("DPoP") ?? "";
    const claims = JSON.parse(new TextDecoder().decode(decode(proof.split(".")[1] ?? ""))) as Record<string, unknown>;
    const answer = answers[seen.length];
    seen.push({ nonce: claims["nonce"], jti: claims["jti"], body: sent.body });
    if (answer === undefined) throw new TypeError("one request too many");
    return answer();
  }) as typeof fetch;
  return seen;
}

function good(nonce?: string): () => Response {
  return () => new Response("{}", { headers: nonce === undefined ? {} : { "DPoP-Nonce": nonce } });
}

function refused(code: string, nonce?: string): () => Response {
  const challenge = { "WWW-Authenticate": `DPoP algs="ES256", error="${code}"` };
  const headers = nonce === undefined ? challenge : { ...challenge, "DPoP-Nonce": nonce };
  return () => new Response(JSON.stringify({ code }), { status: 401, headers });
}

function unspent(error: string, nonce: string): () => Response {
  return () => new Response(JSON.stringify({ error }), { status: 400, headers: { "DPoP-Nonce": nonce } });
}

const provable = { method: "POST", accessToken: "at_1", body: '{"volume":1}', key: await read(await makeKeyPair()) } as const;

test("a request goes out once more, with the nonce that was wanted and a proof of its own", async () => {
  const seen = answering(refused("use_dpop_nonce", "n-1"), good());

  const response = await sendProved(new Nonces(), URL_OF_CALL, provable);

  equal(response.status, 200);
  deepEqual(seen.map((one) => one.nonce), [undefined, "n-1"]);
  deepEqual(seen.map((one) => one.body), ['{"volume":1}', '{"volume":1}']);
  equal(seen[0]?.jti === seen[1]?.jti, false);
});

test("it goes out once more and no oftener", async () => {
  const seen = answering(refused("use_dpop_nonce", "n-1"), refused("use_dpop_nonce", "n-2"));

  const response = await sendProved(new Nonces(), URL_OF_CALL, provable);

  equal(response.status, 401);
  equal(seen.length, 2);
});

test("a nonce is carried along until an answer brings another", async () => {
  const nonces = new Nonces();
  const seen = answering(good("n-1"), good(), good("n-2"), good());

  for (let count = 0; count < 4; count += 1) await sendProved(nonces, URL_OF_CALL, provable);

  deepEqual(seen.map((one) => one.nonce), [undefined, "n-1", "n-1", "n-2"]);
});

test("each daemon has its own", async () => {
  const nonces = new Nonces();
  const seen = answering(good("n-1"), good());

  await sendProved(nonces, URL_OF_CALL, provable);
  await sendProved(nonces, "http://127.0.0.1:4381/v1/apps", provable);

  deepEqual(seen.map((one) => one.nonce), [undefined, undefined]);
});

test("no other refusal is repeated", async () => {
  for (const answer of [
    refused("token_invalid"),
    refused("proof_invalid", "n-1"),
    refused("use_dpop_nonce"), // and no nonce: asking again would bring the same
    unspent("invalid_grant", "n-1"),
    () => new Response("not JSON", { status: 400, headers: { "DPoP-Nonce": "n-1" } }),
  ]) {
    const seen = answering(answer);

    await sendProved(new Nonces(), URL_OF_CALL, provable);

    equal(seen.length, 1);
  }
});

test("a body that was looked at can still be read", async () => {
  answering(unspent("invalid_grant", "n-1"));

  const response = await sendProved(new Nonces(), `${BASE}/oauth/token`, provable);

  deepEqual(await response.json(), { error: "invalid_grant" });
});

test("the token endpoint is asked once more as well", async () => {
  globalThis.location = { origin: "https://app.example" } as Location;
  const tokens = { access_token: "at_2", token_type: "DPoP", expires_in: 600, scope: "player:read" };
  const seen = answering(unspent("use_dpop_nonce", "n-1"), () => new Response(JSON.stringify(tokens)));
  const nonces = new Nonces();

  const { accessToken } = await askToken(nonces, BASE, provable.key, { grant_type: "refresh_token" });

  equal(accessToken, "at_2");
  deepEqual(seen.map((one) => one.nonce), [undefined, "n-1"]);
  equal(nonces.of(BASE), "n-1");
});

test("a token endpoint that never takes a nonce is not asked for ever", async () => {
  globalThis.location = { origin: "https://app.example" } as Location;
  const seen = answering(unspent("use_dpop_nonce", "n-1"), unspent("use_dpop_nonce", "n-2"));

  await rejects(askToken(new Nonces(), BASE, provable.key, {}), { code: "use_dpop_nonce" });

  equal(seen.length, 2);
});
