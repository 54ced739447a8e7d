/** Where the track stands now, without asking anybody: pure. */

import type { Player } from "./players.ts";

/** Return the position in seconds at `now` (milliseconds since the epoch; page and daemon share one clock). */
export function positionAt(player: Player, now: number): number {
  const length = player.track?.length ?? Infinity;
  const since = (now - Date.parse(player.position_at)) / 1000;
  const moved = player.status === "playing" && since > 0 ? since * player.rate : 0;
  return Math.min(Math.max(0, player.position + moved), length);
}

/** Write seconds as `3:07`, `1:02:03`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
