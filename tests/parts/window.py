"""One window of Firefox and what stands in it, with as much of Playwright's `Page` and `Locator` as the tests use."""

import contextlib
import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tests.parts.bidi import CommandFailed
from tests.parts.browser import DEADLINE_SECONDS
from tests.parts.processes import wait_until

if TYPE_CHECKING:
    from tests.parts.firefox import Firefox


class Opened:
    """What `Window.expect_popup` hands out; ``value`` is set when it is left."""

    value: "Window"


class Window:
    """One window."""

    def __init__(self, firefox: "Firefox", context: str) -> None:
        self._firefox = firefox
        self.context = context

    @property
    def url(self) -> str:
        """Return where it is."""
        tree = self._firefox.command("browsingContext.getTree", root=self.context, maxDepth=0)
        return str(tree["contexts"][0]["url"])

    def goto(self, url: str) -> None:
        """Go there and wait until it has loaded.

        Raises:
            CommandFailed: an error page came instead.
        """
        self._firefox.command("browsingContext.navigate", context=self.context, url=url, wait="complete")

    def reload(self) -> None:
        """Load it anew."""
        self._firefox.command("browsingContext.reload", context=self.context, wait="complete")

    def close(self) -> None:
        """Close it."""
        self._firefox.command("browsingContext.close", context=self.context)

    def is_closed(self) -> bool:
        """Return whether it is closed."""
        return self._firefox.is_gone(self.context)

    def evaluate(self, expression: str, argument: object = None) -> Any:
        """Return the JSON value of ``expression``; of a function, what it returns for ``argument``; awaits promises.

        Raises:
            AssertionError: it threw.
        """
        call = f"""Promise.resolve(({expression})).then(
            (value) => typeof value === "function" ? value({json.dumps(argument)}) : value
        ).then((value) => JSON.stringify(value === undefined ? null : value))"""
        told = self._script(call)
        return json.loads(told["value"])

    def click(self, selector: str) -> None:
        """Click with a pointer, as a person would: what it opens is no unasked popup."""
        self.locator(selector).click()

    def locator(self, selector: str) -> "Locator":
        """Return the first element that fits, whenever it comes."""
        return Locator(self, selector)

    @contextlib.contextmanager
    def expect_popup(self) -> Iterator[Opened]:
        """Wait for the window that this one opens meanwhile."""
        before = len(self._firefox.opened_by(self.context))
        opened = Opened()
        yield opened
        wait_until(lambda: len(self._firefox.opened_by(self.context)) > before, "a popup", seconds=DEADLINE_SECONDS)
        opened.value = Window(self._firefox, self._firefox.opened_by(self.context)[before])

    def wait_for_timeout(self, milliseconds: float) -> None:
        """Wait; what the browser reports is heard meanwhile."""
        time.sleep(milliseconds / 1000)

    def presses(self, selector: str) -> None:
        """Press and let go the pointer's first button upon an element."""
        element = self._script(f"document.querySelector({json.dumps(selector)})")
        origin = {"type": "element", "element": {"sharedId": element["sharedId"]}}
        actions = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": origin},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        pointer = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions}
        self._firefox.command("input.performActions", context=self.context, actions=[pointer])

    def _script(self, expression: str) -> dict[str, Any]:
        told = self._firefox.command(
            "script.evaluate",
            expression=expression,
            target={"context": self.context},
            awaitPromise=True,
            userActivation=True,  # as Playwright does
        )
        assert told["type"] == "success", told["exceptionDetails"]["text"]
        result: dict[str, Any] = told["result"]
        return result


class Locator:
    """One element of a window by its selector."""

    def __init__(self, window: Window, selector: str) -> None:
        self._window = window
        self._selector = selector

    def is_visible(self) -> bool:
        """Return whether it is there and has a box; false while the window is on its way to another document."""
        try:
            return bool(self._of("!!element && element.getClientRects().length > 0"))
        except CommandFailed:
            return False

    def wait_for(self) -> None:
        """Wait until it is visible."""
        wait_until(self.is_visible, f"{self._selector} being visible", seconds=DEADLINE_SECONDS)

    def inner_text(self) -> str:
        """Return its text, once it is visible."""
        self.wait_for()
        return str(self._of("element.innerText"))

    def click(self) -> None:
        """Click it, once it is visible and neither disabled nor, as our pages' answers are at first, said to be so."""
        self.wait_for()
        wait_until(
            lambda: not self._of("element.disabled || element.ariaDisabled === 'true'"),
            f"{self._selector} being enabled",
            seconds=DEADLINE_SECONDS,
        )
        self._of("element.scrollIntoView({ block: 'center' })")
        self._window.presses(self._selector)

    def _of(self, what: str) -> Any:
        return self._window.evaluate(f"((element) => {what})(document.querySelector({json.dumps(self._selector)}))")
