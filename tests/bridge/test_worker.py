import asyncio
import json
from typing import Annotated

import msgspec
import pytest

from bridge.apps.port import App, Params
from bridge.errors import AppFailed, Gone, InvalidParams, NotFound
from bridge.messages import EMPTY_OBJECT, Caller, Command, Effect, Event
from bridge.worker import EVENT_BYTES, Worker

CALLER = Caller(client="owner", scopes=frozenset(), owner=True)


class Volume(Params, frozen=True):
    volume: Annotated[float, msgspec.Meta(ge=0, le=1)]
    note: str = ""
    deep: tuple[tuple[int, ...], ...] = ()


class Heard(msgspec.Struct, frozen=True):
    volume: float


class Long(msgspec.Struct, frozen=True):
    text: str


def make_app() -> App:
    app = App("amp", title="Amplifier", scopes={"amp:use": "Use the amplifier"})
    topic = app.topic("amp", scope="amp:use", events={"changed": Heard})

    @app.command(scope="amp:use", effect=Effect.ACT)
    def set_volume(params: Volume) -> Heard:
        """Set it."""
        heard = Heard(params.volume)
        topic.publish("changed", heard)
        return heard

    @app.command(scope="amp:use", effect=Effect.ACT, deadline=0.05)
    async def hang() -> Heard:
        """Never end."""
        await asyncio.Event().wait()
        return Heard(0)

    @app.command(scope="amp:use", effect=Effect.ACT)
    def gone() -> Heard:
        """Refuse."""
        raise Gone("it was here a minute ago")

    @app.command(scope="amp:use", effect=Effect.ACT)
    def broken() -> Heard:
        """Fail as no one foresaw."""
        raise ZeroDivisionError

    for kind in (SystemExit, KeyboardInterrupt):
        _ends(app, kind)
    return app


def _ends(app: App, kind: type[BaseException]) -> None:
    """Add commands that raise what ends a program."""
    name = kind.__name__.lower()

    @app.command(scope="amp:use", effect=Effect.ACT, name=name)
    def at_once() -> Heard:
        raise kind("canary")

    @app.command(scope="amp:use", effect=Effect.ACT, name=f"{name}_later")
    async def later() -> Heard:
        await asyncio.sleep(0)
        raise kind("canary")


def command(name: str, params: bytes | msgspec.Raw = EMPTY_OBJECT) -> Command:
    return Command(app="amp", name=name, caller=CALLER, params=msgspec.Raw(params))


async def test_a_result_is_the_functions_own_type_as_json() -> None:
    reply = await Worker([make_app()]).call(command("set_volume", b'{"volume":0.5}'))

    assert {"volume": 0.5} == json.loads(bytes(reply.result or b""))
    assert reply.problem is None


@pytest.mark.parametrize(
    ("params", "code", "path"),
    [
        (b"{}", "invalid_params", "$"),
        (b'{"volume":"loud"}', "invalid_params", "$.volume"),
        (b'{"volume":1.5}', "invalid_params", "$.volume"),
        (b'{"volume":0.5,"vloume":1}', "invalid_params", "$"),
        (b'{"volume":0.5,"deep":[[1],["x"]]}', "invalid_params", "$.deep[1][0]"),
        (b"[]", "invalid_params", "$"),
        (b"null", "invalid_params", "$"),
        (b'{"volume":NaN}', "malformed_request", "$"),
        (b'{"volume":Infinity}', "malformed_request", "$"),
        (b'{"volume":1e999}', None, None),
        (b'{"volume":0.5', "malformed_request", "$"),
        (b'{"volume":0.5}}', "malformed_request", "$"),
        (b'{"volume":0.5,"note":"\xff"}', "malformed_request", "$"),
        (b'{"volume":0.5,"\xff":1}', None, "$"),
        (b'{"volume":0.5,"note":"\\ud800"}', None, "$"),
        (b'{"volume":0.5,"deep":' + b"[" * 60_000, None, None),
        (b'{"volume":0.5,"x":' + b"[" * 60_000, None, None),
        (b"", "malformed_request", "$"),
    ],
)
async def test_wrong_parameters_are_a_400_that_names_the_place(
    params: bytes, code: str | None, path: str | None
) -> None:
    problem = (await Worker([make_app()]).call(command("set_volume", params))).problem

    assert problem is not None
    assert 400 == problem.status
    assert code in (problem.code, None)
    assert path in (problem.path, None)
    assert problem.path is not None


async def test_a_command_that_does_not_end_is_told_after_its_deadline() -> None:
    problem = (await Worker([make_app()]).call(command("hang"))).problem

    assert problem is not None
    assert "command_timeout" == problem.code


async def test_an_apps_own_error_keeps_its_code() -> None:
    problem = (await Worker([make_app()]).call(command("gone"))).problem

    assert problem is not None
    assert (410, "gone") == (problem.status, problem.code)


async def test_an_unforeseen_error_tells_nothing_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    problem = (await Worker([make_app()]).call(command("broken"))).problem

    assert problem is not None
    assert "internal" == problem.code
    assert "ZeroDivisionError" not in problem.detail
    assert "ZeroDivisionError" in caplog.text


async def test_an_unknown_command_is_not_found() -> None:
    problem = (await Worker([make_app()]).call(command("explode"))).problem

    assert problem is not None
    assert "not_found" == problem.code


async def test_events_reach_every_listener_in_order() -> None:
    worker = Worker([make_app()])
    heard: list[Event] = []
    worker.hear(heard.append)

    async with worker.run():
        for volume in (0.1, 0.2):
            await worker.call(command("set_volume", b'{"volume":%.1f}' % volume))

    assert [b'{"volume":0.1}', b'{"volume":0.2}'] == [bytes(event.data) for event in heard]


async def test_an_event_that_is_too_long_is_the_apps_fault_and_told_to_nobody() -> None:
    app = App("amp", title="Amplifier", scopes={"amp:use": "Use the amplifier"})
    topic = app.topic("amp", scope="amp:use", events={"changed": Long})
    worker = Worker([app])
    heard: list[Event] = []
    worker.hear(heard.append)

    async with worker.run():
        with pytest.raises(ValueError, match="at most"):
            topic.publish("changed", Long("x" * EVENT_BYTES))

    assert [] == heard


async def test_parameters_are_checked_as_they_are_read_and_nothing_runs() -> None:
    worker = Worker([make_app()])
    events: list[Event] = []
    worker.hear(events.append)
    async with worker.run():
        worker.check(command("set_volume", b'{"volume":0.5}'))
        worker.check(command("broken"))
        for name, params, error in (
            ("set_volume", b'{"volume":2}', InvalidParams),
            ("set_volume", b"{}", InvalidParams),
            ("nothing", b"{}", NotFound),
        ):
            with pytest.raises(error):
                worker.check(command(name, params))

    assert [] == events


@pytest.mark.parametrize("name", ["systemexit", "systemexit_later", "keyboardinterrupt", "keyboardinterrupt_later"])
async def test_a_command_that_would_end_the_daemon_has_failed(name: str, caplog: pytest.LogCaptureFixture) -> None:
    worker = Worker([make_app()])
    async with worker.run():
        reply = await worker.call(command(name))
        again = await worker.call(command("set_volume", b'{"volume":0.5}'))

    assert reply.problem is not None
    assert "app_failed" == reply.problem.code
    assert "canary" not in str(reply.problem)
    assert again.problem is None
    (record,) = caplog.records
    assert "a command tried to end the daemon" == record.message
    assert record.exc_info


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
async def test_a_state_that_would_end_the_daemon_has_failed(
    kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    app = App("amp", title="Amplifier", scopes={"amp:use": "Use the amplifier"})

    @app.state(scope="amp:use")
    def state() -> Heard:
        raise kind

    with pytest.raises(AppFailed):
        await Worker([app]).state("amp")
    assert caplog.records[0].exc_info


async def test_a_command_that_was_cancelled_from_outside_stays_cancelled() -> None:
    worker = Worker([make_app()])
    task = asyncio.create_task(worker.call(command("hang")))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
