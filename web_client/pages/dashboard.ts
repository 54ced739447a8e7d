/** The dashboard: makes this browser the owner's by an activation link, then shows and answers what there is. */

import { TollbridgeError } from "../src/errors.ts";
import { byId, copies, focusOn, show } from "./dom.ts";
import { View } from "./dashboard-view.ts";
import { isGone, isOver, onActivated, Owner } from "./owner.ts";

/** How often a visible page looks again; milliseconds. */
const EVERY_MS = 2_000;

/** How long the page waits for somebody to ask, in seconds, before it asks for that again. */
const WAIT_SECONDS = 10;

const owner = new Owner();
const view = new View({
  answer: (code, choice) => act(() => owner.answer(code, choice)),
  revoke: (grant) => act(() => owner.request("DELETE", `/v1/grants/${encodeURIComponent(grant)}`)),
  forgetDenials: (grant) => act(() => owner.request("DELETE", `/v1/grants/${encodeURIComponent(grant)}/denials`)),
  grant: (grant) => owner.request("GET", `/v1/grants/${encodeURIComponent(grant)}`),
  withdraw: (offer) => act(() => owner.request("DELETE", `/v1/offers/${encodeURIComponent(offer)}`)),
});

async function start(): Promise<void> {
  copies(byId("copy", HTMLButtonElement), () => "tollbridge open");
  byId("welcome-close").addEventListener("click", () => {
    show(byId("welcome"), false);
    view.moved();
    focusOn(byId("requests-title")); // the button that had the focus is gone
  });
  onActivated(() => void look());
  addEventListener("hashchange", () => void activate());
  document.addEventListener("visibilitychange", () => void look());
  await activate();
  await look();
  setInterval(() => document.hidden || void look(), EVERY_MS);
  await listen();
}

/** Show at once that somebody asks, also in the title of a page that is in the back. */
async function listen(): Promise<never> {
  for (;;) {
    try {
      if (!(await owner.isPaired())) await pause();
      else view.requests(await owner.asked(WAIT_SECONDS));
    } catch {
      await pause(); // away, or not the owner's any more: the next look says which
    }
  }
}

async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
}

/** Use the secret in the address, if there is one; it is removed from the address first. */
async function activate(): Promise<void> {
  const secret = new URLSearchParams(location.hash.slice(1)).get("activate");
  if (location.hash !== "") history.replaceState(null, "", "/");
  if (secret === null) return;
  try {
    await owner.activate(secret);
    show(byId("welcome"), true);
    view.moved();
    await look();
  } catch (error) {
    fail(isOver(error) ? "This link was used before or is too old. Run tollbridge open again." : sentence(error));
  }
}

/** Show what there is now. */
async function look(): Promise<void> {
  try {
    if (!(await owner.isPaired())) return standing("stranger");
    const [asked, grants, offers, refusals, status] = await Promise.all([
      owner.asked(),
      owner.request("GET", "/v1/grants"),
      owner.request("GET", "/v1/offers"),
      owner.request("GET", "/v1/refusals"),
      owner.request("GET", "/v1/status"),
    ]);
    view.requests(asked);
    view.grants(grants);
    view.offers(offers);
    view.refusals(refusals);
    view.facts(status);
    standing("owner");
  } catch (error) {
    standing(isOver(error) ? "stranger" : "away");
  }
}

async function act(run: () => Promise<unknown>): Promise<void> {
  if (!byId("failed").hidden) view.moved();
  show(byId("failed"), false);
  try {
    await run();
  } catch (error) {
    fail(isGone(error) ? "That is over: it was answered elsewhere, or its time has run out." : sentence(error));
  }
  await look();
}

function standing(now: "owner" | "stranger" | "away"): void {
  const state = byId("state");
  const said = now === "away" ? "Not running; looking for it …" : "Running";
  state.className = now === "away" ? "state off" : "state on";
  if (state.textContent !== said) state.textContent = said; // a screen reader says it again each time it is written
  if (now === "away") return;
  show(byId("stranger"), now === "stranger");
  show(byId("owned"), now === "owner");
}

function fail(sentence: string): void {
  byId("failed").textContent = sentence;
  show(byId("failed"), true);
  view.moved();
}

function sentence(error: unknown): string {
  return error instanceof TollbridgeError ? error.message : "Something went wrong.";
}

await start();
