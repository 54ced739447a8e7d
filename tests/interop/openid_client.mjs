// A client made of openid-client, the certified relying party: it drives discovery, nonces and polling by itself.
import * as client from "../../web_client/node_modules/openid-client/build/index.js";
import { ask, base, browse, challenged, clientId, fetchAsClient, redirectUri, run, scope } from "./stage.mjs";

const discover = () =>
  client.discovery(new URL(base), clientId, undefined, client.None(), {
    algorithm: "oauth2", execute: [client.allowInsecureRequests], [client.customFetch]: fetchAsClient,
  });

const newKey = async (config) => client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));

async function authorize(config, DPoP, changes) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri, scope, state: expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: "S256",
    ...(DPoP && { dpop_jkt: await DPoP.calculateThumbprint() }),
  });
  return { redirect: await browse(url, changes), checks: { pkceCodeVerifier, expectedState } };
}

const redeem = (config, { redirect, checks }, DPoP) =>
  client.authorizationCodeGrant(config, redirect, checks, undefined, { DPoP });

const echo = async (config, token, DPoP) =>
  (await client.fetchProtectedResource(
    config, token, new URL("/v1/apps/system/echo", base), "POST", JSON.stringify({ text: "hello" }),
    new Headers({ "Content-Type": "application/json" }), { DPoP })).json();

async function pair({ isBearer = false } = {}) {
  const config = await discover();
  const DPoP = isBearer ? undefined : await newKey(config);
  const asked = await authorize(config, DPoP);
  return { config, DPoP, asked, tokens: await redeem(config, asked, DPoP) };
}

async function wholeWay(how) {
  const { config, DPoP, tokens } = await pair(how);
  const first = await echo(config, tokens.access_token, DPoP);
  const renewed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
  const second = await echo(config, renewed.access_token, DPoP);
  await ask("restart"); // whose nonces and access tokens are others
  const last = await client.refreshTokenGrant(config, renewed.refresh_token, undefined, { DPoP });
  const third = await echo(config, last.access_token, DPoP);
  return {
    issuer: config.serverMetadata().issuer, answers: [first, second, third],
    type: tokens.token_type, scope: tokens.scope, life: tokens.expires_in,
    refreshTokens: new Set([tokens, renewed, last].map((each) => each.refresh_token)).size,
  };
}

async function device({ isBearer = false } = {}) {
  const config = await discover();
  const DPoP = isBearer ? undefined : await newKey(config);
  // The library has no proof for this request, and lets any parameter be added: a page names its key.
  const key = DPoP && { dpop_jkt: await DPoP.calculateThumbprint() };
  const started = await client.initiateDeviceAuthorization(
    config, { scope, ...(clientId.startsWith("native:") ? {} : key) });
  const polling = client.pollDeviceAuthorizationGrant(config, started, undefined, { DPoP });
  await ask("answer", started.user_code);
  const tokens = await polling;
  return { type: tokens.token_type, answer: await echo(config, tokens.access_token, DPoP) };
}

async function revoke(which, how) {
  const { config, DPoP, tokens } = await pair(how);
  await client.tokenRevocation(config, tokens[which]);
  const use = await echo(config, tokens.access_token, DPoP).then(() => "worked", (error) => challenged(error));
  const renew = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP })
    .then(() => "worked", (error) => error.error);
  return { use, renew };
}

await run({
  wholeWay,
  wholeWayAsBearer: () => wholeWay({ isBearer: true }),
  device,
  async pairAsBearer() {
    return (await pair({ isBearer: true })).tokens.token_type;
  },
  deviceAsBearer: () => device({ isBearer: true }),
  revokeRefreshToken: () => revoke("refresh_token"),
  revokeRefreshTokenAsBearer: () => revoke("refresh_token", { isBearer: true }),
  revokeAccessToken: () => revoke("access_token"),
  async foreignIssuer() {
    const config = await discover();
    const DPoP = await newKey(config);
    const swap = (redirect) => (redirect.searchParams.set("iss", "https://evil.example"), redirect);
    return redeem(config, await authorize(config, DPoP, swap), DPoP);
  },
  async missingIssuer() {
    const config = await discover();
    const DPoP = await newKey(config);
    const drop = (redirect) => (redirect.searchParams.delete("iss"), redirect);
    return redeem(config, await authorize(config, DPoP, drop), DPoP);
  },
  async foreignState() {
    const config = await discover();
    const DPoP = await newKey(config);
    const swap = (redirect) => (redirect.searchParams.set("state", client.randomState()), redirect);
    return redeem(config, await authorize(config, DPoP, swap), DPoP);
  },
  async wrongVerifier() {
    const config = await discover();
    const DPoP = await newKey(config);
    const { redirect, checks } = await authorize(config, DPoP);
    return redeem(config, { redirect, checks: { ...checks, pkceCodeVerifier: client.randomPKCECodeVerifier() } }, DPoP);
  },
  async secondUse() {
    const { config, DPoP, asked, tokens } = await pair();
    const second = await redeem(config, asked, DPoP).then(() => "worked", (error) => error.error);
    const renew = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP })
      .then(() => "worked", (error) => error.error);
    return { second, renew };
  },
  async otherKeyAtTheTokenEndpoint() {
    const config = await discover();
    return redeem(config, await authorize(config, await newKey(config)), await newKey(config));
  },
  async otherKeyAtTheApi() {
    const { config, tokens } = await pair();
    return echo(config, tokens.access_token, await newKey(config));
  },
  async downgrade() {
    const { config, tokens } = await pair();
    return echo(config, tokens.access_token, undefined);
  },
  async denied() {
    const config = await discover();
    const DPoP = await newKey(config);
    return redeem(config, await authorize(config, DPoP), DPoP);
  },
});
