"""`tollbridge audit`: what was done, by whom, with what outcome; and whether that record still is what was written."""

import click

from bridge import paths
from bridge.cli.answers import AuditRow, AuditRows
from bridge.cli.client import print_curl, send, understood
from bridge.cli.request import Request, curl_option
from bridge.cli.spans import clock_text
from bridge.cli.terminal import compact_json, print_json, print_table, visible

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


@audit.command(
    short_help="Check that no record was changed, removed or added.",
    epilog="""\b
Exit status: 0 intact; 1 broken, or it cannot be checked.
\b
Examples:
  tollbridge audit verify
  tollbridge audit verify --head 412:9f2c...""",
)
@click.option("--head", metavar="INDEX:MAC", help="A head that you noted earlier: it must still be in the chain.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def verify(*, head: str | None, as_json: bool) -> int:
    """Check the audit's file itself, with or without a running daemon: name the first record that does not hold.

    Each record is chained to the one before with a key made from your identity file. That shows accidents, a damaged
    disk, and edits by whoever does not have the key. A program that runs as you can read the key and forge the
    chain. An older copy of the file is a valid one too: note the head that is printed somewhere else (paper, another
    computer), and give it later as --head.
    """
    # Imported here: nothing else on the command line needs cryptography.
    from bridge.audit.check import check
    from bridge.audit.record import Mark

    checked = check(paths.state_folder(), None if head is None else Mark.parse(head))
    broken = checked.broken
    if as_json:
        told = None if broken is None else {"index": broken.index, "found": broken.found}
        facts = {"intact": broken is None, "first": checked.anchor.index + 1, "head": str(checked.head), "broken": told}
        print_json(compact_json(facts).encode())
    elif broken is None:
        count = checked.head.index - checked.anchor.index
        click.echo(f"Intact: {count} records, {checked.anchor.index + 1} to {checked.head.index}.")
        click.echo(f"head  {checked.head}")
    else:
        click.echo(visible(f"Broken at record {broken.index}: {broken.found}."))
        click.echo("Records before it hold. Keep a copy of the file before you do anything else.")
    return 0 if broken is None else STATUS_BROKEN


def _cells(row: AuditRow) -> tuple[str, ...]:
    what = row.subject or row.kind if row.kind == "command" else f"{row.kind} {row.subject or ''}".rstrip()
    who = row.client or row.origin or ""
    by = f" (by the owner, {row.by})" if row.by else ""
    return (str(row.index), clock_text(row.time), what, row.outcome, who + by, str(row.count))
