from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from bridge.apps.port import App, NoParams, Params
from bridge.messages import Caller, Effect

CALLER = Caller(client="https://site.example", scopes=frozenset({"lamp:use"}))


class Level(Params, frozen=True):
    level: int


class Lit(msgspec.Struct, frozen=True):
    level: int
    by: str = ""


def make() -> App:
    return App("lamp", title="Lamp", scopes={"lamp:use": "Switch the lamp"})


def test_a_command_is_known_by_its_functions_name_docstring_and_types() -> None:
    app = make()

    @app.command(scope="lamp:use", effect=Effect.ACT)
    def dim(params: Level) -> Lit:
        """Dim the lamp.

        More.
        """
        return Lit(params.level)

    described = app.describe().commands["dim"]
    assert ("dim", "Dim the lamp.", True) == (described.name, described.summary, described.instant)
    assert "level" in str(described.params)


def test_a_handler_may_ask_who_is_calling() -> None:
    app = make()

    @app.command(scope="lamp:use", effect=Effect.ACT)
    def dim(params: Level, caller: Caller) -> Lit:
        """Dim."""
        return Lit(params.level, caller.client)

    assert Lit(3, "https://site.example") == app.commands["dim"].call(Level(3), CALLER)


def test_a_handler_without_parameters_may_ask_too() -> None:
    app = make()

    @app.command(scope="lamp:use", effect=Effect.ACT)
    def on(caller: Caller) -> Lit:
        """Light."""
        return Lit(1, caller.client)

    assert Lit(1, "https://site.example") == app.commands["on"].call(NoParams(), CALLER)


def test_an_async_handler_is_known_as_one() -> None:
    app = make()

    @app.command(scope="lamp:use", effect=Effect.ACT)
    async def on() -> Lit:
        """Light."""
        return Lit(1)

    assert app.commands["on"].is_async
    assert not app.describe().commands["on"].instant


@pytest.mark.parametrize("name", ["", "Lamp", "1lamp", "la-mp", "lamp\n", "l" * 33])
def test_a_name_that_the_protocol_does_not_allow_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="form"):
        App(name, title="Lamp", scopes={})


@pytest.mark.parametrize("scope", ["lamp", "lamp:", "Lamp:use", "owner", "lamp:use:more"])
def test_a_scope_that_the_protocol_does_not_allow_is_refused(scope: str) -> None:
    with pytest.raises(ValueError, match="form"):
        App("lamp", title="Lamp", scopes={scope: "Use it"})


def test_a_scope_without_a_sentence_is_refused() -> None:
    app = make()

    with pytest.raises(ValueError, match="no sentence"):
        app.topic("lamp", scope="lamp:other", events={})


def test_a_topic_of_another_app_is_refused() -> None:
    app = make()

    with pytest.raises(ValueError, match="a topic of lamp"):
        app.topic("lamps", scope="lamp:use", events={})


def test_a_command_declared_twice_is_refused() -> None:
    app = make()

    def on() -> Lit:
        """Light."""
        return Lit(1)

    app.command(scope="lamp:use", effect=Effect.ACT)(on)
    with pytest.raises(ValueError, match="twice"):
        app.command(scope="lamp:use", effect=Effect.ACT)(on)


def test_a_result_that_is_no_struct_is_refused() -> None:
    app = make()

    def on() -> int:
        """Light."""
        return 1

    with pytest.raises(TypeError, match="Struct"):
        app.command(scope="lamp:use", effect=Effect.ACT)(on)


def test_parameters_that_would_ignore_unknown_fields_are_refused() -> None:
    app = make()

    def on(params: Lit) -> Lit:
        """Light."""
        return params

    with pytest.raises(TypeError, match="Params"):
        app.command(scope="lamp:use", effect=Effect.ACT)(on)


async def test_events_go_out_while_the_app_runs_and_nowhere_else() -> None:
    app = make()
    topic = app.topic("lamp", scope="lamp:use", events={"lit": Lit})
    heard: list[object] = []

    topic.publish("lit", Lit(1))
    async with app.run(lambda topic, name, data: heard.append((topic, name, data))):
        topic.publish("lit", Lit(2))
    topic.publish("lit", Lit(3))

    assert [("lamp", "lit", Lit(2))] == heard


async def test_an_event_that_was_not_declared_is_refused() -> None:
    topic = make().topic("lamp", scope="lamp:use", events={"lit": Lit})

    with pytest.raises(TypeError, match="declares no event"):
        topic.publish("lit", Level(1))


async def test_the_lifespan_lies_within_the_run() -> None:
    app = make()
    steps: list[str] = []

    @app.lifespan
    @asynccontextmanager
    async def live() -> AsyncIterator[None]:
        steps.append("in")
        yield
        steps.append("out")

    async with app.run(lambda topic, name, data: None):
        steps.append("run")

    assert ["in", "run", "out"] == steps


@pytest.mark.parametrize("is_async", [False, True])
async def test_state_may_be_told_at_once_or_after_a_look(is_async: bool) -> None:
    app = make()

    def now() -> Lit:
        return Lit(1)

    async def later() -> Lit:
        return Lit(1)

    app.state(scope="lamp:use")(later if is_async else now)

    assert Lit(1) == await app.read_state()
