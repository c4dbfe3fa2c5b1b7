"""Tables of ours against what the official SDK ships, where it is installed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops.check.instances import accelerator, accelerators
from mlops.check.rules.images import FRAMEWORKS
from mlops.project.images import sdk_data_folder

MADE_UP = {"ml.g5n.xlarge"}
"""In the SDK's list, and in no list of EC2's."""


@pytest.fixture
def shipped() -> Path:
    folder = sdk_data_folder()
    if folder is None:
        pytest.skip("the official SDK, which has the lists, is not installed")
    return folder


def test_the_gpus_of_instance_types(shipped: Path) -> None:
    file = shipped / "instance_gpu_info.json"
    if not file.is_file():
        pytest.skip("this SDK does not have the list")
    counts = {kind: item["Count"] for region in json.loads(file.read_text()).values() for kind, item in region.items()}
    others = {kind: count for kind, count in counts.items() if kind not in MADE_UP}
    assert others == {kind: accelerators(kind) for kind in others}
    assert {accelerator(kind) for kind in others} == {"gpu"}


def test_the_repositories_of_frameworks(shipped: Path) -> None:
    data = "".join(file.read_text() for file in shipped.glob("*.json"))
    assert [name for name in FRAMEWORKS if f'"{name}"' not in data] == []
