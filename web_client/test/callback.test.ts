/** The callback's address and the messages about it: what counts as an answer, and whose it is. */

import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";

import { authorizeUrl } from "../src/authorize.ts";
import { CHANNEL, codeOf, parseCallback, readAnswer } from "../src/callback.ts";

const BASE = "http://127.0.0.1:4380";
const ALLOWED = {
  type: CHANNEL,
  state: "s1",
  iss: BASE,
  code: "c1",
  error: undefined,
  description: undefined,
} as const;

test("a code is read from the address", () => {
  deepEqual(parseCallback("?code=c1&state=s1&iss=http%3A%2F%2F127.0.0.1%3A4380"), ALLOWED);
});

test("a refusal is read from the address, with its words", () => {
  const answer = parseCallback(
    "?error=access_denied&error_description=the+owner+said+no&state=s1&iss=http%3A%2F%2F127.0.0.1%3A4380",
  );

  equal(answer?.error, "access_denied");
  equal(answer?.description, "the owner said no");
  equal(answer?.code, undefined);
});

for (const search of ["", "?code=c1", "?code=c1&state=s1", "?state=s1&iss=x", "?code=c1&error=e&state=s1&iss=x"]) {
  test(`${search || "an empty query"} is no answer`, () => {
    equal(parseCallback(search), undefined);
  });
}

for (const message of [
  null,
  "text",
  [],
  {},
  { ...ALLOWED, type: "other" },
  { ...ALLOWED, state: 7 },
  { ...ALLOWED, code: 7 },
]) {
  test(`the message ${JSON.stringify(message)} is no answer`, () => {
    equal(readAnswer(message), undefined);
  });
}

test("the code of our own daemon is taken", () => {
  equal(codeOf(ALLOWED, BASE), "c1");
});

test("an answer of another issuer is refused (RFC 9207)", () => {
  throws(() => codeOf(ALLOWED, "http://127.0.0.1:4381"), { code: "invalid_callback" });
});

test("the owner's no is an error with its own code", () => {
  const denied = { ...ALLOWED, code: undefined, error: "access_denied", description: "the owner said no" };

  throws(() => codeOf(denied, BASE), {
    code: "access_denied",
    message: "the owner said no",
    name: "AuthorizationError",
  });
});

test("the request's address carries all that the daemon asks for", () => {
  const wish = {
    base: BASE,
    scope: "player:read",
    redirectUri: "https://app.example/callback.html",
    thumbprint: "t".repeat(43),
  };

  const url = new URL(authorizeUrl(wish, "https://app.example", "s1", "ch"));

  equal(url.origin + url.pathname, `${BASE}/oauth/authorize`);
  deepEqual(Object.fromEntries(url.searchParams), {
    response_type: "code",
    client_id: "https://app.example",
    redirect_uri: "https://app.example/callback.html",
    scope: "player:read",
    state: "s1",
    code_challenge: "ch",
    code_challenge_method: "S256",
    dpop_jkt: "t".repeat(43),
  });
});
