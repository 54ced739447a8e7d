/** May this page reach the loopback network? (Local Network Access: Chromium 142 and later, Firefox 153 and later.) */

import { ConnectionError } from "./errors.ts";

/** `unsupported`: the browser knows no such permission, and usually does not ask either. */
export type PermissionKind = "granted" | "denied" | "prompt" | "unsupported";

/** The browser's own question may stay open as long as the person thinks; the daemon keeps silent connections 330 s. */
const PROMPT_MS = 300_000;

/** A daemon answers in milliseconds; Windows takes up to 2 s to say that a port is closed. */
const ANSWER_MS = 5_000;

/** Return the permission as it is now. It asks nobody, and touches no network. */
export async function query(): Promise<PermissionKind> {
  // A page that comes from this computer is already where it wants to go: its state says `prompt`, and no prompt comes.
  if (isLoopback(location.hostname)) return "unsupported";
  // The newer name first: after three dismissals the older one still says `prompt` where the truth is `denied`.
  for (const name of ["loopback-network", "local-network-access"]) {
    try {
      return (await navigator.permissions.query({ name: name as PermissionName })).state;
    } catch {
      // This browser does not know the name.
    }
  }
  return "unsupported";
}

/** Say whether a host name means this computer in every browser. */
export function isLoopback(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/** Say whether the daemon may be contacted without a click: where the browser would ask, it takes one. */
export function isSilent(permission: PermissionKind): boolean {
  return permission === "granted" || permission === "unsupported";
}

/**
 * Run an attempt to reach the daemon, which may have to wait until the browser has asked the person; `attempt` is
 * handed how long it may take, in milliseconds.
 *
 * @throws ConnectionError `permission_denied`: the browser does not let this page reach the computer it runs on
 */
export async function reach<Result>(attempt: (deadlineMs: number) => Promise<Result>): Promise<Result> {
  const before = await query();
  if (before === "denied") throw denied();
  try {
    return await attempt(before === "prompt" ? PROMPT_MS : ANSWER_MS);
  } catch (error) {
    const now = await query();
    if (now === "denied") throw denied(error);
    // The daemon may have dropped the connection that the browser's question held open: once more.
    if (before === "prompt" && now === "granted") return await attempt(ANSWER_MS);
    throw error;
  }
}

function denied(cause?: unknown): ConnectionError {
  const sentence = "the browser does not let this page reach programs on this computer";
  return new ConnectionError("permission_denied", sentence, { cause });
}
