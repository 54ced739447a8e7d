"""The queue of what is asked of the owner, by pages, devices and dangerous commands: each has a code until it is over.

One request a site: a newer one replaces the older. At most `BOUND` sites at once: then the oldest gives way.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from bridge.consent.site import site_of
from bridge.errors import Gone, NotFound, TooMany
from oauth.models import Asked, AuthorizationRequest, DeviceRequest, token_id
from oauth.secret import Secret, hidden

UNPOLLED_SECONDS = 30.0
"""A page that has not asked for this long is closed; its request is gone."""

COMMAND_SECONDS = 60.0
"""How long a dangerous command waits for its yes, and how long that yes waits for the command."""

BOUND = 5
"""Sites that may ask at once: the owner cannot judge more of them than this either. Beyond it the oldest gives way."""

AGAIN_SECONDS = 60.0
"""A request that follows one of its own site so soon is quiet: nobody makes a desktop blink. So is a page's after as
many as `BOUND` that were left, of whichever sites."""

REMEMBERED = 64
"""Codes of requests that are over, so that a late answer is told so."""

CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""RFC 8628 section 6.1: no vowels, nothing that looks like a digit."""

Status = Literal["pending", "allowed", "denied"]
Kind = Literal["authorize", "device", "command"]


class CommandRequest(Asked, frozen=True, kw_only=True):
    """A dangerous command that waits for its yes; ``digest`` is the SHA-256 of its parameters."""

    pairing: str
    app: str
    command: str
    summary: str
    params: msgspec.Raw
    digest: bytes

    __repr__ = hidden


class Pending:
    """One request; ``handle`` is its page's alone, ``code`` is what the owner types, ``redirect`` holds the answer.

    ``is_taken`` while it has an answer that is not durable yet.
    """

    def __init__(
        self, asked: AuthorizationRequest | DeviceRequest | CommandRequest, *, code: str, now: float, is_quiet: bool
    ) -> None:
        self.asked = asked
        self.handle = Secret(secrets.token_urlsafe(32))
        self.code = code
        self.is_quiet = is_quiet
        self.opened_at = now
        self.polled_at = now
        self.status: Status = "pending"
        self.is_taken = False
        self.redirect: Secret[str] | None = None
        self.answered = asyncio.Event()
        self.waiters = 0

    @property
    def kind(self) -> Kind:
        """What asks."""
        if isinstance(self.asked, AuthorizationRequest):
            return "authorize"
        return "device" if isinstance(self.asked, DeviceRequest) else "command"

    @property
    def site(self) -> str:
        """What counts as one asker."""
        return site_of(self.asked.client_id)

    def settle(self, status: Status, redirect: str | None) -> None:
        """Set the answer, once, and wake the page that waits for it."""
        self.status = status
        self.redirect = None if redirect is None else Secret(redirect)
        self.answered.set()


class Requests:
    """The queue. ``clock`` is monotonic, in seconds.

    ``is_waited_for`` says whether a device still asks for its answer; ``dropped`` is told of each request that ends
    without one, ``changed`` whenever what waits has changed.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        is_waited_for: Callable[[DeviceRequest], bool],
        dropped: Callable[[Pending], None],
        changed: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._is_waited_for = is_waited_for
        self._dropped = dropped
        self._changed = changed
        self._by_handle: dict[str, Pending] = {}
        self._over: deque[str] = deque(maxlen=REMEMBERED)
        self._left: deque[tuple[str, float]] = deque(maxlen=BOUND)

    def open(self, asked: AuthorizationRequest | DeviceRequest | CommandRequest, *, is_quiet: bool = False) -> Pending:
        """Queue a request. Where `BOUND` others wait already, the oldest of its kind, page or program, gives way.

        So nobody holds the places against those who come after: a page that is still there asks again, and is then the
        newest itself. Dangerous commands give way to nobody.

        Raises:
            TooMany: all that wait are such commands.
        """
        self.prune()
        now = self._clock()
        is_quiet = is_quiet or self._is_left_often(asked, now)
        for other in [other for other in self._by_handle.values() if other.site == site_of(asked.client_id)]:
            if other.is_taken and other.status == "pending":
                continue  # its answer is being written down: its page is to hear of it
            is_quiet = is_quiet or (other.status == "pending" and now - other.opened_at < AGAIN_SECONDS)
            self._end(other)
        waiting = self.waiting()
        if len(waiting) >= BOUND:
            self._end(_oldest_of_its_kind(waiting, asked.client_id))
        pending = Pending(asked, code=self._fresh_code(), now=now, is_quiet=is_quiet)
        self._by_handle[token_id(pending.handle.reveal())] = pending
        self._changed()
        return pending

    def admit(self, asked: AuthorizationRequest, redirect: str) -> Pending:
        """Return a request that is allowed without a question: it takes no place, and replaces nothing that waits."""
        self.prune()
        for other in [other for other in self._by_handle.values() if other.site == site_of(asked.client_id)]:
            if other.status != "pending":
                self._end(other)
        pending = Pending(asked, code=self._fresh_code(), now=self._clock(), is_quiet=True)
        pending.settle("allowed", redirect)
        self._by_handle[token_id(pending.handle.reveal())] = pending
        return pending

    def poll(self, handle: str) -> Pending:
        """Return the request of its page.

        Raises:
            NotFound: it was replaced, was not polled for long, or belonged to an earlier run of the daemon.
        """
        self.prune()
        pending = self._by_handle.get(token_id(handle))
        if pending is None:
            raise NotFound("this request is gone; ask again")
        pending.polled_at = self._clock()
        return pending

    def withdraw(self, handle: str) -> None:
        """Drop the unanswered request of a page that was left; one that is gone or answered stays as it is."""
        pending = self._by_handle.get(token_id(handle))
        if pending is not None and pending.status == "pending" and not pending.is_taken:
            self._end(pending)
            self._left.append((pending.site, self._clock()))
            self._changed()

    def pending(self, code: str) -> Pending:
        """Return the unanswered request with ``code``; case and dashes do not matter.

        Raises:
            Gone: it was answered, or nobody waits for the answer any more.
            NotFound: there is none.
        """
        self.prune()
        typed = code.upper().replace("-", "")
        for pending in self._by_handle.values():
            if secrets.compare_digest(pending.code.encode(), typed.encode()):
                if pending.status != "pending" or pending.is_taken:
                    break
                return pending
        else:
            if typed not in self._over:
                raise NotFound("no request has this code; `tollbridge pending` lists what is asked")
        raise Gone("this was answered already, or nobody waits for the answer any more")

    def settle(self, pending: Pending, status: Status, redirect: str | None) -> None:
        """Give a request its answer, the first and only one."""
        pending.settle(status, redirect)
        pending.is_taken = False
        if pending.kind != "authorize":
            self._by_handle.pop(token_id(pending.handle.reveal()), None)  # no page asks for it
            self._over.append(pending.code)
        self._changed()

    def waiting(self) -> list[Pending]:
        """Return the unanswered requests, oldest first."""
        self.prune()
        return [pending for pending in self._by_handle.values() if pending.status == "pending" and not pending.is_taken]

    def age(self, pending: Pending) -> float:
        """Return how long it has been asked, in seconds."""
        return self._clock() - pending.opened_at

    def __bool__(self) -> bool:
        """Say whether there is any request, answered or not, that may come to its end by time."""
        return bool(self._by_handle)

    def prune(self) -> None:
        """Let go of requests whose page, device or command waits no longer."""
        ended = [pending for pending in self._by_handle.values() if not self._is_alive(pending)]
        for pending in ended:
            self._end(pending)
        if any(pending.status == "pending" for pending in ended):
            self._changed()

    def _is_alive(self, pending: Pending) -> bool:
        now = self._clock()
        if pending.is_taken:
            return True
        if isinstance(pending.asked, DeviceRequest):
            return self._is_waited_for(pending.asked)
        if isinstance(pending.asked, CommandRequest):
            return now - pending.opened_at < COMMAND_SECONDS
        return pending.waiters > 0 or now - pending.polled_at <= UNPOLLED_SECONDS

    def _is_left_often(self, asked: Asked, now: float) -> bool:
        """Say whether a page that asks again, or for one site after the other, would make a desktop blink."""
        recent = [site for site, at in self._left if now - at < AGAIN_SECONDS]
        return site_of(asked.client_id) in recent or (isinstance(asked, AuthorizationRequest) and len(recent) == BOUND)

    def _end(self, pending: Pending) -> None:
        del self._by_handle[token_id(pending.handle.reveal())]
        self._over.append(pending.code)
        if pending.status == "pending":
            self._dropped(pending)

    def _fresh_code(self) -> str:
        taken = {*(pending.code for pending in self._by_handle.values()), *self._over}
        while (code := "".join(secrets.choice(CODE_LETTERS) for _ in range(8))) in taken:
            pass
        return code


def _oldest_of_its_kind(waiting: Sequence[Pending], client_id: str) -> Pending:
    """Return the one that gives way to a request of ``client_id``; ``waiting`` is oldest first."""
    yielding = [pending for pending in waiting if pending.kind != "command"]
    if not yielding:
        raise TooMany("too many sites are asking; answer them first: tollbridge pending", retry_after=30)
    is_program = client_id.startswith("native:")
    alike = [pending for pending in yielding if pending.asked.client_id.startswith("native:") == is_program]
    return (alike or yielding)[0]


def shown(code: str) -> str:
    """Return a code as people read it: ``BCDF-GHJK``."""
    return f"{code[:4]}-{code[4:]}"
