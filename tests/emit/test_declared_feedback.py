"""Feedback that Python declares is emitted as the table of mlops.toml is: to the letter."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops.ir import unheard
from mlops.project.environments import read_project
from mlops.use_cases import feedback
from mlops.use_cases.bootstrap import Bootstrap
from mlops.use_cases.bootstrap import emitted as bootstrapped
from mlops.use_cases.connecting import connect_here
from mlops.use_cases.emit import emit
from tests.emit.stacked import FOUND

TOML = """
[env.prod]
account = "111122223333"
region = "eu-west-1"
role = "arn:aws:iam::111122223333:role/pipelines"
bucket = "acme-ml"
[env.prod.notify]
sns = "arn:aws:sns:eu-west-1:111122223333:people"
"""
TABLE = """
[env.prod.feedback.drift]
alarm = "churn-drift"
pipeline = "churn"
endpoint = "churn"
rollback = true
approval = ["start"]
parameters = { Since = "{since}", Deep = true }
"""
FILE = """
from mlops import Fail, Pipeline, resources
with Pipeline("churn") as pipeline:
    pipeline.string("Since", default="")
    pipeline.boolean("Deep", default=False)
    Fail("Stop", "it is enough")
drift = resources.Alarm(
    "churn-drift", metric=resources.Metric("shop", "drift"), statistic="Maximum", period=60,
    comparison="GreaterThanThreshold", threshold=0.2,
)
"""
PYTHON = """
resources.Feedback(
    "drift", alarm=drift.alarm_name, pipeline="churn", endpoint="churn", rollback=True, approval=["start"],
    parameters={"Since": "{since}", "Deep": True},
)
"""
WRITTEN = [
    ("cloudformation", "json"),
    ("terraform", None),
    ("iam-policy", "execution"),
    ("iam-policy", "deployer"),
    ("iam-policy", "trust"),
]


def projects(folder: Path) -> tuple[Path, Path]:
    """The pipeline's file of one that declares it in a table, and of one that does in Python."""
    made = []
    for name, toml, file in (("table", TOML + TABLE, FILE), ("python", TOML, FILE + PYTHON)):
        there = folder / name
        (there / "pipelines").mkdir(parents=True)
        (there / "mlops.toml").write_text(toml)
        (there / "pipelines" / "churn.py").write_text(file)
        made.append(there / "pipelines" / "churn.py")
    return made[0], made[1]


@pytest.mark.parametrize(("target", "chosen"), WRITTEN)
def test_it_is_the_same_in_python(tmp_path: Path, target: str, chosen: str | None) -> None:
    of_the_table, of_python = (
        emit(FOUND[target], str(file), "prod", unheard, chosen).text for file in projects(tmp_path)
    )
    assert of_python == of_the_table
    assert {"terraform": "aws_sfn_state_machine", "cloudformation": "AWS::StepFunctions::StateMachine"}.get(
        target, "states"
    ) in of_python


def test_of_a_file_that_is_closed_in_it_is_the_same(tmp_path: Path) -> None:
    """Its declarations come from another process, as documents."""
    files = projects(tmp_path)
    for file in files:
        file.write_text("import platform\nplatform.node()\n" + file.read_text())
    of_the_table, of_python = (emit(FOUND["cloudformation"], str(file), "prod", unheard, "json").text for file in files)
    assert of_python == of_the_table
    assert "AWS::StepFunctions::StateMachine" in of_python


def test_it_is_listed_without_an_upsert(tmp_path: Path) -> None:
    found = [feedback.declared(connect_here("prod", read_project(file.parent.parent))) for file in projects(tmp_path)]
    of_the_table, of_python = ({name: item.model_dump() for name, item in each.items()} for each in found)
    assert of_python == of_the_table and [*of_python] == ["drift"]


def test_roles_that_an_account_begins_with_may_do_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for file in projects(tmp_path):
        monkeypatch.chdir(file.parent.parent)
        made.append(bootstrapped(Bootstrap("prod", (str(file),)), FOUND["cloudformation"], unheard))
    assert made[1] == made[0]
    assert "states.amazonaws.com" in made[1] and "states:StartExecution" in made[1]
