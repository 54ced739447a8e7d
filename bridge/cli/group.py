"""The command `tollbridge`: its list of commands, and how an error becomes a sentence and an exit status."""

import os
import sys
from collections.abc import Sequence

import click

import bridge
from bridge.cli.approve import approve, deny, pending
from bridge.cli.audit import audit
from bridge.cli.call import call
from bridge.cli.failures import STATUS_INTERRUPTED
from bridge.cli.grants import grants
from bridge.cli.keyring import keyring
from bridge.cli.open import open_dashboard
from bridge.cli.paths import show_paths
from bridge.cli.port import port
from bridge.cli.refusals import refusals
from bridge.cli.run import run
from bridge.cli.status import status
from bridge.cli.terminal import visible
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
    try:
        _readable(arguments)
        returned = tollbridge.main(list(arguments), prog_name="tollbridge", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BridgeError as error:
        click.echo(visible(f"{error.title}: {error.detail.rstrip('.')}."), err=True)
        return 1
    except click.Abort:
        click.echo(err=True)
        return STATUS_INTERRUPTED
    except BrokenPipeError:
        # The reader has gone (`| head`): no word, status 1, as click does where it sees it first.
        # What is still buffered must not fail a second time when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        click.echo(visible(f"The system refused: {error}."), err=True)
        return 1
    return returned if isinstance(returned, int) else 0


def _readable(arguments: Sequence[str]) -> None:
    """Refuse bytes that are no UTF-8: Python hides them as lone surrogates, which no JSON may carry."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise click.UsageError(f"The argument {argument!a} is not UTF-8.") from None
