/** Which hosts are this computer, and what may happen without a click. */

import { equal } from "node:assert/strict";
import { test } from "node:test";

import { isLoopback, isSilent } from "../src/permission.ts";

for (const [host, is] of [
  ["localhost", true],
  ["app.localhost", true],
  ["127.0.0.1", true],
  ["[::1]", true],
  ["localhost.example", false],
  ["127.0.0.1.example", false],
  ["app.example", false],
] as const) {
  test(`${host} is ${is ? "" : "not "}this computer`, () => {
    equal(isLoopback(host), is);
  });
}

test("where the browser would ask, only a click may start it", () => {
  equal(isSilent("prompt"), false);
  equal(isSilent("denied"), false);
  equal(isSilent("granted"), true);
  equal(isSilent("unsupported"), true);
});
