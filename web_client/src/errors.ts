/**
 * Every error a page can meet, with its stable `code`.
 *
 *     TollbridgeError            code, message, cause
 *     ├── DaemonError            the daemon answered with a problem: status, path, scope, retryAfter, userCode, expiresIn
 *     ├── AuthorizationError     no token: the owner said no, the popup was blocked, the pairing ended
 *     └── ConnectionError        the daemon is not there, is not the one we know, or the connection went away
 */

import type { Fields, Problem } from "./types.ts";

/** The daemon's own codes (`bridge/errors.py`; a test compares the two). Apps add theirs: `player_not_found`. */
export const codes = [
  "malformed_request",
  "invalid_params",
  "idempotency_unavailable",
  "token_required",
  "token_invalid",
  "proof_invalid",
  "use_dpop_nonce",
  "origin_not_approved",
  "origin_mismatch",
  "scope_missing",
  "approval_required",
  "approval_denied",
  "approval_impossible",
  "not_found",
  "method_not_allowed",
  "request_timeout",
  "cancelled",
  "gone",
  "body_too_large",
  "wrong_media_type",
  "too_many",
  "internal",
  "app_failed",
  "restarting",
  "command_timeout",
] as const;

/** The SDK's own codes, and those of OAuth (RFC 6749) that reach a page. */
export const clientCodes = [
  "access_denied",
  "origin_malformed",
  "popup_blocked",
  "authorization_timeout",
  "invalid_callback",
  "invalid_grant",
  "not_paired",
  "not_connected",
  "connection_lost",
  "call_timeout",
  "permission_denied",
  "daemon_absent",
  "daemon_unverified",
  "version_mismatch",
  "storage_unavailable",
  "bad_answer",
] as const;

/** A code of the SDK. */
export type ClientCode = (typeof clientCodes)[number];
/** Any code; unknown ones are kept as they came. */
export type Code = (typeof codes)[number] | ClientCode | (string & {});

/** Root of all errors of the SDK. Look at `code`, never at `message`. */
export class TollbridgeError extends Error {
  override readonly name: string = "TollbridgeError";
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * The daemon answered with a problem. `path` names a fault in the parameters (`$.volume`); `userCode` is what the owner
 * knows a question by (`approval_required`), for `expiresIn`. Times in seconds.
 */
export class DaemonError extends TollbridgeError {
  override readonly name = "DaemonError";
  readonly status: number;
  readonly path: string | undefined;
  readonly scope: string | undefined;
  readonly retryAfter: number | undefined;
  readonly userCode: string | undefined;
  readonly expiresIn: number | undefined;

  constructor(problem: Problem) {
    super(problem.code, problem.detail);
    this.status = problem.status;
    this.path = problem.path;
    this.scope = problem.scope;
    this.retryAfter = problem.retry_after;
    this.userCode = problem.user_code;
    this.expiresIn = problem.expires_in;
  }
}

/** There is no token: `access_denied`, `popup_blocked`, `invalid_grant` and other codes of RFC 6749. */
export class AuthorizationError extends TollbridgeError {
  override readonly name = "AuthorizationError";
}

/** The daemon cannot be reached. After `connection_lost` it is not known whether the call took effect. */
export class ConnectionError extends TollbridgeError {
  override readonly name = "ConnectionError";
}

/** Read a problem from an answer's body; what is missing or of another type is filled in, never trusted. */
export function problemFrom(body: Fields, status: number): Problem {
  const text = (name: string): string | undefined => (typeof body[name] === "string" ? body[name] : undefined);
  const { retry_after: retry, expires_in: expires } = body;
  const userCode = text("user_code");
  const path = text("path");
  const scope = text("scope");
  return {
    code: text("code") ?? "bad_answer",
    detail: text("detail") ?? text("title") ?? `the daemon answered ${status}`,
    status: typeof body["status"] === "number" ? body["status"] : status,
    ...(path === undefined ? {} : { path }),
    ...(scope === undefined ? {} : { scope }),
    ...(typeof retry === "number" ? { retry_after: retry } : {}),
    ...(userCode === undefined ? {} : { user_code: userCode }),
    ...(typeof expires === "number" ? { expires_in: expires } : {}),
  };
}

/** Read an OAuth error (RFC 6749 section 5.2) from an answer's body. */
export function oauthErrorFrom(body: Fields, status: number): AuthorizationError {
  const code = typeof body["error"] === "string" ? body["error"] : "bad_answer";
  const detail = body["error_description"];
  return new AuthorizationError(code, typeof detail === "string" ? detail : `the daemon answered ${status}`);
}
