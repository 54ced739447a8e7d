/** Is it the daemon that this page was paired with? The check of its signed answer (protocol section 2); pure. */

import { decode } from "./base64url.ts";
import { ConnectionError } from "./errors.ts";
import type { PublicJwk } from "./keys.ts";
import { isFields } from "./types.ts";

/** What a proof has to say. */
export interface Expected {
  readonly nonce: string;
  readonly origin: string;
  readonly port: number;
  readonly purpose: "hello" | "socket";
}

/**
 * Check a compact JWS of the daemon against the key that was pinned.
 *
 * @throws ConnectionError `daemon_unverified`: it is no such proof, or it was made with another key, for another nonce,
 *   origin, port or purpose; whoever answered gets no token
 */
export async function checkProof(proof: unknown, pinned: PublicJwk, expected: Expected): Promise<void> {
  const fault = await faultOf(proof, pinned, expected).catch(() => "it cannot be read");
  if (fault !== undefined) {
    throw new ConnectionError("daemon_unverified", `what answers is not the daemon of this pairing: ${fault}`);
  }
}

async function faultOf(proof: unknown, pinned: PublicJwk, expected: Expected): Promise<string | undefined> {
  if (typeof proof !== "string") return "it proves nothing";
  const [header = "", claims = "", signature = "", ...more] = proof.split(".");
  if (more.length > 0) return "it is not a signed statement";
  const { alg, typ } = parse(header);
  if (alg !== "ES256" || typ !== "tollbridge-proof+jwt") return "it is another kind of statement";
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const { kty, crv, x, y } = pinned;
  const key = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, algorithm, false, ["verify"]);
  const signed = new TextEncoder().encode(`${header}.${claims}`);
  const isSigned = await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, decode(signature), signed);
  if (!isSigned) return "another key signed";
  const said = parse(claims);
  if (said["nonce"] !== expected.nonce) return "the nonce is another";
  if (said["origin"] !== expected.origin) return "it speaks to another site";
  if (said["port"] !== expected.port) return "it speaks of another port";
  if (said["for"] !== expected.purpose) return "it was made for another purpose";
  return undefined;
}

function parse(part: string): Record<string, unknown> {
  const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(decode(part)));
  if (!isFields(value)) throw new SyntaxError("not an object");
  return value;
}
