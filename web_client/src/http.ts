/** One request to the daemon: no cookies, no redirects, always a deadline; failures are typed. */

import { ConnectionError, DaemonError, problemFrom } from "./errors.ts";
import { isFields } from "./types.ts";
import type { Fields } from "./types.ts";

/** What to send; `deadline` in milliseconds. */
export interface Outgoing {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly headers?: Record<string, string>;
  readonly body?: string | undefined;
  readonly cache?: RequestCache;
  readonly deadline?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A state or a token comes within milliseconds; an app may take up to its own deadline of 10 s. */
const DEADLINE_MS = 12_000;

/**
 * Send one request.
 *
 * @throws ConnectionError `connection_lost`: no answer; whether the request arrived is not known
 */
export async function send(url: string, { deadline = DEADLINE_MS, signal, ...rest }: Outgoing): Promise<Response> {
  const timeout = AbortSignal.timeout(deadline);
  const either = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
  try {
    return await fetch(url, {
      ...rest,
      body: rest.body ?? null,
      credentials: "omit",
      redirect: "error",
      signal: either,
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw new ConnectionError("connection_lost", "the daemon gave no answer", { cause: error });
  }
}

/** Read an answer's body as a JSON object; empty where it has none. */
export async function fieldsOf(response: Response): Promise<Fields> {
  try {
    const body: unknown = await response.json();
    return isFields(body) ? body : {};
  } catch {
    return {};
  }
}

/**
 * Return the JSON object of a good answer.
 *
 * @throws DaemonError the daemon answered with a problem
 */
export async function answered(response: Response): Promise<Fields> {
  const fields = await fieldsOf(response);
  if (!response.ok) throw new DaemonError(problemFrom(fields, response.status));
  return fields;
}
