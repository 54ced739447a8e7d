"""What pyproject.toml asks for is what the lock files hold; to renew one alone would fail on the next machine."""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS = PROJECT["dependency-groups"]
LAYERS = {
    "run": [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["engine"],
        *GROUPS["install"],
    ],
    "dev": GROUPS["dev"],
    "bench": GROUPS["bench"],
    "node": GROUPS["node"],
}


def locked(layer: str) -> dict[str, str]:
    lines = (ROOT / "scripts" / "locks" / f"{layer}.lock").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ")[0].split("==") for line in lines if "==" in line and not line.startswith(" "))


def test_every_requirement_is_locked_at_a_version_it_allows() -> None:
    unmet = [
        f"{layer}: {text}"
        for layer, requirements in LAYERS.items()
        for text in requirements
        if (want := Requirement(text))
        and not want.specifier.contains(locked(layer).get(canonicalize_name(want.name), ""))
    ]

    assert unmet == [], "scripts/lock renews the lock files"
