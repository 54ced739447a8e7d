// A page that talks to Tollbridge without our SDK: oauth4webapi goes the whole way, from discovery to revocation.
import * as oauth from "/lib/index.js";

const client = { client_id: location.origin };
const redirectUri = `${location.origin}/`;
const sent = [];
const options = {
  [oauth.allowInsecureRequests]: true,
  async [oauth.customFetch](url, init) {
    const answer = await fetch(url, init);
    sent.push([`${init.method} ${new URL(url).pathname}`, howProved(init.headers.dpop), answer.status]);
    return answer;
  },
};

function howProved(proof) {
  if (proof === undefined) return "no proof";
  return "nonce" in JSON.parse(atob(proof.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))) ? "nonce" : "no nonce";
}

async function again(attempt) {
  try {
    return await attempt();
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    return attempt();
  }
}

async function discover(base) {
  const issuer = new URL(base);
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...options, algorithm: "oauth2" }));
}

// The key waits in the browser's own store for the page to come back: nobody can read it there, the page neither.
const store = (mode, work) => new Promise((resolve, reject) => {
  const opening = indexedDB.open("keys", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("keys");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const request = work(opening.result.transaction("keys", mode).objectStore("keys"));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  };
});

async function leave(base, scope) {
  const as = await discover(base);
  const keyPair = await oauth.generateKeyPair("ES256");
  await store("readwrite", (keys) => keys.put(keyPair, "key"));
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  sessionStorage.setItem("way", JSON.stringify({ base, verifier, state }));
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({
    response_type: "code", client_id: client.client_id, redirect_uri: redirectUri, scope, state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
    dpop_jkt: await oauth.DPoP(client, keyPair).calculateThumbprint(),
  });
  location.assign(url);
}

async function comeBack() {
  const { base, verifier, state } = JSON.parse(sessionStorage.getItem("way"));
  const as = await discover(base);
  const keyPair = await store("readonly", (keys) => keys.get("key"));
  const DPoP = oauth.DPoP(client, keyPair);
  const answer = oauth.validateAuthResponse(as, client, new URL(location.href), state);
  const tokens = await again(async () => oauth.processAuthorizationCodeResponse(as, client,
    await oauth.authorizationCodeGrantRequest(as, client, oauth.None(), answer, redirectUri, verifier, { ...options, DPoP })));
  const refresh = (token) => again(async () => oauth.processRefreshTokenResponse(as, client,
    await oauth.refreshTokenGrantRequest(as, client, oauth.None(), token, { ...options, DPoP })));
  const echo = (token) => again(async () => (await oauth.protectedResourceRequest(
    token, "POST", new URL("/v1/apps/system/echo", base), new Headers({ "Content-Type": "application/json" }),
    JSON.stringify({ text: "hello" }), { ...options, DPoP })).json());
  const first = await echo(tokens.access_token);
  const renewed = await refresh(tokens.refresh_token);
  const second = await echo(renewed.access_token);
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(as, client, oauth.None(), renewed.refresh_token, options));
  const ended = await refresh(renewed.refresh_token).then(() => "worked", ({ error }) => error);
  return {
    issuer: as.issuer, extractable: keyPair.privateKey.extractable, type: tokens.token_type,
    answers: [first, second], ended, sent,
  };
}

window.visit = { leave, result: null };
if (new URLSearchParams(location.search).has("state")) {
  window.visit.result = await comeBack().then((result) => ({ result }), (error) => ({ error: error.error ?? error.message, sent }));
}
window.visit.isReady = true;
