"""Run the daemon and the demo site side by side until Ctrl-C; what scripts/run starts once everything is set up.

The site lives in this process, the daemon in one of its own that is ended by its id. A daemon of this user that runs
already is used and left alone.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
from aiohttp import web

from bridge import config, paths, runtime
from scripts import demo_site, make_tune

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "web_client" / "build" / "demo"
DAEMON = Path(sys.executable).with_name("tollbridge")

READY_WITHIN = 20.0
"""Seconds for the daemon to answer; it takes less than one, on a machine just set up a few."""

STOP_WITHIN = 10.0
"""Seconds for the daemon to drain after SIGTERM before it is killed."""


class CannotRun(Exception):
    """The demo cannot start or go on; the message says what to do."""


async def answering() -> runtime.Runtime | None:
    """Return the daemon of this user that answers on its Unix socket now, if one does."""
    running = runtime.read(paths.runtime_file())
    if running is None:
        return None
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(running.socket), timeout=aiohttp.ClientTimeout(total=2)
            ) as session,
            session.get("http://localhost/v1/hello") as response,
        ):
            return running if response.status == 200 else None
    except (aiohttp.ClientError, OSError, TimeoutError):
        return None


async def _until_ready(daemon: asyncio.subprocess.Process) -> runtime.Runtime:
    try:
        async with asyncio.timeout(READY_WITHIN):
            while daemon.returncode is None:
                running = await answering()
                if running is not None:
                    return running
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise CannotRun(f"The daemon did not answer within {READY_WITHIN:.0f} s.") from None
    raise CannotRun(f"The daemon ended with status {daemon.returncode}; its reason stands above.")


async def _end(daemon: asyncio.subprocess.Process) -> None:
    if daemon.returncode is not None:
        return
    daemon.terminate()
    try:
        async with asyncio.timeout(STOP_WITHIN):
            await daemon.wait()
    except TimeoutError:
        daemon.kill()
        await daemon.wait()


@asynccontextmanager
async def serving(port: int, base: str) -> AsyncIterator[str]:
    """Serve the demo page on ``port`` (0: one that is free), allowed to speak to ``base``, and yield its address.

    Raises:
        CannotRun: somebody else listens there.
    """
    bases = dict.fromkeys([*(f"http://127.0.0.1:{port}" for port in config.DEFAULT_PORTS), base])
    runner = web.AppRunner(demo_site.application(PAGES, bases), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, demo_site.HOST, port).start()
        except OSError as error:
            raise CannotRun(
                f"Port {port} cannot be used for the demo page ({os.strerror(error.errno or 0)}).\n"
                f"Choose another one: scripts/run --demo-port {port + 1}"
            ) from None
        yield f"http://localhost:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def daemon_process() -> AsyncIterator[asyncio.subprocess.Process]:
    """Start `tollbridge run`, and end it with the block."""
    # A process group of its own: Ctrl-C in the terminal reaches this process alone, which then ends the daemon once.
    daemon = await asyncio.create_subprocess_exec(DAEMON, "run", stdin=asyncio.subprocess.DEVNULL, process_group=0)
    try:
        yield daemon
    finally:
        await _end(daemon)


def _explain(page: str, running: runtime.Runtime, started: str) -> None:
    print(
        f"\n  Tollbridge (process {running.pid}) {started} at {running.base}\n\n"
        f"  1. Make this browser yours, once (in another terminal):   {_short(DAEMON)} open\n"
        f"  2. Open the demo page and click Connect:                   {page}\n\n"
        f"  Command line: {_short(DAEMON)} --help       Ctrl-C ends what was started here.\n",
        flush=True,
    )


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


async def run(port: int) -> None:
    """Serve the page and keep a daemon beside it until cancelled.

    Raises:
        CannotRun: one of the two cannot start, or the daemon ended by itself.
    """
    settings = config.read(paths.config_file())
    for tune in await asyncio.to_thread(make_tune.fill, settings.player.folders()[0]):
        print(f"no music yet, so here is a tune: {tune}", file=sys.stderr)
    running = await answering()
    if running is not None:
        async with serving(port, running.base) as page:
            _explain(page, running, "runs already, and goes on,")
            await asyncio.Event().wait()  # until cancelled: it ends with the person's Ctrl-C, by no other event
    async with daemon_process() as daemon:
        running = await _until_ready(daemon)
        async with serving(port, running.base) as page:
            _explain(page, running, "is ready")
            status = await daemon.wait()
            raise CannotRun(f"The daemon ended by itself with status {status}.")


async def _until_signalled(port: int) -> None:
    task = asyncio.create_task(run(port))
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for number in numbers:
            loop.add_signal_handler(
                number, int
            )  # stopping has its own deadlines; a second Ctrl-C must not cut it short
        task.cancel()

    for number in numbers:
        loop.add_signal_handler(number, stop)
    with suppress(asyncio.CancelledError):
        await task


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="scripts/run", description=__doc__)
    parser.add_argument("--demo-port", type=int, default=4390, help="where the demo page is served (default 4390)")
    try:
        asyncio.run(_until_signalled(parser.parse_args().demo_port))
    except (CannotRun, config.ConfigInvalid) as problem:
        sys.exit(f"\n{problem}")


if __name__ == "__main__":
    main()
