"""What may steer the library `keyring`, none of which may steer us: each case in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from oauth import keyrings
from oauth.errors import KeyringMissing, KeyringUnsafe
from oauth.keyrings import Candidate
from tests.oauth.keyring_double import Double

ROOT = Path(__file__).parents[2]

PROBE = """
import asyncio, json, sys
from pathlib import Path
from bridge import paths
from oauth.vault import Vault
early = sorted(name for name in sys.modules if name.split(".")[0] in ("keyring", "secretstorage"))
report = asyncio.run(Vault(Path(sys.argv[1]), paths, key_file=False).probe())

import keyring.core
print(json.dumps({
    "early": early, "backend": report.backend, "result": report.result, "ignored": report.ignored,
    "detected": repr(keyring.core._keyring_backend),
    "evil": [name for name in sys.modules if "evil" in name or "alt" in name.split(".")],
    "path": [entry for entry in sys.path if "evil" in entry],
}))
"""

EVIL = """
import pathlib
pathlib.Path({marker!r}).touch()
from keyring.backend import KeyringBackend
class Keyring(KeyringBackend):
    priority = 99
    items = {{}}
    def get_password(self, service, username): return self.items.get((service, username))
    def set_password(self, service, username, password): self.items[service, username] = password
    def delete_password(self, service, username): self.items.pop((service, username))
PlaintextKeyring = Keyring
"""


def probed(folder: Path, env: Mapping[str, str]) -> dict[str, Any]:
    """Return what a process in that environment finds; no bus leads anywhere unless ``env`` says so."""
    clean = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={folder}/no-bus",
    }
    ran = subprocess.run(
        [sys.executable, "-W", "ignore::ResourceWarning", "-c", PROBE, str(folder)],
        env={**clean, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def assert_nothing_was_taken(found: Mapping[str, Any], marker: Path) -> None:
    """Hold that no backend was taken, and that the planted code did not run."""
    assert (None, "keyring_missing") == (found["backend"], found["result"])
    assert not marker.exists()
    assert "None" == found["detected"]
    assert [] == found["evil"]


def test_the_library_is_not_loaded_before_it_is_needed(tmp_path: Path) -> None:
    assert [] == probed(tmp_path, {})["early"]


@pytest.mark.parametrize("place", ["config", "home"])
def test_a_hostile_settings_file_of_the_library_is_not_read(tmp_path: Path, place: str) -> None:
    marker, evil = tmp_path / "marker", tmp_path / "evil"
    evil.mkdir()
    (evil / "evil_backend.py").write_text(EVIL.format(marker=str(marker)), encoding="utf-8")
    config = tmp_path / ("config" if place == "config" else ".config")
    (config / "python_keyring").mkdir(parents=True)
    settings = f"[backend]\ndefault-keyring=evil_backend.Keyring\nkeyring-path={evil}\n"
    (config / "python_keyring/keyringrc.cfg").write_text(settings, encoding="utf-8")

    found = probed(tmp_path, {"XDG_CONFIG_HOME": str(config)} if place == "config" else {})

    assert_nothing_was_taken(found, marker)
    assert [] == found["path"]


@pytest.mark.parametrize(
    "name", ["evil_backend.Keyring", "keyring.backends.null.Keyring", "keyring.backends.fail.Keyring"]
)
def test_the_librarys_variable_is_not_obeyed_but_told(tmp_path: Path, name: str) -> None:
    marker, evil = tmp_path / "marker", tmp_path / "evil"
    evil.mkdir()
    (evil / "evil_backend.py").write_text(EVIL.format(marker=str(marker)), encoding="utf-8")

    found = probed(tmp_path, {"PYTHON_KEYRING_BACKEND": name, "PYTHONPATH": f"{ROOT}:{evil}"})

    assert_nothing_was_taken(found, marker)
    assert ["PYTHON_KEYRING_BACKEND"] == found["ignored"]


def test_an_installed_plaintext_backend_is_never_chosen(tmp_path: Path) -> None:
    # As `keyrings.alt` comes: a package with an entry point, of a priority above all others.
    marker, site = tmp_path / "marker", tmp_path / "site"
    (site / "keyrings_alt").mkdir(parents=True)
    (site / "keyrings_alt/__init__.py").write_text(EVIL.format(marker=str(marker)), encoding="utf-8")
    facts = site / "keyrings_alt-5.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: keyrings.alt\nVersion: 5.0\n", encoding="utf-8")
    (facts / "entry_points.txt").write_text("[keyring.backends]\nfile = keyrings_alt\n", encoding="utf-8")

    found = probed(tmp_path, {"PYTHONPATH": f"{ROOT}:{site}"})

    assert_nothing_was_taken(found, marker)


def test_variables_cannot_change_a_backends_attributes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, double: Double
) -> None:
    # The library sets any attribute that KEYRING_PROPERTY_* names, methods included.
    class Steered(Double):
        def __init__(self) -> None:
            self.get_password = "steered"  # type: ignore[assignment, method-assign]

    name = f"{Steered.__module__}.{Steered.__qualname__}"

    _, backend = keyrings.open_backend([Candidate(name, "the double", lambda: Steered, {"items": {}})])

    assert {"items": {}} == vars(backend)


def test_a_class_that_is_not_the_one_on_the_list_is_refused() -> None:
    class Other(Double):
        pass

    with pytest.raises(KeyringUnsafe):
        keyrings.open_backend([Candidate("keyring.backends.SecretService.Keyring", "it", lambda: Other, {})])


def test_where_no_backend_can_be_had_each_reason_is_told() -> None:
    def fail() -> type[Any]:
        raise RuntimeError("no bus\nat all")

    with pytest.raises(KeyringMissing, match=r"no bus at all.*no bus at all"):
        keyrings.open_backend([Candidate("a", "one", fail, {}), Candidate("b", "two", fail, {})])


@pytest.mark.parametrize("candidate", keyrings.ALLOWED, ids=lambda candidate: candidate.name)
def test_the_list_names_what_is_imported(candidate: Candidate) -> None:
    # All of them can be imported everywhere; they work on their own platform alone.
    made = candidate.load()

    assert candidate.name == f"{made.__module__}.{made.__qualname__}"
    assert not {"null", "fail", "chainer", "alt"} & set(candidate.name.split("."))


def test_each_platform_has_its_own_keyring() -> None:
    names = {platform: keyrings.candidates(platform)[0].name for platform in ("linux", "darwin", "win32")}

    assert [row.name for row in keyrings.ALLOWED] == list(names.values())


@pytest.fixture(name="double")
def _double() -> Double:
    return Double()
