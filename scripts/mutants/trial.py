"""Tries a fault: the tests that ought to notice, run in a child that imports the faulty module from memory."""

import importlib.abc
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType

import pytest
from hypothesis import settings

from scripts.mutants.faults import Fault

DEADLINE_SECONDS = 300.0
"""For the tests without any fault."""
_POLL_SECONDS = 0.02

PRELOADED = (
    "aiohttp.test_utils",
    "aiohttp.web",
    "authlib.oauth2.rfc6749",
    "cryptography.hazmat.primitives.asymmetric.ec",
    "cryptography.hazmat.primitives.asymmetric.rsa",
)


class Trial:
    """One child; a fault that makes a loop endless is noticed by the ``deadline``, in seconds."""

    def __init__(
        self, fault: Fault | None, tests: Sequence[str], tree: Path, *, deadline: float = DEADLINE_SECONDS
    ) -> None:
        self.fault = fault
        self._ends_at = time.monotonic() + deadline
        self._process = os.fork()
        if self._process == 0:
            os._exit(_run(fault, tests, tree))

    def verdict(self) -> bool | None:
        """Return whether all tests passed; None while they run.

        Raises:
            RuntimeError: there are no tests.
        """
        process, status = os.waitpid(self._process, os.WNOHANG)
        if process == 0:
            if time.monotonic() < self._ends_at:
                return None
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)
            return False
        code = os.waitstatus_to_exitcode(status)
        if code == pytest.ExitCode.NO_TESTS_COLLECTED:
            raise RuntimeError(f"there are no tests of {self.fault and self.fault.path}")
        return code == pytest.ExitCode.OK


def wait(running: Sequence[Trial]) -> tuple[Trial, bool]:
    """Return the first trial that has ended, and whether its fault survived."""
    while True:
        for trial in running:
            survived = trial.verdict()
            if survived is not None:
                return trial, survived
        time.sleep(_POLL_SECONDS)


def preload() -> None:
    """Import once what every child needs; nothing of ours, or children would not see the fault."""
    for name in PRELOADED:
        importlib.import_module(name)
    # The same examples at every run: a verdict that comes and goes is none.
    settings.register_profile("mutants", derandomize=True, database=None, deadline=None)


def _run(fault: Fault | None, tests: Sequence[str], tree: Path) -> int:
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silence, descriptor)
    os.chdir(tree)
    for name in [name for name in sys.modules if name.partition(".")[0] in {"bridge", "oauth", "tests"}]:
        del sys.modules[name]
    sys.path[:] = [str(tree), *(entry for entry in sys.path if entry and Path(entry) != Path(__file__).parents[2])]
    if fault is not None:
        sys.meta_path.insert(0, _Planted(fault))
    settings.load_profile("mutants")
    arguments = ["-x", "-q", "-p", "no:cacheprovider", "-W", "ignore", *tests]
    return int(pytest.main(arguments))


class _Planted(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds the one faulty module."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self._name = fault.path.removesuffix(".py").replace("/", ".")

    def find_spec(self, name: str, path: object, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the faulty module's spec, None for every other."""
        del path, target
        return importlib.util.spec_from_loader(name, self, origin=self._fault.path) if name == self._name else None

    def get_source(self, name: str) -> str:
        """Return the faulty source."""
        del name
        return self._fault.source

    def get_code(self, name: str) -> CodeType:
        """Return it compiled."""
        return compile(self.get_source(name), self._fault.path, "exec", dont_inherit=True)
