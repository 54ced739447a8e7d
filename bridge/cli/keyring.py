"""`tollbridge keyring`: whether the daemon has a safe place for the key that seals what remote services hand out."""

import click

from bridge.cli.answers import KeyringReport
from bridge.cli.client import print_curl, send, understood
from bridge.cli.request import Request, curl_option
from bridge.cli.terminal import print_json, print_pairs

WORKS = "works"
STATUS_UNUSABLE = 1


@click.command(
    short_help="Try the keyring, as the daemon sees it.",
    epilog="""\b
Examples:
  tollbridge keyring
  tollbridge keyring --json""",
)
@click.option("--json", "as_json", is_flag=True, help="Print the daemon's answer as JSON.")
@curl_option
def keyring(*, as_json: bool, curl: bool) -> int:
    """Have the daemon write, read and delete a random secret where its master key lives, and show how that went.

    Your desktop may ask for the keyring's password. The exit status is 1 when the place cannot be used.
    """
    request = Request("POST", "/v1/keyring")
    if curl:
        print_curl(request)
        return 0
    body = send(request)
    report = understood(body, KeyringReport)
    if as_json:
        print_json(body)
    else:
        print_pairs(_pairs(report))
    return 0 if report.result == WORKS else STATUS_UNUSABLE


def _pairs(report: KeyringReport) -> list[tuple[str, str]]:
    pairs = [
        ("kept in", "the keyring" if report.place == "keyring" else "a key file"),
        ("where", report.where),
        ("backend", report.backend or "none"),
        ("result", report.result),
    ]
    if report.remedy:
        pairs.append(("what to do", report.remedy))
    pairs.extend(("note", note) for note in report.notes)
    if report.ignored:
        pairs.append(("not obeyed", ", ".join(report.ignored)))
    return pairs
