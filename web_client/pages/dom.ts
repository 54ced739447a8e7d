/** The few things that all of the daemon's pages do to their document. */

/**
 * Return the element with `id`.
 *
 * @throws Error the document has none of that kind: page and script do not belong together
 */
export function byId<Kind extends HTMLElement = HTMLElement>(id: string, kind?: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (found === null || (kind !== undefined && !(found instanceof kind))) throw new Error(`the page has no #${id}`);
  return found as Kind;
}

/** Make an element with a class, and children: elements, or text. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  style: string,
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  if (style !== "") made.className = style;
  made.append(...children);
  return made;
}

/** Show or hide. */
export function show(element: HTMLElement, isShown: boolean): void {
  element.hidden = !isShown;
}

/** Make a button. */
export function button(label: string, style: string): HTMLButtonElement {
  const made = make("button", style, label);
  made.type = "button";
  return made;
}

/** Tell whoever cannot see it; the same sentence again is told again. */
export function tell(status: HTMLElement, sentence: string): void {
  status.textContent = "";
  requestAnimationFrame(() => (status.textContent = sentence));
}

/** Move the focus to a heading that has come, so that the keyboard and a screen reader go on there; Enter does nothing. */
export function focusOn(heading: HTMLElement): void {
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

/** Make a button that copies what `text` returns, and says so. */
export function copies(button: HTMLButtonElement, text: () => string): void {
  const label = button.textContent;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Press Ctrl+C"; // the browser did not let us: the text can be selected
    }
    setTimeout(() => (button.textContent = label), 2_000);
  });
}
