"""Templates under judges that we did not write: cfn-lint, checkov, and what moto's CloudFormation makes of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from mlops.emit.stacks.nesting import nest, url
from mlops.emit.stacks.splitting import split
from tests.emit.foreign import NAMED, asked, wrong
from tests.emit.stacked import EXAMPLES, ROOT, STACKS, emitted, project
from tests.emit.templates import read

pytestmark = pytest.mark.proof("templates")
CORRECTED = sorted((ROOT / "tests" / "contract" / "seeds" / "templates").glob("*_corrected.yaml"))
SOUND = [*sorted(STACKS.glob("*.yaml")), *CORRECTED, ROOT / "tests" / "check" / "templates" / "sound.yaml"]
DEFINITIONS = sorted((ROOT / "tests" / "emit" / "definitions").glob("*.json"))
LISTED = {
    "CKV_AWS_370": "whether a model's containers reach the network is the author's to say; T045 tells it",
    "CKV_AWS_84": "a domain's logs go where its author says, and the example says nothing",
    "CKV_AWS_317": "the same of its audit log",
    "CKV2_AWS_68": "on `*` stand only calls for which IAM knows no resource, as the judge iam finds",
}
"""What checkov says of our templates, with the reason why that is so."""
SERVED = """
from mlops import resources

model = resources.Model("churn", image="111122223333.dkr.ecr.us-east-1.amazonaws.com/ours:1", model="s3://acme-ml-production/m.tar.gz")
config = resources.EndpointConfig(
    "churn", model=model.model_name, instance="ml.m5.large", count=4,
    capture=resources.Capture("s3://acme-ml-production/captured", percent=20),
)
resources.Endpoint("churn", config=config.config_name)
"""


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("stacks"))


@pytest.mark.parametrize("file", SOUND, ids=lambda file: file.name)
def test_cfn_lint_finds_no_error(file: Path) -> None:
    assert list(wrong(file.read_text())) == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_cfn_lint_finds_none_in_json(name: str, there: Path) -> None:
    assert list(wrong(emitted(there / EXAMPLES[name], chosen="json"))) == []


@pytest.mark.parametrize("file", DEFINITIONS, ids=lambda file: file.stem)
def test_definitions_of_others_are_sound_templates(file: Path, there: Path) -> None:
    (there / file.name).write_bytes(file.read_bytes())
    assert list(asked(there / file.name)) == []


def test_a_hundred_are_named() -> None:
    """They lie elsewhere; see :mod:`tests.emit.foreign`."""
    named = [line.split() for line in NAMED.read_text().splitlines()]
    assert len({name for name, _ in named}) == len(named) == 100


def test_the_types_are_those_of_cfn_lint() -> None:
    done = subprocess.run([sys.executable, "docs/write_cloudformation.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0


def test_checkov_says_only_what_is_listed() -> None:
    program = Path(os.environ["MLOPS_APART"]).with_name("checkov")
    done = subprocess.run(
        [str(program), "--skip-download", "--framework", "cloudformation", "-d", str(STACKS), "-o", "json", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)
    reports = found if isinstance(found, list) else [found]
    failed = {item["check_id"] for report in reports for item in report["results"]["failed_checks"]}
    assert failed == set(LISTED), done.stdout[-2000:]
    assert sum(report["summary"]["passed"] for report in reports) > 40


@pytest.fixture
def made(there: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Mapping[str, Any], Any]]:
    """The template's resources, and clients of an account of moto's where its stack is."""
    from moto import mock_aws

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("MOTO_ACCOUNT_ID", "111122223333")
    (there / "serving.py").write_text(SERVED)
    with mock_aws():
        found: dict[str, Any] = {}
        for file in ("serving.py", EXAMPLES["breast_cancer"]):
            text = emitted(there / file)
            # moto has no types for these, and takes them without a word.
            cloudformation = boto3.client("cloudformation", "us-east-1")
            cloudformation.create_stack(
                StackName=Path(file).parent.name or "serving",
                TemplateBody=text,
                Capabilities=["CAPABILITY_NAMED_IAM"],
                Parameters=[
                    {"ParameterKey": "CreateRole", "ParameterValue": "true" if file == "serving.py" else "false"}
                ],
            )
            found |= {f"{Path(file).stem}.{name}": item for name, item in read(text)["Resources"].items()}
        yield found, lambda service: boto3.client(service, "us-east-1")


def test_a_root_makes_what_one_template_makes(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In moto, two resources a stack; cfn-lint finds nothing in any of them. moto makes stacks below a root, and cannot
    tell their outputs."""
    from moto import mock_aws
    from moto.cloudformation.models import Stack

    def told(stack: Any, attribute: str) -> Any:
        return stack.output_map[attribute.removeprefix("Outputs.")].value

    monkeypatch.setattr(Stack, "get_cfn_attribute", told, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("MOTO_ACCOUNT_ID", "111122223333")
    (there / "serving.py").write_text(SERVED)
    text = emitted(there / "serving.py", chosen="json")
    whole = json.loads(text)
    parts = split(whole, "p", json.dumps, {"Resources": 2, "Outputs": 200, "Given": 200})
    nested = nest(whole, parts, url("acme-ml-production", "mlops/stacks"), json.dumps, "json")
    assert len(nested.below) > 2
    for template in (json.dumps(nested.root), *nested.below.values()):
        assert list(wrong(template)) == []
    found = []
    for template, below in ((text, {}), (json.dumps(nested.root), nested.below)):
        with mock_aws():
            s3 = boto3.client("s3", "us-east-1")
            s3.create_bucket(Bucket="acme-ml-production")
            for file, body in below.items():
                s3.put_object(Bucket="acme-ml-production", Key=f"mlops/stacks/{file}", Body=body.encode())
            boto3.client("cloudformation", "us-east-1").create_stack(
                StackName="serving", TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"]
            )
            found.append(_seen())
    assert found[0] == found[1] and all(found[0])


def _seen() -> list[Any]:
    """What there is, without the names and times that moto gives."""
    sagemaker, iam = (boto3.client(service, "us-east-1") for service in ("sagemaker", "iam"))
    (listed,) = sagemaker.list_endpoints()["Endpoints"]
    endpoint = sagemaker.describe_endpoint(EndpointName=listed["EndpointName"])
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    role = iam.get_role(RoleName="pipelines")["Role"]["AssumeRolePolicyDocument"]
    policies = [
        iam.get_role_policy(RoleName="pipelines", PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName="pipelines")["PolicyNames"]
    ]
    (variant,) = config["ProductionVariants"]
    return [
        {member: value for member, value in variant.items() if member != "ModelName"},
        {member: config[member] for member in ("DataCaptureConfig", "KmsKeyId")},
        {member: model[member] for member in ("PrimaryContainer", "VpcConfig", "ExecutionRoleArn")},
        endpoint["EndpointStatus"],
        role,
        policies,
    ]


def test_what_is_made_is_what_the_template_says(made: tuple[Mapping[str, Any], Any]) -> None:
    resources, client = made
    sagemaker, iam, events = client("sagemaker"), client("iam"), client("events")

    def properties(name: str) -> dict[str, Any]:
        return dict(resources[name]["Properties"])

    (listed,) = sagemaker.list_endpoints()["Endpoints"]  # moto gives it a name of its own
    endpoint = sagemaker.describe_endpoint(EndpointName=listed["EndpointName"])
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    said = properties("serving.EndpointConfigChurn")
    (variant,) = config["ProductionVariants"]
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    (told,) = said["ProductionVariants"]
    assert {**told, "ModelName": model["ModelName"]} == {member: variant[member] for member in told}
    assert told["ModelName"] == {"Fn::GetAtt": ["ModelChurn", "ModelName"]}
    assert {member: config["DataCaptureConfig"][member] for member in said["DataCaptureConfig"]} == said[
        "DataCaptureConfig"
    ]
    assert config["KmsKeyId"] == said["KmsKeyId"]
    for member in ("PrimaryContainer", "VpcConfig", "ExecutionRoleArn"):
        assert model[member] == properties("serving.ModelChurn")[member], member
    role = iam.get_role(RoleName="pipelines")["Role"]
    assert role["AssumeRolePolicyDocument"] == properties("serving.Role")["AssumeRolePolicyDocument"]
    assert role["Path"] == properties("serving.Role")["Path"]
    policy = iam.get_role_policy(RoleName="pipelines", PolicyName="mlops-serving")["PolicyDocument"]
    assert policy == properties("serving.RolePolicy")["PolicyDocument"]
    (attached,) = iam.list_attached_role_policies(RoleName="pipelines")["AttachedPolicies"]
    version = iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId="v1")["PolicyVersion"]
    assert version["Document"] == properties("pipeline.RolePolicyPart1")["PolicyDocument"]
    trigger = properties("pipeline.TriggerBreastCancerNewData")
    rule = events.describe_rule(Name="breast-cancer-new-data")
    assert json.loads(rule["EventPattern"]) == trigger["EventPattern"]
    assert rule["State"] == trigger["State"]
    (target,) = events.list_targets_by_rule(Rule="breast-cancer-new-data")["Targets"]
    assert target["Arn"] == "arn:aws:sagemaker:us-east-1:111122223333:pipeline/breast-cancer"
    assert target["RoleArn"] == trigger["Targets"][0]["RoleArn"]


def test_stacks_of_a_divided_template_are_sound_and_hold_together(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By fewer resources than CloudFormation takes, since all that it takes take minutes."""
    from moto import mock_aws

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    (there / "serving.py").write_text(SERVED)
    whole = json.loads(emitted(there / "serving.py", chosen="json"))
    parts = split(whole, "mlops-serving", json.dumps, {"Resources": 2, "Outputs": 200})
    assert len(parts) > 1
    with mock_aws():
        client = boto3.client("cloudformation", "us-east-1")
        for number, part in enumerate(parts):
            assert list(wrong(json.dumps(part))) == []
            client.create_stack(
                StackName=f"s{number}", TemplateBody=json.dumps(part), Capabilities=["CAPABILITY_NAMED_IAM"]
            )
        sagemaker = boto3.client("sagemaker", "us-east-1")
        (endpoint,) = sagemaker.list_endpoints()["Endpoints"]
        config = sagemaker.describe_endpoint(EndpointName=endpoint["EndpointName"])["EndpointConfigName"]
        (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
        model = sagemaker.describe_model(ModelName=variant["ModelName"])
    assert model["PrimaryContainer"] == whole["Resources"]["ModelChurn"]["Properties"]["PrimaryContainer"]
