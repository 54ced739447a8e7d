/** The alphabet and the missing padding (RFC 7515 appendix C). */

import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";

import { decode, encode } from "../src/base64url.ts";

test("bytes are written as in RFC 7515 appendix C, and read again", () => {
  const bytes = new Uint8Array([3, 236, 255, 224, 193]);

  equal(encode(bytes), "A-z_4ME");
  deepEqual(decode("A-z_4ME"), bytes);
});

test("padding and the other alphabet are refused", () => {
  for (const text of ["A-z_4ME=", "A+z/4ME", "A z_"]) throws(() => decode(text), SyntaxError);
});
