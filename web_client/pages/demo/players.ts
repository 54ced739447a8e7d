/** The state of the app `player`, and how each of its events changes it: pure. */

import type { BridgeEvent } from "../../src/index.ts";

/** What is loaded; `length` in seconds, null where nobody knows (a stream). */
export interface Track {
  readonly id: string;
  readonly title: string;
  readonly artists: readonly string[];
  readonly album: string;
  readonly length: number | null;
  readonly art_url: string | null;
  readonly uri: string | null;
}

/** One player. `position` in seconds was true at `position_at`, and grows by `rate` a second while it plays. */
export interface Player {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly status: "playing" | "paused" | "stopped";
  readonly track: Track | null;
  readonly position: number;
  readonly position_at: string;
  readonly rate: number;
  readonly volume: number | null;
  readonly capabilities: Readonly<Record<string, unknown>>;
}

/** All players; `chosen` is the one that a command without `player` means. */
export interface State {
  readonly chosen: string | null;
  readonly players: readonly Player[];
}

interface Data {
  readonly id: string;
  readonly player: Player;
  readonly chosen: boolean;
  readonly position: number;
  readonly position_at: string;
}

/** Return the state after an event of the topic `player`. */
export function apply(state: State, { name, data }: BridgeEvent): State {
  const told = data as Data;
  switch (name) {
    case "appeared":
    case "changed":
      return chosenBy(told, told.player.id, { ...state, players: withPlayer(state.players, told.player) });
    case "seeked": {
      const { position, position_at } = told;
      const players = state.players.map((player) =>
        player.id === told.id ? { ...player, position, position_at } : player,
      );
      return chosenBy(told, told.id, { ...state, players });
    }
    case "vanished": {
      const players = state.players.filter(({ id }) => id !== told.id);
      return { chosen: state.chosen === told.id ? null : state.chosen, players };
    }
    default:
      return state; // an event of a later daemon
  }
}

/** Return the player to show: the one picked here as long as it lives, else the chosen one, else any. */
export function shownOf(state: State, picked: string | null): Player | undefined {
  const find = (id: string | null): Player | undefined => state.players.find((player) => player.id === id);
  return find(picked) ?? find(state.chosen) ?? state.players[0];
}

/** Whether the player says that it can do something now: `can_seek`. */
export function can(player: Player, what: string): boolean {
  return player.capabilities[what] === true;
}

function chosenBy({ chosen }: Data, id: string, state: State): State {
  return chosen ? { ...state, chosen: id } : state;
}

function withPlayer(players: readonly Player[], player: Player): readonly Player[] {
  const others = players.filter(({ id }) => id !== player.id);
  return [...others, player].sort((one, other) => (one.id < other.id ? -1 : 1));
}
