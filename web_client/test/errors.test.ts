/** Errors keep their codes, known or not, and never trust a body's types. */

import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";

import {
  clientCodes,
  codes,
  ConnectionError,
  DaemonError,
  oauthErrorFrom,
  problemFrom,
  TollbridgeError,
} from "../src/errors.ts";

test("a problem becomes an error with all that it says", () => {
  const body = {
    title: "T",
    status: 429,
    code: "too_many",
    detail: "wait",
    retry_after: 2.5,
    path: "$.volume",
    scope: "player:read",
  };

  const error = new DaemonError(problemFrom(body, 429));

  ok(error instanceof TollbridgeError && error instanceof Error);
  const { name, code, message, status, retryAfter, path, scope } = error;
  deepEqual(
    { name, code, message, status, retryAfter, path, scope },
    {
      name: "DaemonError",
      code: "too_many",
      message: "wait",
      status: 429,
      retryAfter: 2.5,
      path: "$.volume",
      scope: "player:read",
    },
  );
});

test("a code of an app or of a later daemon is kept as it came", () => {
  equal(new DaemonError(problemFrom({ code: "player_gone", detail: "" }, 502)).code, "player_gone");
});

test("a body that is no problem still becomes one", () => {
  const problem = problemFrom({ code: 7, detail: null, retry_after: "soon" }, 500);

  deepEqual(problem, { code: "bad_answer", detail: "the daemon answered 500", status: 500 });
});

test("an OAuth error keeps its code and words (RFC 6749 section 5.2)", () => {
  const error = oauthErrorFrom({ error: "invalid_grant", error_description: "it has ended" }, 400);

  equal(error.code, "invalid_grant");
  equal(error.message, "it has ended");
  equal(oauthErrorFrom({}, 500).code, "bad_answer");
});

test("an error keeps its cause", () => {
  const cause = new TypeError("Failed to fetch");

  equal(new ConnectionError("connection_lost", "gone", { cause }).cause, cause);
});

test("no code stands twice", () => {
  const all = [...codes, ...clientCodes];

  equal(new Set(all).size, all.length);
});
