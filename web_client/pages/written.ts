/**
 * Values as a person has to read them before they answer: as JSON, whole, and with nothing in them that does not show.
 * Pure.
 */

import { isFields } from "../src/types.ts";

/** Controls, and what turns, joins or hides letters: bidirectional marks, zero widths, tags, other spaces. */
const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\u{e0100}-\u{e01ef}]|(?! )\p{Zs}/gu;

/** Write a value; what cannot be seen in a text is written as its escape. */
export function written(value: unknown): string {
  return lines(value, "");
}

/** Write a text as it is, but for what cannot be seen. */
export function visible(text: string): string {
  return text.replace(UNSEEN, escape);
}

function lines(value: unknown, indent: string): string {
  if (typeof value === "number") return numeral(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) return wrapped("[", value.map((item) => inner + lines(item, inner)), `${indent}]`);
  if (!isFields(value)) return visible(JSON.stringify(value) ?? "null");
  const members = Object.entries(value).map(([name, item]) => `${inner}${quoted(name)}: ${lines(item, inner)}`);
  return wrapped("{", members, `${indent}}`);
}

function wrapped(open: string, items: readonly string[], close: string): string {
  return items.length === 0 ? open + close.trimStart() : `${open}\n${items.join(",\n")}\n${close}`;
}

function quoted(text: string): string {
  return visible(JSON.stringify(text));
}

/** A number beyond 2^53 may have been rounded on its way here: it is not shown as if it were exact. */
function numeral(value: number): string {
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? `about ${value}` : JSON.stringify(value);
}

function escape(letter: string): string {
  return Array.from({ length: letter.length }, (_, at) => unit(letter.charCodeAt(at))).join("");
}

function unit(code: number): string {
  return `\\u${code.toString(16).padStart(4, "0")}`;
}
