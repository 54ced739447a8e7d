"""What people are shown of a client and of a request."""

from typing import Any

import msgspec
import pytest

from bridge.consent.requests import Pending, shown
from bridge.consent.view import choices, client_view, request_view
from oauth.models import Grant
from tests.bridge.consent.questions import command, device, page

SENTENCES = {"amp:read": "See the volume", "amp:control": "Change the volume"}


def pending(asked: Any, *, is_quiet: bool = False) -> Pending:
    return Pending(asked, code="BCDFGHJK", now=0.0, is_quiet=is_quiet)


def grant(**changes: object) -> Grant:
    scopes = frozenset({"amp:read"})
    known = Grant(id="g", client_id="https://a.example", is_allowed=True, scopes=scopes, created_at=0.0)
    return msgspec.structs.replace(known, **changes)


def view(asked: Any, *, known: Grant | None = None, now: float = 10.0) -> dict[str, Any]:
    return request_view(pending(asked), sentences=SENTENCES, grant=known, now=now)


@pytest.mark.parametrize(
    ("client", "kind", "domain"),
    [
        ("https://a.b.example.co.uk:8443", "page", "example.co.uk"),
        ("https://xn--pple-43d.com", "page", "xn--pple-43d.com"),
        ("http://localhost:3000", "page", None),
        ("native:cli", "native", None),
    ],
)
def test_a_client_has_an_origin_and_the_domain_that_people_read(client: str, kind: str, domain: str | None) -> None:
    found = client_view(client, is_development=False)

    origin = None if kind == "native" else client
    assert {"id": client, "kind": kind, "origin": origin, "domain": domain, "development": False} == found
    assert str(found).isascii()


def test_the_dashboard_is_called_the_owner() -> None:
    base = "http://127.0.0.1:4380"

    assert "owner" == client_view(base, is_development=False, is_owner=True)["kind"]
    own = grant(client_id=base, is_owner=True)
    assert "owner" == view(command(base), known=own)["client"]["kind"]


def test_a_page_that_asks() -> None:
    found = view(page())

    assert {
        "code": shown("BCDFGHJK"),
        "kind": "authorize",
        "status": "pending",
        "quiet": False,
    }.items() <= found.items()
    assert [
        {"scope": "amp:control", "sentence": "Change the volume", "granted": False},
        {"scope": "amp:read", "sentence": "See the volume", "granted": False},
    ] == found["scopes"]
    assert (None, False) == (found["command"], found["denied_before"])


def test_what_was_granted_before_is_said_while_it_holds() -> None:
    known = grant(limits={"amp:read": 20.0})

    def granted(now: float) -> dict[str, bool]:
        return {scope["scope"]: scope["granted"] for scope in view(page(), known=known, now=now)["scopes"]}

    assert {"amp:read": True, "amp:control": False} == granted(19.9)
    assert {"amp:read": False, "amp:control": False} == granted(20.0)


def test_a_no_grants_nothing_and_is_told_to_the_key_that_had_it() -> None:
    denied = grant(is_allowed=False, denied_keys=("k" * 43,))

    found = view(page(), known=denied)
    assert (True, [False, False]) == (found["denied_before"], [scope["granted"] for scope in found["scopes"]])
    assert False is view(page(dpop_jkt="x" * 43), known=denied)["denied_before"]
    assert True is view(page("native:cli", dpop_jkt=None), known=grant(denied_keys=("",)))["denied_before"]


@pytest.mark.parametrize(
    ("asked", "untils", "usual"),
    [
        (page(), ("once", "day", "revoked"), "revoked"),
        (device(), ("once", "day", "revoked"), "revoked"),
        (page("native:cli"), ("once", "day", "revoked"), "revoked"),
        (page("http://localhost:1", is_development=True), ("once", "day", "week"), "day"),
        (device("http://localhost:1", is_development=True), ("once", "day", "week"), "day"),
        (command(), ("once",), "once"),
    ],
)
def test_for_how_long_each_kind_may_be_allowed(asked: Any, untils: tuple[str, ...], usual: str) -> None:
    assert (untils, usual) == choices(pending(asked))
    found = view(asked)
    assert (untils, usual) == (found["untils"], found["until"])


def test_a_command_is_shown_with_its_parameters_as_they_came() -> None:
    found = view(command(params=b'{"b": 1,  "a": 2}'))

    assert "command" == found["kind"]
    assert {
        "app": "amp",
        "name": "explode",
        "summary": "Be dangerous.",
        "params": {"b": 1, "a": 2},
    } == msgspec.json.decode(msgspec.json.encode(found["command"]))
    assert ["amp:control"] == [scope["scope"] for scope in found["scopes"]]


def test_a_scope_without_a_sentence_is_shown_by_its_name() -> None:
    found = request_view(pending(page()), sentences={}, grant=None, now=0.0)

    assert ["amp:control", "amp:read"] == [scope["sentence"] for scope in found["scopes"]]


def test_what_is_quiet_is_said() -> None:
    assert True is request_view(pending(page(), is_quiet=True), sentences={}, grant=None, now=0.0)["quiet"]
