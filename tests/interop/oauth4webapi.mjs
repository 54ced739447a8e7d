// A client made of oauth4webapi alone: each step is the library's function, each check the library's own.
import * as oauth from "../../web_client/node_modules/oauth4webapi/build/index.js";
import { ask, base, browse, challenged, clientId, fetchAsClient, redirectUri, run, scope } from "./stage.mjs";

const client = { client_id: clientId };
const options = { [oauth.allowInsecureRequests]: true, [oauth.customFetch]: fetchAsClient };
const auth = oauth.None();

/** Try once more where the server asks for a nonce: the library has it by then, and leaves the retry to its caller. */
async function again(attempt) {
  try {
    return await attempt();
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    return attempt();
  }
}

async function discover() {
  const resource = await oauth.processResourceDiscoveryResponse(
    new URL(base), await oauth.resourceDiscoveryRequest(new URL(base), options));
  const issuer = new URL(resource.authorization_servers[0]);
  const as = await oauth.processDiscoveryResponse(
    issuer, await oauth.discoveryRequest(issuer, { ...options, algorithm: "oauth2" }));
  return { as, resource };
}

const newKeyPair = () => oauth.generateKeyPair("ES256");
const newKey = async () => oauth.DPoP(client, await newKeyPair());

/** Ask the owner, and return what the redirect brought, with what is needed to redeem it. */
async function authorize(as, DPoP, changes) {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const url = new URL(as.authorization_endpoint);
  const query = {
    response_type: "code", client_id: clientId, redirect_uri: redirectUri, scope, state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
    ...(DPoP && { dpop_jkt: await DPoP.calculateThumbprint() }),
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const redirect = await browse(url, changes);
  return { answer: oauth.validateAuthResponse(as, client, redirect, state), verifier };
}

const redeem = (as, { answer, verifier }, DPoP) =>
  again(async () => oauth.processAuthorizationCodeResponse(as, client, await oauth.authorizationCodeGrantRequest(
    as, client, auth, answer, redirectUri, verifier, { ...options, DPoP })));

const refresh = (as, token, DPoP) =>
  again(async () => oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(
    as, client, auth, token, { ...options, DPoP })));

const echo = (token, DPoP, text = "hello") =>
  again(async () => (await oauth.protectedResourceRequest(
    token, "POST", new URL("/v1/apps/system/echo", base), new Headers({ "Content-Type": "application/json" }),
    JSON.stringify({ text }), { ...options, DPoP })).json());

async function pair({ isBearer = false } = {}) {
  const { as, resource } = await discover();
  const keyPair = isBearer ? undefined : await newKeyPair();
  const DPoP = keyPair && oauth.DPoP(client, keyPair);
  const asked = await authorize(as, DPoP);
  return { as, resource, keyPair, DPoP, asked, tokens: await redeem(as, asked, DPoP) };
}

/** The whole way; `isBearer` leaves DPoP out, which a program may. */
async function wholeWay(how) {
  const { as, resource, DPoP, tokens } = await pair(how);
  const first = await echo(tokens.access_token, DPoP);
  const renewed = await refresh(as, tokens.refresh_token, DPoP);
  const second = await echo(renewed.access_token, DPoP);
  await ask("restart"); // whose nonces and access tokens are others
  const last = await refresh(as, renewed.refresh_token, DPoP);
  const third = await echo(last.access_token, DPoP);
  return {
    issuer: as.issuer, resource: resource.resource, answers: [first, second, third],
    type: tokens.token_type, scope: tokens.scope, life: tokens.expires_in,
    refreshTokens: new Set([tokens, renewed, last].map((each) => each.refresh_token)).size,
  };
}

/** What a page or program does that has nowhere to be sent back to. */
async function device({ isBearer = false } = {}) {
  const { as } = await discover();
  const DPoP = isBearer ? undefined : await newKey();
  // The library has no proof for this request, and lets any parameter be added: a page names its key.
  const key = DPoP && { dpop_jkt: await DPoP.calculateThumbprint() };
  const started = await oauth.processDeviceAuthorizationResponse(as, client, await oauth.deviceAuthorizationRequest(
    as, client, auth, { scope, ...(clientId.startsWith("native:") ? {} : key) }, options));
  const poll = (handle = DPoP) => again(async () => oauth.processDeviceCodeResponse(as, client,
    await oauth.deviceCodeGrantRequest(as, client, auth, started.device_code, { ...options, DPoP: handle })));
  const early = [await poll().catch(({ error }) => error), await poll().catch(({ error }) => error)];
  await ask("answer", started.user_code);
  const tokens = await poll();
  const answer = await echo(tokens.access_token, DPoP);
  const second = await poll().catch(({ error }) => error);
  return { started, early, type: tokens.token_type, answer, second, renews: tokens.refresh_token !== undefined };
}

async function deviceWithAnotherKey() {
  const { as } = await discover();
  const started = await oauth.processDeviceAuthorizationResponse(as, client, await oauth.deviceAuthorizationRequest(
    as, client, auth, { scope, dpop_jkt: await (await newKey()).calculateThumbprint() }, options));
  await ask("answer", started.user_code);
  const DPoP = await newKey();
  return again(async () => oauth.processDeviceCodeResponse(as, client,
    await oauth.deviceCodeGrantRequest(as, client, auth, started.device_code, { ...options, DPoP })));
}

async function revoke(which, how) {
  const { as, DPoP, tokens } = await pair(how);
  const end = async (token) => oauth.processRevocationResponse(
    await oauth.revocationRequest(as, client, auth, token, options));
  await end(tokens[which]);
  await end(tokens[which]); // a second time is no error
  await end("rt_unknown");
  const use = await echo(tokens.access_token, DPoP).then(() => "worked", (error) => challenged(error));
  const renew = await refresh(as, tokens.refresh_token, DPoP).then(() => "worked", (error) => error.error);
  return { use, renew };
}

await run({
  wholeWay,
  wholeWayAsBearer: () => wholeWay({ isBearer: true }),
  device,
  deviceWithAnotherKey,
  deviceAsBearer: () => device({ isBearer: true }),
  revokeRefreshToken: () => revoke("refresh_token"),
  revokeRefreshTokenAsBearer: () => revoke("refresh_token", { isBearer: true }),
  revokeAccessToken: () => revoke("access_token"),
  async secondUse() {
    const { as, DPoP, asked, tokens } = await pair();
    const second = await redeem(as, asked, DPoP).then(() => "worked", (error) => error.error);
    const use = await echo(tokens.access_token, DPoP).then(() => "worked", (error) => challenged(error));
    const renew = await refresh(as, tokens.refresh_token, DPoP).then(() => "worked", (error) => error.error);
    return { second, use, renew };
  },
  async wrongVerifier() {
    const { as } = await discover();
    const DPoP = await newKey();
    const asked = await authorize(as, DPoP);
    return redeem(as, { ...asked, verifier: oauth.generateRandomCodeVerifier() }, DPoP);
  },
  async otherKeyAtTheTokenEndpoint() {
    const { as } = await discover();
    return redeem(as, await authorize(as, await newKey()), await newKey());
  },
  async otherKeyAtRefresh() {
    const { as, DPoP, tokens } = await pair();
    const thief = await refresh(as, tokens.refresh_token, await newKey()).then(() => "worked", (error) => error.error);
    return { thief, owner: (await refresh(as, tokens.refresh_token, DPoP)).token_type };
  },
  async otherKeyAtTheApi() {
    const { tokens } = await pair();
    return echo(tokens.access_token, await newKey());
  },
  async sameKeyWithoutANonce() {
    const { keyPair, tokens } = await pair();
    return echo(tokens.access_token, oauth.DPoP(client, keyPair)); // as a page does that was loaded anew
  },
  async downgrade() {
    const { tokens } = await pair();
    return echo(tokens.access_token, undefined);
  },
  denied: async () => authorize((await discover()).as, await newKey()),
  async foreignIssuer() {
    const { as } = await discover();
    const swap = (redirect) => (redirect.searchParams.set("iss", "https://evil.example"), redirect);
    return authorize(as, await newKey(), swap);
  },
  async withoutAllowInsecureRequests() {
    return oauth.discoveryRequest(new URL(base), { algorithm: "oauth2" });
  },
  async refreshTwice() {
    const { as, DPoP, tokens } = await pair();
    const one = await refresh(as, tokens.refresh_token, DPoP);
    const same = await refresh(as, tokens.refresh_token, DPoP); // an answer that was lost may be had again
    return one.refresh_token === same.refresh_token;
  },
});
