/** A button that asks once more before it does what cannot be undone by pressing it again. */

import { button } from "./dom.ts";

/** The second press counts after this, so that a double click is one press; milliseconds. */
const APART_MS = 400;

/** What the button says, to whom (`name` completes it for who cannot see the row), and what it does. */
export interface Sure {
  readonly label: string;
  readonly name: string;
  readonly act: () => Promise<void>;
  /** Told what a second press will do. */
  readonly tell: (sentence: string) => void;
}

/** Make one. Escape, or leaving it, takes the first press back. */
export function sure({ label, name, act, tell }: Sure): HTMLButtonElement {
  const made = button(label, "small danger");
  let askedAt: number | undefined;
  const say = (text: string): void => {
    made.textContent = text;
    made.setAttribute("aria-label", `${text} ${name}`);
    made.classList.toggle("sure", askedAt !== undefined);
  };
  const calm = (): void => {
    askedAt = undefined;
    say(label);
  };
  made.addEventListener("click", async () => {
    if (askedAt === undefined) {
      askedAt = performance.now();
      say(`${label}?`);
      tell(`Press again to ${label.toLowerCase()} ${name}. Escape leaves it.`);
    } else if (performance.now() >= askedAt + APART_MS) {
      made.disabled = true;
      await act();
      made.disabled = false;
      calm();
    }
  });
  made.addEventListener("keydown", ({ key }) => key === "Escape" && calm());
  made.addEventListener("blur", calm);
  calm();
  return made;
}
