/** The values that travel between a page and the daemon, as the wire protocol has them. */

/** A position in the daemon's one event sequence, `EPOCH.SEQ`. Opaque: compare it with nothing. */
export type Cursor = string;

/** A fact that an app published. `time` is RFC 3339 in UTC; the shape of `data` is the app's. */
export interface BridgeEvent<Data = unknown> {
  readonly id: Cursor;
  readonly topic: string;
  readonly name: string;
  readonly time: string;
  readonly data: Data;
}

/** Events were lost between two cursors: read the states again. `snapshot` says where, if the daemon knows. */
export interface Gap {
  readonly from: Cursor | null;
  readonly to: Cursor | null;
  readonly snapshot: unknown;
}

/** An app's state, and the position in the event sequence at which it was true. */
export interface Snapshot<State = unknown> {
  readonly cursor: Cursor;
  readonly state: State;
}

/** An error as the daemon sends it (RFC 9457); times in seconds, `path` names a fault in the parameters. */
export interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly status: number;
  readonly title?: string;
  readonly path?: string;
  readonly scope?: string;
  readonly retry_after?: number;
  readonly user_code?: string;
  readonly expires_in?: number;
}

/**
 * Where the bridge stands.
 *
 * - `idle`: nothing runs; `connect()` from a click is needed
 * - `asking`: the owner is looking at the consent page
 * - `connecting`: the daemon is being reached for the first time
 * - `connected`: calls and events flow
 * - `reconnecting`: the connection was lost, or the daemon is not there; it goes on by itself
 * - `denied`: the owner said no; `connect()` may ask again
 * - `closed`: after `disconnect()`
 */
export type Status = "idle" | "asking" | "connecting" | "connected" | "reconnecting" | "denied" | "closed";

/** A JSON object whose fields have still to be looked at. */
export type Fields = Readonly<Record<string, unknown>>;

/** Narrow what `JSON.parse` returned to an object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
