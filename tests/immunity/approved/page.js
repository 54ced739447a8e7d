// A page that the owner approved. It uses the SDK, and its own requests where a test has to see the raw answers.
import { Tollbridge } from "/sdk/index.js";

const port = Number(new URLSearchParams(location.search).get("port"));
const base = `http://127.0.0.1:${port}`;
const ends = {}; // of what `listens` opened: how each ended
let token;

// What the SDK is told and what it opens, noted on the way.
const send = window.fetch;
window.fetch = async (url, init) => {
  const answer = await send(url, init);
  if (String(url).endsWith("/oauth/token") && answer.ok) token = (await answer.clone().json()).access_token;
  return answer;
};
const opened = [];
window.WebSocket = class extends WebSocket {
  constructor(...all) {
    super(...all);
    opened.push(this);
  }
};

const bridge = new Tollbridge({ scope: "counter:use", redirectUri: "/approved/callback.html", ports: [port] });
document.querySelector("#connect").onclick = () => bridge.connect().catch((error) => (ends.connect = error.code));

async function key() {
  const database = await new Promise((resolve, reject) => {
    const request = indexedDB.open("tollbridge");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const request = database.transaction("values").objectStore("values").get("key");
  const found = await new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
  database.close();
  return found;
}

const encode = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const text = (value) => new TextEncoder().encode(value);

/** RFC 9449 section 4.2, written down once more. */
async function proof(method, url, nonce) {
  const { privateKey, publicKey } = await key();
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  const header = { typ: "dpop+jwt", alg: "ES256", jwk: { kty, crv, x, y } };
  const claims = {
    jti: crypto.randomUUID(),
    htm: method,
    htu: url.split("?")[0],
    iat: Math.floor(Date.now() / 1000),
    ath: encode(await crypto.subtle.digest("SHA-256", text(token))),
    ...(nonce === null ? {} : { nonce }),
  };
  const signed = [header, claims].map((part) => encode(text(JSON.stringify(part)))).join(".");
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, text(signed));
  return `${signed}.${encode(signature)}`;
}

/** Send a request with token and proof; once more with the nonce that the daemon asks for. */
async function request(method, path, headers = {}, nonce = null) {
  const url = base + path;
  const proved = { Authorization: `DPoP ${token}`, DPoP: await proof(method, url, nonce), ...headers };
  const answer = await send(url, { method, headers: proved, cache: "no-store" });
  const asked = answer.headers.get("DPoP-Nonce");
  return answer.status === 401 && nonce === null && asked !== null
    ? await request(method, path, headers, asked)
    : answer;
}

const ended = (name, how) => (ends[name] ??= how);

window.page = {
  ends,
  status: () => bridge.status,
  call: (name) => bridge.call(name),
  asks: async (path) => {
    const answer = await request("GET", path);
    return [answer.status, (await answer.json()).code ?? null];
  },
  /** Open a stream and a long poll beside the SDK's socket; true once the stream has answered. */
  listens: async () => {
    opened.at(-1).addEventListener("close", ({ code }) => ended("socket", code));
    const stream = await request("GET", "/v1/events?topics=counter", { Accept: "text/event-stream" });
    const reader = stream.body.getReader();
    const drain = async () => {
      for (;;) {
        const { done } = await reader.read();
        if (done) return "closed";
      }
    };
    void drain().then((how) => ended("stream", how), () => ended("stream", "broken"));
    void request("GET", "/v1/events?topics=counter&wait=55").then(
      async (answer) => ended("poll", answer.status),
      () => ended("poll", "broken"),
    );
    return stream.ok;
  },
};
