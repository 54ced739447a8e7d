/** How long to wait before the next attempt: doubling, bounded, with jitter; pure. */

/** The first wait; a daemon that restarts is back within a second. */
const FIRST_MS = 250;

/** The longest wait of the first minute: a person who has just started the daemon is watching. */
const SOON_MS = 2_000;
const SOON_ATTEMPTS = 32;

/** The longest wait of all: a page left open overnight knocks twice a minute. */
const MOST_MS = 30_000;

/**
 * Return the wait before attempt `attempt` (0 is the first one after a loss), in milliseconds.
 *
 * @param random a number of [0, 1): waits are spread over the upper half, so that many tabs do not come at once
 * @param atLeast what the daemon asked for, in milliseconds
 */
export function backoff(attempt: number, random: number, atLeast = 0): number {
  const late = attempt - SOON_ATTEMPTS;
  const whole =
    late < 0 ? Math.min(SOON_MS, FIRST_MS * 2 ** attempt) : Math.min(MOST_MS, SOON_MS * 2 ** Math.min(late, 16));
  return Math.max(atLeast, whole / 2) + (random * whole) / 2;
}
