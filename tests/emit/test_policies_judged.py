"""Policies of roles under an evaluator that is not ours: all that a run does, and what the guide lists for what never
happens here, is allowed; without any one action something of it is not; what lies beside it is denied."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops.check import step_types
from mlops.emit.policies.execution import execution_needs
from mlops.emit.policies.statements import policy
from mlops.ir import Checked
from mlops.ir.reader import read
from mlops.ir.surroundings import Surroundings
from tests.emit.delivery_needs import STREAMS, delivering
from tests.emit.recorded_run import ran
from tests.emit.refused_requests import refused
from tests.emit.service_needs import needs, of_document
from tests.emit.simulated import Judged, Request, Verdict, verdicts
from tests.emit.stacked import EXAMPLES, ROOT, STACKS, emitted, project
from tests.emit.templates import read as read_template

pytestmark = [pytest.mark.proof("iam"), pytest.mark.xdist_group("iam")]
ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ml/pipelines"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
AROUND = Surroundings("production", "us-east-1", ROLE, "ours", prefix="ml")
DEFINITIONS = sorted((ROOT / "tests" / "emit" / "definitions").glob("*.json"))


def arn(place: str) -> str:
    return f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:{place}"


NETWORK = {
    "Subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    "SecurityGroupIds": ["sg-0123456789abcdef0"],
}
DECIPHERED = Request("kms:Decrypt", KEY, {}, "what the environment's key enciphered")
NOTEBOOK = """
from mlops import resources
setup = resources.NotebookInstanceLifecycleConfig("setup", idle_stop=60, sync="s3://acme-ml-production/notebooks")
resources.NotebookInstance("research", instance="ml.t3.medium", lifecycle=setup.lifecycle_config_name)
"""
RESTART = """
from mlops import resources
resources.NotebookRestart("patches", notebook="research", when="cron(0 3 ? * SUN *)")
"""


def steps(found: list[Any]) -> Iterator[Any]:
    """Those that do something themselves, however deep."""
    for step in found:
        asked = step.get("Arguments")
        blocks = ("IfSteps", "ElseSteps", "ForEachBody") if isinstance(asked, dict) else ()
        inner = [item for block in blocks for item in asked.get(block) or ()]
        yield from steps(inner) if inner else [step]


def alone() -> Iterator[tuple[str, Judged]]:
    """Each step of the definitions of others without its neighbours, whose actions would stand for its own."""
    for file in DEFINITIONS:
        document = json.loads(file.read_text())
        for step in steps(document["Steps"]):
            lone = {name: value for name, value in step.items() if name != "DependsOn"}
            text = json.dumps({**document, "Steps": [lone]})
            definition, _ = read(text, "p")
            assert definition is not None
            checked = Checked(replace(definition, name="p"), (), step_types(), {}, ())
            found = policy(execution_needs(checked, AROUND)).document
            if found["Statement"]:
                asked = tuple(of_document(text))
                wide = () if '"Subnets": [{' not in text else ("ec2:CreateNetworkInterface",)
                yield f"{file.stem}: {step['Name']}", Judged(found, asked, refused(asked, wide))


def of_resources(there: Path) -> Iterator[tuple[str, Judged]]:
    """What a file declares, as the role that it names. Who makes it is another one, and asks for that as himself."""
    serving = (
        *needs("Model", "churn-0a1b", {"PrimaryContainer": MODEL, "VpcConfig": NETWORK}),
        *needs("EndpointConfig", "churn-0a1b", {"DataCaptureConfig": CAPTURE, "KmsKeyId": KEY}),
    )
    at = {"KmsKeyId": KEY, "VpcConfig": {**NETWORK, "Subnets": NETWORK["Subnets"][:1]}}
    stops = Request("sagemaker:StopNotebookInstance", arn("notebook-instance/research"), {}, "an idle notebook")
    starts = Request("sagemaker:StartNotebookInstance", arn("notebook-instance/research"), {}, "a restart")
    files = "arn:aws:s3:::acme-ml-production/notebooks/research/a.ipynb"
    synced = (
        Request("s3:GetObject", files, {}, "files come back"),
        Request("s3:PutObject", files, {}, "files are kept"),
        Request("s3:ListBucket", files.split("/")[0], {"s3:prefix": "notebooks/research/"}, "which there are"),
        *(Request(f"kms:{verb}", KEY, {}, "files are kept") for verb in ("Decrypt", "GenerateDataKey")),
    )
    for name, text, asked, wide in (
        ("served", None, (*as_role(serving), DECIPHERED), PULLED),
        ("a notebook", NOTEBOOK, (*as_role(needs("NotebookInstance", "research", at)), stops, *synced), ()),
        ("a restart", RESTART, (starts, stops), ()),
    ):
        file = there / "served.py" if text is None else there / "declared.py"
        if text is not None:
            file.write_text(text)
        yield name, Judged(json.loads(emitted(file, "iam-policy")), asked, refused(asked, wide))
    for name, text in STREAMS.items():
        (there / "stream.py").write_text(text)
        asked = tuple(delivering(name))
        found = json.loads(emitted(there / "stream.py", "iam-policy", "delivery"))
        yield f"a stream: {name}", Judged(found, asked, refused(asked))


MODEL = {
    "Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1",
    "ModelDataUrl": "s3://acme-ml-production/mlops/churn/Train/x/output/model.tar.gz",
}
PULLED = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
"""Whose image the version has that serves is not known before."""
CAPTURE = {"DestinationS3Uri": "s3://acme-ml-production/captured", "KmsKeyId": KEY}


SCHEDULED = {
    "breast_cancer": (Request("sagemaker:StartPipelineExecution", arn("pipeline/breast-cancer"), {}, "the schedule"),)
}


def as_role(requests: Any) -> tuple[Request, ...]:
    return tuple(item for item in requests if not item.action.startswith(("sagemaker:", "iam:")))


def of_runs(beside: Path) -> Iterator[tuple[str, Judged]]:
    for name in ("breast_cancer", "diabetes", "wine"):
        there = project(beside / name)
        asked = (*ran(there, name), *SCHEDULED.get(name, ()), DECIPHERED)
        found = json.loads(emitted(there / EXAMPLES[name], "iam-policy"))
        yield f"a run of {name}", Judged(found, asked, refused(asked))


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Judged]:
    there = project(tmp_path_factory.mktemp("policies"))
    return {**dict(alone()), **dict(of_resources(there)), **dict(of_runs(there.parent / "runs"))}


@pytest.fixture(scope="module")
def judged(cases: Mapping[str, Judged]) -> Mapping[str, Verdict]:
    return verdicts(cases, ROLE)


def told(judged: Mapping[str, Verdict], what: str) -> str:
    return "\n".join(f"{name}: {line}" for name, verdict in judged.items() for line in getattr(verdict, what))


def test_all_that_is_done_is_allowed(cases: Mapping[str, Judged], judged: Mapping[str, Verdict]) -> None:
    assert not told(judged, "denied")
    assert sum(len(case.requests) for case in cases.values()) > 800


def test_without_any_one_action_something_is_not(judged: Mapping[str, Verdict]) -> None:
    assert not told(judged, "needless")


def test_what_lies_beside_it_is_denied(cases: Mapping[str, Judged], judged: Mapping[str, Verdict]) -> None:
    assert not told(judged, "allowed")
    assert sum(len(case.refused) for case in cases.values()) > 1500


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes", "wine"])
def test_the_template_gives_the_role_the_same_policy(name: str, tmp_path: Path) -> None:
    resources = read_template((STACKS / f"{name}.yaml").read_text())["Resources"]
    parts = [told["Properties"]["PolicyDocument"] for id_, told in resources.items() if id_.startswith("RolePolicy")]
    whole = json.loads(emitted(project(tmp_path) / EXAMPLES[name], "iam-policy"))
    assert [statement for part in parts for statement in part["Statement"]] == whole["Statement"]


def test_the_evaluator_says_no_to_what_it_should() -> None:
    """It is asked of what this project decides: resources, conditions, whom a role is passed to, keys."""
    whole = {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "A", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::a/x*"]},
            {"Sid": "B", "Effect": "Allow", "Action": ["iam:PassRole"], "Resource": [ROLE],
             "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}},
        ],
    }  # fmt: skip
    passed = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    asked = (Request("s3:GetObject", "arn:aws:s3:::a/xy"), Request("iam:PassRole", ROLE, passed))
    wrong = (Request("s3:GetObject", "arn:aws:s3:::a/y"), Request("iam:PassRole", ROLE, {}))
    found = verdicts({"right": Judged(whole, asked, wrong), "wrong": Judged(whole, wrong, asked)}, ROLE)
    assert found["right"] == Verdict([], [], [])
    assert [len(found["wrong"].denied), len(found["wrong"].allowed)] == [2, 2]
    assert found["wrong"].needless == []
    assert verdicts({"less": Judged(whole, asked[:1], ())}, ROLE)["less"].needless == ["B iam:PassRole"]
