"""A client in Node, made of one library; what its person or its test has to do is done here, line by line."""

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tests.interop.owner import Owner
from tests.parts.daemon import clean_environment

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DEADLINE_SECONDS = 60.0
SCOPE = "player:read system:read"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a flow: a result, or the error that the library raised; and every request that was sent.

    A request is ``[method and path, "nonce", "no nonce" or "no proof", status]``.
    """

    result: Any = None
    error: dict[str, str] | None = None
    sent: list[tuple[str, str, int]]

    def requests(self, what: str) -> list[tuple[str, int]]:
        """Return how each request to ``what`` was proved, and its status."""
        return [(how, status) for request, how, status in self.sent if request == what]


class Library:
    """One of the ``.mjs`` files beside this one, as the client ``client_id``."""

    def __init__(self, name: str, owner: Owner, client_id: str) -> None:
        self._file = HERE / f"{name}.mjs"
        self._owner = owner
        self._client = {"clientId": client_id, "scope": SCOPE}

    def runs(self, flow: str, *, answer: str = "allow", **more: object) -> Told:
        """Run a flow to its end; the owner says ``answer`` to all that it asks."""
        owner = self._owner
        does: Mapping[str, Callable[[Any], object]] = {
            "browse": lambda url: owner.follows(url, answer, **more),
            "visit": lambda url: owner.visits(url, answer, **more),
            "answer": lambda code: owner.answers(code, answer, **more),
            "restart": lambda _: _restart(owner),
        }
        config = json.dumps({"base": owner.daemon.base, **self._client})
        with subprocess.Popen(
            [_node(), str(self._file), config, flow],
            env=clean_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as program:
            assert program.stdin is not None
            assert program.stdout is not None
            assert program.stderr is not None
            late = threading.Timer(DEADLINE_SECONDS, program.kill)
            late.start()
            try:
                for line in program.stdout:
                    ((what, value),) = json.loads(line).items()
                    if what == "told":
                        return msgspec.convert(value, Told)
                    program.stdin.write(json.dumps(does[what](value)) + "\n")
                    program.stdin.flush()
                raise AssertionError(f"{flow} ended without a word: {program.stderr.read()}")
            finally:
                late.cancel()
                program.kill()


def _restart(owner: Owner) -> None:
    owner.daemon.kill()
    owner.daemon.start()


def _node() -> str:
    node = shutil.which("node") or shutil.which("node", path=str(ROOT / ".venv/node"))
    assert node is not None, "scripts/test installs Node"
    return node
