"""`tollbridge watch`: events as they happen, one line each, across restarts of the daemon."""

import http.client
import re
import time
from collections.abc import Iterator

import click
import msgspec

from bridge.cli.answers import EventRow, Place
from bridge.cli.client import ask, opened, print_curl, understood
from bridge.cli.failures import STATUS_INTERRUPTED, Failure, NotRunning, Refused, Unanswered
from bridge.cli.request import JSON, SSE, Request, curl_option
from bridge.cli.spans import clock_text
from bridge.cli.sse import sent
from bridge.cli.terminal import columns, one_line, shortened

_TOPIC = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*", re.ASCII)
_SILENCE_SECONDS = 45.0
"""Three heartbeats: a stream that is silent for longer is dead."""
_STEADY_SECONDS = 5.0
_LONGEST_LINE = 2 * 1024 * 1024
_PAUSES = (0.1, 0.25, 0.5, 1.0, 2.0)
"""Seconds before each new attempt; the last one repeats until Ctrl-C."""

_GONE = "The daemon has gone away; waiting for it to come back."


@click.command(
    short_help="Print events as they happen.",
    epilog="""\b
Examples:
  tollbridge watch
  tollbridge watch player
  tollbridge watch player --json | jq .data""",
)
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option("--json", "as_json", is_flag=True, help="Print each event as the daemon sent it, one JSON object a line.")
@curl_option
@click.pass_context
def watch(ctx: click.Context, *, topics: tuple[str, ...], as_json: bool, curl: bool) -> None:
    """Print events as they happen, of the TOPICs given or of all, until Ctrl-C.

    When the daemon restarts, the stream goes on where it broke off; if events were missed, a line says so. Such
    remarks go to standard error. Ctrl-C ends with status 130.
    """
    for topic in topics:
        if _TOPIC.fullmatch(topic) is None:
            raise click.UsageError(f"{topic!r} is not a topic. A topic is named like an app, such as player.")
    query = {"topics": ",".join(topics)} if topics else {}
    if curl:
        print_curl(_request(query, None))
        return
    try:
        for data in _events(query):
            click.echo(data if as_json else _line(data))
    except KeyboardInterrupt:
        ctx.exit(STATUS_INTERRUPTED)


def _request(query: dict[str, str], after: str | None) -> Request:
    headers = {"Accept": SSE} if after is None else {"Accept": SSE, "Last-Event-ID": after}
    return Request("GET", "/v1/events", query=query, headers=headers)


def _events(query: dict[str, str]) -> Iterator[str]:
    """Yield each event's JSON, connecting again after every break; a first connection that fails is an error."""
    # The cursor of now, so that a break before the first event can be told as a gap, too.
    named = query.get("topics", "").replace(",", ", ")
    said = {
        "not_found": f"Not a topic, or not all of them: {named}. `tollbridge watch` alone shows what all topics tell."
    }
    after = ask(Request("GET", "/v1/events", query=query, headers={"Accept": JSON}), Place, said=said).cursor
    breaks = 0
    while True:
        began = time.monotonic()
        try:
            with opened(_request(query, after), deadline=_SILENCE_SECONDS) as response:
                if breaks:
                    _remark("Connected again.")
                for block in sent(_lines(response)):
                    after = block.id or after
                    if block.data:
                        yield block.data
            _remark(_GONE)
        except Unanswered:
            _remark(_GONE)  # it was there, and broke off in the middle
        except (NotRunning, Refused) as failure:
            if not breaks or not _passes(failure):
                raise
        # A stream that held for a while starts the pauses anew; one that breaks at once is not asked for in a rush.
        breaks = 1 if time.monotonic() - began > _STEADY_SECONDS else breaks + 1
        time.sleep(_PAUSES[min(breaks, len(_PAUSES)) - 1])


def _passes(failure: Failure) -> bool:
    """Say whether waiting can help: a daemon that is stopping or full does not stay so."""
    return not isinstance(failure, Refused) or failure.status in {
        http.client.SERVICE_UNAVAILABLE,
        http.client.TOO_MANY_REQUESTS,
    }


def _lines(response: http.client.HTTPResponse) -> Iterator[bytes]:
    while line := response.readline(_LONGEST_LINE):
        yield line


def _line(data: str) -> str:
    """Return an event on one line: time of day, topic, name, data; cut to the terminal's width."""
    event = understood(data.encode(), EventRow)
    start = f"{clock_text(event.time, '%H:%M:%S')}  {event.topic}  {event.name}  "
    told = _gap_text(event) if (event.topic, event.name) == ("tollbridge", "gap") else bytes(event.data).decode()
    styled = f"{clock_text(event.time, '%H:%M:%S')}  {click.style(one_line(event.topic), fg='cyan')}  "
    return (
        f"{styled}{click.style(one_line(event.name), bold=True)}  {shortened(one_line(told), columns() - len(start))}"
    )


class _Gap(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """The data of a gap: the cursors between which events are missing."""

    start: str | None = None
    end: str | None = None


def _gap_text(event: EventRow) -> str:
    gap = understood(bytes(event.data), _Gap)
    return f"Events were missed after {gap.start or '?'} and up to {gap.end or '?'}: read the state again."


def _remark(text: str) -> None:
    click.echo(click.style(text, fg="yellow"), err=True)
