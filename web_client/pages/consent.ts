/** The consent page: posts the site's request, shows it, takes the owner's answer or waits for it, and goes back. */

import { answered, fieldsOf, send } from "../src/http.ts";
import { DaemonError, TollbridgeError } from "../src/errors.ts";
import { readAsked } from "./asked.ts";
import type { Asked } from "./asked.ts";
import { Turn } from "./consent-turn.ts";
import { View } from "./consent-view.ts";
import { isGone, isOver, onActivated, Owner } from "./owner.ts";
import type { Choice } from "./question.ts";

/** A poll waits so long for the answer, in seconds; the daemon forgets a page that is silent for 30 s. */
const WAIT_SECONDS = 20;
const POLL_MS = (WAIT_SECONDS + 5) * 1000;

/** Between two attempts to reach a daemon that is away; milliseconds. */
const PAUSE_MS = 1_000;

/** A request that is gone again so soon after it was asked anew gave way to another, and no daemon restarted. */
const ANEW_MS = 60_000;

const turn = new Turn();
const owner = new Owner();
const view = new View({
  answer: (choice) => void answer(choice),
  back: () => asked?.redirectDenied && leave(asked, asked.redirectDenied),
});

/** The request as long as it may be unanswered: leaving the page withdraws it. */
let asked: Asked | undefined;
let anewAt = Number.NEGATIVE_INFINITY;

/** Whether this page answered, in which case nobody needs to be told that somebody did. */
let isAnswering = false;

async function answer(choice: Choice): Promise<void> {
  const request = asked;
  if (request === undefined) return;
  isAnswering = true;
  view.busy();
  try {
    await owner.answer(request.code, choice);
    await follow(request, 0); // the wait under way hears of it too; whichever comes first
  } catch (error) {
    isAnswering = false;
    if (isOver(error)) await present(request);
    else if (!isGone(error)) view.failed(`Your answer did not get through: ${sentence(error)}`);
    // Gone: it was answered elsewhere, or asked anew. The wait under way hears which.
  }
}

/** Ask and wait until the answer is there; while a newer window of the same domain asks, this one rests. */
async function run(): Promise<void> {
  onActivated(() => asked !== undefined && void present(asked));
  addEventListener("pagehide", withdraw);
  addEventListener("pageshow", ({ persisted }) => persisted && location.reload()); // it was withdrawn
  while (!(await isDone())) {
    // Asked again: the daemon was away, or this window's turn has come back.
  }
}

/** Open the request where there is none, and wait for its answer once; returns whether nothing is left to do here. */
async function isDone(): Promise<boolean> {
  try {
    if (asked === undefined && !(await open())) return true;
    return asked !== undefined && (await follow(asked, WAIT_SECONDS, turn.lost));
  } catch (error) {
    const request = asked;
    asked = undefined;
    if (request !== undefined && turn.lost.aborted) {
      rest();
      await turn.wait(asker(request));
    } else if (error instanceof DaemonError && error.status === 404) {
      if (performance.now() < anewAt + ANEW_MS) {
        // Asked in another browser, or pushed out by many others: to go on would push them out in turn.
        view.message("Others are asking now", "Answer them first, or ask again here.", "Ask here");
        return true;
      }
      anewAt = performance.now(); // a daemon that was restarted has forgotten it
    } else {
      view.message("Tollbridge does not answer", "It may be restarting. This page goes on by itself.");
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    return false;
  }
}

/** Tell the daemon that nobody is here to be answered: what an opener sends through this window takes no places. */
function withdraw(): void {
  if (asked === undefined) return;
  const init = { method: "DELETE", keepalive: true, credentials: "omit", redirect: "error" } as const;
  fetch(`/oauth/requests/${asked.handle}`, init).catch(() => {}); // a daemon that is away has forgotten it
  asked = undefined;
}

/** Open the request and show it; returns whether there is one to wait for. */
async function open(): Promise<boolean> {
  const response = await send("/oauth/requests", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query: location.search.slice(1) }),
  });
  if (response.status >= 400 && response.status < 500) {
    const { detail } = await fieldsOf(response);
    if (response.status === 429) view.message("Too many sites are asking", "Answer the others first, then try again here.", "Try again");
    else view.message("This request is not valid", `${String(detail ?? "Tollbridge refused it")}.`);
    return false;
  }
  const request = readAsked(await answered(response));
  if (request.redirect !== null && request.status !== "pending" && !request.deniedBefore) {
    leave(request, request.redirect);
    return false;
  }
  asked = request;
  await turn.take(asker(request));
  await present(request);
  return true;
}

function rest(): void {
  view.message("Another window asks the same", "Answer there, or ask again here.", "Ask here");
}

/** Who replaces whom: the daemon keeps one request a registrable domain. */
function asker({ client }: Asked): string {
  return client.domain ?? client.id;
}

async function present(request: Asked): Promise<void> {
  const isOwner = await owner.isHere();
  if (asked === request && !turn.lost.aborted) view.question(request, isOwner);
}

/** Wait up to `wait` seconds for the answer; returns whether it came, and the page is on its way back. */
async function follow(request: Asked, wait: number, signal?: AbortSignal): Promise<boolean> {
  const response = await send(`/oauth/requests/${request.handle}?wait=${wait}`, { deadline: POLL_MS, signal });
  const { status, redirect } = await answered(response);
  if (typeof redirect !== "string") return false;
  asked = undefined; // nothing to withdraw
  leave(request, redirect, isAnswering ? undefined : status);
  return true;
}

function leave({ client }: Asked, url: string, elsewhere?: unknown): void {
  const said = elsewhere === "allowed" ? "You allowed this elsewhere. " : elsewhere === "denied" ? "You denied this elsewhere. " : "";
  const next = client.origin === null ? "The program goes on by itself." : "This window closes by itself.";
  view.message("Taking you back …", said + next);
  location.replace(url);
}

function sentence(error: unknown): string {
  return error instanceof TollbridgeError ? error.message : "something went wrong";
}

await run();
