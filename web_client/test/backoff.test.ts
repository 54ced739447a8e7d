/** Waits double, are spread, and are bounded both ways. */

import { equal, ok } from "node:assert/strict";
import { test } from "node:test";

import { backoff } from "../src/backoff.ts";

test("waits double from a quarter of a second", () => {
  equal(backoff(0, 1), 250);
  equal(backoff(1, 1), 500);
  equal(backoff(2, 1), 1000);
});

test("a wait is spread over its upper half", () => {
  equal(backoff(2, 0), 500);
  equal(backoff(2, 0.5), 750);
});

test("in the first minute no wait is longer than two seconds", () => {
  for (const attempt of [3, 4, 10, 31]) equal(backoff(attempt, 1), 2_000);
});

test("no wait is longer than half a minute, however many came before", () => {
  for (const attempt of [32, 36, 100, 1e9]) ok(backoff(attempt, 0.999) <= 30_000);
});

test("what the daemon asks for is waited at least", () => {
  ok(backoff(0, 0, 2_000) >= 2_000);
});
