"""What the schemas of SageMaker, Data Firehose, OpenSearch and IAM do not say of a template is told, and what is near
to it and sound is not."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops.check.templates.judging import judge
from mlops.ir import Severity

ROWS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("services.yaml").read_text())


def _edited(row: dict[str, Any]) -> bytes:
    resources = copy.deepcopy(ROWS["bases"][row["base"]])
    for place, *value in row["edits"]:
        *parents, last = place.split("/")
        inside = resources
        for name in parents:
            inside = inside[int(name)] if isinstance(inside, list) else inside.setdefault(name, {})
        key = int(last) if isinstance(inside, list) else last
        if not value:
            del inside[key]
        elif isinstance(inside, list) and key == len(inside):
            inside.append(value[0])
        else:
            inside[key] = value[0]
    text = json.dumps({"Resources": resources}, indent=1)
    return re.sub(r"\{(\w)\*(\d+)\}", lambda found: found[1] * int(found[2]), text).encode()


@pytest.mark.parametrize("row", [pytest.param(row, id=row["name"]) for row in ROWS["faults"]])
def test_a_fault_is_told(row: dict[str, Any]) -> None:
    found = judge(_edited(row), "template.json")
    assert row["code"] in {finding.code for finding in found}, found


@pytest.mark.parametrize("row", [pytest.param(row, id=row["name"]) for row in ROWS["sound"]])
def test_of_what_is_sound_no_fault_is_told(row: dict[str, Any]) -> None:
    found = judge(_edited(row), "template.json")
    assert [item for item in found if item.severity is Severity.ERROR] == []
