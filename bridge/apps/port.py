"""How a native developer makes a program reachable: plain typed functions become commands, state and topics.

    class Greeting(Params, frozen=True):
        text: str

    app = App("greeter", title="Greeter", scopes={"greeter:use": "Say hello on this computer"})
    greeted = app.topic("greeter", scope="greeter:use", events={"said": Greeting})

    @app.command(scope="greeter:use", effect=Effect.ACT)
    def say(params: Greeting) -> Greeting:
        \"\"\"Say it aloud.\"\"\"
        greeted.publish("said", params)
        return params

Parameters are ``Params``, results any msgspec Struct; their JSON Schema shows in ``GET /v1/apps``. A handler may also
take the ``Caller`` as its second argument, and be ``async``; it has to be if it waits for anything, because all run on
one event loop. Implemented by app authors, called by ``bridge.worker``.
"""

import inspect
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol, TypeVar, get_type_hints

import msgspec

from bridge.messages import (
    AppDescription,
    Caller,
    CommandDescription,
    Effect,
    Schema,
    StateDescription,
    TopicDescription,
)

COMMAND_DEADLINE_SECONDS = 10.0
"""How long a command may take unless it declares otherwise; a desktop program that needs longer is a job."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
_SCOPE = re.compile(r"[a-z][a-z0-9_]{0,31}:[a-z][a-z0-9_]{0,31}", re.ASCII)

Handler = TypeVar("Handler", bound=Callable[..., Any])
Lifespan = Callable[[], AbstractAsyncContextManager[None]]


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all parameters: unknown fields are refused, so that a misspelt one is never silently ignored."""


class NoParams(Params, frozen=True):
    """The parameters of a command that takes none."""


class Publish(Protocol):
    """Where a topic's events go; the worker hands one to each app at start."""

    def __call__(self, topic: str, name: str, data: msgspec.Struct) -> None:
        """Publish one event; never blocks."""


class AppCommand(msgspec.Struct, frozen=True):
    """A command as the worker runs it: its types, its function and how to call it."""

    description: CommandDescription
    params: type[msgspec.Struct]
    call: Callable[[Any, Caller], Any]
    is_async: bool


class Topic:
    """A stream of events of one app."""

    def __init__(self, description: TopicDescription, types: Mapping[str, type[msgspec.Struct]]) -> None:
        self.description = description
        self._types = types
        self._publish: Publish | None = None

    def connect(self, publish: Publish | None) -> None:
        """Set where events go; None between runs (events published then are dropped: nobody can listen)."""
        self._publish = publish

    def publish(self, name: str, data: msgspec.Struct) -> None:
        """Publish the event ``name``; must run on the event loop's thread.

        Raises:
            TypeError: ``name`` or the type of ``data`` was not declared.
        """
        if type(data) is not self._types.get(name):
            raise TypeError(f"topic {self.description.name} declares no event {name} with {type(data).__name__}")
        if self._publish is not None:
            self._publish(self.description.name, name, data)


class App:
    """One native program: its commands, its state, its topics and its lifespan.

    Raises:
        ValueError: a name or scope has a form that the protocol does not allow (``[a-z][a-z0-9_]*``, ``app:verb``).
    """

    def __init__(self, name: str, *, title: str, scopes: Mapping[str, str]) -> None:
        _check(_NAME, name)
        for scope in scopes:
            _check(_SCOPE, scope)
        self.name = name
        self.title = title
        self.scopes = dict(scopes)
        self.logger = logging.getLogger(f"app.{name}")
        """Where the app logs: a sentence that stands word for word in the call, what varies in ``extra``, by the names
        of `bridge.logs.FIELDS`. Of anything else only the place is written, so that nothing sent gets into the log. For
        the same reason a value is a number, a boolean, None, a member of an enum or an error, or a name that the app
        declares (its own, its scopes, commands, topics and events); of another text only the length is written."""
        self.logger.filters[:] = [self._vouches]  # an app of the same name may have been there before
        self.commands: dict[str, AppCommand] = {}
        self.topics: dict[str, Topic] = {}
        self._state: tuple[StateDescription, Callable[[], Any]] | None = None
        self._lifespan: Lifespan | None = None

    def command(
        self,
        *,
        scope: str,
        effect: Effect,
        name: str | None = None,
        deadline: float = COMMAND_DEADLINE_SECONDS,
    ) -> Callable[[Handler], Handler]:
        """Make the decorated function a command.

        The function takes a Struct (or nothing), then optionally the ``Caller``, and returns a Struct; its docstring's
        first line is the command's summary. ``deadline`` in seconds. Errors: raise a ``bridge.errors.BridgeError``.
        """
        self._declared(scope)

        def register(handler: Handler) -> Handler:
            command = name or handler.__name__
            _check(_NAME, command)
            if command in self.commands:
                raise ValueError(f"{self.name}.{command} is declared twice")
            params, result, call = _bind(handler)
            description = CommandDescription(
                name=command,
                summary=(inspect.getdoc(handler) or "").split("\n", 1)[0],
                effect=effect,
                scope=scope,
                params=_schema(params),
                result=_schema(result),
                deadline=deadline,
                instant=not inspect.iscoroutinefunction(handler),
            )
            self.commands[command] = AppCommand(description, params, call, inspect.iscoroutinefunction(handler))
            return handler

        return register

    def topic(self, name: str, *, scope: str, events: Mapping[str, type[msgspec.Struct]]) -> Topic:
        """Declare a topic: the app's own name, or ``NAME.more``; ``events`` maps event names to their data's type."""
        self._declared(scope)
        if name != self.name and not name.startswith(f"{self.name}."):
            raise ValueError(f"a topic of {self.name} is named {self.name} or {self.name}.more, not {name}")
        for event in events:
            _check(_NAME, event)
        schemas = {event: _schema(data) for event, data in events.items()}
        self.topics[name] = Topic(TopicDescription(name=name, scope=scope, events=schemas), dict(events))
        return self.topics[name]

    def state(self, *, scope: str) -> Callable[[Handler], Handler]:
        """Make the decorated function (no arguments, returns a Struct, may be async) the app's state."""
        self._declared(scope)

        def register(handler: Handler) -> Handler:
            result = get_type_hints(handler)["return"]
            self._state = (StateDescription(scope=scope, schema=_schema(result)), handler)
            return handler

        return register

    def lifespan(self, start: Lifespan) -> Lifespan:
        """Set the async context manager that is entered before the first command and left after the last one."""
        self._lifespan = start
        return start

    async def read_state(self) -> msgspec.Struct | None:
        """Return the state as it is now, or None where the app declares none."""
        if self._state is None:
            return None
        state = self._state[1]()
        return await state if isinstance(state, Awaitable) else state  # type: ignore[no-any-return]  # declared Struct

    @asynccontextmanager
    async def run(self, publish: Publish) -> AsyncIterator[None]:
        """Live: topics connected, lifespan entered. Called by the worker."""
        for topic in self.topics.values():
            topic.connect(publish)
        try:
            if self._lifespan is None:
                yield
            else:
                async with self._lifespan():
                    yield
        finally:
            for topic in self.topics.values():
                topic.connect(None)

    def describe(self) -> AppDescription:
        """Return what the front is told of this app."""
        return AppDescription(
            name=self.name,
            title=self.title,
            scopes=self.scopes,
            commands={name: command.description for name, command in self.commands.items()},
            topics={name: topic.description for name, topic in self.topics.items()},
            state=self._state[0] if self._state else None,
        )

    def _vouches(self, record: logging.LogRecord) -> bool:
        """Give a line the names that its values may have (`bridge.logs.Formatter`)."""
        events = (event for topic in self.topics.values() for event in topic.description.events)
        record.declared_names = frozenset((self.name, *self.scopes, *self.commands, *self.topics, *events))
        return True

    def _declared(self, scope: str) -> None:
        if scope not in self.scopes:
            raise ValueError(f"scope {scope} has no sentence in the scopes of app {self.name}")


def _bind(
    handler: Callable[..., Any],
) -> tuple[type[msgspec.Struct], type[msgspec.Struct], Callable[[Any, Caller], Any]]:
    """Read a handler's types and return a function of (params, caller) around it."""
    hints = get_type_hints(handler)
    result = hints.pop("return")
    arguments = [hints[parameter] for parameter in inspect.signature(handler).parameters]
    takes_caller = Caller in arguments
    kinds = [kind for kind in arguments if kind is not Caller]
    if len(kinds) > 1 or (takes_caller and arguments[-1] is not Caller):
        raise TypeError(f"{handler.__name__} takes one Struct, then optionally the Caller")
    if kinds and not issubclass(kinds[0], Params):
        raise TypeError(f"{handler.__name__} takes a subclass of Params")
    if not kinds:
        return NoParams, result, (lambda _, caller: handler(caller)) if takes_caller else (lambda _, __: handler())
    if not takes_caller:
        return kinds[0], result, lambda params, _: handler(params)
    return kinds[0], result, handler


def _schema(kind: object) -> Schema:
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        raise TypeError(f"{kind!r} is not a msgspec Struct: JSON objects can grow fields later, bare values cannot")
    return msgspec.json.schema(kind)


def _check(form: re.Pattern[str], name: str) -> None:
    if form.fullmatch(name) is None:
        raise ValueError(f"{name!r} has not the form {form.pattern}")
