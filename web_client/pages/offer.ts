/** The offer page: shows what a signed link would run, and runs it when its holder says so. */

import { DaemonError, TollbridgeError } from "../src/errors.ts";
import { answered, send } from "../src/http.ts";
import type { Fields } from "../src/types.ts";
import { byId, button, focusOn, make } from "./dom.ts";
import { readOffer } from "./offered.ts";
import { commandOf, valuesOf } from "./question.ts";
import { Sections } from "./sections.ts";
import { moment } from "./words.ts";

const card = new Sections(["stuck", "offer", "result", "message"]);

/** What is known of offers that do not run any more, so that this window says no more what they say of themselves. */
const ended = new Map<string, readonly [title: string, sentence: string]>();

function start(): void {
  read();
  addEventListener("hashchange", read);
}

/** Take the offer out of the address, so that it stays in no history of a shared screen, and show it. */
function read(): void {
  const offer = location.hash.slice(1);
  if (offer === "" && !byId("stuck").hidden) return card.message("There is no offer in this link", "Open the whole link that you were given.");
  if (offer === "") return;
  history.replaceState(null, "", location.pathname);
  const end = ended.get(offer);
  if (end !== undefined) return card.message(...end);
  const offered = readOffer(offer);
  if (offered === undefined) return card.message("This link is not whole", "Open the whole link that you were given.");
  const run = button("Run it", "primary");
  run.id = "run";
  card.answers.guard(run, () => void redeem(offer));
  const often = offered.uses === 1 ? "once" : `${offered.uses} times in all`;
  const terms = make("p", "soft terms", `The link says that it works ${often}, until ${moment(offered.until)}.`);
  byId("asked").replaceChildren(
    make("div", "question", commandOf(offered.command, ""), terms, make("div", "choice one", run)),
  );
  card.answers.hold(false);
  card.only("offer");
}

async function redeem(offer: string): Promise<void> {
  card.busy();
  try {
    const response = await send("/v1/offers/redeem", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ offer }),
    });
    done(await answered(response));
  } catch (error) {
    const status = error instanceof DaemonError ? error.status : 0;
    if (status === 410) over(offer, "This offer is over", "It was used up or taken back, or its time has run out.");
    else if (status === 404) over(offer, "This offer is not from here", "The owner of this computer did not make it, or it was changed.");
    else card.failed(`It did not run: ${error instanceof TollbridgeError ? error.message : "something went wrong"}`);
  }
}

function over(offer: string, ...end: readonly [title: string, sentence: string]): void {
  ended.set(offer, end);
  byId("asked").replaceChildren();
  card.message(...end);
}

function done(result: Fields): void {
  const isEmpty = Object.keys(result).length === 0;
  byId("result-text").textContent = isEmpty ? "It ran on this computer." : "It ran on this computer, and answered:";
  byId("result-values").replaceChildren(...(isEmpty ? [] : [valuesOf(result, "result-text")]));
  card.only("result");
  focusOn(byId("result-title"));
}

start();
