/** Parameters as a person reads them before they say yes: whole, exact, and nothing in them hides. */

import { equal, match } from "node:assert/strict";
import { test } from "node:test";

import { visible, written } from "../pages/written.ts";

test("values are written as JSON, and are the same when read again", () => {
  const value = { uri: "file:///home/ada/Müller ♫.ogg", at: 1.5, list: [1, [], {}, null, true, { a: "b" }], empty: {} };

  equal(JSON.stringify(JSON.parse(written(value))), JSON.stringify(value));
});

test("what is nested is indented", () => {
  equal(written({ a: [1, { b: "c" }] }), '{\n  "a": [\n    1,\n    {\n      "b": "c"\n    }\n  ]\n}');
});

for (const [name, hidden, shown] of [
  ["a right-to-left override", "\u202e", "\\u202e"],
  ["a zero-width space", "\u200b", "\\u200b"],
  ["a soft hyphen", "\u00ad", "\\u00ad"],
  ["a no-break space", "\u00a0", "\\u00a0"],
  ["a line separator", "\u2028", "\\u2028"],
  ["a filler that looks like nothing", "\u3164", "\\u3164"],
  ["a tag letter", "\u{e0041}", "\\udb40\\udc41"],
  ["a variation selector", "\ufe0f", "\\ufe0f"],
  ["a private letter", "\ue000", "\\ue000"],
] as const) {
  test(`${name} is shown as its escape, in values and in names`, () => {
    equal(written(`a${hidden}b`), `"a${shown}b"`);
    match(written({ [`a${hidden}b`]: 1 }), new RegExp(`"a${shown.replaceAll("\\", "\\\\")}b": 1`));
  });
}

test("a line break in a text does not look like the end of a value", () => {
  equal(written({ a: "b\nc" }), '{\n  "a": "b\\nc"\n}');
  equal(visible("a\nb"), "a\\u000ab");
});

test("a number that may have been rounded is not written as if it were exact", () => {
  equal(written(2 ** 53 + 2), "about 9007199254740994");
  equal(written(2 ** 53 - 1), "9007199254740991");
});
