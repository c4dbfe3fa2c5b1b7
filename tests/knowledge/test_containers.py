"""The data files of containers hold together, and the accounts are those that the official SDK knows."""

from __future__ import annotations

import json
import re

import pytest

from mlops.knowledge.containers import contract, names
from mlops.project.images import sdk_data_folder

every_container = pytest.mark.parametrize("name", names())
SDK_FILES = {
    "sagemaker-clarify-processing": "clarify",
    "sagemaker-data-wrangler-container": "data-wrangler",
    "sagemaker-debugger-rules": "debugger",
    "sagemaker-model-monitor-analyzer": "model-monitor",
    "sagemaker-spark-processing": "spark",
}


def test_a_repository_that_is_none_has_no_contract() -> None:
    assert contract("sagemaker-scikit-learn") is None


@every_container
def test_what_a_file_says_is_whole(name: str) -> None:
    found = contract(name)
    assert found is not None
    assert found.source
    assert all(re.fullmatch(r"\d{12}", account) for account in found.accounts.values())
    assert all(re.fullmatch(r"[a-z0-9-]+-\d", region) for region in found.accounts)
    assert set(found.steps) <= {"QualityCheck", "ClarifyCheck"}
    program = found.program
    assert program is None or set(program.files) <= set(program.options)


@every_container
def test_the_accounts_are_the_sdks(name: str) -> None:
    folder, found = sdk_data_folder(), contract(name)
    if folder is None:
        pytest.skip("the official SDK, which has the accounts, is not installed")
    written = (folder / f"{SDK_FILES[name]}.json").read_text(encoding="utf-8")
    registries = re.findall(r'"registries": (\{[^}]*\})', written)
    assert found is not None
    assert registries
    for one in registries:
        assert json.loads(one).items() <= found.accounts.items()
