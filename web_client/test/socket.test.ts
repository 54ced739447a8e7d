/** Frames as they are read, and what the end of a socket means. */

import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";

import { afterClose } from "../src/transport/closing.ts";
import { readFrame } from "../src/transport/frames.ts";

const EVENT = {
  id: "abcdefgh.7",
  topic: "player",
  name: "changed",
  time: "2026-01-01T00:00:00Z",
  data: { chosen: true },
};

test("events, replies and the welcome are read", () => {
  deepEqual(readFrame(JSON.stringify({ type: "event", event: EVENT })), { type: "event", event: EVENT });
  deepEqual(readFrame('{"type":"reply","id":3,"result":{"ok":1}}'), { type: "reply", id: 3, result: { ok: 1 } });
  deepEqual(readFrame('{"type":"welcome","proof":"p","cursor":"e.1"}'), { type: "welcome", proof: "p", cursor: "e.1" });
  deepEqual(readFrame('{"type":"closing","retry":1.5}'), { type: "closing", retryMs: 1500 });
});

test("a failed call carries the daemon's problem", () => {
  const frame = readFrame('{"type":"reply","id":3,"error":{"code":"no_player","detail":"none runs","status":409}}');

  equal(frame.type, "reply");
  equal(frame.type === "reply" && frame.error?.code, "no_player");
});

for (const text of [
  "",
  "null",
  "[]",
  "{",
  '{"type":"later"}',
  '{"type":"event","event":{"id":1}}',
  '{"type":"reply"}',
]) {
  test(`the frame ${text || "without a letter"} is passed over`, () => {
    deepEqual(readFrame(text), { type: "other" });
  });
}

for (const [code, next, error] of [
  [1006, "again", "connection_lost"],
  [1012, "again", "restarting"],
  [4401, "refresh", "token_invalid"],
  [4403, "stop", "scope_missing"],
  [4408, "again", "request_timeout"],
  [4426, "stop", "version_mismatch"],
  [4429, "slowly", "too_many"],
  [4999, "again", "connection_lost"],
] as const) {
  test(`after ${code} the next step is: ${next}`, () => {
    deepEqual(afterClose(code), { next, error });
  });
}
