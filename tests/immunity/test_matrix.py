"""Every route by every method by every kind of caller is answered as tests/vectors/routes.json says."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable

import pytest

from tests.bridge.amplifier import Amplifier
from tests.bridge.front.client import Front
from tests.immunity.cast import Cast
from tests.immunity.keepalive import KeptConnection
from tests.immunity.surface import CALLERS, ROUTES, SPEAKERS, TABLE, Case, cases
from tests.immunity.verdict import faults, shown

pytestmark = pytest.mark.broad


@pytest.fixture(name="connect")
async def _connect(front: Front) -> AsyncIterator[Callable[[str], KeptConnection]]:
    opened: list[KeptConnection] = []

    def connect(caller: str) -> KeptConnection:
        port = int(front.base.rpartition(":")[2])
        is_unix = caller == "owner on the Unix socket"
        unix = str(front.house._facts.socket)  # the fixture's own path
        opened.append(KeptConnection(path=unix) if is_unix else KeptConnection(port=port))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


@pytest.mark.parametrize("caller", CALLERS)
async def test_every_answer_is_the_tables(
    front: Front, amplifier: Amplifier, connect: Callable[[str], KeptConnection], caller: str
) -> None:
    signs = await (await Cast.of(front)).signs(caller)
    connection = connect(caller)
    wrong: list[str] = []
    runs = 0

    for case in cases(caller):
        headers = signs(case)
        body, media_type = _body(case)
        sent = [*headers.items(), *([("Content-Type", media_type)] if body else [])]
        seen = await connection.send(case.method, case.target, sent, body)
        runs += case.row is not None and bool(case.row.get("runs")) and case.answer.startswith("200")
        if case.answer != (found := shown(seen, headers.get("Origin"))):
            wrong.append(f"{case.method} {case.target}: the table says {case.answer!r}, the daemon {found!r}")
        wrong += [f"{case.method} {case.target}: {fault}" for fault in faults(seen, headers.get("Origin"))]

    assert [] == wrong
    assert runs == amplifier.calls, "a refused command ran, or an allowed one did not"


def _body(case: Case) -> tuple[bytes, str]:
    row = case.row or {}
    if "form" in row:
        return row["form"].encode(), "application/x-www-form-urlencoded"
    return (json.dumps(row["body"]).encode(), "application/json") if "body" in row else (b"", "")


def test_the_table_lists_every_route_and_no_other(front: Front) -> None:
    served = {(route.method, route.path, str(route.kind)) for route in front.house.routes}

    assert served == {(row["method"], row["path"], row["kind"]) for row in ROUTES}


def test_the_table_gives_every_route_the_need_that_it_has(front: Front) -> None:
    needs = {(route.method, route.path): str(route.need) for route in front.house.routes}

    for (method, path), need in needs.items():
        told = {row["need"] for row in ROUTES if (row["method"], row["path"]) == (method, path)}
        # A name that does not exist is refused before its scope could be: such a row says `any`.
        assert told <= {need, "any"} if need == "app" else told == {need}, (method, path)
        assert need in told


def test_the_table_says_a_preflight_of_a_path_in_every_row_or_in_none() -> None:
    told: dict[str, set[bool]] = {}
    for row in ROUTES:
        told.setdefault(row["path"], set()).add(bool(row.get("preflight")))

    assert [] == [path for path, said in told.items() if len(said) > 1]


def test_every_caller_and_speaker_has_one_row_and_a_reason() -> None:
    counted = Counter(row["caller"] for row in TABLE["callers"]) + Counter(row["speaker"] for row in TABLE["speakers"])

    assert {} == {name: count for name, count in counted.items() if count > 1 and name not in SPEAKERS}
    assert {row["speaker"] for row in TABLE["callers"]} == set(SPEAKERS)
    assert all(row["why"] for row in [*TABLE["callers"], *TABLE["speakers"]])


def test_nothing_installs_updates_or_configures_over_http() -> None:
    verbs = ("install", "update", "upgrade", "config", "setting", "exec", "shell", "file", "plugin", "debug")

    assert [] == [row["path"] for row in ROUTES if any(verb in row["path"] for verb in verbs)]
