"""axe-core in a page: what stands there that people with a screen reader, a keyboard or weak eyes could not use."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.parts.browser import until

SCRIPT = Path(__file__).parents[2] / "web_client/node_modules/axe-core/axe.min.js"

# All rules, the best practices too; what axe could not decide is a finding as well.
_RUN = """() => {
  globalThis.axeFound = null;
  axe.run(document, { resultTypes: ["violations", "incomplete"] }).then((found) => {
    globalThis.axeFound = [...found.violations, ...found.incomplete].map(({ id, nodes }) => ({ id, nodes: nodes.map(
      ({ target, any, all, none }) =>
        `${target}: ${[...any, ...all, ...none].map(({ message }) => message).join("; ")}`,
    ) }));
  });
}"""


def findings(page: Page) -> list[dict[str, Any]]:
    """Return what axe finds, ``{"id","nodes"}`` each; nothing where the page is as it should be.

    Let the page be as large as its content: what lies behind something else cannot be judged.
    """
    page.evaluate(SCRIPT.read_text(encoding="utf-8"))
    page.evaluate(_RUN)  # which is not waited for in there: an evaluation has no deadline
    until(page, lambda: page.evaluate("globalThis.axeFound !== null"), "axe has looked at all")
    return list(page.evaluate("globalThis.axeFound"))
