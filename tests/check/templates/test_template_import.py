"""The pipeline of a template becomes Python that compiles to its body, and what stands beside it is declared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from mlops.check.programs import compile_program
from mlops.cli.commands.import_ import command
from mlops.emit.targets.definition_json import emit
from mlops.ir import Event, UsageError, unheard
from mlops.ir.reader import read
from mlops.use_cases.import_template import from_template
from mlops.use_cases.news import Said
from mlops.use_cases.show import opened
from tests.emit.round_trip import TOML
from tests.emit.stacked import STACKS
from tests.emit.templates import read as read_template

SOUND = Path(__file__).with_name("sound.yaml")


def test_an_emitted_template_comes_back() -> None:
    file = STACKS / "wine.yaml"
    found = from_template(str(file), None, {}, "local", unheard)
    properties = read_template(file.read_text())["Resources"]["Pipeline"]["Properties"]
    body = properties["PipelineDefinition"]["PipelineDefinitionBody"]
    again, mistakes = compile_program(found.text)
    expected, _ = read(body)
    assert not mistakes
    assert again is not None
    assert expected is not None
    assert (found.pipeline, dict(again.tags)) == ("wine", {"team": "growth"})
    assert emit(again) == emit(expected) == body


def test_what_has_no_properties_stays_beside_the_pipeline(tmp_path: Path) -> None:
    queue = 'Resources:\n  Queue: {Type: "AWS::SQS::Queue", Properties: null}\n'
    (tmp_path / "t.yaml").write_text((STACKS / "wine.yaml").read_text().replace("Resources:\n", queue, 1))
    _, told = _told(tmp_path / "t.yaml", {}, "local")
    assert "Queue (Queue) stays in the template" in [line.partition(": ")[2] for line in told]


WRITTEN = """
Parameters:
  Stage: {Type: String, AllowedValues: [test, live]}
  Subnet: {Type: String}
  Size: {Type: Number, Default: 30}
Mappings:
  Sizes: {test: {Type: ml.t3.medium}, live: {Type: ml.m5.xlarge}}
Conditions: {Live: !Equals [!Ref Stage, live]}
Resources:
  Data:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub acme-${Stage}
      VersioningConfiguration: {Status: Enabled}
  Rules:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Data
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Deny, Principal: "*", Action: "s3:*", Resource: !Sub "${Data.Arn}/*"}]
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: notebooks
      Path: /ml/
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: sagemaker.amazonaws.com}, Action: sts:AssumeRole}]
  Reads:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: reads
      Roles: [!Ref Role]
      PolicyDocument:
        Version: "2012-10-17"
        Statement: {Effect: Allow, Action: s3:GetObject, Resource: !Join ["", [!GetAtt Data.Arn, "/*"]]}
  Key:
    Type: AWS::KMS::Key
    Properties:
      EnableKeyRotation: true
      KeyPolicy:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}, Action: "kms:*",
                     Resource: "*"}]
  Alias: {Type: AWS::KMS::Alias, Properties: {AliasName: alias/ml, TargetKeyId: !Ref Key}}
  Book:
    Type: AWS::SageMaker::NotebookInstance
    Properties:
      NotebookInstanceName: !Join ["-", [book, !Ref Stage]]
      InstanceType: !FindInMap [Sizes, !Ref Stage, Type]
      RoleArn: !GetAtt Role.Arn
      KmsKeyId: !Ref Key
      SubnetId: !Ref Subnet
      VolumeSizeInGB: !Ref Size
      RootAccess: !If [Live, Disabled, Enabled]
      DirectInternetAccess: Disabled
  Queue: {Type: AWS::SQS::Queue}
"""
DECLARED = (
    'resources.Bucket(\n    "acme-live"',
    '"Resource": "arn:aws:s3:::acme-live/*"',
    'ml_notebooks = resources.Role(\n    "ml/notebooks"',
    '"arn:aws:iam::111122223333:root"',
    'resources.Key(\n    "ml"',
    '"book-live"',
    'instance="ml.m5.xlarge"',
    "role=ml_notebooks.role_arn",
    "kms_key=ml.key_arn",
    'subnet="subnet-0a1b2c3d"',
    "volume=30",
)


def _told(file: Path, given: dict[str, str], environment: str) -> tuple[str, list[str]]:
    said: list[Event] = []
    found = from_template(str(file), None, given, environment, said.append)
    return found.text, [item.text.rpartition(f"{file.name}:")[2] for item in said if isinstance(item, Said)]


def test_what_functions_say_is_known_where_parameters_and_account_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.yaml").write_text(WRITTEN)
    (tmp_path / "mlops.toml").write_text(TOML)
    monkeypatch.chdir(tmp_path)
    text, told = _told(tmp_path / "t.yaml", {"Stage": "live", "Subnet": "subnet-0a1b2c3d"}, "production")
    assert [part for part in DECLARED if part not in text] == []
    assert [line.partition(": ")[2] for line in told] == [
        "Role (Role): PolicyName: what reads says is its policy mlops",
        "Queue (Queue) stays in the template",
    ]


def test_what_is_not_known_is_left_out_and_told_with_what_to_give(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(WRITTEN)
    text, told = _told(tmp_path / "t.yaml", {}, "local")
    assert '"book-test"' in text and "root=True" in text
    assert [line for line in told if "PolicyName" not in line][:3] == [
        "3:3: Stage has no default, and is taken as test: -p Stage=… says another",
        "42:7: Key (Key): KeyPolicy asks for the account: give --env of one that has it, and left out",
        "54:7: Book (NotebookInstance): SubnetId asks for Subnet: give -p Subnet=…, and left out",
    ]


BESIDE = """
Resources:
  Studio:
    Type: AWS::SageMaker::Domain
    Properties: {DomainName: research, AuthMode: IAM, VpcId: vpc-0a1b, SubnetIds: [subnet-0a1b],
                 DefaultUserSettings: {ExecutionRole: "arn:aws:iam::111122223333:role/people"}}
  Slow:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmName: slow, Namespace: AWS/SageMaker, MetricName: ModelLatency, ExtendedStatistic: p99,
                 Dimensions: [{Name: EndpointName, Value: churn}], EvaluationPeriods: 3, Period: 60, Threshold: 5,
                 ComparisonOperator: GreaterThanThreshold}
  Shared:
    Type: AWS::SageMaker::ModelPackageGroup
    Properties:
      ModelPackageGroupName: churn
      ModelPackageGroupPolicy: '{"Version": "2012-10-17", "Statement": []}'
  Nightly: {Type: AWS::Scheduler::Schedule, Properties: {Name: nightly}}
"""


def test_what_stands_beside_a_pipeline_is_declared_or_told_how(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(BESIDE)
    text, told = _told(tmp_path / "t.yaml", {}, "local")
    assert 'resources.StudioDomain(\n    "research"' in text and 'resources.ModelPackageGroup("churn"' in text
    assert 'metric=resources.Metric("AWS/SageMaker", "ModelLatency", dimensions={"EndpointName": "churn"})' in text
    assert 'statistic="p99"' in text
    assert [line.partition(": ")[2] for line in told] == [
        "Nightly (Schedule) stays in the template: what starts a pipeline by the clock is [env.NAME.schedules] of "
        "mlops.toml"
    ]


PUT_TOGETHER = """
Mappings:
  Places: {all: {Rows: rows}}
Resources:
  Data: {Type: AWS::S3::Bucket, Properties: {BucketName: acme-ml}}
  Rules:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Data
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Deny, Principal: "*", Action: "s3:*", Resource: !Sub "${Data.Arn}/${AWS::AccountId}/*"}
          - {Effect: Deny, Principal: "*", Action: "s3:Put*",
             Resource: !Join [/, [!GetAtt Data.Arn, !FindInMap [Places, all, Rows]]]}
"""


def test_a_text_of_a_name_has_the_account_and_what_is_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.yaml").write_text(PUT_TOGETHER)
    (tmp_path / "mlops.toml").write_text(TOML)
    monkeypatch.chdir(tmp_path)
    text, told = _told(tmp_path / "t.yaml", {}, "production")
    assert '"arn:aws:s3:::acme-ml/111122223333/*"' in text and '"arn:aws:s3:::acme-ml/rows"' in text
    assert told == []


def test_what_python_cannot_say_stays_with_what_asks_for_it() -> None:
    said: list[Event] = []
    found = from_template(str(STACKS / "served.yaml"), None, {}, "local", said.append)
    told = [item.text for item in said if isinstance(item, Said)]
    assert "resources.Endpoint" not in found.text
    assert any("PrimaryContainer asks for ModelPackageChurn" in line for line in told)
    assert any("EndpointChurn (Endpoint) stays in the template" in line for line in told)


def test_the_command_tells_programs_what_it_took() -> None:
    result = CliRunner().invoke(command, ["--template", str(SOUND), "-p", "Subnet=subnet-1", "--format", "json"])
    told = json.loads(result.stdout)
    assert told["pipeline"] == "churn"
    assert "NotebookInstance Notebook" in told["resources"] and 'subnet="subnet-1"' in told["python"]


@pytest.mark.parametrize(
    ("text", "wanted", "message"),
    [
        ("Resources: {A: {Type: AWS::SNS::Topic}}", None, "nothing that can be declared"),
        (SOUND.read_text(), "other", "no pipeline other"),
        (SOUND.read_text().replace("Body: |", "Body: !Sub |").replace('"no"', '"${Subnet}"'), None, "does not stand"),
        ("Resources: {", None, "no YAML"),
    ],
)
def test_what_cannot_be_taken_is_told(text: str, wanted: str | None, message: str, tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(text)
    with pytest.raises(UsageError, match=message):
        from_template(str(tmp_path / "template.yaml"), wanted, {}, "local", unheard)


def test_a_template_is_not_shown_as_if_it_had_no_steps() -> None:
    with pytest.raises(UsageError, match="is a template"):
        opened(str(SOUND), "local", unheard)
