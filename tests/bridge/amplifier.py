"""A small native program of our own, for tests: it remembers a volume, can hang, and tells what happens."""

import asyncio
from typing import Annotated

import msgspec

from bridge.apps.port import App, Params
from bridge.messages import Caller, Effect


class Volume(Params, frozen=True):
    """The parameters of `amp.set_volume`."""

    volume: Annotated[float, msgspec.Meta(ge=0, le=1)]


class Heard(msgspec.Struct, frozen=True):
    """The volume as it is."""

    volume: float


class Noise(msgspec.Struct, frozen=True):
    """Something long."""

    text: str


class Size(Params, frozen=True):
    """How much to recite, in bytes."""

    size: int


class Charge(Params, frozen=True):
    """The parameters of `amp.detonate`."""

    volume: float
    where: str = "here"


class Who(msgspec.Struct, frozen=True):
    """Whom the app sees."""

    client: str


class Amplifier:
    """The app, and what a test wants to know of it."""

    def __init__(self) -> None:
        self.volume = 0.5
        self.calls = 0
        self.released = asyncio.Event()
        self.app = app = App(
            "amp", title="Amplifier", scopes={"amp:read": "See the volume", "amp:control": "Change the volume"}
        )
        topic = app.topic("amp", scope="amp:read", events={"changed": Heard, "noise": Noise})

        self.topic = topic

        @app.state(scope="amp:read")
        def state() -> Heard:
            return Heard(self.volume)

        @app.command(scope="amp:control", effect=Effect.ACT)
        def set_volume(params: Volume) -> Heard:
            """Set the volume."""
            self.calls += 1
            self.volume = params.volume
            topic.publish("changed", Heard(self.volume))
            return Heard(self.volume)

        @app.command(scope="amp:read", effect=Effect.READ)
        async def wait() -> Heard:
            """Answer once it is released."""
            self.calls += 1
            await self.released.wait()
            return Heard(self.volume)

        @app.command(scope="amp:read", effect=Effect.READ)
        def who(caller: Caller) -> Who:
            """Say who asks."""
            self.calls += 1
            return Who(caller.client)

        @app.command(scope="amp:read", effect=Effect.READ)
        def recite(params: Size) -> Noise:
            """Say something long."""
            return Noise("x" * params.size)

        @app.command(scope="amp:control", effect=Effect.DANGEROUS)
        def explode() -> Heard:
            """Be dangerous."""
            self.calls += 1
            return Heard(11)

        @app.command(scope="amp:control", effect=Effect.DANGEROUS)
        def detonate(params: Charge) -> Heard:
            """Be dangerous at a place."""
            self.calls += 1
            return Heard(params.volume)

    def shout(self, times: int, size: int) -> None:
        """Publish ``times`` events of ``size`` bytes at once, as a program does that is out of its mind."""
        for _ in range(times):
            self.topic.publish("noise", Noise("x" * size))
