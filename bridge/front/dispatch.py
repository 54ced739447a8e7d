"""The one way of a command: POST and WebSocket frames both end here, with the same checks, limits and errors."""

import asyncio

import msgspec

from bridge.broker.port import Broker
from bridge.errors import ApprovalRequired, IdempotencyUnavailable, NotFound, Restarting, ScopeMissing
from bridge.front.limits import Quotas
from bridge.messages import EMPTY_OBJECT, AppDescription, Caller, Command, CommandDescription, Effect, Reply

RESTART_RETRY_SECONDS = 1.0
"""When to come back to a daemon that is stopping."""


class Dispatch:
    """Checks a command and sends it to its worker."""

    def __init__(self, broker: Broker, quotas: Quotas) -> None:
        self._broker = broker
        self._quotas = quotas
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
            raise NotFound(f"there is no app {name!r:.40}; GET /v1/apps lists them")
        return app

    def command(self, caller: Caller, app: str, name: str) -> CommandDescription:
        """Return the description of a command that ``caller`` may run.

        Raises:
            NotFound: there is no such command.
            ScopeMissing: the caller's grant does not cover it.
            ApprovalRequired: it is dangerous, and the caller is not the owner on the Unix socket.
        """
        command = self.app(app).commands.get(name)
        if command is None:
            raise NotFound(f"{app} has no command {name!r:.40}; GET /v1/apps lists them")
        check_scope(caller, command.scope)
        if command.effect is Effect.DANGEROUS and caller.grant is not None:
            raise ApprovalRequired(f"the owner runs it in a terminal: tollbridge call {app}.{name}")
        return command

    async def run(self, caller: Caller, app: str, name: str, params: msgspec.Raw | None, key: str | None) -> Reply:
        """Run one command and return its reply.

        Raises:
            ClientError: it may not run; nothing has happened.
            Restarting: the daemon is stopping; nothing has happened.
        """
        return await self.run_described(caller, app, self.command(caller, app, name), params, key)

    async def run_described(
        self, caller: Caller, app: str, described: CommandDescription, params: msgspec.Raw | None, key: str | None
    ) -> Reply:
        """Run a command that `command` has described for this caller; else as `run`."""
        if key is not None:
            raise IdempotencyUnavailable("this daemon keeps no ledger yet; send the command without a key")
        if self.is_stopping:
            raise Restarting("the daemon is stopping", retry_after=RESTART_RETRY_SECONDS)
        usage = None if caller.grant is None else self._quotas.usage(caller.grant)
        if usage is not None:
            self._quotas.command(usage)
            usage.in_flight += 1
        try:
            command = Command(
                app=app, name=described.name, caller=caller, params=EMPTY_OBJECT if params is None else params
            )
            if described.instant:
                return await self._broker.call(command)
            return await self._finish(command)
        finally:
            if usage is not None:
                usage.in_flight -= 1

    async def drain(self, seconds: float) -> None:
        """Refuse new commands and wait until those under way have ended, ``seconds`` at most."""
        self.is_stopping = True
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)

    async def _finish(self, command: Command) -> Reply:
        """Run to the end even when the connection that asked goes away: a command is never half done."""
        task = asyncio.create_task(self._broker.call(command))
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
