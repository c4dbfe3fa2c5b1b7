"""Every emit target is a command, found by its file, and is given what it asks for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command_line import ROOT, in_this_process

from mlops.emit import targets
from mlops.ir.discovery import modules
from mlops.ir.surroundings import Start
from mlops.project.environments import read_project
from mlops.project.surroundings import surroundings

TARGETS = modules(targets)
PIPELINE = """from mlops import Callback, Fail, Pipeline

with Pipeline("waits"):
    Fail("Never", "no", after=[Callback("Ask", queue="https://sqs.eu-west-1.amazonaws.com/111122223333/q")])
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mlops.toml").write_text(
        """[env.prod]
account = "111122223333"
region = "eu-west-1"
role = "arn:aws:iam::111122223333:role/pipelines"
bucket = "ours"
"""
    )
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", list(TARGETS))
def test_a_target_is_a_command_and_tells_of_itself(name: str, project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    mlops = in_this_process(capfd)
    target = TARGETS[name].load().TARGET
    assert target.help.endswith(".")
    assert mlops("emit", name, "pipeline.py", "--env", "prod").out.strip()
    if target.of_an_account:
        assert "--env" in mlops("emit", name, "pipeline.py", code=2).err


def test_the_definition_and_the_outline_are_those_of_their_own_commands(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mlops = in_this_process(capfd)
    for emitted, own in (
        (("definition-json", "pipeline.py"), ("compile", "pipeline.py", "-o", "-")),
        (("outline", "pipeline.py"), ("show", "pipeline.py")),
    ):
        assert mlops("emit", *emitted).out == mlops(*own).out


def test_what_does_not_emit_loads_no_targets(project: Path) -> None:
    script = (
        "import sys; from mlops.cli import main\n"
        "main(sys.argv[1:])\n"
        "print([name for name in sys.modules if name.startswith('mlops.emit.targets.')], file=sys.stderr)\n"
    )
    for words, loaded in (
        (["--help"], []),
        (["emit", "outline", "pipeline.py"], ["mlops.emit.targets.outline"]),
        (["compile", "pipeline.py", "-o", "-"], ["mlops.emit.targets.definition_json"]),
    ):
        done = subprocess.run(
            [sys.executable, "-c", script, *words], cwd=project, env={"PYTHONPATH": str(ROOT)}, capture_output=True,
            text=True, check=True,
        )  # fmt: skip
        assert done.stderr.splitlines()[-1] == str(loaded)


def test_a_target_reads_what_lies_around(tmp_path: Path) -> None:
    (tmp_path / "mlops.toml").write_text(
        """
[env.prod]
account = "111122223333"
region = "eu-west-1"
role = "arn:aws:iam::111122223333:role/pipelines"
bucket = "ours"
tags = { team = "growth" }
subnets = ["subnet-1"]

[env.prod.schedules.nightly]
pipeline = "waits"
expression = "rate(1 day)"

[env.prod.triggers.new-data]
pipeline = "waits"
role = "arn:aws:iam::111122223333:role/events"
event = { source = ["aws.s3"] }

[env.prod.triggers.another]
pipeline = "other"
event = { source = ["aws.s3"] }
"""
    )
    found = surroundings(read_project(tmp_path).environment("prod"))
    assert (found.account, found.partition, found.tags, found.subnets) == (
        "111122223333", "aws", {"team": "growth"}, ("subnet-1",)
    )  # fmt: skip
    assert found.starts("waits") == (
        Start("nightly", "waits", "arn:aws:iam::111122223333:role/pipelines", expression="rate(1 day)"),
        Start("new-data", "waits", "arn:aws:iam::111122223333:role/events", event={"source": ["aws.s3"]}),
    )
    assert found.starts("nobody") == ()
