/** base64url without padding (RFC 7515 appendix C), and the random and hashed values written in it. */

/** Write bytes. */
export function encode(bytes: ArrayBuffer | Uint8Array): string {
  const view = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  let binary = "";
  for (const byte of view) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * Read bytes.
 *
 * @throws SyntaxError the text has a character that does not belong there
 */
export function decode(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new SyntaxError("not base64url");
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/** Write a JSON value. */
export function encodeJson(value: unknown): string {
  return encode(new TextEncoder().encode(JSON.stringify(value)));
}

/** Return `size` random bytes, written. */
export function random(size = 32): string {
  return encode(crypto.getRandomValues(new Uint8Array(size)));
}

/** Return the SHA-256 of a text, written. */
export async function sha256(text: string): Promise<string> {
  return encode(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
