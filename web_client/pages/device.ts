/**
 * The page for codes: shows what a code asks, and takes the owner's answer. For devices and programs that cannot open a
 * window here (RFC 8628), and for commands that want a fresh yes.
 */

import { TollbridgeError } from "../src/errors.ts";
import { readAsked } from "./asked.ts";
import type { Asked } from "./asked.ts";
import { View } from "./device-view.ts";
import { isGone, isOver, onActivated, Owner } from "./owner.ts";
import type { Choice } from "./question.ts";
import { codeOf } from "./words.ts";

/** How often a question that is shown is looked up again: it may have been answered elsewhere; milliseconds. */
const EVERY_MS = 2_000;

const OVER = "It was answered elsewhere, or its time is over.";

const owner = new Owner();
const view = new View({ look: (typed) => void look(typed), answer: (choice) => void answer(choice) });
let asked: Asked | undefined;
let waiting: string | undefined;
let isAnswering = false;

function start(): void {
  const given = new URLSearchParams(location.search).get("user_code") ?? "";
  view.enter(codeOf(given) ?? "");
  onActivated(() => waiting !== undefined && void look(waiting));
  setInterval(() => document.hidden || void follow(), EVERY_MS);
}

/** Look a code up, and show what it asks. */
async function look(typed: string): Promise<void> {
  const code = codeOf(typed);
  if (code === undefined) return view.wrong("A code has eight letters, like BCDF-GHJK.");
  view.looking();
  waiting = undefined;
  try {
    if (!(await owner.isHere())) return elsewhere(code);
    asked = await find(code);
    if (asked === undefined) view.wrong("Nothing with this code is asked now. It may have been answered, or its time is over.");
    else view.question(asked);
  } catch (error) {
    if (isOver(error)) elsewhere(code);
    else view.wrong(`Tollbridge did not answer: ${sentence(error)}`);
  }
}

async function answer(choice: Choice): Promise<void> {
  if (asked === undefined) return;
  const { code, kind } = asked;
  isAnswering = true;
  view.busy();
  try {
    await owner.answer(code, choice);
    asked = undefined;
    if (choice.answer === "deny") view.message(kind === "command" ? "Not run" : "Denied", "You can close this page.", "Another code");
    else if (kind === "command") view.message("Allowed, once", "Go back to where it was asked: it runs there now.", "Another code");
    else view.message("Allowed", "Go back to the device, program or site: it goes on by itself.", "Another code");
  } catch (error) {
    if (isOver(error)) elsewhere(code);
    else if (isGone(error)) over();
    else view.failed(`Your answer did not get through: ${sentence(error)}`);
  } finally {
    isAnswering = false;
  }
}

/** Notice that the question that is shown is over. */
async function follow(): Promise<void> {
  const shown = asked;
  if (shown === undefined || isAnswering) return;
  try {
    const isThere = (await find(shown.code)) !== undefined;
    if (!isThere && asked === shown && !isAnswering) over();
  } catch (error) {
    if (isOver(error)) elsewhere(shown.code);
    // Any other error: the daemon may be restarting; the next look, or the answer, tells.
  }
}

async function find(code: string): Promise<Asked | undefined> {
  return (await owner.asked()).map(readAsked).find((one) => one.code === code);
}

function elsewhere(code: string): void {
  asked = undefined;
  waiting = code;
  view.elsewhere(code);
}

function over(): void {
  asked = undefined;
  view.message("This request is over", OVER, "Another code");
}

function sentence(error: unknown): string {
  return error instanceof TollbridgeError ? error.message : "something went wrong";
}

start();
