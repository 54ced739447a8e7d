/** Who hears what, and when a topic begins and ends. */

import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";

import { until } from "../src/listeners.ts";
import { Subscriptions } from "../src/subscriptions.ts";
import type { BridgeEvent } from "../src/types.ts";

function event(topic: string, name: string, data: unknown = {}): BridgeEvent {
  return { id: "abcdefgh.1", topic, name, time: "2026-01-01T00:00:00Z", data };
}

function recorded(): { told: string[]; subscriptions: Subscriptions } {
  const told: string[] = [];
  const subscriptions = new Subscriptions(
    (topic) => told.push(`+${topic}`),
    (topic) => told.push(`-${topic}`),
  );
  return { told, subscriptions };
}

test("a topic begins with its first handler and ends with its last", () => {
  const { told, subscriptions } = recorded();

  const one = subscriptions.add("player", () => undefined);
  const two = subscriptions.add("player", () => undefined);
  one();
  one();
  deepEqual(subscriptions.topics, ["player"]);
  two();

  deepEqual(told, ["+player", "-player"]);
  deepEqual(subscriptions.topics, []);
});

test("an event reaches the handlers of its topic alone", () => {
  const { subscriptions } = recorded();
  const heard: string[] = [];
  subscriptions.add("player", ({ name }) => heard.push(`player ${name}`));
  subscriptions.add("jobs", ({ name }) => heard.push(`jobs ${name}`));

  subscriptions.deliver(event("player", "changed"));

  deepEqual(heard, ["player changed"]);
});

test("a gap is told to those who asked for gaps, once", () => {
  const { subscriptions } = recorded();
  const gaps: unknown[] = [];
  const off = subscriptions.gaps.add((gap) => gaps.push(gap));

  subscriptions.deliver(
    event("tollbridge", "gap", { from: "aaaaaaaa.1", to: "bbbbbbbb.0", snapshot: ["/v1/apps/player/state"] }),
  );
  off();
  subscriptions.deliver(event("tollbridge", "gap"));

  deepEqual(gaps, [{ from: "aaaaaaaa.1", to: "bbbbbbbb.0", snapshot: ["/v1/apps/player/state"] }]);
});

test("a subscription ends with its signal", () => {
  const end = new AbortController();
  let count = 0;
  until(end.signal, () => (count += 1));

  end.abort();

  equal(count, 1);
});
