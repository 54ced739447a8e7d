"""Lock files fix what is installed, and say nothing about where it comes from."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "scripts" / "locks").glob("*.lock"))
REQUIREMENT = re.compile(r"^[a-z0-9-]+==[^ ]+( ; [^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+$", re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_python_lock_holds_versions_and_hashes_only(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")

    rest = REQUIREMENT.sub("", text).strip()

    assert rest == ""


def test_layers_agree_on_every_version_they_share() -> None:
    pinned: dict[str, set[str]] = {}
    for lock in LOCKS:
        for name, version in re.findall(r"^([a-z0-9-]+)==([^ ]+)", lock.read_text(encoding="utf-8"), re.MULTILINE):
            pinned.setdefault(name, set()).add(version)

    assert {name: versions for name, versions in pinned.items() if len(versions) > 1} == {}


def test_web_lock_holds_hashes_and_no_address() -> None:
    packages = json.loads((ROOT / "web_client" / "package-lock.json").read_text(encoding="utf-8"))["packages"]

    assert [name for name, package in packages.items() if name and "integrity" not in package] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []
