"""The queue of pending requests: what sites ask, each with a code, until the owner answers or nobody waits any more."""

import asyncio
import secrets
from collections.abc import Callable
from typing import Literal

from bridge.errors import NotFound, TooMany
from oauth.models import AuthorizationRequest, token_id
from oauth.secret import Secret

UNPOLLED_SECONDS = 30.0
"""A page that has not asked for this long is closed; its request is gone."""

BOUND = 16
"""At the bound a new request is refused: the owner cannot read more than this either."""

CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""RFC 8628 section 6.1: no vowels, nothing that looks like a digit."""

Status = Literal["pending", "allowed", "denied"]


class Pending:
    """One request; ``handle`` is its page's alone, ``code`` is what the owner types, ``redirect`` holds the answer."""

    def __init__(self, request: AuthorizationRequest, *, code: str, now: float) -> None:
        self.request = request
        self.handle = Secret(secrets.token_urlsafe(32))
        self.code = code
        self.opened_at = now
        self.polled_at = now
        self.status: Status = "pending"
        self.redirect: Secret[str] | None = None
        self.answered = asyncio.Event()
        self.waiters = 0

    def settle(self, status: Status, redirect: str) -> None:
        """Set the answer, once, and wake the page that waits for it."""
        self.status = status
        self.redirect = Secret(redirect)
        self.answered.set()


class Requests:
    """The queue. ``clock`` is monotonic, in seconds. One request a client: a newer one replaces the older."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._by_handle: dict[str, Pending] = {}

    def open(self, request: AuthorizationRequest) -> Pending:
        """Queue a request.

        Raises:
            TooMany: `BOUND` requests of other clients wait already.
        """
        self._prune()
        for other in list(self._by_handle.values()):
            if other.request.client_id == request.client_id:
                del self._by_handle[token_id(other.handle.reveal())]
        if len(self._by_handle) >= BOUND:
            raise TooMany("too many sites are asking; answer them first: tollbridge approve", retry_after=30)
        pending = Pending(request, code=self._fresh_code(), now=self._clock())
        self._by_handle[token_id(pending.handle.reveal())] = pending
        return pending

    def poll(self, handle: str) -> Pending:
        """Return the request of its page.

        Raises:
            NotFound: it was replaced, was not polled for long, or belonged to an earlier run of the daemon.
        """
        self._prune()
        pending = self._by_handle.get(token_id(handle))
        if pending is None:
            raise NotFound("this request is gone; ask again")
        pending.polled_at = self._clock()
        return pending

    def pending(self, code: str) -> Pending:
        """Return the unanswered request with ``code``; case and dashes do not matter.

        Raises:
            NotFound: there is none.
        """
        typed = code.upper().replace("-", "")
        for pending in self.waiting():
            if secrets.compare_digest(pending.code.encode(), typed.encode()):
                return pending
        raise NotFound("no request has this code; `tollbridge pending` lists what is asked")

    def waiting(self) -> list[Pending]:
        """Return the unanswered requests, oldest first."""
        self._prune()
        return [pending for pending in self._by_handle.values() if pending.status == "pending"]

    def age(self, pending: Pending) -> float:
        """Return how long it has been asked, in seconds."""
        return self._clock() - pending.opened_at

    def _prune(self) -> None:
        oldest = self._clock() - UNPOLLED_SECONDS
        for pending in list(self._by_handle.values()):
            if pending.polled_at < oldest and not pending.waiters:
                del self._by_handle[token_id(pending.handle.reveal())]

    def _fresh_code(self) -> str:
        taken = {pending.code for pending in self._by_handle.values()}
        while (code := "".join(secrets.choice(CODE_LETTERS) for _ in range(8))) in taken:
            pass
        return code


def shown(code: str) -> str:
    """Return a code as people read it: ``BCDF-GHJK``."""
    return f"{code[:4]}-{code[4:]}"
