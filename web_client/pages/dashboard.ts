/** The dashboard: makes this browser the owner's by an activation link, then shows and answers what there is. */

import { TollbridgeError } from "../src/errors.ts";
import { byId, copies, show } from "./dom.ts";
import { View } from "./dashboard-view.ts";
import { isOver, onActivated, Owner } from "./owner.ts";

/** How often a visible page looks again; milliseconds. */
const EVERY_MS = 2_000;

const owner = new Owner();
const view = new View({
  answer: (code, answer) => act(() => owner.answer(code, answer)),
  revoke: (grant) => act(() => owner.request("DELETE", `/v1/grants/${encodeURIComponent(grant)}`)),
});

async function start(): Promise<void> {
  copies(byId("copy", HTMLButtonElement), () => "tollbridge open");
  byId("welcome-close").addEventListener("click", () => show(byId("welcome"), false));
  onActivated(() => void look());
  addEventListener("hashchange", () => void activate());
  document.addEventListener("visibilitychange", () => void look());
  await activate();
  await look();
  setInterval(() => document.hidden || void look(), EVERY_MS);
}

/** Use the secret in the address, if there is one; it is removed from the address first. */
async function activate(): Promise<void> {
  const secret = new URLSearchParams(location.hash.slice(1)).get("activate");
  if (location.hash !== "") history.replaceState(null, "", "/");
  if (secret === null) return;
  try {
    await owner.activate(secret);
    show(byId("welcome"), true);
    await look();
  } catch (error) {
    fail(isOver(error) ? "This link was used before or is too old. Run tollbridge open again." : sentence(error));
  }
}

/** Show what there is now. */
async function look(): Promise<void> {
  try {
    if (!(await owner.isPaired())) return standing("stranger");
    const [requests, grants, refusals, status] = await Promise.all(
      ["/oauth/requests", "/v1/grants", "/v1/refusals", "/v1/status"].map((path) => owner.request("GET", path)),
    );
    view.requests(requests ?? {});
    view.grants(grants ?? {});
    view.refusals(refusals ?? {});
    view.facts(status ?? {});
    standing("owner");
  } catch (error) {
    standing(isOver(error) ? "stranger" : "away");
  }
}

async function act(run: () => Promise<unknown>): Promise<void> {
  show(byId("failed"), false);
  try {
    await run();
  } catch (error) {
    fail(sentence(error));
  }
  await look();
}

function standing(now: "owner" | "stranger" | "away"): void {
  const state = byId("state");
  state.className = now === "away" ? "state off" : "state on";
  state.textContent = now === "away" ? "Not running; looking for it …" : "Running";
  if (now === "away") return;
  show(byId("stranger"), now === "stranger");
  show(byId("owned"), now === "owner");
}

function fail(sentence: string): void {
  byId("failed").textContent = sentence;
  show(byId("failed"), true);
}

function sentence(error: unknown): string {
  return error instanceof TollbridgeError ? error.message : "Something went wrong.";
}

await start();
