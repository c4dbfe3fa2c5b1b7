"""Secrets, parameters, repositories and rules as all accounts answer them."""

from __future__ import annotations

import json
import stat
import time
import uuid
from pathlib import Path
from threading import Thread
from typing import Any
from unittest.mock import Mock

import pytest
from account_definitions import ROLE, document, processing
from botocore.exceptions import ClientError

from mlops.account import Account
from mlops.account.local import LocalAccount, kept_values
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.services.ssm.parameters import put_parameter


def refused(code: str, said: str = "") -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\).*{said}")


def test_a_secret_has_versions_of_which_one_is_current(account: Account) -> None:
    secrets = account.client("secretsmanager")
    name, first, second = f"team/db-{uuid.uuid4().hex[:8]}", str(uuid.uuid4()), str(uuid.uuid4())
    made = secrets.create_secret(Name=name, SecretString="one", ClientRequestToken=first, Description="some")
    assert made["VersionId"] == first and made["ARN"].rpartition(":")[2].startswith(f"{name}-")
    with refused("ResourceExistsException"):
        secrets.create_secret(Name=name, SecretString="other")
    for asked in (name, made["ARN"], made["ARN"][:-7]):
        assert secrets.get_secret_value(SecretId=asked)["SecretString"] == "one"
    for _ in range(2):
        told = secrets.put_secret_value(SecretId=name, SecretBinary=b"\0two", ClientRequestToken=second)
        assert (told["VersionId"], told["VersionStages"]) == (second, ["AWSCURRENT"])
    with refused("ResourceExistsException"):
        secrets.put_secret_value(SecretId=name, SecretString="three", ClientRequestToken=second)
    found = secrets.get_secret_value(SecretId=name)
    assert (found["SecretBinary"], found["VersionId"], found.get("SecretString")) == (b"\0two", second, None)
    assert secrets.get_secret_value(SecretId=name, VersionStage="AWSPREVIOUS")["SecretString"] == "one"
    assert secrets.get_secret_value(SecretId=name, VersionId=first)["SecretString"] == "one"
    described = secrets.describe_secret(SecretId=name)
    assert described["VersionIdsToStages"] == {first: ["AWSPREVIOUS"], second: ["AWSCURRENT"]}
    assert described["Description"] == "some"
    assert name in [item["Name"] for item in secrets.list_secrets()["SecretList"]]
    for wrong in ({"SecretId": "none"}, {"SecretId": name, "VersionStage": "NONE"}):
        with refused("ResourceNotFoundException"):
            secrets.get_secret_value(**wrong)
    secrets.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    with refused("InvalidRequestException", "marked"):
        secrets.get_secret_value(SecretId=name)
    assert name not in [item["Name"] for item in secrets.list_secrets()["SecretList"]]
    secrets.restore_secret(SecretId=name)
    secrets.update_secret(SecretId=name, SecretString="four")
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "four"
    secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    with refused("ResourceNotFoundException"):
        secrets.describe_secret(SecretId=name)


def test_secrets_are_found_by_the_beginnings_of_their_names(account: Account) -> None:
    secrets, root = account.client("secretsmanager"), f"root-{uuid.uuid4().hex[:8]}"
    for name in ("a", "b", "c"):
        secrets.create_secret(Name=f"{root}/{name}", SecretString="one")
    account.client("ecr").create_repository(repositoryName=f"{root}/b")
    asked = [{"Key": "name", "Values": [f"{root}/a", f"{root}/b"]}]
    found = [item["Name"] for item in secrets.list_secrets(Filters=asked)["SecretList"]]
    assert sorted(found) == [f"{root}/a", f"{root}/b"], "and nothing else of that name"


def test_a_parameter_is_put_read_and_removed(account: Account) -> None:
    ssm = account.client("ssm")
    root = f"/team-{uuid.uuid4().hex[:8]}"
    assert ssm.put_parameter(Name=f"{root}/url", Value="one", Type="String")["Version"] == 1
    with refused("ParameterAlreadyExists"):
        ssm.put_parameter(Name=f"{root}/url", Value="two", Type="String")
    assert ssm.put_parameter(Name=f"{root}/url", Value="two", Type="String", Overwrite=True)["Version"] == 2
    ssm.put_parameter(Name=f"{root}/deep/word", Value="hidden", Type="SecureString")
    found = ssm.get_parameter(Name=f"{root}/url")["Parameter"]
    assert (found["Value"], found["Version"], found["Type"]) == ("two", 2, "String")
    assert found["ARN"].endswith(f":parameter{root}/url")
    assert ssm.get_parameter(Name=f"{root}/deep/word", WithDecryption=True)["Parameter"]["Value"] == "hidden"
    assert ssm.get_parameter(Name=f"{root}/deep/word")["Parameter"]["Value"] != "hidden"
    told = ssm.get_parameters(Names=[f"{root}/url", f"{root}/none"])
    assert ([item["Value"] for item in told["Parameters"]], told["InvalidParameters"]) == (["two"], [f"{root}/none"])
    by_path = [item["Name"] for item in ssm.get_parameters_by_path(Path=root)["Parameters"]]
    assert by_path == [f"{root}/url"]
    assert len(ssm.get_parameters_by_path(Path=f"{root}/", Recursive=True)["Parameters"]) == 2
    ssm.delete_parameter(Name=f"{root}/url")
    for call in (ssm.get_parameter, ssm.delete_parameter):
        with refused("ParameterNotFound"):
            call(Name=f"{root}/url")


def test_a_repository_is_made_found_and_removed(account: Account) -> None:
    ecr = account.client("ecr")
    name = f"steps-{uuid.uuid4().hex[:8]}"
    with refused("RepositoryNotFoundException"):
        ecr.describe_repositories(repositoryNames=[name])
    made = ecr.create_repository(repositoryName=name)["repository"]
    assert made["repositoryUri"].endswith(f".dkr.ecr.us-east-1.amazonaws.com/{name}")
    with refused("RepositoryAlreadyExistsException"):
        ecr.create_repository(repositoryName=name)
    assert (
        ecr.describe_repositories(repositoryNames=[name])["repositories"][0]["repositoryArn"] == (made["repositoryArn"])
    )
    assert ecr.describe_images(repositoryName=name)["imageDetails"] == []
    with refused("ImageNotFoundException"):
        ecr.describe_images(repositoryName=name, imageIds=[{"imageTag": "1"}])
    assert ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    ecr.delete_repository(repositoryName=name)
    with refused("RepositoryNotFoundException"):
        ecr.describe_images(repositoryName=name)


PATTERN = json.dumps({"source": ["aws.sagemaker"]})


def test_a_rule_aims_at_its_targets(account: Account) -> None:
    events = account.client("events")
    name = f"rule-{uuid.uuid4().hex[:8]}"
    assert events.put_rule(Name=name, EventPattern=PATTERN)["RuleArn"].endswith(f":rule/{name}")
    target = {"Id": "1", "Arn": "arn:aws:sqs:us-east-1:123456789012:q"}
    assert events.put_targets(Rule=name, Targets=[target])["FailedEntryCount"] == 0
    events.put_rule(Name=name, EventPattern=PATTERN, Description="some")
    assert events.list_targets_by_rule(Rule=name)["Targets"] == [target], "who puts a rule again keeps its targets"
    events.disable_rule(Name=name)
    found = events.describe_rule(Name=name)
    assert (found["State"], found["EventPattern"], found["Description"]) == ("DISABLED", PATTERN, "some")
    assert [item["Name"] for item in events.list_rules(NamePrefix=name)["Rules"]] == [name]
    with refused("ValidationException", "targets"):
        events.delete_rule(Name=name)
    events.remove_targets(Rule=name, Ids=["1"])
    events.delete_rule(Name=name)
    with refused("ResourceNotFoundException"):
        events.describe_rule(Name=name)
    with refused("InvalidEventPatternException"):
        events.put_rule(Name=name, EventPattern="{")


def test_what_is_secret_lies_in_files_of_its_owners_alone(local: LocalAccount) -> None:
    """And in no table, token or log; and it goes where it is removed."""
    secrets, ssm, folder = local.client("secretsmanager"), local.client("ssm"), local.state.folder
    words = [f"word-{uuid.uuid4().hex}" for _ in range(4)]
    arn = secrets.create_secret(Name="db", SecretString=words[0])["ARN"]
    secrets.put_secret_value(SecretId="db", SecretString=words[1])
    ssm.put_parameter(Name="word", Value=words[2], Type="SecureString")
    with refused("ValidationException", "Redacted") as error:
        secrets.create_secret(Name="long", SecretString=words[3] * 2_000)
    assert words[3] not in str(error.value)
    having = [path for path in folder.rglob("*") if path.is_file() and any(held(path, word) for word in words)]
    assert len(having) == 3 and {path.parent for path in having} == {folder / "values"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in having} == {0o600}
    assert stat.S_IMODE((folder / "values").stat().st_mode) == 0o700
    secrets.put_secret_value(SecretId="db", SecretString=words[1])
    assert not any(held(path, words[0]) for path in (folder / "values").iterdir()), "what nobody can ask for is gone"
    secrets.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    ssm.delete_parameter(Name="word")
    assert [*(folder / "values").iterdir()] == []


def test_a_secret_that_cannot_be_put_is_as_it_was(local: LocalAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = local.client("secretsmanager")
    secrets.create_secret(Name="db", SecretString="one")
    secrets.put_secret_value(SecretId="db", SecretString="two")
    with monkeypatch.context() as broken:
        broken.setattr(resources, "replace", Mock(side_effect=OSError("no place")))
        with pytest.raises(OSError, match="no place"):
            secrets.put_secret_value(SecretId="db", SecretString="three")
    stages = ("AWSPREVIOUS", "AWSCURRENT")
    told = [secrets.get_secret_value(SecretId="db", VersionStage=stage)["SecretString"] for stage in stages]
    assert told == ["one", "two"]


def test_a_value_is_read_whole_while_another_one_is_put(local: LocalAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    ssm = local.client("ssm")
    ssm.put_parameter(Name="word", Value="one", Type="SecureString")
    other, kept = Thread(target=lambda: put_parameter(local.state, ASKED), daemon=True), kept_values.kept

    def meanwhile(state: Any, name: str) -> Any:
        if other.ident is None:
            other.start()
            other.join(0.2)  # he waits for us, or is done
        return kept(state, name)

    monkeypatch.setattr(kept_values, "kept", meanwhile)
    assert ssm.get_parameter(Name="word", WithDecryption=True)["Parameter"]["Value"] == "one"
    other.join()
    assert ssm.get_parameter(Name="word", WithDecryption=True)["Parameter"]["Value"] == "two"


ASKED = {"Name": "word", "Value": "two", "Type": "SecureString", "Overwrite": True}


def test_rules_of_a_bus_whose_name_has_slashes(local: LocalAccount) -> None:
    events, bus = local.client("events"), "aws.partner/example.com/feed"
    events.put_rule(Name="daily", EventBusName=bus, EventPattern=PATTERN)
    (found,) = events.list_rules(EventBusName=bus)["Rules"]
    assert (found["Name"], found["EventBusName"]) == ("daily", bus)
    assert events.list_rules(EventBusName="aws.partner/example.com")["Rules"] == []


def held(path: Path, word: str) -> bool:
    return word.encode() in path.read_bytes()


def test_an_execution_is_a_trial_whose_components_are_its_jobs(local: LocalAccount) -> None:
    sagemaker = local.client("sagemaker")
    named = json.loads(document([processing("Work", "true")]))
    named["PipelineExperimentConfig"] = {
        "ExperimentName": {"Get": "Execution.PipelineName"},
        "TrialName": {"Std:Join": {"On": "-", "Values": ["t", {"Get": "Execution.PipelineExecutionId"}]}},
    }
    sagemaker.create_pipeline(PipelineName="p", PipelineDefinition=json.dumps(named), RoleArn=ROLE)
    arn = sagemaker.start_pipeline_execution(PipelineName="p")["PipelineExecutionArn"]
    while sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"] == "Executing":
        time.sleep(0.05)
    trial = f"t-{arn.rpartition('/')[2]}"
    assert sagemaker.describe_trial(TrialName=trial)["ExperimentName"] == "p"
    (found,) = sagemaker.list_trial_components(TrialName=trial)["TrialComponentSummaries"]
    assert found["TrialComponentName"].endswith("-aws-processing-job")
    assert found["TrialComponentSource"]["SourceType"] == "SageMakerProcessingJob"
    assert found["Status"]["PrimaryStatus"] == "Completed"
    assert sagemaker.describe_experiment(ExperimentName="p")["Source"]["SourceArn"] == arn
    for call, given in (("describe_trial", {"TrialName": "t"}), ("describe_experiment", {"ExperimentName": "none"})):
        with refused("ResourceNotFound"):
            getattr(sagemaker, call)(**given)


def test_a_role_that_nobody_made_is_made_by_who_attaches_a_policy_to_it(local: LocalAccount) -> None:
    """As `get_execution_role(use_default=True)` of the SageMaker SDK goes about it."""
    iam = local.client("iam")
    iam.get_role(RoleName="AmazonSageMaker-DefaultRole")
    iam.attach_role_policy(RoleName="AmazonSageMaker-DefaultRole", PolicyArn="arn:aws:iam::aws:policy/P")
    assert [role["RoleName"] for role in iam.list_roles()["Roles"]] == ["AmazonSageMaker-DefaultRole"]


def test_the_policy_of_a_key_is_kept(local: LocalAccount) -> None:
    kms = local.client("kms")
    first = json.loads(kms.get_key_policy(KeyId="alias/data", PolicyName="default")["Policy"])
    assert first["Statement"][0]["Principal"]["AWS"].endswith(":root")
    kms.put_key_policy(KeyId="alias/data", Policy='{"Id": "mine"}')
    assert kms.get_key_policy(KeyId="alias/data")["Policy"] == '{"Id": "mine"}'
    made = kms.create_key(Policy='{"Id": "given"}')["KeyMetadata"]["KeyId"]
    assert kms.get_key_policy(KeyId=made)["Policy"] == '{"Id": "given"}'
    with refused("MalformedPolicyDocumentException"):
        kms.put_key_policy(KeyId=made, Policy="{")
