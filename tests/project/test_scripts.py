"""The scripts are the only commands a newcomer needs: each explains itself before it changes anything."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(path for path in (ROOT / "scripts").iterdir() if path.is_file() and not path.suffix)


def test_the_six_commands_exist() -> None:
    assert {"run", "test", "check", "fix", "build", "bench"} <= {path.name for path in SCRIPTS}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_script_explains_itself_and_does_nothing(script: Path) -> None:
    answer = subprocess.run([script, "--help"], capture_output=True, text=True, timeout=20)

    assert os.access(script, os.X_OK)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert f"Usage: scripts/{script.name}" in answer.stdout


def test_continuous_integration_runs_what_a_person_runs() -> None:
    assert "scripts/test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
