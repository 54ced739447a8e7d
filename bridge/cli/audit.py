"""`tollbridge audit`: what was done, by whom, with what outcome; and whether that record still is what was written."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from bridge import paths
from bridge.cli.answers import AuditRow, AuditRows
from bridge.cli.client import print_curl, send, understood
from bridge.cli.request import Request, curl_option
from bridge.cli.spans import clock_text
from bridge.cli.terminal import compact_json, print_json, print_table, visible
from bridge.errors import InvalidParams

if TYPE_CHECKING:
    from bridge.audit.check import Checked
    from bridge.audit.record import Mark

STATUS_BROKEN = 1


@click.group(
    invoke_without_command=True,
    short_help="List what was done and by whom, or verify that record.",
    epilog="""\b
Examples:
  tollbridge audit
  tollbridge audit --limit 1000 --json
  tollbridge audit verify""",
)
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many records, the newest."
)
@click.option("--json", "as_json", is_flag=True, help="Print the daemon's answer as JSON.")
@curl_option
@click.pass_context
def audit(ctx: click.Context, *, limit: int, as_json: bool, curl: bool) -> None:
    """List the newest records of the audit: commands, your answers, tokens, refusals; newest last.

    What only reads, and what was refused, is summed; COUNT says of how many. Parameters are never kept, only their
    SHA-256. A record stands in the file a tenth of a second after what it tells.
    """
    if ctx.invoked_subcommand is not None:
        return
    request = Request("GET", "/v1/audit", query={"limit": str(limit)})
    if curl:
        print_curl(request)
        return
    body = send(request)
    if as_json:
        print_json(body)
        return
    print_table(
        ("INDEX", "TIME", "WHAT", "OUTCOME", "WHO", "COUNT"),
        [_cells(row) for row in understood(body, AuditRows).records],
    )


def _head(ctx: click.Context, option: click.Parameter, text: str | None) -> "Mark | None":
    from bridge.audit.record import Mark  # as below

    try:
        return None if text is None else Mark.parse(text)
    except InvalidParams as error:
        raise click.BadParameter(f"{text!a} is no head: {error.detail}", ctx, option) from error


@audit.command(
    short_help="Check that no record was changed, removed or added.",
    epilog="""\b
Exit status: 0 intact; 1 broken, or it cannot be checked.
\b
Examples:
  tollbridge audit verify
  tollbridge audit verify --head 412:9f2c...""",
)
@click.option(
    "--head",
    metavar="INDEX:MAC",
    callback=_head,
    help="A head that you noted earlier: it must still be in the chain.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def verify(*, head: "Mark | None", as_json: bool) -> int:
    """Check the audit's file itself, with or without a running daemon: name the first record that does not hold.

    Each record is chained to the one before with a key made from your identity file. That shows accidents, a damaged
    disk, and edits by whoever does not have the key. A program that runs as you can read the key and forge the
    chain. An older copy of the file is a valid one too: note the head that is printed somewhere else (paper, another
    computer), and give it later as --head.
    """
    # Imported here: nothing else on the command line needs cryptography.
    from bridge.audit.check import check

    checked = check(paths.state_folder(), head)
    broken = checked.broken
    if as_json:
        print_json(compact_json(_facts(checked)).encode())
        return 0 if broken is None else STATUS_BROKEN
    if broken is None:
        count = checked.head.index - checked.anchor.index
        click.echo(f"Intact: {count} records, {checked.anchor.index + 1} to {checked.head.index}.")
        click.echo(f"head  {checked.head}")
    else:
        click.echo(visible(f"Broken at record {broken.index}: {broken.found}."))
        before = "Records before it hold. " if broken.index > checked.anchor.index else ""
        click.echo(f"{before}Keep a copy of the file before you do anything else.")
    for note in _notes(checked):
        click.echo(visible(f"note  {note}"))
    return 0 if broken is None else STATUS_BROKEN


def _facts(checked: "Checked") -> dict[str, object]:
    broken = checked.broken
    return {
        "intact": broken is None,
        "first": checked.anchor.index + 1,
        "head": str(checked.head),
        "broken": None if broken is None else {"index": broken.index, "found": broken.found},
        "after_loss": checked.is_after_loss,
        "set_aside": [str(file) for file in checked.set_aside],
        "open_to_others": checked.is_open,
    }


def _notes(checked: "Checked") -> Iterator[str]:
    if checked.is_after_loss:
        yield "The chain begins after an earlier trail was lost: its file was gone when the daemon started."
    for file in checked.set_aside:
        yield f"An earlier trail was damaged, or of another identity, and was set aside: {file}"
    if checked.is_open:
        yield "Others may read or change the file, or a journal of it; the daemon closes it to them at its next start."


def _cells(row: AuditRow) -> tuple[str, ...]:
    what = row.subject or row.kind if row.kind == "command" else f"{row.kind} {row.subject or ''}".rstrip()
    who = row.client or row.origin or ""
    by = f" (by the owner, {row.by})" if row.by else ""
    return (str(row.index), clock_text(row.time), what, row.outcome, who + by, str(row.count))
