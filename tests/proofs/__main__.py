"""``python -m tests.proofs [JUDGE …]``: make each judge's environment, run the tests that ask for it, print a table,
and below it once more why tests failed.

Ends with 1 where a test failed, a judge hung, or the sum of the budgets is above what CI gives. One that took longer
than its budget is told: machines differ by half in speed, and a slow one is not a fault of what is judged. A judge that
this machine cannot have (a program that is not there) is skipped, and the table says so.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
JUDGES = Path(__file__).parent / "judges"
ENVIRONMENTS = ROOT / ".venv-proofs"
MOST_SECONDS = 50 * 60
"""For all judges together, their environments included."""
_BRINGING_SECONDS = 300
_HUNG = 3
"""So many times its budget a judge is waited for."""
_TOLD_CHARACTERS = 2_000
"""Of each failure, again below the table: who reads only the end of a long log should see why."""


@dataclass(frozen=True, slots=True)
class Judge:
    """``extras`` are of this project, ``requirements`` what pip installs beside them; with neither it is asked in the
    environment of the tests. ``constrained`` by constraints.txt or, where that would forbid the judge, not. ``budget``
    is in seconds, for the tests alone. ``needs`` are programs that the machine must have. ``environment`` are variables
    that the tests get; ``{JUDGE}`` as a value is the Python of another judge's environment. ``compiled``: once and on
    all cores, for tests whose many processes write no bytecode. ``apart`` is what pip installs in an environment
    without anything of ours, whose Python the tests get as ``MLOPS_APART``. ``brings`` is a module of the tests that
    fetches what they need, and is asked before: where it cannot, the tests say so."""

    name: str
    why: str
    tests: Sequence[str]
    budget: int
    extras: Sequence[str] = ()
    requirements: Sequence[str] = ()
    constrained: bool = True
    needs: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    workers: int = 2
    compiled: bool = False
    apart: Sequence[str] = ()
    brings: str = ""

    @property
    def own(self) -> bool:
        """Has it an environment of its own?"""
        return bool(self.extras or self.requirements)

    @property
    def python(self) -> Path:
        if not self.own:
            return Path(sys.executable)
        return ENVIRONMENTS / self.name / "bin" / "python"

    @property
    def missing(self) -> str | None:
        return next((program for program in self.needs if shutil.which(program) is None), None)


def judges() -> tuple[Judge, ...]:
    """By name."""
    found: list[Judge] = []
    for file in sorted(JUDGES.glob("*.toml")):
        written: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        found.append(Judge(name=file.stem, **written))
    return tuple(found)


def prepare(judge: Judge) -> None:
    """The judge's environments, made anew where what they are made of has changed."""
    if judge.apart:
        prepare_apart(judge)
    if judge.brings:
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run([sys.executable, "-m", judge.brings], cwd=ROOT, timeout=_BRINGING_SECONDS, check=False)
    if not judge.own:
        return
    constraints = ROOT / "constraints.txt"
    made_of = "\n".join(
        [(JUDGES / f"{judge.name}.toml").read_text(), (ROOT / "pyproject.toml").read_text(), constraints.read_text()]
    )
    stamp = ENVIRONMENTS / judge.name / "made-of"
    if stamp.is_file() and stamp.read_text() == made_of:
        return
    shutil.rmtree(ENVIRONMENTS / judge.name, ignore_errors=True)
    run([sys.executable, "-m", "venv", str(ENVIRONMENTS / judge.name)])
    pip = [str(judge.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    pinned = ["--constraint", str(constraints)] if judge.constrained else []
    run([*pip, *pinned, "--editable", f".[{','.join(judge.extras)}]" if judge.extras else ".", *judge.requirements])
    if judge.compiled:
        subprocess.run(
            [str(judge.python), "-m", "compileall", "-qq", "-j", "0", str(ENVIRONMENTS / judge.name / "lib")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    stamp.write_text(made_of)


def apart_python(judge: Judge) -> Path:
    return ENVIRONMENTS / f"{judge.name}-apart" / "bin" / "python"


def prepare_apart(judge: Judge) -> None:
    made_of = "\n".join(judge.apart)
    folder = ENVIRONMENTS / f"{judge.name}-apart"
    stamp = folder / "made-of"
    if stamp.is_file() and stamp.read_text() == made_of:
        return
    shutil.rmtree(folder, ignore_errors=True)
    run([sys.executable, "-m", "venv", str(folder)])
    run([str(apart_python(judge)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *judge.apart])
    stamp.write_text(made_of)


def run(command: Sequence[str]) -> None:
    subprocess.run(command, cwd=ROOT, check=True)


def ask(judge: Judge, report: Path) -> int:
    """pytest's exit code; 124 where it hung. ``report`` is where it writes JUnit's XML."""
    command = [str(judge.python), "-m", "pytest", "--proof", judge.name, "-rs", f"--junit-xml={report}", *judge.tests]
    if judge.workers > 1:
        command += ["-n", str(judge.workers), "--dist", "loadgroup"]
    pythons = {f"{{{other.name}}}": str(other.python) for other in judges()}
    apart = {"MLOPS_APART": str(apart_python(judge))} if judge.apart else {}
    if judge.brings:
        apart["MLOPS_BROUGHT"] = judge.brings
    environment = {
        **os.environ,
        **apart,
        **{name: pythons.get(value, value) for name, value in judge.environment.items()},
    }
    try:
        return subprocess.run(command, cwd=ROOT, env=environment, timeout=_HUNG * judge.budget, check=False).returncode
    except subprocess.TimeoutExpired:
        return 124


def failures(report: Path) -> Iterator[str]:
    """Each test of JUnit's XML that did not pass, and what it said; none where pytest did not come to write it."""
    if not report.is_file():
        return
    for case in ET.parse(report).iter("testcase"):
        for kind in ("failure", "error"):
            for failed in case.findall(kind):
                said = str(failed.get("message") or "").strip()[:_TOLD_CHARACTERS]
                yield f"{case.get('classname')}::{case.get('name')}: {said}"


def main(names: Sequence[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="proofs-") as folder:
        return _main(names, Path(folder))


def _main(names: Sequence[str], reports: Path) -> int:
    known = judges()
    unknown = [name for name in names if name not in {judge.name for judge in known}]
    if unknown:
        print(f"there is no judge {unknown[0]!r}; there are {', '.join(judge.name for judge in known)}")
        return 2
    failed = False
    table: list[tuple[str, str, str]] = []
    for judge in known:
        if names and judge.name not in names:
            continue
        if judge.missing is not None:
            table.append((judge.name, f"SKIPPED: there is no {judge.missing} here", ""))
            continue
        print(f"== {judge.name}: {judge.why}", flush=True)
        began = time.monotonic()
        for other in known:
            if other is judge or f"{{{other.name}}}" in judge.environment.values():
                prepare(other)
        ready = time.monotonic()
        code = ask(judge, reports / f"{judge.name}.xml")
        took = time.monotonic() - ready
        passed = "passed" if took <= judge.budget else "passed, over its budget"
        told = {0: passed, 5: "FAILED: no test asks for it", 124: f"FAILED: hung for {_HUNG * judge.budget} s"}
        failed |= code != 0
        seconds = f"{ready - began:.0f} s to prepare, {took:.0f} s of {judge.budget} s"
        table.append((judge.name, told.get(code, "FAILED"), seconds))
    print("== proofs")
    for row in table:
        print(f"{row[0]:<12} {row[1]:<32} {row[2]}")
    for name, *_ in table:
        for said in failures(reports / f"{name}.xml"):
            print(f"== {name} failed: {said}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
