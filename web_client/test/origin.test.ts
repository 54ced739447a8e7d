/** The SDK and the daemon agree on which pages can be approved: both read the rows of one table. */

import { equal, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { canBeApproved } from "../src/origin.ts";

interface Row {
  readonly kinds: readonly string[];
  readonly headers: readonly (readonly [string, string])[];
  readonly speaker?: string | null;
  readonly reason?: string;
}

const table = JSON.parse(
  readFileSync(new URL("../../../../tests/vectors/policy.json", import.meta.url), "utf8"),
) as { readonly speak: readonly Row[] };

/** The origins that a browser can have, each with the daemon's answer on the routes that are open to every page. */
const origins = new Map<string, boolean>();
for (const { kinds, headers, speaker } of table.speak) {
  const [only, ...others] = headers;
  if (!kinds.includes("open") || only?.[0] !== "Origin" || others.length > 0) continue;
  const origin = only[1];
  if (origin === "null" || (URL.canParse(origin) && new URL(origin).origin === origin)) {
    origins.set(origin, speaker === origin);
  }
}

test("the table has origins of both sorts", () => {
  ok([...origins.values()].includes(true));
  ok([...origins.values()].includes(false));
  ok(origins.size > 12);
});

for (const [origin, is] of origins) {
  test(`${origin} can${is ? "" : "not"} be approved`, () => {
    equal(canBeApproved(origin), is);
  });
}
