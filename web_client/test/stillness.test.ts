/** When a click on an answer counts. */

import { equal } from "node:assert/strict";
import { test } from "node:test";

import { ALIVE_AFTER_MS, Stillness } from "../pages/stillness.ts";

class Clock {
  ms = 1_000;
  readonly still = new Stillness(() => this.ms);

  /** Press and let go at once. */
  clicks(): boolean {
    this.still.press();
    return this.still.counts();
  }
}

test("nothing counts before the window has been in front for a while", () => {
  const clock = new Clock();
  equal(clock.clicks(), false, "never in front");

  clock.still.changed(true);
  clock.ms += ALIVE_AFTER_MS - 1;
  equal(clock.clicks(), false);
  clock.ms += 1;
  equal(clock.clicks(), true);
});

test("every change of what is shown begins the wait again", () => {
  const clock = new Clock();
  clock.still.changed(true);
  clock.ms += 10_000;
  clock.still.changed(true);

  equal(clock.still.remaining, ALIVE_AFTER_MS);
  equal(clock.clicks(), false);
  clock.ms += ALIVE_AFTER_MS;
  equal(clock.clicks(), true);
});

test("a window in the back answers nothing, however long it is there", () => {
  const clock = new Clock();
  clock.still.changed(true);
  clock.still.changed(false);
  clock.ms += 60_000;

  equal(clock.still.remaining, Number.POSITIVE_INFINITY);
  equal(clock.clicks(), false);
});

test("a press from before the question counts for nothing, however late it is let go", () => {
  const clock = new Clock();
  clock.still.changed(true);
  clock.ms += 100;
  clock.still.press();
  clock.ms += 5_000;

  equal(clock.still.counts(), false);
});

test("a press upon one question does not answer the one that replaced it", () => {
  const clock = new Clock();
  clock.still.changed(true);
  clock.ms += 5_000;
  clock.still.press();
  clock.still.changed(true);
  clock.ms += 5_000;

  equal(clock.still.counts(), false);
});

test("a key that is held from before is no new press", () => {
  const clock = new Clock();
  clock.still.changed(true);
  clock.still.press();
  clock.ms += 5_000;

  equal(clock.still.counts(), false, "the first repeat");
  equal(clock.still.counts(), false, "and every later one");
  equal(clock.clicks(), true, "a new press");
});

test("assistive technology clicks without a press", () => {
  const clock = new Clock();
  clock.still.changed(true);
  equal(clock.still.counts(), false);

  clock.ms += ALIVE_AFTER_MS;
  equal(clock.still.counts(), true);
});
