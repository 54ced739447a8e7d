"""Where our code comes from, and what we say when something is wrong with it."""

import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.immunity.product import ROOT

RUN_DEPENDENCIES = 14
"""The most that the daemon itself asks for. Each one more is one more that can be taken over."""

STARTS_WITH_PYTHON = {
    "_editable_impl_tollbridge.pth": "tollbridge",  # this checkout
    "distutils-precedence.pth": "setuptools",  # comes with the virtual environment
}
"""The files that Python runs or reads at every start: a new one is how a poisoned package gets to run."""


def wheel(folder: Path) -> Path:
    """Make the smallest package there is."""
    path = folder / "harmless-1.0-py3-none-any.whl"
    info = "harmless-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("harmless.py", "")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: harmless\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def install(folder: Path, sha256: str) -> subprocess.CompletedProcess[str]:
    """Install it as scripts/setup.sh installs a lock, from ``folder`` alone."""
    lock = folder / "one.lock"
    lock.write_text(f"harmless==1.0 \\\n    --hash=sha256:{sha256}\n", encoding="utf-8")
    options = ["--no-index", "--find-links", str(folder), "--target", str(folder / "installed"), "--no-cache-dir"]
    command = [sys.executable, "-m", "pip", "install", "--require-hashes", *options, "--requirement", str(lock)]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PIP_CONFIG_FILE": os.devnull},
    )


@pytest.mark.real
def test_a_package_that_is_not_the_locked_one_is_not_installed(tmp_path: Path) -> None:
    good = hashlib.sha256(wheel(tmp_path).read_bytes()).hexdigest()
    altered = f"{'1' if good[0] == '0' else '0'}{good[1:]}"

    refused = install(tmp_path, altered)
    assert 0 != refused.returncode
    assert "DO NOT MATCH THE HASHES" in refused.stderr
    assert not (tmp_path / "installed/harmless.py").exists()

    assert 0 == install(tmp_path, good).returncode
    assert (tmp_path / "installed/harmless.py").exists()


def test_the_scripts_install_by_hash_and_run_nothing_of_a_package() -> None:
    setup = (ROOT / "scripts/setup.sh").read_text(encoding="utf-8")

    installs = [
        line.strip() for line in setup.splitlines() if re.match(r"\s+\(?.*\b(pip_install|npm ci|npm install)\b", line)
    ]

    assert installs
    for line in installs:
        is_ours = "--no-deps --no-build-isolation --editable ." in line
        assert is_ours or "--require-hashes" in line or "npm ci --ignore-scripts" in line or "()" in line, line


def test_nothing_runs_at_pythons_start_but_what_we_know() -> None:
    folders = {Path(str(package.locate_file(""))) for package in metadata.distributions()}
    found = {path.name for folder in folders if folder.is_dir() for path in folder.glob("*.pth")}

    assert found <= set(STARTS_WITH_PYTHON)


@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="not in the environment that scripts/test makes")
def test_what_runs_is_what_is_locked() -> None:
    locked = dict(
        found
        for lock in (ROOT / "scripts/locks").glob("*.lock")
        for found in re.findall(r"^([a-z0-9-]+)==([^ ]+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    )
    installed = {canonicalize_name(str(package.metadata["Name"])): package for package in metadata.distributions()}

    differ = {
        name: (package.version, locked[name])
        for name, package in installed.items()
        if name in locked and package.version != locked[name]
    }

    assert {} == differ
    assert installed.keys() & locked.keys()


def test_the_daemon_asks_for_few_packages_and_each_with_a_floor() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert len(project["dependencies"]) <= RUN_DEPENDENCIES
    assert [] == [text for text in project["dependencies"] if not Requirement(text).specifier]


def test_the_web_client_has_no_runtime_dependency_and_runs_no_script_of_an_installation() -> None:
    package = json.loads((ROOT / "web_client/package.json").read_text(encoding="utf-8"))

    assert "dependencies" not in package
    assert not {"preinstall", "install", "postinstall", "prepare"} & package["scripts"].keys()


FLOORS = {
    "aiohttp": ((3, 14, 3), "request smuggling, bombs and header injection"),
    "authlib": ((1, 9, 9), "key confusion, `crit`, `zip`, a `jwk` in the header that was believed"),
    "joserfc": ((1, 8, 0), "oversized and compressed tokens"),
}
"""Below these, each library has a flaw that its own advisories name (docs/immunity.md, Libraries)."""


@pytest.mark.parametrize("name", FLOORS)
def test_no_release_with_a_known_flaw_is_locked_or_installed(name: str) -> None:
    floor, _ = FLOORS[name]
    lock = (ROOT / "scripts/locks/run.lock").read_text(encoding="utf-8")
    (locked,) = re.findall(rf"^{name}==([0-9.]+)", lock, re.MULTILINE)

    assert floor <= numbers(locked)
    assert floor <= numbers(metadata.version(name))


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"[0-9]+", version)[:3])


def document(name: str) -> str:
    """Return a document as one line of text."""
    return " ".join((ROOT / name).read_text(encoding="utf-8").split())


def test_whoever_finds_a_flaw_is_told_where_to_go_and_what_will_happen() -> None:
    text = document("SECURITY.md")

    for said in (
        "privately",
        "72 hours",
        "advisory",
        "CVE",
        "Supported versions",
        "docs/threat-model.md",
        "docs/immunity.md",
    ):
        assert said in text, said
    assert not re.search(r"[\w.]+@[\w.]+\.\w+|https?://", text), "no address that nobody reads"


def test_the_threat_model_says_first_what_is_not_kept_out() -> None:
    text = document("docs/threat-model.md")
    outside, _, inside = text.partition("## What we protect")

    assert inside
    for said in ("runs as you", "root", "XSS", "extension", "debugging port", "that the port is open", "exactly once"):
        assert said in outside, said
