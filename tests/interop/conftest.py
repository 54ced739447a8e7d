"""The real daemon, its owner, and clients that nobody here wrote."""

from collections.abc import Iterator

import pytest

from tests.interop.owner import Owner
from tests.parts.daemon import Daemon


# Of the module: each test is another client, and a daemon takes a second to start.
@pytest.fixture(name="daemon", scope="module")
def _daemon() -> Iterator[Daemon]:
    with Daemon() as daemon:
        yield daemon
        assert "Traceback" not in daemon.log.read_text(encoding="utf-8")


@pytest.fixture(name="owner")
def _owner(daemon: Daemon) -> Owner:
    return Owner(daemon)
