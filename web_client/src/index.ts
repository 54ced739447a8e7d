/** What a page imports: the bridge, its errors and its types. */

export { Tollbridge } from "./client.ts";
export type { Options, Until } from "./client.ts";
export { reportCallback } from "./callback.ts";
export { AuthorizationError, clientCodes, codes, ConnectionError, DaemonError, TollbridgeError } from "./errors.ts";
export type { ClientCode, Code } from "./errors.ts";
export type { BridgeEvent, Cursor, Gap, Problem, Snapshot, Status } from "./types.ts";
