/** Where is the daemon? Asked port by port; with a pinned key, only the daemon that proves it counts. */

import { random } from "./base64url.ts";
import { ConnectionError, TollbridgeError } from "./errors.ts";
import { fieldsOf, send } from "./http.ts";
import { thumbprintOf } from "./keys.ts";
import type { PublicJwk } from "./keys.ts";
import { reach } from "./permission.ts";
import { checkProof } from "./proof.ts";
import { isFields } from "./types.ts";

/** The ports a daemon takes, in this order (protocol, first lines). */
export const PORTS: readonly number[] = [4380, 4381, 4382];

/** The version of the protocol that this SDK speaks. */
const API = 1;

/** Return the one base of the daemon on `port`; `localhost` would be another origin. */
export function baseAt(port: number): string {
  return `http://127.0.0.1:${port}`;
}

/** Whom to look for. */
export interface Sought {
  readonly ports: readonly number[];
  /** The key pinned at pairing; without it any daemon will do, and no secret may be sent to it. */
  readonly pinned?: PublicJwk | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Return the port of the daemon that is sought. Where the browser has to ask the person first, this waits for that.
 *
 * @throws ConnectionError `daemon_absent`: nothing answers; `daemon_unverified`: something does, without the proof;
 *   `version_mismatch`; `permission_denied`
 */
export async function find(sought: Sought): Promise<number> {
  return await reach((deadlineMs) => first(sought, deadlineMs));
}

async function first({ ports, pinned, signal }: Sought, deadlineMs: number): Promise<number> {
  let fault = new ConnectionError("daemon_absent", "Tollbridge does not answer on this computer");
  for (const port of ports) {
    try {
      await hello(port, pinned, deadlineMs, signal);
      return port;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof TollbridgeError)) throw error;
      // What answered, even wrongly, says more than a closed port.
      if (error instanceof ConnectionError && error.code !== "connection_lost") fault = error;
    }
  }
  throw fault;
}

async function hello(
  port: number,
  pinned: PublicJwk | undefined,
  deadlineMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const nonce = random(24);
  const asked = pinned === undefined ? "" : `?${new URLSearchParams({ nonce, key: await thumbprintOf(pinned) })}`;
  const url = `${baseAt(port)}/v1/hello${asked}`;
  const response = await send(url, { cache: "no-store", deadline: deadlineMs, signal });
  const said = await fieldsOf(response);
  if (said["service"] !== "tollbridge") throw new ConnectionError("connection_lost", "another program answers there");
  const api = isFields(said["api"]) ? said["api"] : {};
  if (!(Number(api["min"]) <= API && API <= Number(api["max"]))) {
    throw new ConnectionError("version_mismatch", `the daemon does not speak version ${API} of the protocol`);
  }
  if (pinned === undefined) return;
  await checkProof(said["proof"], pinned, { nonce, origin: location.origin, port, purpose: "hello" });
}
