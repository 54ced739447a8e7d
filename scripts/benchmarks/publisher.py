"""The daemon with one more app, which publishes what it is sent: events at will, as any native program makes them."""

from bridge import config, daemon, paths
from bridge.apps.port import App, Params
from bridge.apps.registry import apps
from bridge.messages import Effect


class Said(Params, frozen=True):
    """What is published."""

    text: str


def build() -> App:
    """Return the app."""
    app = App("publisher", title="Publisher", scopes={"publisher:use": "Publish events"})
    topic = app.topic("publisher", scope="publisher:use", events={"said": Said})

    @app.command(scope="publisher:use", effect=Effect.ACT)
    def say(params: Said) -> Said:
        """Publish it."""
        topic.publish("said", params)
        return params

    return app


if __name__ == "__main__":
    raise SystemExit(daemon.run(config.read(paths.config_file()), lambda settings: [*apps(settings), build()]))
