/** RFC 7636 appendix B, and the verifier's form. */

import { equal, match } from "node:assert/strict";
import { test } from "node:test";

import { challengeOf, makeVerifier } from "../src/pkce.ts";

test("the challenge is that of RFC 7636 appendix B", async () => {
  const challenge = await challengeOf("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");

  equal(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
});

test("a verifier has 43 characters that need no escaping, and is never the same", () => {
  match(makeVerifier(), /^[A-Za-z0-9_-]{43}$/);
  equal(makeVerifier() === makeVerifier(), false);
});
