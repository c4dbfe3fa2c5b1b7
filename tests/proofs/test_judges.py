"""Every judge is asked by some test, every test that needs one names one that there is, and all fit into CI's time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.proofs.__main__ import JUDGES, MOST_SECONDS, ROOT, Judge, judges

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
