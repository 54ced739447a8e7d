/** One offer on the dashboard: what its link runs, how often still, until when, and withdrawing it. */

import { number, text } from "./asked.ts";
import { make } from "./dom.ts";
import { isFields } from "../src/types.ts";
import type { Fields } from "../src/types.ts";
import { valuesOf } from "./question.ts";
import type { Row } from "./rows.ts";
import { sure } from "./sure.ts";
import { moment } from "./words.ts";
import { visible } from "./written.ts";

/** What a row needs of its page. */
export interface Acts {
  readonly withdraw: (offer: string) => Promise<void>;
  readonly tell: (sentence: string) => void;
}

/** Make the row of one offer. */
export function offerRow(first: Fields, acts: Acts): Row {
  const id = text(first["id"]);
  const command = visible(text(first["command"]));
  const params = isFields(first["params"]) ? first["params"] : {};
  const end = sure({ label: "Withdraw", name: `the offer of ${command}`, act: () => acts.withdraw(id), tell: acts.tell });
  const name = make("p", "origin", make("b", "code", command));
  name.id = `offer-${id}`;
  const facts = make("p", "facts");
  const update = (item: Fields): void => {
    const until = item["until"] == null ? "" : ` · until ${moment(item["until"])}`;
    facts.textContent = `Used ${number(item["used"])} of ${number(item["uses"])}${until}`;
  };
  update(first);
  const values = Object.keys(params).length === 0 ? [] : [valuesOf(params, name.id)];
  return { element: make("li", "", make("div", "what", name, ...values, facts), make("div", "acts", end)), update };
}
