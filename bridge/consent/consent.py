"""The owner's consent: what is asked, and the one way in which every surface answers it.

Surfaces are the consent page, the dashboard, the terminal and the desktop notification. The first answer wins; nothing
is ever allowed because no surface was there.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, NamedTuple

import msgspec

from bridge.audit.notes import Audit, By
from bridge.consent.approvals import Approvals, Wanted, digest, wanted, wanted_of
from bridge.consent.requests import COMMAND_SECONDS, CommandRequest, Pending, Requests, shown
from bridge.consent.view import choices, request_view
from bridge.errors import ApprovalDenied, ApprovalImpossible, ApprovalRequired, InvalidParams, TooMany
from bridge.messages import Caller, CommandDescription
from oauth.errors import Unavailable
from oauth.models import AuthorizationRequest, DeviceRequest, Until
from oauth.server.server import AuthorizationServer
from oauth.store import Store

QUIET_SECONDS = 24 * 3600.0
"""After a no, what that client asks raises no notification for so long, whichever key asks; its page still shows."""

PRUNE_SECONDS = 5.0
"""How often requests are looked after while there are any, so that a surface notices that a page was closed."""

Answer = Literal["allow", "deny"]


class Opened(NamedTuple):
    """A page's request; ``is_remembered``: there was an answer for this client and key before."""

    pending: Pending
    is_remembered: bool


class _Told(NamedTuple):
    """How whoever asked hears of an answer: ``redirect`` is for a page; ``tell`` tells a device, lets a command on."""

    redirect: str | None = None
    tell: Callable[[], None] = lambda: None


class Consent:
    """Opens, lists and answers requests; used on the event loop's thread. ``clock`` is monotonic."""

    def __init__(
        self,
        store: Store,
        *,
        server: AuthorizationServer,
        sentences: Callable[[], Mapping[str, str]],
        audit: Audit,
        clock: Callable[[], float],
    ) -> None:
        self._server = server
        self._store = store
        self._sentences = sentences
        self._audit = audit
        self._approvals = Approvals(clock)
        self._requests = Requests(
            clock, is_waited_for=server.is_waited_for, dropped=self._dropped, changed=self._has_changed
        )
        self._listeners: list[Callable[[], None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False
        self.change = secrets.randbelow(2**32)
        """The number of the last change of what waits; it begins anywhere, so that no earlier run's fits."""

    # What is asked.

    async def open_page(self, request: AuthorizationRequest) -> Opened:
        """Queue a page's request, or let the page in at once where the owner has said yes to its key before.

        Raises:
            TooMany: too many other sites ask already.
        """
        remembered = self._server.remembered(request)
        if remembered == "allowed":
            redirect = self._server.allow_again(request)
            await self._store.commit()
            pending = self._requests.admit(request, redirect)
        else:
            pending = self._requests.open(request, is_quiet=self._is_quiet(request.client_id))
        self._asked(request.client_id, request.scopes, is_remembered=remembered == "allowed")
        return Opened(pending, remembered is not None)

    def open_device(self, request: DeviceRequest) -> str:
        """Queue a device's request, and return its user code.

        Raises:
            Unavailable: too many sites ask already.
        """
        try:
            pending = self._requests.open(request, is_quiet=self._is_quiet(request.client_id))
        except TooMany as error:
            raise Unavailable(f"{error.detail}; then ask again") from error
        self._asked(request.client_id, request.scopes, is_remembered=False)
        return shown(pending.code)

    def approve(self, caller: Caller, app: str, described: CommandDescription, params: msgspec.Raw) -> None:
        """Let a dangerous command pass if the owner has just said yes to it, and use that yes up.

        Raises:
            ApprovalRequired: the owner is asked now; the same command passes once after the yes.
            ApprovalDenied: the owner has just said no.
            ApprovalImpossible: no yes covers this client.
            TooMany: too many sites ask already.
        """
        wants = wanted(caller, f"{app}.{described.name}", params)
        answer = self._approvals.take(wants)
        if answer:
            return
        grant = None if caller.grant is None else self._store.grant(caller.grant)
        if grant is not None and grant.is_development:
            raise ApprovalImpossible("a page served on this computer runs no dangerous command; use tollbridge call")
        if answer is False:
            raise ApprovalDenied("the owner has said no to this command; ask again later", retry_after=COMMAND_SECONDS)
        request = CommandRequest(
            client_id=caller.client,
            scopes=frozenset((described.scope,)),
            pairing=wants.pairing,
            app=app,
            command=described.name,
            summary=described.summary,
            params=params,
            digest=digest(params),
        )
        is_quiet = self._is_quiet(caller.client) or self._approvals.was_denied(caller.client)
        pending = self._waiting_for(wants) or self._requests.open(request, is_quiet=is_quiet)
        code = shown(pending.code)
        raise ApprovalRequired(
            f"the owner is asked (tollbridge approve {code}); after the yes, send the same command again",
            user_code=code,
            expires_in=max(1, round(COMMAND_SECONDS - self._requests.age(pending))),
        )

    # For the surfaces.

    def waiting(self) -> list[Pending]:
        """Return the unanswered requests, oldest first."""
        return self._requests.waiting()

    def poll(self, handle: str) -> Pending:
        """Return the request of a page, by the handle that it alone has; see `Requests.poll`."""
        return self._requests.poll(handle)

    def withdraw(self, handle: str) -> None:
        """Drop the request of a page that was left; see `Requests.withdraw`."""
        self._requests.withdraw(handle)

    def view(self, pending: Pending) -> dict[str, Any]:
        """Return a request as it is shown."""
        grant = self._store.grant_of(pending.asked.client_id)
        return request_view(pending, sentences=self._sentences(), grant=grant, now=self._store.clock())

    def age(self, pending: Pending) -> float:
        """Return how long it has been asked, in seconds."""
        return self._requests.age(pending)

    def on_change(self, callback: Callable[[], None]) -> None:
        """Have ``callback`` called, at once, whenever what waits has changed."""
        self._listeners.append(callback)

    async def answer(
        self, code: str, answer: Answer, *, scopes: frozenset[str] | None = None, until: Until | None = None, by: By
    ) -> Pending:
        """Give the owner's answer: ``scopes`` None allows all that were asked, ``until`` None for as long as is usual.

        Raises:
            NotFound: no request has this code.
            Gone: it was answered already, or nobody waits for the answer.
            InvalidParams: the scopes, or how long, are none that this request offers.
        """
        pending = self._requests.pending(code)
        asked = pending.asked
        allowed = _allowed(pending, scopes, until) if answer == "allow" else asked.scopes
        redirect, tell = self._allow(pending, allowed, until) if answer == "allow" else self._deny(pending)
        status: Literal["allowed", "denied"] = "allowed" if answer == "allow" else "denied"
        # A second answer comes too late from now on; whoever asked hears of this one once it is durable.
        pending.is_taken = True
        try:
            await self._store.commit()
        except BaseException:
            pending.is_taken = False
            self._has_changed()
            raise
        tell()
        self._audit.answered(asked.client_id, _subjects(pending, allowed), status, by)
        self._requests.settle(pending, status, redirect)
        return pending

    async def changed(self, seconds: float, after: int | None = None) -> None:
        """Return once there is another ``change`` than ``after`` (None: than now), or after ``seconds``."""
        if after is not None and after != self.change:
            return
        change = asyncio.Event()
        self._listeners.append(change.set)
        try:
            async with asyncio.timeout(seconds):
                await change.wait()
        except TimeoutError:
            pass
        finally:
            self._listeners.remove(change.set)

    def close(self) -> None:
        """Look after nothing any more."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # Beneath.

    def _allow(self, pending: Pending, scopes: frozenset[str], until: Until | None) -> _Told:
        asked = pending.asked
        if isinstance(asked, AuthorizationRequest):
            return _Told(self._server.allow(asked, scopes, until))
        if isinstance(asked, DeviceRequest):
            return _Told(tell=self._server.allow_device(asked, scopes, until))
        return _Told(tell=partial(self._approvals.answer, asked, is_allowed=True))

    def _deny(self, pending: Pending) -> _Told:
        asked = pending.asked
        if isinstance(asked, AuthorizationRequest):
            return _Told(self._server.deny(asked))
        if isinstance(asked, DeviceRequest):
            return _Told(tell=self._server.deny_device(asked))
        return _Told(tell=partial(self._approvals.answer, asked, is_allowed=False))

    def _asked(self, client_id: str, scopes: frozenset[str], *, is_remembered: bool) -> None:
        self._audit.asked(client_id, scopes, is_remembered=is_remembered)

    def _is_quiet(self, client_id: str) -> bool:
        grant = self._store.grant_of(client_id)
        return grant is not None and self._store.clock() - (grant.denied_at or -QUIET_SECONDS) < QUIET_SECONDS

    def _waiting_for(self, wants: Wanted) -> Pending | None:
        for pending in self.waiting():
            if isinstance(pending.asked, CommandRequest) and wanted_of(pending.asked) == wants:
                return pending
        return None

    def _dropped(self, pending: Pending) -> None:
        if isinstance(pending.asked, DeviceRequest):
            self._server.drop(pending.asked)

    def _has_changed(self) -> None:
        self.change += 1
        for callback in tuple(self._listeners):
            callback()
        self._look_again()

    def _look_again(self) -> None:
        if self._timer is None and self._requests and not self._is_closed:
            self._timer = asyncio.get_running_loop().call_later(PRUNE_SECONDS, self._prune)

    def _prune(self) -> None:
        self._timer = None
        self._requests.prune()
        self._look_again()


def _allowed(pending: Pending, scopes: frozenset[str] | None, until: Until | None) -> frozenset[str]:
    offered, _ = choices(pending)
    if until is not None and until not in offered:
        raise InvalidParams(f"this can be allowed for: {', '.join(offered)}", path="$.until")
    asked = pending.asked.scopes
    if scopes is None:
        return asked
    if not scopes or not scopes <= asked:
        known = ", ".join(sorted(asked))
        raise InvalidParams(f"allow at least one of the scopes that were asked: {known}", path="$.scopes")
    return scopes


def _subjects(pending: Pending, scopes: frozenset[str]) -> frozenset[str]:
    if isinstance(pending.asked, CommandRequest):
        return frozenset((f"{pending.asked.app}.{pending.asked.command}",))
    return scopes
