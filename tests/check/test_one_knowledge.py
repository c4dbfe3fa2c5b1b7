"""Checking and running judge by the same: what a step is refused for when it runs is told before, and the other way
round. Both are asked about the same requests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib.machinery import PathFinder
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sound_definition import SOUND, findings, spoilt

from mlops.ir import json_path
from mlops.ir.script_mode import unimportable
from mlops.run.data_processing import data_processing
from mlops.run.outcome import StepFailed
from mlops.run.training_toolkit import command, script_of
from tests.ir.filter_forms import DOCUMENTED, UNKNOWN

TRANSFORM = next(step for step in SOUND["Steps"] if step["Name"] == "Batch")["Arguments"]
FILTERED = {"X790", "X791", "X792", "X796"}


def told(changes: Mapping[str, Any], codes: Iterable[str]) -> set[str]:
    return {item.code for item in findings(spoilt(changes))} & set(codes)


def refused(request: Mapping[str, Any]) -> str | None:
    try:
        data_processing(request)
    except StepFailed as fault:
        return str(fault)
    return None


@pytest.mark.parametrize("text", [*DOCUMENTED, *UNKNOWN])
def test_filters_of_lines_of_json(text: str) -> None:
    request = {
        "DataProcessing": {"OutputFilter": text, "JoinSource": "Input"},
        "TransformInput": {**TRANSFORM["TransformInput"], "ContentType": "application/jsonlines"},
        "TransformOutput": {**TRANSFORM["TransformOutput"], "Accept": "application/jsonlines"},
    }
    found = told({f"Batch:{name}": value for name, value in request.items()}, {*FILTERED, "S206"})
    assert bool(refused(request)) == bool(found) == (text in UNKNOWN)


FILTERS: tuple[dict[str, str], ...] = (
    {},
    {"InputFilter": "$[1:]"},
    {"InputFilter": "$.a"},
    {"OutputFilter": "$[0,5:]"},
    {"OutputFilter": "$"},
)
JOINS: tuple[dict[str, str], ...] = ({}, {"JoinSource": "None"}, {"JoinSource": "Input"})
CONTENTS = ("text/csv", "application/json", "application/x-npy", None)
SPLITS = (("Line", "Line"), ("Line", None), (None, None))


def test_records() -> None:
    """All at once: a step for each, in one definition."""
    (batch,) = (step for step in SOUND["Steps"] if step["Name"] == "Batch")
    ways = [*product(FILTERS, JOINS, CONTENTS, ("text/csv", None), SPLITS)]
    requests = []
    for filters, join, content, accept, (split, assemble) in ways:
        given = {"DataSource": TRANSFORM["TransformInput"]["DataSource"], "ContentType": content, "SplitType": split}
        wanted = {"S3OutputPath": "s3://acme/scores", "Accept": accept, "AssembleWith": assemble}
        request = {
            "DataProcessing": {**filters, **join},
            "TransformInput": {name: value for name, value in given.items() if value is not None},
            "TransformOutput": {name: value for name, value in wanted.items() if value is not None},
        }
        requests.append(request)
    # Batches of unsplit records are another fault than what this is about.
    steps = [
        {**batch, "Name": f"Batch{number}", "Arguments": {**TRANSFORM, **request, "BatchStrategy": "SingleRecord"}}
        for number, request in enumerate(requests)
    ]
    found: dict[str | None, set[str]] = defaultdict(set)
    for item in findings({**SOUND, "Steps": [*SOUND["Steps"], *steps]}):
        found[item.step].add(item.code)
    apart = []
    for number, (way, request) in enumerate(zip(ways, requests, strict=True)):
        # X792 warns of a join without a split even where a file is one JSON document.
        told = (found[f"Batch{number}"] & FILTERED) - ({"X792"} if way[2] == "application/json" else set())
        if bool(refused(request)) != bool(told):
            apart.append((way, refused(request), told))
    assert apart == []
    assert {bool(refused(request)) for request in requests} == {True, False}


@pytest.mark.parametrize("path", ["a", "$.a[0]['b c']", "a[-1]", "a[*]", "$..a", "a[?(@.b)]", "a[0:2]", "a[", "a.", ""])
def test_paths_of_json_get(path: str) -> None:
    rows = "Train:HyperParameters/rows/Std:JsonGet/Path"
    try:
        reads = bool(json_path.parse(path))
    except json_path.PathMissing:
        reads = False
    assert reads != bool(told({rows: path}, {"R323"}))


@pytest.mark.parametrize(
    "program", ["train.py", "src/train.py", "train.v2.py", "my-train.py", "src/go.sh", "pack.fit.py"]
)
@pytest.mark.parametrize("packaged", [True, False])
def test_a_program_that_is_started_as_a_module(tmp_path: Path, program: str, packaged: bool) -> None:
    """What the run starts by ``python -m`` and Python does not find there is what X922 tells."""
    files = [program, "pack/__init__.py", "pack/fit.py", *(["setup.py"] if packaged else [])]
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    script = script_of({"sagemaker_program": program}, {})
    assert script is not None
    words = command(script, tmp_path)
    module = words[2] if words[:2] == ["python", "-m"] else None
    *packages, last = (module or "").split(".")
    found = PathFinder.find_spec(last, [str(tmp_path.joinpath(*packages))])
    lost = module is not None and ("/" in module or found is None)
    assert (unimportable(program, set(files)) is not None) == lost
