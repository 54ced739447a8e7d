"""Random words put wherever a request has room for one, and the search for them afterwards."""

import base64
import logging
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import quote

from bridge.logs import Formatter

PLACES = (
    "authorization",
    "dpop",
    "cookie",
    "path",
    "query",
    "last-event-id",
    "idempotency-key",
    "ticket",
    "frame",
    "body",
    "form",
)


class Canaries:
    """One random word for each place; ``told`` adds what else must not be found."""

    def __init__(self, places: Iterable[str] = PLACES) -> None:
        self.words = {place: f"canary{secrets.token_hex(12)}" for place in places}

    def __getitem__(self, place: str) -> str:
        return self.words[place]

    def told(self, name: str, secret: str) -> str:
        """Add a secret that was handed out; return it."""
        self.words[name] = secret
        return secret

    def headers(self, scheme: str | None) -> dict[str, str]:
        """Return headers with a word in each; without ``scheme`` no Authorization and no DPoP."""
        headers = {
            "Cookie": f"session={self['cookie']}",
            "Last-Event-ID": self["last-event-id"],
            "Idempotency-Key": self["idempotency-key"],
        }
        if scheme is not None:
            headers |= {"Authorization": f"{scheme} {self['authorization']}", "DPoP": f"a.{self['dpop']}.b"}
        return headers

    def found_in(self, text: str | bytes) -> list[str]:
        """Return the names of those that stand in ``text``: raw, base64, percent-encoded or hex."""
        content = text.encode("utf-8", "replace") if isinstance(text, str) else text
        return [name for name, word in self.words.items() if any(form in content for form in forms(word))]


def forms(word: str) -> set[bytes]:
    """Return how a secret may look: as it is, quoted, in hex, and in the middle of anything in base64."""
    raw = word.encode()
    found = {raw, quote(word, safe="").encode(), raw.hex().encode(), raw.hex().upper().encode()}
    for before in range(3):
        whole = base64.b64encode(bytes(before) + raw)
        middle = whole[4 if before else 0 : -4]  # the ends mix with what stands beside it
        found |= {middle, middle.translate(bytes.maketrans(b"+/", b"-_"))}
    return found


class Heard(logging.Handler):
    """Every record, as it is and as our formatter writes it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.records: list[logging.LogRecord] = []
        self._formatter = Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self.lines.append(self._formatter.format(record))

    @property
    def text(self) -> str:
        """All lines, and what else the records hold beside the errors themselves."""
        errors = ("exc_info", "exc_text", "error")
        held = [{name: held for name, held in vars(record).items() if name not in errors} for record in self.records]
        return "\n".join((*self.lines, *map(repr, held)))


@contextmanager
def everything_is_heard(loggers: Iterable[str] = ("bridge", "oauth", "aiohttp", "asyncio")) -> Iterator[Heard]:
    """Hear all loggers at level DEBUG."""
    heard = Heard()
    chosen = [logging.getLogger(), *map(logging.getLogger, loggers)]
    levels = [logger.level for logger in chosen]
    for logger in chosen:
        logger.setLevel(logging.DEBUG)
    chosen[0].addHandler(heard)
    try:
        yield heard
    finally:
        chosen[0].removeHandler(heard)
        for logger, level in zip(chosen, levels, strict=True):
            logger.setLevel(level)
