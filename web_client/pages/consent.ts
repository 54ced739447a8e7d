/** The consent page: posts the site's request, shows it, takes the owner's answer or waits for it, and goes back. */

import { answered, fieldsOf, send } from "../src/http.ts";
import { DaemonError, TollbridgeError } from "../src/errors.ts";
import { readAsked } from "./asked.ts";
import type { Asked } from "./asked.ts";
import { View } from "./consent-view.ts";
import { isGone, isOver, onActivated, Owner } from "./owner.ts";
import type { Choice } from "./question.ts";

/** A poll waits so long for the answer, in seconds; the daemon forgets a page that is silent for 30 s. */
const WAIT_SECONDS = 20;
const POLL_MS = (WAIT_SECONDS + 5) * 1000;

/** Between two attempts to reach a daemon that is away; milliseconds. */
const PAUSE_MS = 1_000;

/** A request that is gone again so soon after it was asked anew was replaced, not lost with a daemon that restarted. */
const ANEW_MS = 60_000;

/** Two windows of one domain would replace each other's request for ever: the newer one speaks, the older rests. */
const windows = new BroadcastChannel("tollbridge-asking");

const owner = new Owner();
const view = new View({
  answer: (choice) => void answer(choice),
  back: () => asked?.redirectDenied && leave(asked.redirectDenied),
});
let asked: Asked | undefined;
let isReplaced = false;
let anewAt = Number.NEGATIVE_INFINITY;

/** Whether this page answered, in which case nobody needs to be told that somebody did. */
let isAnswering = false;

async function answer(choice: Choice): Promise<void> {
  if (asked === undefined) return;
  isAnswering = true;
  view.busy();
  try {
    await owner.answer(asked.code, choice);
    await follow(asked, 0); // the wait under way hears of it too; whichever comes first
  } catch (error) {
    isAnswering = false;
    if (isOver(error)) await present(asked);
    else if (!isGone(error)) view.failed(`Your answer did not get through: ${sentence(error)}`);
    // Gone: it was answered elsewhere, or asked anew. The wait under way hears which.
  }
}

/** Open the request, and wait until it is answered; a restarted daemon has forgotten it, so it is opened again. */
async function run(): Promise<void> {
  onActivated(() => asked !== undefined && void present(asked));
  windows.onmessage = ({ data }) => asked !== undefined && data === asker(asked) && rest();
  while (!isReplaced) {
    try {
      asked ??= await open();
      if (asked === undefined || (await follow(asked, WAIT_SECONDS))) return;
    } catch (error) {
      if (isReplaced) return;
      if (error instanceof DaemonError && error.status === 404) {
        if (performance.now() < anewAt + ANEW_MS) return rest(); // another browser asks the same
        anewAt = performance.now();
        asked = undefined;
      } else {
        view.message("Tollbridge does not answer", "It may be restarting. This page goes on by itself.");
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
        asked = undefined;
      }
    }
  }
}

async function open(): Promise<Asked | undefined> {
  const response = await send("/oauth/requests", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query: location.search.slice(1) }),
  });
  if (response.status >= 400 && response.status < 500) {
    const { detail } = await fieldsOf(response);
    view.message(
      "This request is not valid",
      `${String(detail ?? "Tollbridge refused it")}.`,
      response.status === 429 ? "Try again" : undefined,
    );
    return undefined;
  }
  const request = readAsked(await answered(response));
  if (request.redirect !== null && request.status !== "pending" && !request.deniedBefore) {
    leave(request.redirect);
    return undefined;
  }
  windows.postMessage(asker(request));
  await present(request);
  return request;
}

function rest(): void {
  isReplaced = true;
  view.message("Another window asks the same", "Answer there, or ask again here.", "Ask here");
}

/** Who replaces whom: the daemon keeps one request a registrable domain. */
function asker({ client }: Asked): string {
  return client.domain ?? client.id;
}

async function present(request: Asked): Promise<void> {
  view.question(request, await owner.isHere());
}

/** Wait up to `wait` seconds for the answer; returns whether it came, and the page is on its way back. */
async function follow(request: Asked, wait: number): Promise<boolean> {
  const response = await send(`/oauth/requests/${request.handle}?wait=${wait}`, { deadline: POLL_MS });
  const { status, redirect } = await answered(response);
  if (typeof redirect !== "string") return false;
  leave(redirect, isAnswering ? undefined : status);
  return true;
}

function leave(url: string, elsewhere?: unknown): void {
  const said = elsewhere === "allowed" ? "You allowed this elsewhere. " : elsewhere === "denied" ? "You denied this elsewhere. " : "";
  const next = asked?.client.origin === null ? "The program goes on by itself." : "This window closes by itself.";
  view.message("Taking you back …", said + next);
  location.replace(url);
}

function sentence(error: unknown): string {
  return error instanceof TollbridgeError ? error.message : "something went wrong";
}

await run();
