"""Configurations under Terraform's own core, with a provider that has nothing but its schema."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from mlops.emit.terraform.configuration import Configuration
from mlops.ir import unheard
from mlops.use_cases.compile import compile_target
from tests.emit.stacked import CONFIGURATIONS, ENVIRONMENT, EXAMPLES, ROOT, emitted, project
from tests.emit.templates import read
from tests.emit.test_terraform import AROUND, KEPT, MISTAKES, SCALED, SEEDS, alarm, template

pytestmark = [pytest.mark.proof("terraform"), pytest.mark.xdist_group("terraform")]
VERSION = "arn:aws:sagemaker:us-east-1:111122223333:model-package/churn/3"
ODD = [
    "${a}",
    "%{ for x in y }",
    "$${a}",
    "$$${a}",
    "$",
    "$$",
    "%%{",
    'a "b" \\b\\ ',
    "\b\f\t\r\n",
    "ü\u2028😀",
    "$\u007b",
]
"""Texts that are themselves again."""
IMPLIED = {"KinesisStreamAsSource"}
"""By a block that is there."""


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("configurations"))


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Answers of Terraform to documents: what it says of each, or what it plans where there are variables. One process
    is the provider of all of them, which Terraform is told by its variable for that."""
    home, python = tmp_path_factory.mktemp("terraform"), os.environ["MLOPS_APART"]
    environment = {
        **os.environ,
        "HOME": str(home),
        "TMPDIR": str(home),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "CHECKPOINT_DISABLE": "1",
    }
    command = [python, "-m", "tests.emit.schema_only_provider", "--dev"]
    provider = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    assert provider.stdout is not None
    told = next(found for line in provider.stdout if (found := re.search(r"TF_REATTACH_PROVIDERS='(.*)'", line)))
    environment["TF_REATTACH_PROVIDERS"] = told[1]

    def asked(documents: Sequence[Mapping[str, Any]], variables: Mapping[str, str] | None = None) -> list[Any]:
        questions = []
        for document in documents:
            folder = home / f"asked-{len(list(home.iterdir()))}"
            folder.mkdir()
            (folder / "main.tf.json").write_text(json.dumps(document))
            questions.append({"folder": str(folder), **({} if variables is None else {"variables": dict(variables)})})
        done = subprocess.run(
            [python, "-m", "tests.emit.terraform_core"],
            input=json.dumps(questions), env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        return [json.loads(line) for line in done.stdout.splitlines()]

    yield asked
    provider.send_signal(signal.SIGINT)
    provider.communicate(timeout=120)


def golden(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CONFIGURATIONS / f"{name}.tf.json").read_text())
    return found


def test_terraform_finds_nothing(core: Any, there: Path) -> None:
    declared = []
    for name, text in {"kept": KEPT, "scaled": SCALED}.items():
        (there / f"{name}.py").write_text(text)
        declared.append(json.loads(emitted(there / f"{name}.py", "terraform")))
    seeds = [Configuration(read(file.read_text()), AROUND, "").written().document for file in SEEDS]
    documents = [*map(golden, EXAMPLES), *declared, *seeds]
    assert core(documents) == [[] for _ in documents]


def test_it_refuses_each_planted_mistake(core: Any) -> None:
    documents = []
    for change, _ in MISTAKES.values():
        document = golden("served")
        change(document)
        documents.append(document)
    said = dict(zip(MISTAKES, (" ".join(faults) for faults in core(documents)), strict=True))
    for name, expected in {
        "an unknown argument": "Extraneous JSON object property",
        "another type": "map of string required",
        "a missing argument": '"execution_role_arn" is required',
        "a reference to nothing": "Reference to undeclared resource",
        "an attribute that there is not": "Unsupported attribute",
    }.items():
        assert expected in said[name], said[name]
    assert said.keys() == MISTAKES.keys()


def test_the_body_that_it_plans_is_what_compile_writes(core: Any, there: Path) -> None:
    names = [name for name in EXAMPLES if name not in ("served", "beside")]
    for name, planned in zip(names, core(list(map(golden, names)), {}), strict=True):
        (compiled,) = compile_target(str(there / EXAMPLES[name]), ENVIRONMENT, unheard)
        assert planned["aws_sagemaker_pipeline.pipeline"]["pipeline_definition"] == compiled.text


def leaves(value: Any) -> set[str]:
    """What is said, whatever it is called and wherever it stands; JSON texts by what is in them. Keys are said, too:
    tags are a list in a template and a map in Terraform."""
    match value:
        case {"Ref": _} | {"Fn::GetAtt": _} | {"Fn::If": _} | {"Fn::Sub": _}:
            return set()
        case {"Fn::Join": [str(between), list(pieces)]}:
            # The text that it becomes, whatever is referred to.
            return leaves(between.join(piece if isinstance(piece, str) else "?" for piece in pieces)) - {"?"}
        case Mapping():
            return {*map(str, value)}.union(*map(leaves, value.values()))
        case list():
            return set().union(*map(leaves, value))
        case str() if value.startswith("{"):
            with contextlib.suppress(ValueError):
                return leaves(json.loads(value))
    return {str(value)}


def members_of(value: Any) -> set[str]:
    match value:
        case Mapping():
            return {*value}.union(*map(members_of, value.values()))
        case list():
            return set().union(*map(members_of, value))
    return set()


@pytest.mark.parametrize("name", ["served", "beside"])
def test_all_that_a_template_says_is_planned(name: str, core: Any, there: Path) -> None:
    resources = read(emitted(there / EXAMPLES[name]))["Resources"]
    (planned,) = core([golden(name)], {"model_package_churn": VERSION} if name == "served" else {})
    members = {member for item in resources.values() for member in members_of(item["Properties"])}
    said = leaves([item["Properties"] for item in resources.values()]) - members
    assert said - leaves(planned) <= IMPLIED


def test_a_text_is_the_same_one(core: Any) -> None:
    alarms = {f"A{number}": alarm(AlarmName=f"a{number}", AlarmDescription=text) for number, text in enumerate(ODD)}
    joined = {
        f"J{number}": alarm(AlarmName=f"j{number}", AlarmDescription={"Fn::Join": ["", [text]]})
        for number, text in enumerate(ODD)
    }
    document = Configuration(template(None, **alarms, **joined), AROUND, "").written().document
    (planned,) = core([document], {})
    for letter in ("a", "j"):
        found = [
            planned[f"aws_cloudwatch_metric_alarm.{letter}{number}"]["alarm_description"] for number in range(len(ODD))
        ]
        assert found == ODD


def test_another_account_is_refused(core: Any) -> None:
    document = golden("served")
    wanted = json.dumps(document["data"]).replace("111122223333", "444455556666")
    (planned,) = core([{**document, "data": json.loads(wanted)}], {"model_package_churn": VERSION})
    assert "This is for 444455556666" in planned["error"]


def test_a_role_that_is_there_is_not_made(core: Any) -> None:
    (planned,) = core([golden("wine")], {"create_role": "false", "create_model_package_groups": "false"})
    assert [address for address in planned if address.startswith("aws_iam_role.")] == []
    assert planned["aws_sagemaker_pipeline.pipeline"]["role_arn"] == "arn:aws:iam::111122223333:role/ml/pipelines"
    assert planned["aws_iam_role_policy.role_policy"]["role"] == "pipelines"


def test_the_types_are_those_of_the_provider() -> None:
    done = subprocess.run([sys.executable, "docs/write_terraform.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0
