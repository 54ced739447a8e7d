"""Commands: a fixed list, parameters by their own schema, nothing dangerous by any door of a page."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.apps import system
from bridge.apps.player import app as player
from bridge.apps.player.settings import PlayerSettings
from bridge.apps.port import App
from bridge.apps.registry import apps
from bridge.broker.embedded import EmbeddedBroker
from bridge.config import Limits, Settings
from bridge.messages import AppDescription, Caller, Command, Effect, Reply
from bridge.worker import Worker
from tests.bridge.amplifier import Amplifier
from tests.bridge.front.client import Front
from tests.bridge.front.visitor import SCOPE, Visitor

EXPLODE = "/v1/apps/amp/explode"
VOLUME = "/v1/apps/amp/set_volume"
DEADLINE = 30.0

OWNER = Caller(client="owner", scopes=frozenset(), owner=True)

SPELT = (
    "Explode", "EXPLODE", "explode%20", "explode%00", "explode/", "explode;x", "./explode", "x/../explode", "%65xplode",
    "explode.json", "__init__", "app", "publish", "amp.explode", "set_volume%2f..%2fexplode",
)  # fmt: skip

LITERALS = (
    "; reboot", "$(reboot)", "`reboot`", "| cat", "&& true", "-rf", "--version", "a\nb", "\r\nX: y", "%s%n", "{0}",
    "${x}", "../../etc/passwd", "' OR 1=1", "<script>", "\u202e", "\x7f", "\\", "~root", "*",
)  # fmt: skip

HOSTILE_URIS = (
    "file:///etc/passwd", "file://evil.example/share", "\\\\evil.example\\share", "smb://evil.example/x",
    "file:/etc/passwd", "javascript:alert(1)", "data:text/html,x", "ftp://evil.example/x", "https://",
    "http://user:word@127.0.0.1/", "FILE:///etc/passwd",
)  # fmt: skip

INSTALLS = (
    "/v1/install", "/v1/update", "/v1/upgrade", "/v1/uninstall", "/v1/config", "/v1/settings", "/v1/plugins",
    "/v1/apps", "/v1/restart", "/v1/shutdown", "/v1/exec", "/v1/logs", "/update", "/install", "/api/update",
    "/debug", "/metrics",
)  # fmt: skip

COMMANDS = {
    "system.version": Effect.READ,
    "system.uptime": Effect.READ,
    "system.echo": Effect.READ,
    "player.players": Effect.READ,
    "player.play": Effect.ACT,
    "player.pause": Effect.ACT,
    "player.play_pause": Effect.ACT,
    "player.stop": Effect.ACT,
    "player.next": Effect.ACT,
    "player.previous": Effect.ACT,
    "player.seek": Effect.ACT,
    "player.set_position": Effect.ACT,
    "player.set_volume": Effect.ACT,
    "player.open": Effect.ACT,
}
"""All that a page can ever do to this computer. A new command is added here by hand, or the test fails."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture(name="page")
async def _page(front: Front) -> Visitor:
    return await Visitor(front).pairs()


def real_apps() -> dict[str, AppDescription]:
    """Return what the apps of the product declare."""
    return dict(EmbeddedBroker(Worker(apps(Settings()))).apps)


async def test_a_dangerous_command_is_refused_at_every_door_but_the_owners_socket(
    front: Front, page: Visitor, amplifier: Amplifier
) -> None:
    """So that there is no earlier yes which another command could be slipped under."""
    link = (await front.owner("POST", "/v1/activation-links")).json["link"]
    owner = Visitor(front, front.base)
    owner.tokens = (await owner.redeems(owner.activation_form(link.partition("#activate=")[2]))).json
    answers = [
        await page.sends("POST", EXPLODE),
        await page.sends("POST", EXPLODE, json={"approved": True, "approval": "yes"}),
        await page.sends("POST", EXPLODE, headers={"X-Approved": "true"}),
        await owner.sends("POST", EXPLODE),
        await front.send("POST", EXPLODE, headers=await front.bearer(SCOPE)),
    ]
    socket = await page.says_hello()
    await socket.send_json({"type": "call", "id": 1, "command": "amp.explode"})
    await socket.receive_json(timeout=DEADLINE)
    reply: dict[str, Any] = await socket.receive_json(timeout=DEADLINE)
    await socket.close()

    claimed = answers.pop(1)
    assert (400, "invalid_params") == (claimed.status, claimed.code), "nobody is asked about what the app would refuse"
    assert {(403, "approval_required")} == {(answer.status, answer.code) for answer in answers}
    assert "approval_required" == reply["error"]["code"]
    assert 0 == amplifier.calls
    assert 200 == (await front.owner("POST", EXPLODE)).status


async def test_another_spelling_of_a_command_is_another_command(
    front: Front, page: Visitor, amplifier: Amplifier
) -> None:
    for name in SPELT:
        for headers in (page.signs("POST", f"/v1/apps/amp/{name}"), await front.bearer(SCOPE)):
            answer = await front.send("POST", f"/v1/apps/amp/{name}", headers=headers)
            assert 400 <= answer.status < 500, name

    assert 0 == amplifier.calls


def test_every_command_of_every_app_takes_the_parameters_that_it_declares_and_no_others() -> None:
    for app in real_apps().values():
        for name, command in app.commands.items():
            schema: Any = msgspec.to_builtins(command.params)
            closed = [part for part in objects(schema) if part.get("additionalProperties") is not False]
            assert [] == closed, f"{app.name}.{name} would ignore what it does not know"


def objects(schema: Any) -> list[dict[str, Any]]:
    """Return every object schema within ``schema``."""
    if isinstance(schema, list):
        return [found for part in schema for found in objects(part)]
    if not isinstance(schema, dict):
        return []
    mine = [schema] if schema.get("type") == "object" else []
    return mine + [found for part in schema.values() for found in objects(part)]


def test_the_commands_of_the_product_are_these() -> None:
    listed = {
        f"{app.name}.{name}": command.effect for app in real_apps().values() for name, command in app.commands.items()
    }

    assert COMMANDS == listed


async def run(app: App, name: str, params: bytes) -> Reply:
    """Run a command of ``app`` as the owner, in a worker of its own."""
    worker = Worker([app])
    async with worker.run():
        return await EmbeddedBroker(worker).call(
            Command(app=app.name, name=name, caller=OWNER, params=msgspec.Raw(params))
        )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(JSON)
def test_no_parameter_reaches_an_app_but_by_its_schema(params: object) -> None:
    amplifier = Amplifier()
    body = msgspec.json.encode({"volume": params} if not isinstance(params, dict) else params)
    is_valid = (
        isinstance(read := msgspec.json.decode(body), dict)
        and set(read) == {"volume"}
        and isinstance(read["volume"], int | float)
        and not isinstance(read["volume"], bool)
        and 0 <= read["volume"] <= 1
    )

    reply = asyncio.run(run(amplifier.app, "set_volume", body))

    assert is_valid == (reply.problem is None) == (1 == amplifier.calls)


async def test_every_text_arrives_as_the_text_that_it_is() -> None:
    for text in LITERALS:
        reply = await run(system.build(), "echo", msgspec.json.encode({"text": text}))

        assert {"text": text} == msgspec.json.decode(reply.result or b"{}")


async def test_no_hostile_uri_is_opened(tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    for uri in (*LITERALS, *HOSTILE_URIS, f"file://{music}/../secret", f"file://{music}/%2e%2e/secret"):
        app = player.build(PlayerSettings(music_folders=(music,), engine="null"))
        reply = await run(app, "open", msgspec.json.encode({"uri": uri}))

        assert reply.problem is not None, uri
        assert "uri_refused" == reply.problem.code, uri
        assert "passwd" not in reply.problem.detail


@pytest.mark.parametrize("limits", [Limits(commands_per_second=1, burst=5)])
async def test_a_page_that_floods_is_held_to_its_rate_and_disturbs_nobody_else(
    front: Front, page: Visitor, amplifier: Amplifier
) -> None:
    other = await Visitor(front, "https://other.example").pairs()

    answers = [await page.sends("POST", VOLUME, json={"volume": 0.5}) for _ in range(100)]

    allowed = sum(answer.status == 200 for answer in answers)
    assert {200, 429} == {answer.status for answer in answers}
    assert allowed == amplifier.calls
    assert allowed < 100
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status == 429)
    assert 200 == (await other.sends("POST", VOLUME, json={"volume": 0.5})).status
    assert 200 == (await front.owner("POST", VOLUME, json={"volume": 0.5})).status


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
async def test_nothing_happens_on_any_other_method(
    front: Front, page: Visitor, amplifier: Amplifier, method: str
) -> None:
    for query in ("", "?volume=1", "?_method=POST"):
        answer = await front.send(
            method, f"{VOLUME}{query}", headers={**page.signs(method, VOLUME), "X-HTTP-Method-Override": "POST"}
        )
        assert 405 == answer.status

    assert 0 == amplifier.calls


@pytest.mark.parametrize("path", INSTALLS)
async def test_nothing_is_installed_updated_or_set_over_http(front: Front, path: str) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert (await front.owner(method, path, json={})).status in (404, 405), method
