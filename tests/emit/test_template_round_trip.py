"""What is imported from a template is emitted as it was, and what is not is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emit.round_trip import there_and_back
from tests.emit.stacked import STACKS

HERE = Path(__file__).parent
SEEDS = HERE.parent / "contract" / "seeds" / "templates"
VERSION = "arn:aws:sagemaker:us-east-1:111122223333:model-package/churn/3"
NETWORK = {"Subnet": "subnet-0a1b2c3d", "SecurityGroup": "sg-0a1b2c3d"}
GIVEN = {
    "served": {"ModelPackageChurn": VERSION},
    **dict.fromkeys(("sound", "model_corrected", "notebook_corrected", "environments_corrected"), NETWORK),
}
FILES = [
    *sorted(STACKS.glob("*.yaml")),
    HERE.parent / "check" / "templates" / "sound.yaml",
    *sorted(SEEDS.glob("*_corrected.yaml")),
]


@pytest.mark.parametrize("file", [pytest.param(file, id=file.stem) for file in FILES])
def test_a_template_comes_back_member_by_member(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trip = there_and_back(file, tmp_path, monkeypatch, GIVEN.get(file.stem, {}))
    assert not trip.untold, (trip.untold, trip.text)
