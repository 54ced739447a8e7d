import pytest

from oauth.errors import ProofInvalid
from oauth.replay import ReplaySet
from tests.oauth.clock import FakeClock

WINDOW = 65.0


class _Proofs(ReplaySet):
    def once(self, key: str, jti: str) -> None:
        """Check and remember, as a request does that gets what it asks for."""
        self.check(key, jti)
        self.add(key, jti)


def _replay(clock: FakeClock, *, per_key: int = 4, keys: int = 3) -> _Proofs:
    return _Proofs(window=WINDOW, per_key=per_key, keys=keys, clock=clock)


@pytest.mark.parametrize("later", [0.0, 1.0, WINDOW - 1, WINDOW])
def test_a_proof_is_refused_the_second_time(clock: FakeClock, later: float) -> None:
    replay = _replay(clock)
    clock.forward(WINDOW / 2)
    replay.once("key", "jti")

    clock.forward(later)

    with pytest.raises(ProofInvalid):
        replay.once("key", "jti")


def test_the_same_jti_of_another_key_is_another_proof(clock: FakeClock) -> None:
    replay = _replay(clock)
    replay.once("key", "jti")

    replay.once("other", "jti")


def test_old_proofs_are_forgotten(clock: FakeClock) -> None:
    replay = _replay(clock)
    replay.once("key", "jti")

    clock.forward(2 * WINDOW)

    replay.once("key", "jti")


def test_a_key_that_sends_too_many_is_refused_alone_until_the_next_generation(clock: FakeClock) -> None:
    replay = _replay(clock)
    for number in range(4):
        replay.once("loud", str(number))

    with pytest.raises(ProofInvalid, match="too many"):
        replay.once("loud", "more")
    replay.once("quiet", "jti")
    clock.forward(WINDOW)
    replay.once("loud", "more")


def test_a_stranger_who_mints_keys_shuts_nobody_out(clock: FakeClock) -> None:
    replay = _replay(clock)
    for number in range(100):
        replay.once(f"minted {number}", "jti")

    replay.once("page", "jti")

    with pytest.raises(ProofInvalid):
        replay.once("page", "jti")


def test_one_key_more_forgets_the_first_and_no_other(clock: FakeClock) -> None:
    replay = _replay(clock)
    for key in ("1", "2", "3"):
        replay.once(key, "jti")
    with pytest.raises(ProofInvalid):
        replay.once("1", "jti")

    replay.once("4", "jti")

    for key in ("2", "3", "4"):
        with pytest.raises(ProofInvalid):
            replay.check(key, "jti")
    replay.check("1", "jti")


def test_a_generation_turns_once_however_often_is_asked(clock: FakeClock) -> None:
    replay = _replay(clock)
    replay.once("key", "first")
    clock.forward(WINDOW)

    for _ in range(3):
        with pytest.raises(ProofInvalid):
            replay.check("key", "first")
    replay.once("key", "second")
    for _ in range(3):
        clock.forward(0.5)
        with pytest.raises(ProofInvalid):
            replay.check("key", "second")


def test_a_busy_key_does_not_keep_its_generation(clock: FakeClock) -> None:
    replay = _replay(clock)
    for number in range(4):
        replay.once("key", str(number))

    for _ in range(round(2 * (WINDOW - 0.5))):
        clock.forward(0.5)
        with pytest.raises(ProofInvalid, match="too many"):
            replay.check("key", "more")
    clock.forward(0.5)
    replay.once("key", "more")


def test_a_proof_that_was_only_checked_is_not_remembered(clock: FakeClock) -> None:
    replay = _replay(clock)
    for _ in range(5):
        replay.check("key", "jti")

    replay.once("key", "jti")


def test_a_clock_set_back_forgets_nothing_early(clock: FakeClock) -> None:
    replay = _replay(clock)
    replay.once("key", "before")
    clock.forward(WINDOW)
    replay.once("key", "at")

    clock.forward(-86_400)

    for jti in ("before", "at"):
        with pytest.raises(ProofInvalid):
            replay.once("key", jti)


def test_a_clock_set_back_still_ends_generations(clock: FakeClock) -> None:
    replay = _replay(clock)
    for number in range(4):
        replay.once("key", str(number))
    clock.forward(-86_400)
    with pytest.raises(ProofInvalid, match="too many"):
        replay.once("key", "more")

    clock.forward(WINDOW)
    replay.once("key", "more")
    clock.forward(WINDOW)
    replay.once("key", "0")
