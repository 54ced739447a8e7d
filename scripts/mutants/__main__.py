"""Plants each fault in a copy of the tree, two at a time, and prints those that no test noticed.

    scripts/mutate [--write] [--processes N] [FILE ...]

Without FILE: every file below. ``--write`` renews ``tests/vectors/mutants.txt``, the list of faults and verdicts. Those
that change nothing stand, with the reason, in ``tests/vectors/equivalent_mutants.toml``.
"""

import argparse
import shutil
import sys
import tempfile
import time
import tomllib
from pathlib import Path

from scripts.mutants.faults import Fault, faults, fingerprint
from scripts.mutants.trial import Trial, preload, wait

ROOT = Path(__file__).resolve().parents[2]
TARGETS = {
    "bridge/front/policy.py": ("tests/bridge/front/test_policy.py",),
    "oauth/dpop.py": ("tests/oauth/test_dpop_negative.py", "tests/oauth/test_dpop.py"),
    "oauth/nonces.py": ("tests/oauth/test_nonces.py",),
    "oauth/replay.py": ("tests/oauth/test_replay.py", "tests/oauth/test_dpop_negative.py"),
}
"""Each file with the quick tests that have to notice."""
LIST = ROOT / "tests/vectors/mutants.txt"
EQUIVALENT = ROOT / "tests/vectors/equivalent_mutants.toml"
COPIED = ("bridge", "oauth", "tests", "scripts", "pyproject.toml")


def equivalents() -> dict[str, str]:
    """Return the names of the faults that change nothing, each with its reason."""
    with EQUIVALENT.open("rb") as file:
        entries = tomllib.load(file)["fault"]
    return {" | ".join(entry[key] for key in ("file", "scope", "before", "after")): entry["why"] for entry in entries}


def planned(paths: list[str], tree: Path) -> list[Fault]:
    """Return every fault of these files in ``tree``."""
    return [fault for path in paths for fault in faults(path, (tree / path).read_text(encoding="utf-8"))]


def tried(planted: list[Fault], tree: Path, processes: int, deadlines: dict[str, float]) -> dict[str, bool]:
    """Return for each fault's name whether it survived. One name may stand for two places: then the worse verdict."""
    survivors: dict[str, bool] = {}
    waiting, running = planted[::-1], list[Trial]()
    while waiting or running:
        while waiting and len(running) < processes:
            fault = waiting.pop()
            running.append(Trial(fault, _tests(fault.path, tree), tree, deadline=deadlines[fault.path]))
        trial, survived = wait(running)
        running.remove(trial)
        if trial.fault is not None:
            survivors[trial.fault.name] = survived or survivors.get(trial.fault.name, False)
            print("S" if survived else ".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return survivors


def _tests(path: str, tree: Path) -> list[str]:
    return [test for test in TARGETS[path] if (tree / test).exists()]


def _copy(tree: Path) -> None:
    ignore = shutil.ignore_patterns("__pycache__", "web", ".*")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=ignore)
        else:
            shutil.copy(source, tree / name)


def _write(survivors: dict[str, bool], known: dict[str, str], tree: Path) -> None:
    """Renew the list; files that were not tried keep their lines. ``tried`` says which state of a file it was."""
    renewed = {name.partition(" | ")[0] for name in survivors}
    old = LIST.read_text(encoding="utf-8").splitlines() if LIST.exists() else []
    lines = [line for line in old if line.split()[1] not in renewed]
    lines += [f"tried {path} {fingerprint((tree / path).read_text(encoding='utf-8'))}" for path in renewed]
    lines += [
        f"{'caught' if not survived else 'equivalent' if name in known else 'SURVIVED'} {name}"
        for name, survived in survivors.items()
    ]
    LIST.write_text("\n".join(sorted(lines, key=lambda line: line.split(" ", 1)[1])) + "\n", encoding="utf-8")


def main() -> int:
    """Run it; return the exit status."""
    parser = argparse.ArgumentParser(prog="scripts/mutate", description="Plant faults and see that tests catch them.")
    parser.add_argument("files", nargs="*", metavar="FILE", help=f"of {', '.join(TARGETS)}; default: all")
    parser.add_argument("--processes", type=int, default=2, help="trials at once; default 2")
    parser.add_argument("--write", action="store_true", help=f"renew {LIST.relative_to(ROOT)}")
    options = parser.parse_args()
    if unknown := set(options.files) - set(TARGETS):
        parser.error(f"not a file with faults: {', '.join(sorted(unknown))}")
    paths = options.files or list(TARGETS)
    known = equivalents()
    with tempfile.TemporaryDirectory(prefix="tollbridge-mutants-") as folder:
        tree = Path(folder)
        _copy(tree)
        preload()
        deadlines: dict[str, float] = {}
        for path in paths:
            started = time.monotonic()
            if not wait([Trial(None, _tests(path, tree), tree)])[1]:
                print(f"{path}: its tests fail without any fault", file=sys.stderr)
                return 2
            deadlines[path] = 30 + 10 * (time.monotonic() - started)
        survivors = tried(planned(paths, tree), tree, options.processes, deadlines)
        if options.write:
            _write(survivors, known, tree)
    alive = [name for name, survived in survivors.items() if survived]
    stale = [name for name in known if name.partition(" | ")[0] in paths and name not in alive]
    print(f"{len(survivors)} faults, {len(survivors) - len(alive)} caught, {len(alive)} not")
    for name in alive:
        print(f"{'equivalent' if name in known else 'SURVIVED  '} {name}")
    for name in stale:
        print(f"STALE      {name}")
    return int(bool(stale) or any(name not in known for name in alive))


if __name__ == "__main__":
    sys.exit(main())
