/** What travels over the WebSocket (protocol section 6): frames out as text, frames in as types. */

import { DaemonError, problemFrom } from "../errors.ts";
import { isFields } from "../types.ts";
import type { BridgeEvent, Cursor, Fields } from "../types.ts";

/** What the page says. */
export type Outgoing =
  | {
      readonly type: "hello";
      readonly nonce: string;
      readonly after: Cursor | null;
      readonly topics: readonly string[];
    }
  | { readonly type: "call"; readonly id: number; readonly command: string; readonly params: object }
  | { readonly type: "cancel"; readonly id: number }
  | { readonly type: "subscribe" | "unsubscribe"; readonly topics: readonly string[] }
  | { readonly type: "ping"; readonly t: number };

/** What the daemon says; frames of other types are for a later SDK, and ignored. */
export type Incoming =
  | { readonly type: "welcome"; readonly proof: unknown; readonly cursor: Cursor | null }
  | { readonly type: "reply"; readonly id: number; readonly result: unknown; readonly error?: DaemonError }
  | { readonly type: "event"; readonly event: BridgeEvent }
  | { readonly type: "subscribed" }
  | { readonly type: "error"; readonly error: DaemonError }
  | { readonly type: "closing"; readonly retryMs: number }
  | { readonly type: "other" };

/** Read a frame; anything malformed is `other`. */
export function readFrame(text: unknown): Incoming {
  const frame = parse(text);
  switch (frame["type"]) {
    case "welcome":
      return { type: "welcome", proof: frame["proof"], cursor: textOf(frame["cursor"]) };
    case "reply":
      return readReply(frame);
    case "event":
      return isEvent(frame["event"]) ? { type: "event", event: frame["event"] } : { type: "other" };
    case "subscribed":
      return { type: "subscribed" };
    case "error":
      return { type: "error", error: errorOf(frame["error"]) };
    case "closing":
      return { type: "closing", retryMs: Number(frame["retry"] ?? 0) * 1000 };
    default:
      return { type: "other" };
  }
}

function readReply(frame: Fields): Incoming {
  const { id, result, error } = frame;
  if (typeof id !== "number") return { type: "other" };
  return error === undefined
    ? { type: "reply", id, result }
    : { type: "reply", id, result: undefined, error: errorOf(error) };
}

function errorOf(value: unknown): DaemonError {
  return new DaemonError(problemFrom(isFields(value) ? value : {}, 500));
}

function isEvent(value: unknown): value is BridgeEvent {
  return isFields(value) && ["id", "topic", "name", "time"].every((name) => typeof value[name] === "string");
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function parse(text: unknown): Fields {
  try {
    const value: unknown = JSON.parse(String(text));
    return isFields(value) ? value : {};
  } catch {
    return {};
  }
}
