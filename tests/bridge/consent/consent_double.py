"""The queue of requests as the surfaces see it, in memory: it lists, tells and answers as `Consent` does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bridge.errors import Gone, NotFound

PLAYER = {"scope": "player:control", "sentence": "Play, pause and skip music on this computer", "granted": False}


@dataclass
class PendingDouble:
    code: str
    asked: dict[str, Any]
    is_quiet: bool = False


class ConsentDouble:
    """``answers`` holds what was answered, as ``(code, answer, scopes, until, by)``."""

    def __init__(self) -> None:
        self.answers: list[tuple[Any, ...]] = []
        self.fault: Exception | None = None
        self._waiting: list[PendingDouble] = []
        self._over: set[str] = set()
        self._callbacks: list[Callable[[], None]] = []

    def ask(self, code: str, *, is_quiet: bool = False, **changes: Any) -> PendingDouble:
        pending = PendingDouble(code, asked(code, **changes), is_quiet)
        self._waiting.append(pending)
        self._tell()
        return pending

    def end(self, code: str) -> None:
        """It was answered elsewhere, replaced, or nobody waits for it any more."""
        self._waiting = [pending for pending in self._waiting if pending.code != code]
        self._over.add(code)
        self._tell()

    def waiting(self) -> list[PendingDouble]:
        return list(self._waiting)

    def view(self, pending: PendingDouble) -> dict[str, Any]:
        return pending.asked

    async def answer(self, code: str, answer: str, *, scopes: object, until: object, by: str) -> PendingDouble:
        if self.fault is not None:
            raise self.fault
        found = [pending for pending in self._waiting if pending.code == code]
        if not found:
            raise Gone("answered already") if code in self._over else NotFound("no request has this code")
        self.answers.append((code, answer, scopes, until, by))
        self.end(code)
        return found[0]

    def on_change(self, callback: Callable[[], None]) -> None:
        self._callbacks.append(callback)

    def _tell(self) -> None:
        for callback in self._callbacks:
            callback()


def asked(code: str = "BCDF-GHJK", **changes: Any) -> dict[str, Any]:
    """Return the JSON of a page's request; ``client`` is changed member by member."""
    client = {
        "id": "https://music.example.co.uk",
        "kind": "page",
        "origin": "https://music.example.co.uk",
        "domain": "example.co.uk",
        "development": False,
    }
    request = {
        "code": code,
        "kind": "authorize",
        "status": "pending",
        "scopes": [PLAYER],
        "untils": ["once", "day", "revoked"],
        "until": "revoked",
        "denied_before": False,
        "quiet": False,
        "command": None,
    }
    return {**request, **changes, "client": {**client, **changes.get("client", {})}}
