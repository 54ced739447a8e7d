"""A keyring that fails on purpose: what no real one can be made to do at the moment of the test's choosing."""

import threading
from collections.abc import Callable

from oauth.keyrings import Candidate

Fault = Callable[[], None]


class Double:
    """A backend in memory. ``fault`` runs before every call; ``is_forgetful``: what is written is gone at once."""

    priority = 5.0

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], str] = {}
        self.calls: list[str] = []
        self.threads: set[int] = set()
        self.is_forgetful = False
        self.fault: Fault = lambda: None

    def get_password(self, service: str, username: str) -> str | None:
        self._note("get")
        return self.items.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._note("set")
        if not self.is_forgetful:
            self.items[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._note("delete")
        self.items.pop((service, username), None)

    def candidate(self) -> Candidate:
        """Return a row of the list that gives this very double: the class that it loads shares its attributes."""
        double = self

        class Shared(Double):
            def __getattribute__(self, name: str) -> object:
                return getattr(double, name)

        name = f"{Shared.__module__}.{Shared.__qualname__}"
        return Candidate(name, "the double", lambda: Shared, {})

    def _note(self, call: str) -> None:
        self.calls.append(call)
        self.threads.add(threading.get_ident())
        self.fault()
