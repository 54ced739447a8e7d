/** Requests as the pages read them: nothing that is missing or new ever allows more. */

import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";

import { readAsked } from "../pages/asked.ts";

const CLIENT = {
  id: "https://a.example.co.uk",
  kind: "page",
  origin: "https://a.example.co.uk",
  domain: "example.co.uk",
  development: false,
};

test("a request is read whole", () => {
  const asked = readAsked({
    code: "BCDF-GHJK",
    kind: "command",
    status: "pending",
    client: CLIENT,
    scopes: [{ scope: "player:read", sentence: "See what is playing", granted: true }],
    untils: ["once"],
    until: "once",
    denied_before: true,
    command: { app: "files", name: "delete", summary: "Delete a file", params: { path: "/a" } },
    redirect: null,
    redirect_denied: "https://a.example.co.uk/back",
  });

  equal(asked.kind, "command");
  deepEqual(asked.client, CLIENT);
  deepEqual(asked.scopes, [{ scope: "player:read", sentence: "See what is playing", granted: true }]);
  deepEqual(asked.command, { app: "files", name: "delete", summary: "Delete a file", params: { path: "/a" } });
  equal(asked.deniedBefore, true);
  equal(asked.redirectDenied, "https://a.example.co.uk/back");
});

test("a yes whose end is not known is the shortest one", () => {
  equal(readAsked({}).until, "once");
  equal(readAsked({ untils: ["day", "week"], until: "for ever" }).until, "day");
  equal(readAsked({ untils: ["once", "day", "revoked"], until: "revoked" }).until, "revoked");
});

test("an end of a later daemon is not offered", () => {
  deepEqual(readAsked({ untils: ["once", "century", 7, "day"] }).untils, ["once", "day"]);
});
