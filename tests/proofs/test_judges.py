"""Every judge is asked by some test, every test that needs one names one that there is, and all fit into CI's time."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proofs.__main__ import JUDGES, MOST_SECONDS, ROOT, Judge, failures, judges

_ASKED = re.compile(r"mark\.(?:proof|deeper)\(\"(\w+)\"\)")
_TABLE = re.compile(r"^JUDGES = \{(.*)\}$", re.MULTILINE)


def asked(place: Path) -> set[str]:
    """By marks, and by the tables from which marks are made."""
    files = place.rglob("test_*.py") if place.is_dir() else [place]
    found: set[str] = set()
    for file in files:
        text = file.read_text(encoding="utf-8")
        found.update(_ASKED.findall(text))
        found.update(name for table in _TABLE.findall(text) for name in re.findall(r": \"(\w+)\"", table))
    return found


def test_tests_name_judges_that_there_are() -> None:
    assert asked(ROOT / "tests") == {judge.name for judge in judges()}


@pytest.mark.parametrize("judge", judges(), ids=lambda judge: judge.name)
def test_a_judge_is_asked_where_it_says(judge: Judge) -> None:
    for place in judge.tests:
        assert judge.name in asked(ROOT / place), place


@pytest.mark.parametrize("judge", judges(), ids=lambda judge: judge.name)
def test_whoever_asks_a_judge_is_heard(judge: Judge) -> None:
    """A test whose file no judge looks at would be asked by nobody."""
    heard = [ROOT / place for place in judge.tests]
    files = [file for file in (ROOT / "tests").rglob("test_*.py") if judge.name in asked(file)]
    assert [file for file in files if not any(file.is_relative_to(place) for place in heard)] == []


def test_all_fit_into_the_time_that_they_have() -> None:
    assert sum(judge.budget for judge in judges()) <= MOST_SECONDS
    assert list(JUDGES.glob("*")) == list(JUDGES.glob("*.toml"))


def test_why_a_test_failed_is_read_from_what_pytest_wrote(tmp_path: Path) -> None:
    file, report = tmp_path / "test_it.py", tmp_path / "report.xml"
    file.write_text(
        "import pytest\n@pytest.fixture\ndef gone(): raise OSError('no room')\n"
        "def test_red(): assert 1 == 2, 'one is two'\ndef test_green(): pass\ndef test_broken(gone): pass\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    subprocess.run([sys.executable, "-m", "pytest", f"--junit-xml={report}", file.name], cwd=tmp_path, check=False)
    assert [said.splitlines()[0] for said in failures(report)] == [
        "test_it::test_red: AssertionError: one is two",
        'test_it::test_broken: failed on setup with "OSError: no room"',
    ]
    assert list(failures(tmp_path / "of-one-that-hung.xml")) == []
