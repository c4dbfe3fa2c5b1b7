"""Every argument of every constructor that an author writes with the official SDK, 2 or 3, is answered."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

import mlops
from mlops.check.sources import open_targets
from mlops.declare.sdk_words import Family, families

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "docs"))
import write_sdk_words as writing  # noqa: E402

JUDGES = {"2": "sdk2", "3": "sdk"}
BY_TITLE = [pytest.param(family, id=family.title) for family in families()]


def taken(constructor: str) -> set[str]:
    """What one of ours takes: a class, a function, or a method of Pipeline."""
    owner, dot, name = constructor.rpartition(".")
    made = getattr(mlops.Pipeline if dot else mlops, name)
    shared = getattr(made, "shared_arguments", None)
    function = made.__init__ if isinstance(made, type) else made
    assert not owner or owner == "pipeline"
    return {*inspect.signature(function).parameters, *(shared.__annotations__ if shared else ())}


@pytest.mark.parametrize("family", BY_TITLE)
def test_each_argument_is_answered_by_one_that_there_is(family: Family) -> None:
    rows = list(writing.rows(family))
    assert [row.argument for row in rows if not row.answer] == []
    for row in rows:
        for constructors, name in writing.ours(family, row.answer):
            assert any(name in taken(item) for item in constructors.split("|")), (row.argument, name)


def test_each_class_has_its_place() -> None:
    told = [name for family in families() for name in family.classes]
    assert sorted(set(told)) == sorted(told)
    assert set(told) == {name for classes in writing.arguments().values() for name in classes}


def test_no_answer_is_of_nothing() -> None:
    written = tomllib.loads((ROOT / "mlops" / "declare" / "sdk_answers.toml").read_text(encoding="utf-8"))
    taken = {family.title: {row.argument for row in writing.rows(family)} for family in families()}
    assert {item["title"]: sorted(set(item["words"]) - taken[item["title"]]) for item in written["family"]} == {
        title: [] for title in taken
    }
    assert set(written["everywhere"]) - set[str]().union(*taken.values()) == set()


def test_the_page_is_not_stale() -> None:
    assert writing.PAGE.read_text(encoding="utf-8") == writing.page(), "write it again: python docs/write_sdk_words.py"


@pytest.mark.parametrize(
    ("call", "helps"),
    [
        pytest.param('Training("T", debugger_hook_config=1, REST)', "here it is called debug_hook", id="another name"),
        pytest.param('Training("T", git_config=1, REST)', "not needed: code is a file", id="not needed"),
        pytest.param('Training("T", training_recipe=1, REST)', "refused: write the script", id="refused"),
        pytest.param('Training("T", training_plan="p", REST)', "here it is `arguments=`, as", id="in a longer way"),
        pytest.param('Training("T", hyperparameter={}, REST)', "did you mean hyperparameters?", id="a slip is one"),
    ],
)
def test_a_word_of_the_sdk_is_told_with_ours(call: str, helps: str, tmp_path: Path) -> None:
    rest = 'image="1.dkr.ecr.us-east-1.amazonaws.com/i:1", instance="ml.m5.large"'
    file = tmp_path / "pipeline.py"
    file.write_text(f'from mlops import *\nwith Pipeline("p"):\n    {call.replace("REST", rest)}\n')
    (tmp_path / "mlops.toml").touch()
    found = [finding for finding in open_targets([str(file)], "local").findings if finding.code == "D040"]
    assert len(found) == 1 and helps in str(found[0].help)


@pytest.mark.parametrize(
    "version",
    [pytest.param(version, marks=pytest.mark.proof(judge), id=f"SDK {version}") for version, judge in JUDGES.items()],
)
def test_these_are_the_arguments_that_the_sdk_takes(version: str, tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    script = [sys.executable, str(Path(__file__).with_name("sdk_arguments.py")), str(told)]
    around = {**os.environ, "AWS_DEFAULT_REGION": "us-east-1", "HOME": str(tmp_path)}
    done = subprocess.run(script, env=around, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert pairs(json.loads(told.read_text())) == pairs(writing.arguments()[version])


def pairs(classes: dict[str, Iterable[str]]) -> set[tuple[str, str]]:
    return {(name, argument) for name, arguments in classes.items() for argument in arguments}
