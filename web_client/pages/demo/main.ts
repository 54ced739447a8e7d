/** The demo: a player page that uses the SDK and nothing else. */

import { Tollbridge, TollbridgeError } from "../../src/index.ts";
import { doorOf } from "./door.ts";
import { apply, shownOf } from "./players.ts";
import type { State } from "./players.ts";
import { byId, View } from "./view.ts";

/** While a slider moves, the newest value is sent at most this often; milliseconds. */
const EVERY_MS = 60;

/** A connection that is back within this time is not worth a word; milliseconds. */
const GRACE_MS = 1_500;

const ports = new URLSearchParams(location.search).get("ports"); // for a daemon that was told to use others
const bridge = new Tollbridge({
  scope: "player:read player:control",
  redirectUri: "callback.html",
  ...(ports === null ? {} : { ports: ports.split(",").map(Number) }),
});
const view = new View({ command, pick });
let state: State = { chosen: null, players: [] };
let picked: string | null = null;
let cancel = new AbortController();
let grace: ReturnType<typeof setTimeout> | undefined;

async function start(): Promise<void> {
  bridge.on("player", (event) => {
    state = apply(state, event);
    draw();
  });
  bridge.onGap(() => void read());
  bridge.onStatus(() => standing());
  byId("connect").addEventListener("click", connect);
  byId("cancel").addEventListener("click", () => cancel.abort());
  byId("disconnect").addEventListener("click", () => bridge.disconnect());
  requestAnimationFrame(frame);
  await bridge.resume().catch(() => false);
  standing();
}

function connect(): void {
  cancel = bridge.status === "asking" ? cancel : new AbortController();
  bridge.connect({ signal: cancel.signal }).catch(() => standing()); // the status says what to do
}

function standing(): void {
  const { status, reason } = bridge;
  if (status !== "reconnecting") {
    clearTimeout(grace);
    grace = undefined;
    view.door(doorOf(status, reason), false);
  } else if (grace === undefined) {
    view.door(doorOf(status, reason), !byId("deck").hidden);
    grace = setTimeout(() => view.door(doorOf(bridge.status, bridge.reason), false), GRACE_MS);
  }
  if (status === "connected") {
    view.state("Connected", "on");
    void read();
  } else {
    view.state(
      status === "reconnecting" ? "Reconnecting …" : "Not connected",
      status === "reconnecting" ? "wait" : "off",
    );
  }
}

async function read(): Promise<void> {
  try {
    state = (await bridge.state<State>("player")).state;
    draw();
  } catch (error) {
    told(error);
  }
}

function draw(): void {
  view.show(shownOf(state, picked), state.players);
}

function pick(player: string): void {
  picked = player;
  draw();
}

/** One newest value waits for each command that is under way, such as a volume that is being turned. */
const waiting = new Map<string, object | undefined>();

function command(name: string, params: object = {}): void {
  const player = shownOf(state, picked)?.id;
  const all = player === undefined ? params : { ...params, player };
  if (waiting.has(name) && name === "set_volume") waiting.set(name, all);
  else void run(name, all);
}

async function run(name: string, params: object): Promise<void> {
  waiting.set(name, undefined);
  try {
    await Promise.all([bridge.call(`player.${name}`, params), new Promise((resolve) => setTimeout(resolve, EVERY_MS))]);
  } catch (error) {
    told(error);
  }
  const newest = waiting.get(name);
  waiting.delete(name);
  if (newest !== undefined) await run(name, newest);
}

function told(error: unknown): void {
  view.toast(error instanceof TollbridgeError ? error.message : "Something went wrong.");
}

function frame(): void {
  view.tick();
  requestAnimationFrame(frame);
}

await start();
