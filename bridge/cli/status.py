"""`tollbridge status`: whether the daemon runs, where, since when and with what."""

import click

from bridge.cli.answers import StatusAnswer
from bridge.cli.client import print_curl, send, understood
from bridge.cli.request import Request, curl_option
from bridge.cli.spans import clock_text, span_text
from bridge.cli.terminal import print_json, print_pairs


@click.command(
    short_help="Show where the daemon runs and what it hosts.",
    epilog="""\b
Examples:
  tollbridge status
  tollbridge status --json""",
)
@click.option("--json", "as_json", is_flag=True, help="Print the daemon's answer as JSON.")
@curl_option
def status(*, as_json: bool, curl: bool) -> None:
    """Show whether the daemon runs, where it listens and what it hosts.

    The exit status is 3 when no daemon runs.
    """
    request = Request("GET", "/v1/status")
    if curl:
        print_curl(request)
        return
    body = send(request)
    if as_json:
        print_json(body)
        return
    print_pairs(_pairs(understood(body, StatusAnswer)))


def _pairs(answer: StatusAnswer) -> list[tuple[str, str]]:
    return [
        ("version", answer.version),
        ("process", str(answer.pid)),
        ("address", answer.base),
        ("socket", answer.socket),
        ("started", clock_text(answer.started)),
        ("up for", span_text(answer.uptime)),
        ("connections", str(answer.connections)),
        ("sessions", str(answer.sessions)),
        ("apps", ", ".join(f"{app.name} ({app.title})" for app in answer.apps)),
    ]
