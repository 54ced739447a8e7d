// What a library's program has around it: a person with a browser, an Origin, and somebody who writes down what was sent.
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const told = JSON.parse(process.argv[2]);
export const { base, clientId, scope } = told;
const origin = clientId.startsWith("native:") ? null : clientId;

// A program listens for the answer on a port that the system chooses (RFC 8252 7.3).
let arrive;
const server = createServer((request, answer) => {
  answer.end("You may close this window.");
  arrive(new URL(request.url, redirectUri));
});
if (origin === null) await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
export const redirectUri = origin === null ? `http://127.0.0.1:${server.address().port}/callback` : `${origin}/callback`;

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Have the test do something that this program cannot, and return what came of it. */
export async function ask(what, value = null) {
  process.stdout.write(JSON.stringify({ [what]: value }) + "\n");
  const { value: line, done } = await lines.next();
  if (done) throw new Error("the test has ended");
  return JSON.parse(line);
}

/** Send the person to `url` and return the URL at which the answer arrives; `changes` stands between the two. */
export async function browse(url, changes = (redirect) => redirect) {
  if (origin !== null) return changes(new URL(await ask("browse", url.href)));
  const arrived = new Promise((resolve) => (arrive = resolve));
  await ask("visit", url.href);
  return changes(await arrived);
}

/** Every request that was sent: `[method path, nonce or no nonce or no proof, status]`. */
export const sent = [];

/** fetch as the library calls it, from a page of `origin` where the client is one. */
export async function fetchAsClient(url, options) {
  const headers = new Headers(options.headers);
  if (origin !== null) headers.set("Origin", origin);
  const answer = await fetch(url, { ...options, headers });
  const proof = headers.get("DPoP");
  const claims = proof === null ? null : JSON.parse(Buffer.from(proof.split(".")[1], "base64url"));
  const how = claims === null ? "no proof" : "nonce" in claims ? "nonce" : "no nonce";
  sent.push([`${options.method} ${new URL(url).pathname}`, how, answer.status]);
  return answer;
}

/** Run one flow, named on the command line, and print what it returns or why it failed. */
export async function run(flows) {
  const flow = flows[process.argv[3]];
  const came = await flow().then(
    (result) => ({ result, sent }),
    ({ name, code = "", error = "", message, cause }) => ({ error: { name, code, error, message, ...why(cause) }, sent }),
  );
  process.stdout.write(JSON.stringify({ told: came }) + "\n", () => process.exit(0));
}

/** The error in a WWW-Authenticate challenge, as both libraries hand it on. */
export const challenged = ({ cause }) => cause[0].parameters.error;

function why(cause) {
  if (Array.isArray(cause)) return { error: cause[0].parameters.error, scheme: cause[0].scheme };
  return { because: cause?.message ?? "" };
}
