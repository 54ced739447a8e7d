/** The demo's own arithmetic: progress between two events, and the state after each event. */

import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";

import { apply, shownOf } from "../pages/demo/players.ts";
import type { Player, State } from "../pages/demo/players.ts";
import { clock, positionAt } from "../pages/demo/progress.ts";
import type { BridgeEvent } from "../src/types.ts";

const READ_AT = Date.parse("2026-01-01T00:00:00.000Z");

function player(changed: Partial<Player> = {}): Player {
  const track = { id: "t", title: "Tune", artists: ["A"], album: "", length: 200, art_url: null, uri: null };
  return {
    id: "vlc",
    name: "VLC",
    kind: "mpris",
    status: "playing",
    track,
    position: 10,
    rate: 1,
    volume: 0.5,
    position_at: "2026-01-01T00:00:00.000Z",
    capabilities: {},
    ...changed,
  };
}

function told(name: string, data: unknown): BridgeEvent {
  return { id: "abcdefgh.1", topic: "player", name, time: "2026-01-01T00:00:00Z", data };
}

test("a playing position grows by the rate", () => {
  equal(positionAt(player(), READ_AT + 2500), 12.5);
  equal(positionAt(player({ rate: 2 }), READ_AT + 2500), 15);
  equal(positionAt(player({ rate: 0 }), READ_AT + 2500), 10);
});

test("a paused position stands still", () => {
  equal(positionAt(player({ status: "paused" }), READ_AT + 60_000), 10);
});

test("a position stays within the track, and never runs back for a reading of the next moment", () => {
  equal(positionAt(player(), READ_AT + 999_000), 200);
  equal(positionAt(player(), READ_AT - 5_000), 10);
  equal(positionAt(player({ track: null }), READ_AT + 1000), 11);
});

test("times are written as people read them", () => {
  deepEqual([0, 59.9, 187, 3723].map(clock), ["0:00", "0:59", "3:07", "1:02:03"]);
});

test("a changed player replaces the one that was known, and may become the chosen one", () => {
  const before: State = { chosen: "mpv", players: [player({ id: "mpv" }), player()] };

  const after = apply(before, told("changed", { player: player({ status: "paused" }), chosen: true }));

  equal(after.chosen, "vlc");
  deepEqual(
    after.players.map(({ id, status }) => [id, status]),
    [
      ["mpv", "playing"],
      ["vlc", "paused"],
    ],
  );
});

test("a seek changes the position alone", () => {
  const before: State = { chosen: "vlc", players: [player()] };
  const seeked = { id: "vlc", position: 99, position_at: "2026-01-01T00:00:01.000Z", chosen: true };

  const after = apply(before, told("seeked", seeked));

  deepEqual(after.players, [player({ position: 99, position_at: "2026-01-01T00:00:01.000Z" })]);
});

test("a player that is gone is not shown any more", () => {
  const before: State = { chosen: "vlc", players: [player({ id: "mpv" }), player()] };

  const after = apply(before, told("vanished", { id: "vlc" }));

  equal(after.chosen, null);
  equal(shownOf(after, "vlc")?.id, "mpv");
});

test("an event of a later daemon changes nothing", () => {
  const before: State = { chosen: null, players: [] };

  equal(apply(before, told("remixed", {})), before);
});
