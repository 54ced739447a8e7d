"""The tutorial app: three commands that need no native program, enough to see how an app is made."""

import time
from collections.abc import Callable
from typing import Annotated

import msgspec

from bridge import __version__
from bridge.apps.port import App, Params
from bridge.messages import Effect


class Version(msgspec.Struct, frozen=True):
    """The daemon's version, for instance ``0.1.0``."""

    version: str


class Uptime(msgspec.Struct, frozen=True):
    """Seconds since this worker was built."""

    seconds: float


class Echo(Params, frozen=True):
    """A text of at most 4,096 characters, both the parameter and the result of ``echo``."""

    text: Annotated[str, msgspec.Meta(max_length=4096)]


def build(clock: Callable[[], float] = time.monotonic) -> App:
    """Return the app; ``clock`` counts seconds."""
    app = App("system", title="This daemon", scopes={"system:read": "See the version of Tollbridge on this computer"})
    started = clock()

    @app.command(scope="system:read", effect=Effect.READ)
    def version() -> Version:
        """Tell the daemon's version."""
        return Version(__version__)

    @app.command(scope="system:read", effect=Effect.READ)
    def uptime() -> Uptime:
        """Tell how long the daemon has been running."""
        return Uptime(clock() - started)

    @app.command(scope="system:read", effect=Effect.READ)
    def echo(params: Echo) -> Echo:
        """Return the text, to try the way there and back."""
        return params

    return app
