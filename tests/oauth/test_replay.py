import pytest

from oauth.errors import ProofInvalid
from oauth.replay import ReplaySet
from tests.oauth.clock import FakeClock

WINDOW = 65.0


def _replay(clock: FakeClock, *, per_key: int = 4, keys: int = 3) -> ReplaySet:
    return ReplaySet(window=WINDOW, per_key=per_key, keys=keys, clock=clock)


@pytest.mark.parametrize("later", [0.0, 1.0, WINDOW - 1, WINDOW])
def test_a_proof_is_refused_the_second_time(clock: FakeClock, later: float) -> None:
    replay = _replay(clock)
    clock.forward(WINDOW / 2)
    replay.add("key", "jti")

    clock.forward(later)

    with pytest.raises(ProofInvalid):
        replay.add("key", "jti")


def test_the_same_jti_of_another_key_is_another_proof(clock: FakeClock) -> None:
    replay = _replay(clock)
    replay.add("key", "jti")

    replay.add("other", "jti")


def test_old_proofs_are_forgotten(clock: FakeClock) -> None:
    replay = _replay(clock)
    replay.add("key", "jti")

    clock.forward(2 * WINDOW)

    replay.add("key", "jti")


def test_a_key_that_sends_too_many_is_refused_alone_until_the_next_generation(clock: FakeClock) -> None:
    replay = _replay(clock)
    for number in range(4):
        replay.add("loud", str(number))

    with pytest.raises(ProofInvalid, match="too many"):
        replay.add("loud", "more")
    replay.add("quiet", "jti")
    clock.forward(WINDOW)
    replay.add("loud", "more")


def test_a_stranger_who_mints_keys_shuts_nobody_out(clock: FakeClock) -> None:
    replay = _replay(clock)
    for number in range(100):
        replay.add(f"minted {number}", "jti")

    replay.add("page", "jti")

    with pytest.raises(ProofInvalid):
        replay.add("page", "jti")


def test_a_clock_set_back_still_ends_generations(clock: FakeClock) -> None:
    replay = _replay(clock)
    for number in range(4):
        replay.add("key", str(number))

    clock.forward(-86_400)

    replay.add("key", "after")
    with pytest.raises(ProofInvalid):
        replay.add("key", "0")
