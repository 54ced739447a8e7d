"""What a notification says about a request: pure, bounded, and nothing in it is markup but what stands here.

What cannot be shown whole is not answered here: whoever allows has read all that he allows. Then, and where the desktop
draws no buttons, the notification only tells, and names the command line that answers.
"""

import html
import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

ORIGIN_CHARS = 120
"""A longer origin loses its left end: its right end says whose it is."""
DOMAIN_CHARS = 72
"""One label (63), its suffix; the summary is one line or two on every desktop."""
LINE_CHARS = 160
MOST_SCOPES = 6
MOST_PARAMS = 6
"""GNOME shows some ten lines of an opened notification."""

COMMAND_SECONDS = 60
REQUEST_SECONDS = 600
"""How long the longest request of a kind waits (protocol section 3): a notification that we cannot take back, because
this daemon was killed, goes by itself then."""

_UNTIL = {
    "once": "Allow: this once",
    "day": "Allow: for one day",
    "week": "Allow: for one week",
    "revoked": "Allow: until you revoke it",
}


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One notification; ``body`` is markup where the desktop reads markup, ``seconds`` is its longest life."""

    summary: str
    body: str
    is_answerable: bool
    seconds: int


def notice(asked: Mapping[str, Any], capabilities: frozenset[str]) -> Notice:
    """Return what to show of a request (its JSON, protocol section 3) where the desktop has these ``capabilities``."""
    lines = _Lines(is_markup="body-markup" in capabilities)
    # Without a body nobody sees what Allow would allow.
    can_answer = {"actions", "body"} <= capabilities
    summary = lines.cut_left(_subject(asked["client"]), DOMAIN_CHARS) + _wish(asked)
    _add_client(lines, asked["client"])
    if asked["denied_before"]:
        lines.add("You said no to it before.")
    if asked["command"] is None:
        _add_scopes(lines, asked["scopes"])
    else:
        _add_command(lines, asked["command"])
    is_answerable = can_answer and lines.is_whole
    if is_answerable:
        lines.add(_UNTIL[asked["until"]])
        lines.add(f"Code {asked['code']}")
    else:
        lines.add(f"{'Answer' if lines.is_whole else 'This is not all. Answer'}: tollbridge approve {asked['code']}")
    return Notice(
        summary=summary,
        body=lines.text(),
        is_answerable=is_answerable,
        seconds=COMMAND_SECONDS if asked["kind"] == "command" else REQUEST_SECONDS,
    )


class _Lines:
    """The body as it grows; ``is_whole`` until something had to be left out."""

    def __init__(self, *, is_markup: bool) -> None:
        self.is_whole = True
        self._is_markup = is_markup
        self._lines: list[str] = []

    def add(self, text: str) -> None:
        """Add a line that others may have written."""
        self._lines.append(self._escaped(self._cut(visible(text), LINE_CHARS)))

    def add_origin(self, origin: str, domain: str | None) -> None:
        """Add an origin, with its registrable domain stressed where that can be done."""
        shown = self.cut_left(origin, ORIGIN_CHARS)
        if domain is None or not self._is_markup:
            self._lines.append(self._escaped(shown))
            return
        # The last one: in https://example.com.evil.example, evil.example is what counts.
        before, found, after = shown.rpartition(domain)
        self._lines.append(f"{self._escaped(before)}<b>{self._escaped(found)}</b>{self._escaped(after)}")

    def cut_left(self, text: str, room: int) -> str:
        """Return the right end of ``text``, visible."""
        shown = visible(text)
        if len(shown) <= room:
            return shown
        self.is_whole = False
        return "…" + shown[-(room - 1) :]

    def text(self) -> str:
        """Return the body."""
        return "\n".join(self._lines)

    def _cut(self, text: str, room: int) -> str:
        if len(text) <= room:
            return text
        self.is_whole = False
        return text[: room - 1] + "…"

    def _escaped(self, text: str) -> str:
        # Where the desktop does not read markup, "&lt;" would be shown as it stands.
        return html.escape(text, quote=False) if self._is_markup else text


def _subject(client: Mapping[str, Any]) -> str:
    return str(client["domain"] or client["origin"] or f"Program {_name(client)}")


def _name(client: Mapping[str, Any]) -> str:
    return str(client["id"]).removeprefix("native:")


def _wish(asked: Mapping[str, Any]) -> str:
    return " asks for access" if asked["command"] is None else " wants to run a command"


def _add_client(lines: _Lines, client: Mapping[str, Any]) -> None:
    if client["origin"] is None:
        lines.add(f"A program that calls itself {_name(client)}; nobody has verified that name.")
        return
    lines.add_origin(client["origin"], client["domain"])
    if client["development"]:
        lines.add("Development: a page served by this computer")


def _add_scopes(lines: _Lines, scopes: Sequence[Mapping[str, Any]]) -> None:
    for scope in scopes[:MOST_SCOPES]:
        lines.add(f"• {scope['sentence']}")
    _add_rest(lines, len(scopes) - MOST_SCOPES)


def _add_command(lines: _Lines, command: Mapping[str, Any]) -> None:
    lines.add(f"{command['app']}.{command['name']}: {command['summary']}")
    # As the page sent them, so as JSON that nobody has read yet, and always an object.
    params = list(msgspec.json.decode(command["params"], type=dict[str, Any]).items())
    for name, value in params[:MOST_PARAMS]:
        lines.add(f"• {name} = {json.dumps(value, ensure_ascii=False)}")
    _add_rest(lines, len(params) - MOST_PARAMS)


def _add_rest(lines: _Lines, count: int) -> None:
    if count > 0:
        lines.is_whole = False
        lines.add(f"• and {count} more")


def visible(text: str) -> str:
    r"""Return ``text`` on one line, every character that is not seen, or that reorders others, written as ``\uXXXX``.

    A parameter is the page's own text: it must not add a line, or make one read as another. D-Bus takes no NUL and no
    lone surrogate either.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)
