"""The documents' templates, byte for byte: what is wrong with each is told, and the corrected ones are sound."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops.check.templates.judging import judge
from mlops.ir import Severity

SEEDS = Path(__file__).with_name("seeds") / "templates"
FRAGMENT = {"T002"}
TOLD: dict[str, set[str]] = {
    "notebook.yaml": {"T010", "T064", "T067"},
    "lifecycle.yaml": {"T002", "T068"},
    "environments.yaml": {"T006", "T010", "T011", "T021", "T063"},
    "conditional.yaml": {"T010", "T021", "T023", "T063"},
    # Sound where they belong.
    "notebook_network.yaml": FRAGMENT,
    "notebook_key.yaml": FRAGMENT,
    "notebook_role.yaml": FRAGMENT,
    "notebook_groups.yaml": FRAGMENT,
    "isolation.yaml": FRAGMENT,
    "model_network.yaml": FRAGMENT,
    "model_role.yaml": FRAGMENT,
    "model.yaml": {"T010", "T045", "T046", "T047"},
    "line.yaml": {"T002", "T010", "T043", "T045", "T046"},
    "many_models.yaml": {"T002", "T010", "T045", "T046", "T047"},
    "network.yaml": {"T002", "T010", "T043", "T046"},
    "versions.yaml": {"T042", "T043", "T045", "T046"},
    # Comments alone.
    "encryption.yaml": {"T001"},
    "pipeline.yaml": {"T010", "T022", "T030"},
}
CORRECTED = sorted(path.name for path in SEEDS.glob("*_corrected.yaml"))


@pytest.mark.parametrize("name", TOLD)
def test_what_is_wrong_with_a_template_is_told(name: str) -> None:
    found = judge((SEEDS / name).read_bytes(), name)
    assert {finding.code for finding in found} == TOLD[name], found


@pytest.mark.parametrize("name", CORRECTED)
def test_of_a_corrected_template_nothing_is_said(name: str) -> None:
    assert judge((SEEDS / name).read_bytes(), name) == ()


def test_none_is_left_out() -> None:
    assert {path.name for path in SEEDS.iterdir()} == {*TOLD, *CORRECTED}


def test_the_script_behind_base64_is_right() -> None:
    """A literal behind the tag is its argument."""
    found = judge((SEEDS / "lifecycle.yaml").read_bytes(), "lifecycle.yaml")
    assert not [finding for finding in found if finding.code in ("T060", "T061")]
    assert [finding.severity for finding in found if finding.code == "T068"] == [Severity.WARNING]


TWINS = {
    "notebook.yaml": ("notebook_corrected.yaml", "Git and packages"),
    "lifecycle.yaml": ("notebook_corrected.yaml", "set -e\n            source activate python3"),
    "environments.yaml": ("environments_corrected.yaml", "FindInMap [InstanceTypeMap"),
    "conditional.yaml": ("environments_corrected.yaml", "Condition: IsProductionEnvironment"),
    "model.yaml": ("model_corrected.yaml", "SAGEMAKER_MODEL_SERVER_TIMEOUT"),
    "network.yaml": ("model_corrected.yaml", "Subnets:\n          - !Ref Subnet"),
    "versions.yaml": ("model_corrected.yaml", "- IsVersionTwo\n          - !Sub s3://${Bucket}/v2"),
    "line.yaml": ("line_corrected.yaml", "@sha256:"),
    "many_models.yaml": ("many_models_corrected.yaml", "SAGEMAKER_MULTI_MODEL_UNIVERSAL_BUCKET"),
    "encryption.yaml": ("encryption_corrected.yaml", "aws:SecureTransport"),
    "pipeline.yaml": ("pipeline_corrected.yaml", '"Type": "Condition"'),
}
"""What is wrong as it stands, the corrected one, and the words there that correct it."""


def test_each_that_is_wrong_is_corrected_somewhere() -> None:
    assert set(TWINS) == {name for name, codes in TOLD.items() if codes != FRAGMENT}
    lacking = [name for name, (twin, words) in TWINS.items() if words not in (SEEDS / twin).read_text()]
    assert lacking == []
