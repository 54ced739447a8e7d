"""The command `tollbridge`: its list of commands, and how an error becomes a sentence and an exit status."""

import errno
import os
import sys
from collections.abc import Callable, Sequence

import click

import bridge
from bridge.cli.approve import approve, deny, pending
from bridge.cli.audit import audit
from bridge.cli.call import call
from bridge.cli.failures import STATUS_INTERRUPTED
from bridge.cli.grants import grants
from bridge.cli.keyring import keyring
from bridge.cli.offer import offer, offers
from bridge.cli.open import open_dashboard
from bridge.cli.paths import show_paths
from bridge.cli.port import port
from bridge.cli.refusals import refusals
from bridge.cli.run import run
from bridge.cli.status import status
from bridge.cli.terminal import drop_stream, open_streams, visible
from bridge.cli.token import token
from bridge.cli.watch import watch
from bridge.errors import BridgeError


class _InOrder(click.Group):
    """Lists its commands as they are added: in the order in which one needs them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self.commands)


@click.group(
    cls=_InOrder,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Exit status: 0 done; 1 refused or failed; 2 wrong arguments; 3 no daemon is
running; 130 ended by Ctrl-C.
\b
Examples:
  tollbridge run
  tollbridge call player.play
  tollbridge call player.set_volume volume=0.5
  tollbridge watch player""",
)
@click.version_option(bridge.__version__, prog_name="tollbridge", message="%(prog)s %(version)s")
@click.pass_context
def tollbridge(ctx: click.Context) -> None:
    """Let web pages that you approve send commands to programs on this computer.

    `tollbridge run` is the daemon. All other commands speak to it through a Unix socket that only you may open; with
    --curl they print the curl line that does the same.
    """
    if os.environ.get("NO_COLOR"):
        ctx.color = False


for _command in (
    run,
    open_dashboard,
    status,
    call,
    watch,
    pending,
    approve,
    deny,
    grants,
    offer,
    offers,
    refusals,
    audit,
    keyring,
    token,
    show_paths,
    port,
):
    tollbridge.add_command(_command)


def start(arguments: Sequence[str]) -> int:
    """Run the command that ``arguments`` name and return the exit status; every expected error is a sentence."""
    open_streams()
    try:
        _readable(arguments)
        returned = tollbridge.main(list(arguments), prog_name="tollbridge", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        return _told(error.exit_code, error.show)
    except BridgeError as error:
        return _told(1, _say, f"{error.title}: {error.detail.rstrip('.')}.")
    except click.Abort:
        return _told(STATUS_INTERRUPTED, _say, "")
    except BrokenPipeError:
        # The reader has gone (`| head`): no word, status 1, as click does where it sees it first.
        drop_stream(sys.stdout)
        return 1
    except OSError as error:
        drop_stream(sys.stdout)
        is_closed = error.errno == errno.EBADF and error.filename is None
        return _told(1, _say, "Standard output is closed." if is_closed else f"The system refused: {error}.")
    return returned if isinstance(returned, int) else 0


def _say(sentence: str) -> None:
    click.echo(visible(sentence), err=True)


def _told(status: int, say: Callable[..., None], *words: str) -> int:
    """Return ``status`` once that was said for which it stands, or nobody can be told."""
    try:
        say(*words)
    except OSError:
        drop_stream(sys.stderr)
    return status


def _readable(arguments: Sequence[str]) -> None:
    """Refuse bytes that are no UTF-8: Python hides them as lone surrogates, which no JSON may carry."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise click.UsageError(f"The argument {argument!a} is not UTF-8.") from None
