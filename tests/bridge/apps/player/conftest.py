from collections.abc import Iterator

import pytest

from tests.parts.bus import PrivateBus
from tests.parts.media import MusicFolder


@pytest.fixture(scope="session")
def music() -> Iterator[MusicFolder]:
    """Four tunes of thirty seconds: alpha.mp3, beta.wav, gamma.flac, delta.ogg."""
    with MusicFolder() as folder:
        folder.encoded("alpha.mp3", title="Alpha", artist="Ann", album="First")
        folder.wav("beta", hertz=330)
        folder.encoded("delta.ogg", title="Delta")
        folder.encoded("gamma.flac", title="Gamma", artist="Gus")
        yield folder


@pytest.fixture
def bus() -> Iterator[PrivateBus]:
    with PrivateBus() as bus:
        yield bus
