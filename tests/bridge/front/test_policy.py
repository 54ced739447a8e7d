"""The policy equals its specification: the allow and deny table of tests/vectors/policy.json, one row a case."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import BridgeError
from bridge.front.policy import (
    Body,
    Kind,
    Need,
    Peer,
    Place,
    Speaker,
    may_connect,
    may_connect_natively,
    may_send,
    may_speak,
    may_speak_natively,
    may_use,
)
from bridge.front.reasons import REMEDIES, Reason, Refused

Row = dict[str, Any]

TABLE = json.loads((Path(__file__).parents[2] / "vectors/policy.json").read_text(encoding="utf-8"))
PLACE = Place(TABLE["place"]["host"], frozenset(TABLE["place"]["approved"]), frozenset(TABLE["place"]["known"]))


def rows(section: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", TABLE[section], ids=lambda row: row["why"][:40])


def raw(row: Row) -> list[tuple[bytes, bytes]]:
    given = [(name.encode(), value.encode("latin-1")) for name, value in row["headers"]]
    has_host = "bare" in row or any(name.lower() == b"host" for name, _ in given)
    return given if has_host else [(b"Host", PLACE.host.encode()), *given]


def decided(decide: Callable[[], Speaker | None]) -> dict[str, object]:
    """Return what was decided, as the table says it."""
    try:
        speaker = decide()
    except Refused as refused:
        return {"reason": refused.reason, "answer": refused.answer, "cors": refused.origin}
    except BridgeError as error:
        return {"error": error.code}
    return {} if speaker is None else {"speaker": speaker.origin, "sent": speaker.sent, "unix": speaker.is_unix}


def expected(row: Row, **more: object) -> dict[str, object]:
    if "reason" in row:
        return {"reason": row["reason"], "answer": row.get("answer", "close"), "cors": None, **more}
    return {name: row[name] for name in ("speaker", "error") if name in row} | more


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        pytest.param(Kind(kind), row, id=f"{number}-{kind}")
        for number, row in enumerate(TABLE["speak"])
        for kind in row["kinds"]
    ],
)
def test_speak(kind: Kind, row: Row) -> None:
    headers = raw(row)
    origin = next((value.decode("latin-1") for name, value in headers if name.lower() == b"origin"), None)
    is_cors = origin is not None and kind in (Kind.OPEN, Kind.API, Kind.SOCKET)
    if "speaker" in row:
        said = expected(row, sent=is_cors, unix=False)
    else:
        said = expected(row, cors=origin if row["answer"] == "not_approved" else None)

    request = {
        "method": row.get("method", "GET"),
        "target": row.get("target", "/v1/apps"),
        "version": tuple(row.get("version", (1, 1))),
    }
    assert said == decided(lambda: may_speak(kind, PLACE, headers=headers, **request))


@rows("speak_natively")
def test_speak_natively(row: Row) -> None:
    said = expected(row, sent=False, unix=True) if "speaker" in row else expected(row)

    line = {"target": row.get("target", "/v1/apps"), "version": tuple(row.get("version", (1, 1)))}
    assert said == decided(lambda: may_speak_natively(headers=raw({"bare": True, **row}), **line))


@rows("connect")
def test_connect(row: Row) -> None:
    peer = None if row["peer"] is None else Peer(**row["peer"])

    assert expected(row) == decided(lambda: may_connect(row["address"], peer, uid=row["uid"]))


@rows("connect_natively")
def test_connect_natively(row: Row) -> None:
    assert expected(row) == decided(lambda: may_connect_natively(row["peer"], uid=row["uid"]))


@rows("send")
def test_send(row: Row) -> None:
    head = {"media_type": row["media_type"], "encoding": row["encoding"], "length": row["length"]}

    assert expected(row) == decided(lambda: may_send(Body(row["body"]), **head))


@rows("use")
def test_use(row: Row) -> None:
    assert expected(row) == decided(lambda: may_use(Need(row["need"]), is_owner=row["is_owner"]))


def test_every_reason_of_the_policy_has_a_row_and_every_reason_a_remedy() -> None:
    sections = [section for section in TABLE.values() if isinstance(section, list)]
    told = {row["reason"] for section in sections for row in section if "reason" in row}
    told_by_connections = {
        Reason.TOO_MANY_SILENT,
        Reason.TOO_MANY_CONNECTIONS,
        Reason.HEAD_TOO_SLOW,
        Reason.READ_TOO_SLOW,
        Reason.NOT_HTTP,
    }

    assert set(Reason) - told_by_connections == told
    assert set(Reason) == set(REMEDIES)
