"""Which topics there are, who may hear them, and which states to read after a gap."""

from collections.abc import Callable, Iterable

from bridge.errors import InvalidParams, NotFound
from bridge.events.journal import GAP_TOPIC
from bridge.front.dispatch import check_scope
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
        scopes = self.scopes()
        for topic in topics:
            if topic == GAP_TOPIC:
                continue  # private: each client hears its own
            if topic not in scopes:
                raise NotFound(f"there is no topic {topic!r:.40}; GET /v1/apps lists them")
            check_scope(caller, scopes[topic])

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
