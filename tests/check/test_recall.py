"""What can be derived from shapes, from algorithms and from the documentation is told, or it is decided why not."""

from __future__ import annotations

import re
import runpy
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from recall import SOUND_ALL_THE_SAME, WARNED, Bases, codes, everything, sentences

from mlops.check.codes import known_codes

ROOT = Path(__file__).resolve().parents[2]
DECIDED: Mapping[str, Mapping[str, str]] = tomllib.loads(
    (Path(__file__).parent / "recall_decided.toml").read_text(encoding="utf-8")
)
EVERY = 12
"""One of so many in every run, all of them as a proof."""


def silent(every: int) -> set[tuple[str, str]]:
    bases = Bases()
    chosen = (fault for index, fault in enumerate(everything()) if index % every == 0)
    return {(fault.way, fault.what) for fault in chosen if not codes(fault, bases)}


def test_some_of_the_derived_faults_are_told() -> None:
    assert silent(EVERY) <= {*SOUND_ALL_THE_SAME, *WARNED}


@pytest.mark.proof("recall")
def test_every_derived_fault_is_told() -> None:
    assert silent(1) == {*SOUND_ALL_THE_SAME, *WARNED}


def test_every_sentence_is_decided() -> None:
    undecided = [place for place in sentences() if place[1] not in DECIDED.get(place[0], {})]
    assert undecided == [], "add each to recall_decided.toml: a code, or why it is not knowable, or sound"


def test_what_is_decided_is_a_code_or_a_reason() -> None:
    for member, said in DECIDED.items():
        for begins, decision in said.items():
            if decision != "sound" and not decision.startswith("not knowable: "):
                assert set(re.split(r", ?", decision)) <= set(known_codes()), (member, begins)


def test_the_page_is_what_is_decided() -> None:
    written = runpy.run_path(str(ROOT / "docs" / "write_recall.py"))["page"]()
    assert (ROOT / "docs" / "recall.md").read_text(encoding="utf-8") == written, "python docs/write_recall.py"
