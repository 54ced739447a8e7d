/** The player's document: shows a player and its progress; says what a person pressed. */

import { drawCover, huesOf } from "./cover.ts";
import type { Door } from "./door.ts";
import { can } from "./players.ts";
import type { Player } from "./players.ts";
import { clock, positionAt } from "./progress.ts";

/** What a person may do. */
export interface Acts {
  readonly command: (name: string, params?: object) => void;
  readonly pick: (player: string) => void;
}

const STEP_SECONDS = 10;

/** The name that the door's cover is drawn from; its hues suit the page. */
const DOOR_COVER = "Interlude";

/** The page's document. */
export class View {
  readonly #acts: Acts;
  readonly #seek = input("seek");
  readonly #volume = input("volume");
  #player: Player | undefined;
  #cover = "";
  #isSeeking = false;
  #isTurning = false;
  #toast: ReturnType<typeof setTimeout> | undefined;

  constructor(acts: Acts) {
    this.#acts = acts;
    const buttons = { previous: "previous", toggle: "play_pause", next: "next" };
    for (const [id, command] of Object.entries(buttons)) on(id, "click", () => acts.command(command));
    on("back", "click", () => this.#step(-STEP_SECONDS));
    on("ahead", "click", () => this.#step(STEP_SECONDS));
    on("seek", "input", () => (this.#isSeeking = true));
    on("seek", "change", () => this.#sought());
    on("volume", "input", () => this.#turned());
    on("volume", "change", () => (this.#isTurning = false));
    byId<HTMLImageElement>("art").addEventListener("error", () => (byId("art").hidden = true));
    document.addEventListener("keydown", (event) => this.#key(event));
    byId("door-cover").append(drawCover(DOOR_COVER));
  }

  /** Show the door, or with undefined the player behind it; `isKept`: the player stays in sight, but cannot be used. */
  door(door: Door | undefined, isKept: boolean): void {
    byId("door").hidden = door === undefined || isKept;
    byId("deck").hidden = door !== undefined && !isKept;
    byId("deck").inert = door !== undefined;
    byId("players-part").inert = door !== undefined;
    if (door !== undefined && !isKept) byId("players-part").hidden = true;
    if (door === undefined || isKept) return;
    this.#tint(DOOR_COVER);
    this.#cover = ""; // the player's own colours come back with it
    byId("door-title").textContent = door.title;
    byId("door-text").textContent = door.text;
    byId("door-step").hidden = door.command === undefined;
    byId("door-command").textContent = door.command ?? "";
    byId("connect").hidden = door.button === undefined;
    byId("connect").textContent = door.button ?? "";
    byId("cancel").hidden = door.canCancel !== true;
  }

  /** Say where the connection stands. */
  state(sentence: string, style: "on" | "off" | "wait"): void {
    byId("state").textContent = sentence;
    byId("state").className = `state ${style}`;
    byId("disconnect").hidden = style === "off";
  }

  /** Show a player, and all players to choose from. */
  show(player: Player | undefined, players: readonly Player[]): void {
    this.#player = player;
    this.#titles(player);
    this.#buttons(player);
    this.#paint(player);
    this.#list(player, players);
    this.tick();
  }

  /** Move the progress; called for every frame. */
  tick(): void {
    const player = this.#player;
    const length = player?.track?.length ?? null;
    const position =
      player === undefined ? 0 : this.#isSeeking ? Number(this.#seek.value) : positionAt(player, Date.now());
    if (!this.#isSeeking) {
      this.#seek.max = String(length ?? Math.max(position, 1));
      this.#seek.value = String(position);
    }
    fill(this.#seek, length === null ? 0 : position / length);
    write("elapsed", player?.track == null ? "" : clock(position));
    write("remaining", length === null ? (player?.track == null ? "" : "live") : `−${clock(length - position)}`);
    this.#seek.setAttribute(
      "aria-valuetext",
      length === null ? clock(position) : `${clock(position)} of ${clock(length)}`,
    );
  }

  /** Tell a person what went wrong, for a while. */
  toast(sentence: string): void {
    const toast = byId("toast");
    toast.textContent = sentence;
    toast.hidden = false;
    clearTimeout(this.#toast);
    this.#toast = setTimeout(() => (toast.hidden = true), 5_000);
  }

  #titles(player: Player | undefined): void {
    const track = player?.track ?? null;
    write("where", player === undefined ? "" : `${statusWord(player)} on ${player.name}`);
    write(
      "title",
      track === null
        ? player === undefined
          ? "No player is running"
          : "Nothing is loaded"
        : track.title || "Untitled",
    );
    const hint = player === undefined ? "Start one, such as VLC or mpv; it appears here at once." : "Press play.";
    write("artists", track === null ? hint : track.artists.join(", "));
    write("album", track?.album ?? "");
    document.title = track?.title ? `${track.title} · Player` : "Player";
  }

  #buttons(player: Player | undefined): void {
    const isPlaying = player?.status === "playing";
    byId("toggle-play").classList.toggle("off", isPlaying);
    byId("toggle-pause").classList.toggle("off", !isPlaying);
    byId("toggle").setAttribute("aria-label", isPlaying ? "Pause" : "Play");
    const may = (what: string): boolean => player !== undefined && can(player, what);
    enable("toggle", may("can_play") || may("can_pause"));
    enable("previous", may("can_previous"));
    enable("next", may("can_next"));
    const canSeek = may("can_seek") && player?.track?.length != null;
    for (const id of ["back", "ahead", "seek"]) enable(id, canSeek);
    enable("volume", may("can_set_volume") && player?.volume != null);
    const volume = Math.min(1, player?.volume ?? 0);
    if (!this.#isTurning) this.#volume.value = String(volume);
    fill(this.#volume, Number(this.#volume.value));
    write("percent", player?.volume == null ? "" : `${Math.round(Number(this.#volume.value) * 100)}%`);
  }

  #paint(player: Player | undefined): void {
    const track = player?.track ?? null;
    byId("cover").classList.toggle("still", player?.status !== "playing");
    const name = track === null ? "silence" : track.album || track.title || track.id;
    const cover = `${name}\n${track?.art_url ?? ""}`;
    if (cover === this.#cover) return;
    this.#cover = cover;
    byId("drawn").replaceChildren(drawCover(name));
    const art = byId<HTMLImageElement>("art");
    art.hidden = track?.art_url == null;
    if (track?.art_url != null) art.src = track.art_url;
    this.#tint(name);
  }

  #tint(name: string): void {
    const [first, second] = huesOf(name);
    byId("glow").style.setProperty("--first", String(first));
    byId("glow").style.setProperty("--second", String(second));
  }

  #list(shown: Player | undefined, players: readonly Player[]): void {
    byId("players-part").hidden = players.length < 2;
    const list = byId("players");
    const focused = list.contains(document.activeElement) ? document.activeElement?.id : undefined;
    list.replaceChildren(...players.map((player) => this.#choice(player, player.id === shown?.id)));
    if (focused !== undefined) document.getElementById(focused)?.focus();
  }

  #choice(player: Player, isShown: boolean): HTMLElement {
    const choice = document.createElement("button");
    choice.type = "button";
    choice.id = `player-${player.id}`;
    choice.className = `choice ${player.status}`;
    choice.setAttribute("role", "radio");
    choice.setAttribute("aria-checked", String(isShown));
    const name = document.createElement("b");
    name.textContent = player.name;
    const what = document.createElement("span");
    what.textContent = player.track === null ? "Nothing is loaded" : player.track.title || "Untitled";
    choice.append(name, what);
    choice.addEventListener("click", () => this.#acts.pick(player.id));
    return choice;
  }

  #step(offset: number): void {
    this.#acts.command("seek", { offset });
  }

  #sought(): void {
    this.#isSeeking = false;
    this.#acts.command("set_position", { position: Number(this.#seek.value) });
  }

  #turned(): void {
    this.#isTurning = true;
    const volume = Number(this.#volume.value);
    fill(this.#volume, volume);
    write("percent", `${Math.round(volume * 100)}%`);
    this.#acts.command("set_volume", { volume });
  }

  #key(event: KeyboardEvent): void {
    const isFree = event.target === document.body && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (!isFree || byId("deck").hidden || byId("deck").inert) return;
    const press: Record<string, string> = { " ": "toggle", k: "toggle", ArrowLeft: "back", ArrowRight: "ahead" };
    const id = press[event.key];
    if (id === undefined) return;
    event.preventDefault();
    byId(id).click();
  }
}

function statusWord({ status, rate }: Player): string {
  if (status === "playing") return rate === 0 ? "Waiting" : "Playing";
  return status === "paused" ? "Paused" : "Stopped";
}

/** Return an element of the page. */
export function byId<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found as Kind;
}

function input(id: string): HTMLInputElement {
  return byId<HTMLInputElement>(id);
}

function on(id: string, event: string, act: () => void): void {
  byId(id).addEventListener(event, act);
}

function enable(id: string, isEnabled: boolean): void {
  byId<HTMLButtonElement>(id).disabled = !isEnabled;
}

function write(id: string, text: string): void {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text; // a screen reader reads what is written again
}

function fill(range: HTMLInputElement, part: number): void {
  range.style.setProperty("--part", String(Math.min(1, Math.max(0, part))));
}
