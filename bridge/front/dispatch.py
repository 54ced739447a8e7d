"""The one way of a command: POST and WebSocket frames both end here, with the same checks, limits and errors."""

import asyncio
import logging
import time
from collections.abc import Callable

import msgspec

from bridge.audit.notes import CANCELLED, OK, Audit
from bridge.broker.port import Broker
from bridge.errors import BridgeError, IdempotencyUnavailable, NotFound, Restarting, ScopeMissing
from bridge.front.limits import Quotas, Usage
from bridge.front.tally import Tally
from bridge.messages import EMPTY_OBJECT, AppDescription, Caller, Command, CommandDescription, Effect, Reply

logger = logging.getLogger(__name__)

RESTART_RETRY_SECONDS = 1.0
"""When to come back to a daemon that is stopping."""
CANCEL_SECONDS = 0.5
"""How long a command that did not end while the daemon stops may take to notice that it was cancelled."""


Approve = Callable[[Caller, str, CommandDescription, msgspec.Raw], None]
"""Passes a dangerous command that the owner has just allowed (`bridge.consent.consent.Consent`), else raises."""


class Dispatch:
    """Checks a command and sends it to its worker."""

    def __init__(self, broker: Broker, quotas: Quotas, audit: Audit, approve: Approve, tally: Tally) -> None:
        self._broker = broker
        self._quotas = quotas
        self._audit = audit
        self._approve = approve
        self._tally = tally
        self._running: set[asyncio.Task[Reply]] = set()
        self.is_stopping = False

    @property
    def under_way(self) -> int:
        """How many commands have not ended yet."""
        return len(self._running)

    def app(self, name: str) -> AppDescription:
        """Return what is known of the app ``name``.

        Raises:
            NotFound: no worker hosts it.
        """
        app = self._broker.apps.get(name)
        if app is None:
            raise NotFound("there is no such app; GET /v1/apps lists them")
        return app

    def command(self, caller: Caller, app: str, name: str) -> CommandDescription:
        """Return the description of a command that ``caller`` may run.

        Raises:
            NotFound: there is no such command.
            ScopeMissing: the caller's grant does not cover it.
        """
        command = None
        try:
            command = self.app(app).commands.get(name)
            if command is None:
                raise NotFound("the app has no such command; GET /v1/apps lists them")
            check_scope(caller, command.scope)
        except BridgeError as error:
            self._refused(caller, app, command, error)
            raise
        return command

    async def run(
        self, caller: Caller, app: str, described: CommandDescription, params: msgspec.Raw | None, key: str | None
    ) -> Reply:
        """Run a command that `command` has described for this caller, and return its reply.

        Raises:
            ClientError: it may not run; nothing has happened.
            Restarting: the daemon is stopping; nothing has happened.
        """
        params = EMPTY_OBJECT if params is None else params
        try:
            usage = self._admitted(caller, key)
        except BridgeError as error:
            self._refused(caller, app, described, error)
            raise
        command = Command(app=app, name=described.name, caller=caller, params=params)
        try:
            if described.effect is Effect.DANGEROUS:
                await self._approved(command, described)
            if caller.grant is not None:
                self._tally.count(caller.grant)
            if described.instant:
                return await self._carry(command, described.effect)
            return await self._finish(command, described.effect)
        finally:
            if usage is not None:
                usage.in_flight -= 1

    async def _approved(self, command: Command, described: CommandDescription) -> None:
        """Let a dangerous command on with a fresh yes; the owner on the Unix socket gives it by asking.

        Nobody is asked about parameters that its app would refuse.
        """
        if command.caller.grant is None:
            return
        try:
            await self._broker.check(command)
            self._approve(command.caller, command.app, described, command.params)
        except BridgeError as error:
            self._refused(command.caller, command.app, described, error)
            raise

    def _refused(self, caller: Caller, app: str, described: CommandDescription | None, error: BridgeError) -> None:
        """Put down a command that may not run; its name only where there is one of that name."""
        self._audit.command_refused(caller.client, f"{app}.{described.name}" if described else "", error.code)
        logger.debug(
            "a command was refused",
            extra={
                "client": caller.client,
                "app": app if described else None,
                "command": described.name if described else None,
                "outcome": error.code,
            },
        )

    def _admitted(self, caller: Caller, key: str | None) -> Usage | None:
        """Count a command in, and return what its end is to be counted out of; None: the owner has no limits."""
        if key is not None:
            raise IdempotencyUnavailable("this daemon keeps no ledger yet; send the command without a key")
        if self.is_stopping:
            raise Restarting("the daemon is stopping", retry_after=RESTART_RETRY_SECONDS)
        if caller.grant is None:
            return None
        usage = self._quotas.usage(caller.grant)
        self._quotas.command(usage)
        usage.in_flight += 1
        return usage

    async def drain(self, seconds: float) -> None:
        """Refuse new commands and wait until those under way have ended, ``seconds`` at most."""
        self.is_stopping = True
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=seconds)
            for task in late:
                task.cancel()  # so that the audit still says what became of it
            if late:
                await asyncio.wait(late, timeout=CANCEL_SECONDS)

    async def _carry(self, command: Command, effect: Effect) -> Reply:
        """Have the command run, and put down what became of it, also where nobody waits for the reply any more."""
        outcome = CANCELLED
        begun = time.perf_counter() if logger.isEnabledFor(logging.DEBUG) else None
        try:
            reply = await self._broker.call(command)
            outcome = OK if reply.problem is None else reply.problem.code
            return reply
        finally:
            self._audit.command(command, effect, outcome)
            if begun is not None:
                logger.debug(
                    "a command has ended",
                    extra={
                        "client": command.caller.client,
                        "app": command.app,
                        "command": command.name,
                        "outcome": outcome,
                        "milliseconds": round((time.perf_counter() - begun) * 1000, 1),
                    },
                )

    async def _finish(self, command: Command, effect: Effect) -> Reply:
        """Run to the end even when the connection that asked goes away: a command is never half done."""
        task = asyncio.create_task(self._carry(command, effect))
        self._running.add(task)  # at most requests_in_flight a grant
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)


def check_scope(caller: Caller, scope: str) -> None:
    """Check that ``caller`` may use ``scope``.

    Raises:
        ScopeMissing: its grant does not cover it.
    """
    if not caller.may(scope):
        raise ScopeMissing(f"ask the owner for {scope}", scope=scope)
