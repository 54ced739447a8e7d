"""`tollbridge grants`: the answers that the owner has given, and taking one back."""

from urllib.parse import quote

import click

from bridge.cli.answers import GrantDetails, GrantRow, GrantRows
from bridge.cli.client import ask, print_curl, send
from bridge.cli.request import Request, curl_option
from bridge.cli.spans import clock_text
from bridge.cli.terminal import one_line, print_table

_MINUTES = "%Y-%m-%d %H:%M"


@click.command(
    short_help="List your answers, show one, or take one back.",
    epilog="""\b
Examples:
  tollbridge grants
  tollbridge grants --show 7c1f
  tollbridge grants --revoke 7c1f
  tollbridge grants --forget 7c1f""",
)
@click.option("--show", metavar="ID", help="Show this answer with the keys that use it.")
@click.option("--revoke", metavar="ID", help="Take back this answer: its live connections end at once.")
@click.option("--forget", metavar="ID", help="Forget whom you told no under this answer; they are asked about anew.")
@curl_option
def grants(*, show: str | None, revoke: str | None, forget: str | None, curl: bool) -> None:
    """List what you have allowed or denied, show one answer, or take one back.

    A client whose answer was taken back asks again.
    """
    named = [name for name in (show, revoke, forget) if name is not None]
    if len(named) > 1:
        raise click.UsageError("Use one of --show, --revoke and --forget at a time.")
    if named == [""]:
        raise click.UsageError("The ID is empty. `tollbridge grants` shows the IDs.")
    place = "/v1/grants" + "".join(f"/{quote(name, safe='')}" for name in named)
    if revoke:
        _end(Request("DELETE", place), "Taken back. Its live connections were ended.", curl=curl)
    elif forget:
        _end(Request("DELETE", f"{place}/denials"), "Forgotten. Whoever was told no is asked about anew.", curl=curl)
    elif curl:
        print_curl(Request("GET", place))
    elif show:
        _print_one(ask(Request("GET", place), GrantDetails))
    else:
        _print(ask(Request("GET", place), GrantRows))


def _end(request: Request, done: str, *, curl: bool) -> None:
    if curl:
        print_curl(request)
    else:
        send(request)
        click.echo(done)


def _until(grant: GrantRow) -> str:
    if grant.until is not None:
        return clock_text(grant.until, _MINUTES)
    return "the daemon stops" if grant.client.kind == "owner" else "you revoke it"


def _print(rows: GrantRows) -> None:
    if not rows.grants:
        click.echo("You have answered nobody yet.")
        return
    print_table(
        ("ID", "CLIENT", "ANSWER", "SCOPES", "SINCE", "UNTIL", "KEYS", "LIVE", "TODAY"),
        [
            (
                grant.id,
                grant.client.id,
                _answer(grant),
                "\n".join(_limited(grant)),
                clock_text(grant.created, _MINUTES),
                _until(grant),
                str(grant.pairings),
                str(grant.sessions),
                str(grant.commands_today),
            )
            for grant in rows.grants
        ],
    )


def _answer(grant: GrantRow) -> str:
    return f"{grant.answer}\n(development)" if grant.client.development else grant.answer


def _limited(grant: GrantRow) -> list[str]:
    """Return the scopes, each with its end where that is not the whole answer's."""
    if grant.answer == "allowed" and not grant.scopes:
        return ["(once)"]  # what was allowed for once stands with its key: --show
    return [
        f"{scope} (until {clock_text(grant.limits[scope], _MINUTES)})"
        if grant.limits.get(scope, grant.until) != grant.until
        else scope
        for scope in grant.scopes
    ]


def _print_one(grant: GrantDetails) -> None:
    click.echo(f"{click.style(one_line(grant.client.id), bold=True)}: {_answer(grant).replace(chr(10), ' ')}")
    for scope, sentence in zip(grant.scopes, grant.sentences, strict=False):
        end = f", until {clock_text(grant.limits[scope], _MINUTES)}" if scope in grant.limits else ""
        click.echo(f"  * {one_line(sentence)} ({one_line(scope)}){end}")
    click.echo(f"Since {clock_text(grant.created, _MINUTES)}, until {_until(grant)}.")
    click.echo(f"{grant.sessions} live, {grant.commands_today} commands today.")
    if grant.denied_keys:
        click.echo(
            f"Keys that were told no: {grant.denied_keys}. `tollbridge grants --forget {grant.id}` forgets them."
        )
    if grant.keys:
        print_table(
            ("KEY", "SCOPES", "SINCE", "ALLOWED", "UNTIL", "LIVE"),
            [
                (
                    key.thumbprint or "(none)",
                    "\n".join(key.scopes),
                    clock_text(key.created, _MINUTES),
                    clock_text(key.consented, _MINUTES),
                    "" if key.until is None else clock_text(key.until, _MINUTES),
                    str(key.sessions),
                )
                for key in grant.keys
            ],
        )
