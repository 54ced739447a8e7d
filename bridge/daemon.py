"""The composition root: builds everything, waits, stops. The only file that knows which parts stand in one process."""

import asyncio
import logging
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path

from bridge import __version__, listen, logs, paths, runtime
from bridge.apps.port import App
from bridge.apps.registry import apps
from bridge.audit.key import chain_key
from bridge.audit.notes import open_audit
from bridge.audit.rows import FILE as AUDIT_FILE
from bridge.broker.embedded import EmbeddedBroker
from bridge.clock import rfc3339
from bridge.config import Settings
from bridge.consent.notifications import notifying
from bridge.errors import BridgeError, BridgeFault
from bridge.front.house import House
from bridge.front.owner import Facts
from bridge.front.pages import Pages
from bridge.front.server import serving
from bridge.identity import Identity, read_secret
from bridge.worker import Worker
from oauth.errors import StoreError
from oauth.store import Store
from oauth.vault import Vault

logger = logging.getLogger(__name__)

EXIT_OK = 0
EXIT_REFUSED = 1
LEAST_DESCRIPTORS = 128
"""Some 30 are open when nobody is connected; the rest leaves room for a browser and the owner's own commands."""


Hosted = Callable[[Settings], Sequence[App]]
"""Which apps the worker hosts."""


class GrantsUnusable(BridgeFault):
    """The store of grants cannot be opened; the detail says why."""

    code = "grants_unusable"
    title = "The grants cannot be read"


class SystemRefused(BridgeFault):
    """The operating system refused something that the daemon needs to start; the detail says what and where."""

    code = "system_refused"
    title = "The daemon cannot start"


def run(settings: Settings, hosted: Hosted = apps, *, level: int = logging.INFO) -> int:
    """Run the daemon until SIGTERM or SIGINT; return the exit status. Logs from ``level`` on go to standard error.

    For a program that hosts apps of its own: what keeps the daemon from starting is one line of the log.
    """
    try:
        serve(settings, hosted, level=level)
    except BridgeError as error:
        logger.error("the daemon cannot run", extra={"error": error})
        return EXIT_REFUSED
    return EXIT_OK


def serve(settings: Settings, hosted: Hosted = apps, *, level: int = logging.INFO) -> None:
    """Run the daemon until SIGTERM or SIGINT, as `run`.

    Raises:
        BridgeError: it cannot start; title and detail say what is wrong and what to do.
    """
    logs.configure(level)
    _raise_descriptor_limit()  # first of all: the event loop itself needs some
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(settings, hosted))


async def _serve(settings: Settings, hosted: Hosted) -> None:
    asyncio.get_running_loop().set_exception_handler(logs.loop_error)
    with _refusals_said():
        state = paths.own_folder(paths.state_folder())
        folder = paths.own_folder(paths.runtime_folder())
        lock = ExitStack()
        lock.enter_context(runtime.only_one(state, folder))
    with lock:
        async with AsyncExitStack() as stack:
            stopped = _signals()
            await _start(stack, settings, hosted, state)
            await stopped.wait()
            logger.info("stopping")


async def _start(stack: AsyncExitStack, settings: Settings, hosted: Hosted, state: Path) -> None:
    """Build everything and listen; what the stack unwinds is the stop, in reverse."""
    with _refusals_said():
        secret = read_secret(state)
        tcp = listen.open_tcp(state, settings.daemon.ports)
        stack.callback(tcp.close)
        unix = listen.open_unix(paths.socket())
        stack.callback(listen.forget_unix, paths.socket(), paths.socket().lstat())
    port = tcp.getsockname()[1]
    started = time.time()
    facts = Facts(base=f"http://{listen.HOST}:{port}", socket=str(paths.socket()), started=started)
    opening = open_audit(state / AUDIT_FILE, chain_key(secret), version=__version__, clock=time.time)
    audit = await stack.enter_async_context(opening)
    store = await _opened_store(stack, state / "grants.sqlite")
    worker = Worker(hosted(settings))
    house = House(
        settings,
        facts,
        pages=Pages(),
        identity=Identity(secret),
        store=store,
        broker=EmbeddedBroker(worker),
        audit=audit,
        vault=Vault(state, paths, key_file=settings.vault.key_file),
    )
    await stack.enter_async_context(worker.run())
    await stack.enter_async_context(serving(house, (tcp, unix), settings.limits))
    await stack.enter_async_context(notifying(house.consent))
    told = runtime.Runtime(os.getpid(), facts.base, port, facts.socket, __version__, rfc3339(started))
    with _refusals_said():
        runtime.write(paths.runtime_file(), told)
    stack.callback(runtime.forget, paths.runtime_file())
    logger.info("ready", extra={"base": facts.base, "socket": facts.socket})


async def _opened_store(stack: AsyncExitStack, file: Path) -> Store:
    try:
        return await stack.enter_async_context(Store.open(file, clock=time.time))
    except StoreError as error:
        where = "" if str(file) in str(error) else f"{file}: "
        raise GrantsUnusable(f"{where}{error}") from error
    except sqlite3.Error as error:
        hint = "see that its disk has room and that no other program holds it"
        raise GrantsUnusable(f"{file} cannot be opened: {error}; {hint}") from error


@contextmanager
def _refusals_said() -> Iterator[None]:
    """Turn what the system refuses into a sentence. Only where it is the system's word: an app's error keeps its trace.

    Raises:
        SystemRefused: it refused.
    """
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise SystemRefused(f"{error.strerror or error}{where}; put that right and start again") from error


def _raise_descriptor_limit() -> None:
    """Take all descriptors that the system lets us have: at the usual 1,024, as many idle connections lock all out.

    Raises:
        SystemRefused: they are too few to start with.
    """
    if sys.platform != "win32":
        import resource  # not there on Windows

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < LEAST_DESCRIPTORS:
            raise SystemRefused(
                f"the system lets a program open {hard} files at most, and the daemon needs {LEAST_DESCRIPTORS}; raise "
                "the hard limit (`ulimit -Hn`, /etc/security/limits.conf) and start again"
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _signals() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        if sys.platform == "win32":
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopped.set))
        else:
            loop.add_signal_handler(number, stopped.set)
    return stopped


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    if sys.platform == "win32":
        return asyncio.new_event_loop
    import uvloop  # not there on Windows

    return uvloop.new_event_loop
