/** What people read before they answer: whose origin it is, and what they type. */

import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";

import { readAsked, readClient } from "../pages/asked.ts";
import { codeOf, isInternational, originParts, programName, titleOf } from "../pages/words.ts";

function page(origin: string, domain: string | null = null): ReturnType<typeof readClient> {
  return readClient({ id: origin, kind: "page", origin, domain });
}

function parts(origin: string, domain: string | null): string[] {
  const { before, strong, after } = originParts(page(origin, domain));
  return [before, strong, after];
}

test("the registrable domain is what the eye meets, and the origin stands whole around it", () => {
  deepEqual(parts("https://a.b.example.co.uk:8443", "example.co.uk"), ["https://a.b.", "example.co.uk", ":8443"]);
  deepEqual(parts("https://example.org", "example.org"), ["https://", "example.org", ""]);
  deepEqual(parts("https://bank.example.evil.org", "evil.org"), ["https://bank.example.", "evil.org", ""]);
});

test("where there is no registrable domain, the whole host is strong", () => {
  deepEqual(parts("http://localhost:5173", null), ["http://", "localhost", ":5173"]);
  deepEqual(parts("http://127.0.0.1:8000", null), ["http://", "127.0.0.1", ":8000"]);
});

test("a domain that is not the end of the host at a dot stresses nothing that is not there", () => {
  deepEqual(parts("https://notexample.org", "example.org"), ["https://", "notexample.org", ""]);
  deepEqual(parts("https://evil.org", "bank.example"), ["https://", "evil.org", ""]);
});

test("a host in other letters is shown in ASCII, and marked", () => {
  equal(isInternational(page("https://xn--pypal-4ve.com")), true);
  equal(isInternational(page("https://shop.xn--p1ai")), true);
  equal(isInternational(page("https://xnxn--a.example")), false);
  equal(isInternational(readClient({ id: "native:x", origin: null })), false);
});

test("case, dashes and spaces of a code do not matter", () => {
  for (const typed of ["BCDF-GHJK", "bcdfghjk", " bcdf ghjk ", "BCDF–GHJK", "b-c-d-f-g-h-j-k"]) {
    equal(codeOf(typed), "BCDF-GHJK");
  }
});

test("what cannot be a code is none", () => {
  for (const typed of ["", "BCDF-GHJ", "BCDF-GHJKL", "BCDF/GHJK", "ВCDF-GHJK"]) equal(codeOf(typed), undefined);
});

test("a heading never repeats the name that a program gives itself", () => {
  const native = { id: "native:your-bank", kind: "native", origin: null };

  for (const kind of ["authorize", "device", "command"]) {
    equal(titleOf(readAsked({ kind, client: native })).includes("bank"), false);
  }
  equal(programName(readClient(native)), "your-bank");
});
