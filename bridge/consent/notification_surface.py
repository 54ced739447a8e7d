"""The desktop notification as a surface of consent: one at a time, with Allow and Deny, taken back when it is over.

Who answers here is whoever presses a button that the desktop's notification server drew. What is ruled out:

* a notification, a click on it, its dismissal, its end, the server's or the bus's loss never answer anything: the
  request waits on, without another notification, and the other surfaces stay;
* a press within `EARLY_SECONDS` was meant for what stood there before; it is ignored, and the notification shown anew;
* a signal from another program on the bus than the server, even one that may not own names (a sandboxed one), is not
  heard (`bridge.consent.notification_server`);
* the keys of the buttons are fresh random ones each time: on many servers any program may replace a notification of
  another by its number, and put words of its own to the keys it guesses.

What is not: a program of the same user that can take the server's name, watch the bus or move the pointer. It could
answer on the Unix socket just as well (docs/threat-model.md).
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from typing import Generic

from bridge.consent.notification_port import Answer, Consenting, Desktop, P, Refused
from bridge.consent.notification_text import notice
from bridge.errors import BridgeError, ClientError
from oauth.errors import OAuthError

logger = logging.getLogger(__name__)

EARLY_SECONDS = 0.7
"""Nobody reads and presses faster. Counted from the server's word that it shows it; a server that keeps it in a queue
meanwhile shows it later than that."""

MOST_EARLY = 3
"""After as many early presses a request is not shown again: that is no person, or one who wants it gone."""

REPLY_SECONDS = 2.0
"""After this a server that owes an answer is said to be silent. It is asked nothing more until the answer comes, which
still counts, or until the server or the bus ends."""

FIRST_START_SECONDS = 2.0
LAST_START_SECONDS = 60.0
"""Between attempts to have the bus start a server the wait doubles from the first to the last: it may end at once, each
time. A server that comes by itself is found at once."""

LABELS: tuple[tuple[Answer, str], ...] = (("deny", "Deny"), ("allow", "Allow"))
"""Always both, and Deny first: dunst takes the only action for the default one, others might take the first. None is
named "default", so that a click on the text has nothing to do."""


class Card:
    """One notification: handed to the server ``owner``; ``number`` is None until it says that it shows it."""

    def __init__(self, code: str, owner: str) -> None:
        self.code = code
        self.owner = owner
        self.keys: dict[str, Answer] = {f"{answer}-{secrets.token_hex(8)}": answer for answer, _ in LABELS}
        self.number: int | None = None
        self.shown_at = 0.0


class Surface(Generic[P]):
    """What is shown, and what became of it. Hears of the queue and of the server; acts in one task, `tend`."""

    def __init__(self, consent: Consenting[P], clock: Callable[[], float] = time.monotonic) -> None:
        self._consent = consent
        self._clock = clock
        self._wake = asyncio.Event()
        self._card: Card | None = None
        self._pressed: tuple[str, Answer] | None = None
        self._desktop: Desktop | None = None
        # Both are cut to what waits, so they are bounded as the queue is.
        self._silent: set[str] = set()
        self._early: dict[str, int] = {}
        self._start_at = 0.0
        self._start_after = FIRST_START_SECONDS
        self._patience: float | None = None
        self._said = ""

    async def tend(self, desktop: Desktop) -> None:
        """Show what waits, until the bus is lost."""
        self._desktop = desktop
        self._wake.set()
        try:
            while self._desktop is not None:
                await self._until_woken()
                await self._take()
                self._take_back()
                await self._show(desktop)
        finally:
            self._drop(desktop)
            self._desktop = None

    def say(self, reason: str, error: Exception | None = None) -> None:
        """Log how it stands, once."""
        if reason == self._said:
            return
        self._said = reason
        if error is None:
            logger.info("notifications of requests", extra={"reason": reason})
        else:
            logger.info("notifications of requests", extra={"reason": reason, "error": error})

    # What is heard.

    def changed(self) -> None:
        """The queue has changed."""
        self._wake.set()

    def invoked(self, number: int, key: str) -> None:
        """A button was pressed; one that is not ours, or of a notification that is over, answers nothing."""
        card = self._card
        if card is None or card.number != number or key not in card.keys:
            return
        if self._clock() - card.shown_at < EARLY_SECONDS:
            self._early[card.code] = self._early.get(card.code, 0) + 1
            if self._early[card.code] >= MOST_EARLY:
                self._silent.add(card.code)
        else:
            self._pressed = card.code, card.keys[key]
        # Servers close it by themselves after a press, but need not.
        if self._desktop is not None:
            self._drop(self._desktop)
        self._wake.set()

    def closed(self, number: int) -> None:
        """It was dismissed, or has expired: no answer, and no reason to come back."""
        card = self._card
        if card is not None and card.number == number:
            self._silent.add(card.code)
            self._card = None
            self._wake.set()

    def owner_changed(self) -> None:
        """Another server, or none."""
        if self._desktop is not None:
            self._drop(self._desktop)
        self._wake.set()

    def lost(self) -> None:
        """No bus."""
        self._card = None
        self._desktop = None
        self._wake.set()

    def _replied(self, card: Card, number: int | None) -> None:
        if card is not self._card:
            if number is not None and self._desktop is not None:
                self._desktop.withdraw(card.owner, number)
            return
        if number is None:
            self._silent.add(card.code)
            self._card = None
            self.say("the notification server takes none")
        else:
            card.number = number
            card.shown_at = self._clock()
            self._start_after = FIRST_START_SECONDS
            self.say("the desktop shows them")
        self._wake.set()

    # What is done.

    async def _until_woken(self) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self._wake.wait()
        except TimeoutError:
            if self._card is not None and self._card.number is None:
                self.say("the notification server does not answer")
        self._wake.clear()

    async def _take(self) -> None:
        """Hand on the owner's answer; the first one that comes in counts, wherever it was given."""
        if self._pressed is None:
            return
        (code, answer), self._pressed = self._pressed, None
        # Whatever comes of it: one that could not be kept is not asked again and again.
        self._silent.add(code)
        try:
            await self._consent.answer(code, answer, scopes=None, until=None, by="notification")
        except ClientError as error:
            logger.info("an answer came too late", extra={"error": error})
        except (BridgeError, OAuthError) as error:
            logger.error("an answer could not be kept; answer in a terminal", extra={"error": error})

    def _take_back(self) -> None:
        card = self._card
        if card is not None and card.number is not None and not self._is_waiting(card.code) and self._desktop:
            self._drop(self._desktop)

    async def _show(self, desktop: Desktop) -> None:
        self._patience = None
        if self._card is None and (pending := self._next()) is not None:
            if not await self._is_found(desktop) or desktop.owner is None:
                return
            # Meanwhile it may have been answered.
            if self._is_waiting(pending.code):
                self._hand_over(desktop, pending, desktop.owner)
            else:
                self._wake.set()
        if self._card is not None and self._card.number is None:
            self._patience = REPLY_SECONDS

    def _hand_over(self, desktop: Desktop, pending: P, owner: str) -> None:
        shown = notice(self._consent.view(pending), desktop.capabilities)
        card = self._card = Card(pending.code, owner)
        actions = list(zip(card.keys, (label for _, label in LABELS), strict=True)) if shown.is_answerable else []
        desktop.notify(owner, shown, actions, lambda number: self._replied(card, number))

    async def _is_found(self, desktop: Desktop) -> bool:
        if desktop.owner is not None:
            return True
        now = asyncio.get_running_loop().time()
        may_start = now >= self._start_at
        if may_start:
            self._start_at = now + self._start_after
            self._start_after = min(2 * self._start_after, LAST_START_SECONDS)
        self._patience = max(self._start_at - now, FIRST_START_SECONDS)
        try:
            return await desktop.find(may_start=may_start)
        except TimeoutError:
            self.say("the notification server does not answer")
        except Refused as error:
            self.say("there is no notification server", error)
        return False

    def _next(self) -> P | None:
        waiting = self._consent.waiting()
        codes = {pending.code for pending in waiting}
        self._silent &= codes
        for code in self._early.keys() - codes:
            del self._early[code]
        return next((item for item in waiting if not item.is_quiet and item.code not in self._silent), None)

    def _is_waiting(self, code: str) -> bool:
        return any(pending.code == code for pending in self._consent.waiting())

    def _drop(self, desktop: Desktop) -> None:
        card, self._card = self._card, None
        if card is not None and card.number is not None:
            desktop.withdraw(card.owner, card.number)
