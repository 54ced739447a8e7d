/** What an offer's link says of itself. */

import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";

import { readOffer } from "../pages/offered.ts";

function link(payload: unknown): string {
  const bytes = new TextEncoder().encode(JSON.stringify(payload));
  const base64 = btoa(String.fromCharCode(...bytes));
  return `${base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}.aSVk.c2lnbmF0dXJl`;
}

test("the command and its parameters are read as they were signed", () => {
  const params = { uri: "https://radio.example/Müller?a=1&b=~~~", volume: 0.5, list: [null] };

  const offered = readOffer(link({ id: "o1", command: "player.open", params, uses: 3, until: "2026-01-01T00:00:00Z" }));

  const command = { app: "player", name: "open", summary: "", params };
  deepEqual(offered, { command, uses: 3, until: "2026-01-01T00:00:00Z" });
});

test("what is no offer is none", () => {
  for (const text of [
    "",
    "abc",
    "a.b",
    "!.b.c",
    "bm90IGpzb24.b.c",
    `${link({ command: "player.open", params: {} })}.d`,
    link([]),
    link({ command: 1, params: {} }),
    link({ command: "player.open", params: [] }),
    link({ command: "player", params: {} }),
    link({ params: {} }),
  ]) {
    equal(readOffer(text), undefined, text);
  }
});
