"""Which topics there are, who may hear them, and which states to read after a gap."""

from collections.abc import Callable, Iterable, Mapping

from bridge.errors import ClientError, InvalidParams, NotFound, ScopeMissing
from bridge.events.journal import GAP_TOPIC
from bridge.messages import AppDescription, Caller


class Topics:
    """Which topics there are, and the scope that hears each."""

    def __init__(self, apps: Callable[[], Iterable[AppDescription]]) -> None:
        self._apps = apps

    def scopes(self) -> dict[str, str]:
        """Return topic to scope, of every app."""
        return {topic.name: topic.scope for app in self._apps() for topic in app.topics.values()}

    def check(self, caller: Caller, topics: Iterable[str]) -> None:
        """Check that ``caller`` may hear all of ``topics``.

        Raises:
            NotFound: there is no such topic.
            ScopeMissing: its grant does not cover one.
        """
        _, faults = self.split(caller, topics)
        if faults:
            raise faults[0]

    def split(self, caller: Caller, topics: Iterable[str]) -> tuple[list[str], list[ClientError]]:
        """Return those of ``topics`` that ``caller`` may hear, each once, and a fault for each of the others."""
        scopes = self.scopes()
        heard: list[str] = []
        faults: list[ClientError] = []
        for number, topic in enumerate(dict.fromkeys(topics)):
            if topic != GAP_TOPIC and topic not in scopes:  # that one is private: each client hears its own
                faults.append(NotFound("there is no such topic; GET /v1/apps lists them", path=f"$.topics[{number}]"))
            elif topic != GAP_TOPIC and not caller.may(scopes[topic]):
                faults.append(ScopeMissing(f"ask the owner for {scopes[topic]}", scope=scopes[topic]))
            else:
                heard.append(topic)
        return heard, faults

    def audible(self, caller: Caller) -> list[str]:
        """Return every topic that ``caller`` may hear."""
        return [topic for topic, scope in self.scopes().items() if caller.may(scope)]

    def snapshots(self, caller: Caller) -> list[str]:
        """Return the paths of the states that ``caller`` may read."""
        return [
            f"/v1/apps/{app.name}/state"
            for app in self._apps()
            if app.state is not None and caller.may(app.state.scope)
        ]

    def chosen(self, caller: Caller, text: str | None) -> list[str]:
        """Return the topics named in a query (``a,b``), all audible ones where there is none.

        Raises:
            NotFound: there is no such topic.
            ScopeMissing: the caller's grant does not cover one.
            InvalidParams: the list is empty.
        """
        if text is None:
            return self.audible(caller)
        topics = [topic for topic in text.split(",") if topic]
        if not topics:
            raise InvalidParams("name topics as topics=player,system or leave the parameter out", path="topics")
        self.check(caller, topics)
        return topics


def is_audible(topic: str, caller: Caller | None, scopes: Mapping[str, str]) -> bool:
    """Say whether ``caller``, as its grant stands now (None: it has ended), may hear ``topic``; asked at each event."""
    scope = scopes.get(topic)
    return caller is not None and scope is not None and caller.may(scope)
