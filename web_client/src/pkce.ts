/** Proof Key for Code Exchange, S256 only (RFC 7636). */

import { random, sha256 } from "./base64url.ts";

/** Return a new verifier: 43 characters from 32 random bytes (section 4.1). */
export function makeVerifier(): string {
  return random(32);
}

/** Return the challenge of a verifier (section 4.2). */
export function challengeOf(verifier: string): Promise<string> {
  return sha256(verifier);
}
