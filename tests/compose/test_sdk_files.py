"""What is told of files that are written with the official SDK, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlops.account.local import LocalAccount
from mlops.check.sources import open_targets
from mlops.ir.members import get

TWO = """
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.steps import ProcessingStep
import sagemaker
ROLE = "arn:aws:iam::000000000000:role/pipelines"
def made(role=ROLE, session=None):
    session = session or PipelineSession(default_bucket="acme-ml")
    one = {"instance_type": "ml.m5.large", "instance_count": 1, "sagemaker_session": session}
    return SKLearnProcessor(framework_version="1.2-1", role=role, **one)
def piped(run):
    return Pipeline("tail", steps=[ProcessingStep("Prep", step_args=run)], sagemaker_session=PipelineSession())
"""

THREE = """
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.processing import Processor
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep
ROLE = "arn:aws:iam::000000000000:role/pipelines"
def made(session=None):
    image = "000000000000.dkr.ecr.us-east-1.amazonaws.com/own:4"
    return Processor(ROLE, image, 1, "ml.m5.large", sagemaker_session=session or PipelineSession())
def piped(run):
    return Pipeline("tail", steps=[ProcessingStep("Prep", step_args=run)], sagemaker_session=PipelineSession())
"""


@dataclass(frozen=True)
class Row:
    """``told`` are codes with lines, counted from the row's first; ``said`` are words of messages and helps."""

    text: str
    told: Sequence[tuple[str, int]] = ()
    said: Sequence[str] = ()
    pipelines: int = 1


AFTER = "pipeline.upsert(role_arn=ROLE)\nexecution = pipeline.start()\n"
STARTED = (("D106", 2), ("D106", 3))

FITTED = """from sagemaker.sklearn import SKLearn
from sagemaker.workflow.steps import TrainingStep
session = sagemaker.Session(default_bucket="acme-ml")
about = {"role": ROLE, "instance_type": "ml.m5.xlarge", "instance_count": 1, "sagemaker_session": session}
one = SKLearn("prep.py", framework_version="1.2-1", **about)
"""
"""Five lines."""

V2 = {
    "what would be done is told at its lines": Row(
        f"pipeline = piped(made().run(code='prep.py'))\n{AFTER}pass", STARTED
    ),
    "it waits": Row(f"pipeline = piped(made().run(code='prep.py'))\n{AFTER}execution.wait()", STARTED),
    "it describes the execution": Row(
        f"pipeline = piped(made().run(code='prep.py'))\n{AFTER}execution.describe()['PipelineExecutionStatus']", STARTED
    ),
    "it describes the pipeline": Row(
        f"pipeline = piped(made().run(code='prep.py'))\n{AFTER}pipeline.describe()['PipelineArn']", STARTED
    ),
    "a role that it makes": Row(
        "import boto3\nasked = {'RoleName': 'own', 'AssumeRolePolicyDocument': '{}'}\n"
        "made_here = boto3.client('iam').create_role(**asked)['Role']\n"
        "assert made_here['Arn'].endswith(':role/own') and made_here['RoleName'] == 'own'\n"
        "cluster = boto3.client('ecs').create_cluster(clusterName='c')['cluster']\n"
        "assert (cluster['status'], cluster['clusterName']) == ('ACTIVE', 'c')\n"
        "pipeline = piped(made(made_here['Arn']).run(code='prep.py'))",
        [("D106", 3), ("D106", 5)],
    ),
    "it asks for its pipeline by the name alone": Row(
        f"pipeline = piped(made().run(code='prep.py'))\n{AFTER}Pipeline('tail').list_executions()\n"
        "handle = Pipeline('tail')",
        STARTED,
    ),
    "an upsert that cannot be": Row(
        "pipeline = piped(made().run(code='prep.py'))\npipeline.steps.append(len)\npipeline.upsert(role_arn=ROLE)",
        [("D102", 3)],
        ["composing tail failed"],
        pipelines=0,
    ),
    "data that it has fetched": Row(
        "open('adult.data').read()",
        [("D102", 1)],
        ["put adult.data beside the file", "nothing is fetched"],
        pipelines=0,
    ),
    "what follows fails": Row(
        f"pipeline = piped(made().run(code='prep.py'))\n{AFTER}execution.list_steps()[0]", (*STARTED, ("D106", 4))
    ),
    "a session that starts jobs": Row(
        "session = sagemaker.Session()\npipeline = piped(made(session=session).run(code='prep.py'))",
        [("D110", 2)],
        ["at once", "CreateProcessingJob", "PipelineSession"],
        pipelines=0,
    ),
    "a job beside the pipeline": Row(
        "made(session=sagemaker.Session()).run(code='prep.py', logs=False)\n"
        "pipeline = piped(made().run(code='prep.py'))",
        [("D106", 1)],
    ),
    "a fact of the account": Row(
        "import boto3\nsecret = boto3.client('secretsmanager').get_secret_value(SecretId='own')['SecretString']",
        [("D102", 2)],
        [
            "secretsmanager GetSecretValue own",
            "nothing is asked while composing",
            "[env.local.answers]",
            "SecretString",
        ],
        pipelines=0,
    ),
    "a list that is empty here": Row(
        "import boto3\n"
        "found = boto3.client('sagemaker').list_model_packages(ModelPackageGroupName='churn')\n"
        "first = found['ModelPackageSummaryList']\nnewest = first[0]['ModelPackageArn']",
        [("D102", 2)],
        ["ListModelPackages churn", "[env.local.answers]"],
        pipelines=0,
    ),
    "it gives up without an answer": Row(
        "import boto3\n"
        "found = boto3.client('sagemaker').list_model_packages(ModelPackageGroupName='churn')\n"
        "if not found['ModelPackageSummaryList']:\n    raise Exception('no approved package')",
        [("D102", 2)],
        ["ListModelPackages churn", "[env.local.answers]", "no approved package"],
        pipelines=0,
    ),
    "it ends without an answer": Row(
        "import boto3, sys\n"
        "found = boto3.client('sagemaker').list_model_packages(ModelPackageGroupName='churn')\n"
        "found['ModelPackageSummaryList'] or sys.exit('no approved package')",
        [("D102", 2)],
        ["ListModelPackages churn", "[env.local.answers]"],
        pipelines=0,
    ),
    "a part of SDK 3": Row("sagemaker.train.x", [("D102", 1)], ["may be written for 'sagemaker>=3'"], pipelines=0),
    "it gives up for another reason": Row("raise Exception('no')", [("D102", 1)], ["Exception: no"], pipelines=0),
    "an object of the account": Row(
        "import boto3\nboto3.client('s3').get_object(Bucket='acme-ml', Key='schema.json')['Body'].read()",
        [("D102", 2)],
        ["s3 GetObject acme-ml/schema.json", "Body"],
        pipelines=0,
    ),
    "a fact that mlops.toml answers": Row(
        "import boto3\n"
        "role = boto3.client('ssm').get_parameter(Name='/ml/role')['Parameter']['Value']\n"
        "pipeline = piped(made(role).run(code='prep.py'))"
    ),
    "names with None as their default": Row(
        "def get_pipeline(region=None, role=None, default_bucket=None):\n"
        "    return piped(made(role).run(code='prep.py'))"
    ),
    "a name by the clock": Row(
        "import time\npipeline = piped(made().run(code='prep.py'))\npipeline.name += time.strftime('-%Y-%m-%d')",
        [("D108", 3)],
    ),
    "a clock that the pipeline does not hold": Row(
        "import time\nbegun = time.strftime('%Y-%m-%d')\npipeline = piped(made().run(code='prep.py'))"
    ),
    "a profile of the author's": Row(
        "import boto3\nown = boto3.Session(profile_name='dev')\n"
        "session = PipelineSession(boto_session=own, default_bucket='acme-ml')\n"
        "pipeline = piped(made(session=session).run(code='prep.py'))"
    ),
    "a variable that is not set": Row(
        "import os\nrole = os.environ['PIPELINE_ROLE_ARN']",
        [("D102", 2)],
        ["set the variable 'PIPELINE_ROLE_ARN'"],
        pipelines=0,
    ),
    "the SDK's own local mode": Row(
        "from sagemaker.workflow.pipeline_context import LocalPipelineSession\n"
        "local = LocalPipelineSession()\n"
        "step = ProcessingStep('Prep', step_args=made(session=local).run(code='prep.py'))\n"
        "pipeline = Pipeline('tail', steps=[step], sagemaker_session=local)\n"
        "pipeline.create(ROLE)\nexecution = pipeline.start()",
        [("D106", 6)],
    ),
    "a start with what the pipeline does not take": Row(
        "from sagemaker.workflow.parameters import ParameterInteger\n"
        "pipeline = piped(made().run(code='prep.py'))\n"
        "pipeline.parameters = [ParameterInteger('Folds', 5), ParameterInteger('Depth')]\n"
        "pipeline.upsert(role_arn=ROLE)\n"
        "pipeline.start(parameters={'Fold': 2, 'Depth': 3})\n"
        "pipeline.start(parameters={'Folds': 'two', 'Depth': 3})\n"
        "pipeline.start(parameters={'Folds': 2, 'Depth': 3})\n"
        "pipeline.start()\n",
        [
            *(("P409", 3), ("P409", 3), ("D106", 4), ("D106", 5), ("D111", 5)),
            *(("D106", 6), ("D111", 6), ("D106", 7), ("D106", 8), ("D111", 8)),
        ],
        ["no parameter Fold", "Folds takes an integer", "Depth has no default"],
    ),
    "a step that waits for what is not there": Row(
        "pipeline = piped(made().run(code='prep.py'))\n"
        "late = ProcessingStep(\"Late\", step_args=made().run(code='prep.py'), depends_on=['Prap'])\n"
        "pipeline.steps.append(late)",
        [("D102", 2)],
        ["step of name: Prap"],
        pipelines=0,
    ),
    "two steps of one name": Row(
        "one, two = (made().run(code='prep.py') for _ in 'ab')\n"
        'steps = [ProcessingStep("Other", step_args=one), ProcessingStep("Other", step_args=two)]\n'
        "pipeline = piped(made().run(code='prep.py'))\npipeline.steps += steps",
        [("D102", 2)],
        ["duplicate names"],
        pipelines=0,
    ),
    "a name that is none": Row(
        "step = ProcessingStep('Prep', step_args=made().run(code='prep.py'))\n"
        "pipeline = Pipeline('nightly_run', steps=[step], sagemaker_session=PipelineSession())",
        [("D005", 2)],
        ["'nightly_run' is no name for a pipeline"],
    ),
    "what is done in a function is told at its lines": Row(
        "def main(role=ROLE):\n    pipeline = piped(made(role).run(code='prep.py'))\n"
        "    pipeline.upsert(role_arn=role)\n    return pipeline.start()\nexecution = main()",
        (("D106", 3), ("D106", 4)),
    ),
    "what is made and deleted is told at its lines": Row(
        "pipeline = piped(made().run(code='prep.py'))\npipeline.create(ROLE)\npipeline.update(ROLE)\npipeline.delete()",
        (("D106", 2), ("D106", 3), ("D106", 4)),
    ),
    "what is done in one expression is told at its line": Row(
        "pipeline = piped(made().run(code='prep.py'))\nstarted = [pipeline.upsert(role_arn=ROLE), pipeline.start()]\n",
        (("D106", 2), ("D106", 2)),
    ),
    "a session that trains at once": Row(
        FITTED + "steps = TrainingStep('Fit', step_args=one.fit({'train': 's3://acme-ml/t/'}))",
        [("D110", 6)],
        ["CreateTrainingJob", "PipelineSession"],
        pipelines=0,
    ),
    "a session that transforms at once": Row(
        "from sagemaker.transformer import Transformer\nfrom sagemaker.workflow.steps import TransformStep\n"
        "one = Transformer('m', 1, 'ml.m5.large', sagemaker_session=sagemaker.Session(default_bucket='acme-ml'))\n"
        "step = TransformStep('Score', step_args=one.transform(data='s3://acme-ml/t/'))",
        [("D110", 4)],
        ["CreateTransformJob", "PipelineSession"],
        pipelines=0,
    ),
    "a session that tunes at once": Row(
        FITTED + "from sagemaker.tuner import ContinuousParameter, HyperparameterTuner\n"
        "found = [{'Name': 'a', 'Regex': 'a=([0-9.]+)'}]\n"
        "tuner = HyperparameterTuner(one, 'a', {'alpha': ContinuousParameter(0.1, 1)}, found, max_jobs=2)\n"
        "from sagemaker.workflow.steps import TuningStep\n"
        "step = TuningStep('Tune', step_args=tuner.fit({'train': 's3://acme-ml/t/'}))",
        [("D110", 10)],
        ["CreateHyperParameterTuningJob", "PipelineSession"],
        pipelines=0,
    ),
    "a template's names with None as their default": Row(
        "def get_pipeline(region, sagemaker_project_arn=None, role=None, default_bucket=None, pipeline_name='tail'):\n"
        "    return piped(made(role).run(code='prep.py'))"
    ),
    "a role with None as its default among others": Row(
        "def get_pipeline(*, role_arn=None, model_package_group_name='churn'):\n"
        "    return piped(made(role_arn).run(code='prep.py'))"
    ),
    "an execution role with None as its default": Row(
        "def create_pipeline(execution_role=None, bucket=None):\n"
        "    return piped(made(execution_role).run(code='prep.py'))\npipeline = create_pipeline(ROLE)"
    ),
    "a model of the hub": Row(
        "from sagemaker.jumpstart.model import JumpStartModel\n"
        "JumpStartModel(model_id='huggingface-llm-mistral-7b', role=ROLE, sagemaker_session=PipelineSession())",
        [("D102", 2)],
        ["nothing is asked while composing"],
        pipelines=0,
    ),
    "an estimator of the hub": Row(
        "from sagemaker.jumpstart.estimator import JumpStartEstimator\n"
        "JumpStartEstimator(model_id='lightgbm-classification-model', role=ROLE, sagemaker_session=PipelineSession())",
        [("D102", 2)],
        ["nothing is asked while composing"],
        pipelines=0,
    ),
    "hyperparameters of the hub": Row(
        "from sagemaker import hyperparameters\n"
        "hyperparameters.retrieve_default(model_id='lightgbm-classification-model', model_version='*')",
        [("D102", 2)],
        ["nothing is asked while composing"],
        pipelines=0,
    ),
    "it asks a person": Row("name = input('Name? ')", [("D102", 1)], ["nobody answers"], pipelines=0),
}

V3 = {
    "what would be done is told at its lines": Row(f"pipeline = piped(made().run())\n{AFTER}pass", STARTED),
    "it waits": Row(f"pipeline = piped(made().run())\n{AFTER}execution.wait()", STARTED),
    "a session that starts jobs": Row(
        "pipeline = piped(made(Session()).run(logs=False))", [("D110", 1)], ["PipelineSession"], pipelines=0
    ),
    "a name of SDK 2": Row(
        "from sagemaker import get_execution_role", [("D102", 1)], ["may be written for 'sagemaker<3'"], pipelines=0
    ),
    "a session of SDK 2": Row(
        "import sagemaker\nsagemaker.Session()", [("D102", 2)], ["may be written for 'sagemaker<3'"], pipelines=0
    ),
    "a model of SageMaker's hub": Row(
        "from sagemaker.train import SFTTrainer\nfrom sagemaker.train.common import TrainingType\n"
        "SFTTrainer(model='huggingface-reasoning-qwen3-06b', training_type=TrainingType.LORA, "
        "training_dataset='s3://acme-ml/sft.jsonl', model_package_group='own', s3_output_path='s3://acme-ml/out', "
        "role=ROLE, sagemaker_session=PipelineSession())",
        [("D102", 3)],
        ["SageMaker's hub", "nothing is asked while composing"],
        pipelines=0,
    ),
}

ANSWERS = """
[env.local.answers]
"ssm GetParameter /ml/role" = { Parameter = { Value = "arn:aws:iam::000000000000:role/x" } }
"""


def judged(begin: str, row: Row, folder: Path) -> None:
    (folder / "mlops.toml").write_text(ANSWERS)
    (folder / "prep.py").write_text("print(1)\n")
    (folder / "pipeline.py").write_text(begin + row.text)
    opened = open_targets([str(folder / "pipeline.py")], "local")
    before = begin.count("\n")
    told = [(item.code, (item.where.line or 0) - before) for item in opened.findings]
    assert told == list(row.told), [item.message for item in opened.findings]
    texts = " ".join(f"{item.message} {item.help}" for item in opened.findings)
    assert [word for word in row.said if word not in texts] == []
    assert len(opened.pipelines) == row.pipelines


@pytest.mark.proof("sdk2")
@pytest.mark.parametrize("row", V2)
def test_with_sdk_2(row: str, tmp_path: Path) -> None:
    judged(TWO, V2[row], tmp_path)


@pytest.mark.proof("sdk")
@pytest.mark.parametrize("row", V3)
def test_with_sdk_3(row: str, tmp_path: Path) -> None:
    judged(THREE, V3[row], tmp_path)


@pytest.mark.proof("sdk2")
def test_a_script_that_the_sdk_packs_is_read(tmp_path: Path) -> None:
    """Its options are held against the hyperparameters, and it is brought to the account as it was packed."""
    (tmp_path / "mlops.toml").write_text("")
    (tmp_path / "fit.py").write_text(
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--depth')\np.parse_args()\n"
    )
    (tmp_path / "pipeline.py").write_text(
        TWO + "from sagemaker.sklearn.estimator import SKLearn\nfrom sagemaker.workflow.steps import TrainingStep\n"
        "fit = SKLearn('fit.py', framework_version='1.2-1', role=ROLE, instance_type='ml.m5.large', "
        "hyperparameters={'deepth': 3, 'depth': 3}, sagemaker_session=PipelineSession(default_bucket='acme-ml'))\n"
        "pipeline = Pipeline('tail', steps=[TrainingStep('Fit', step_args=fit.fit())])\n"
    )
    (checked,) = open_targets([str(tmp_path / "pipeline.py")], "local").pipelines
    assert [(item.code, item.path) for item in checked.findings if item.code == "X924"] == [
        ("X924", "/Steps/0/Arguments/HyperParameters/deepth")
    ]
    assert [name for asset in checked.definition.assets for name, _ in asset.files] == ["sourcedir.tar.gz"]


@pytest.mark.proof("sdk2")
def test_an_import_behind_a_module_is_closed_in_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "own")
    (tmp_path / "mlops.toml").write_text("")
    (tmp_path / "build.py").write_text(TWO + "def make():\n    return piped(made().run(code='prep.py'))\n")
    (tmp_path / "prep.py").write_text("print(1)\n")
    file = tmp_path / "pipeline.py"
    file.write_text(
        "import os\nfrom build import make\nassert os.environ['AWS_ACCESS_KEY_ID'] != 'own'\n"
        "pipeline = make()\npipeline.upsert(role_arn='arn:aws:iam::000000000000:role/pipelines')\n"
    )
    opened = open_targets([str(file)], "local")
    assert [(item.code, item.where.file, item.where.line) for item in opened.findings] == [("D106", str(file), 5)]
    assert [checked.definition.name for checked in opened.pipelines] == ["tail"]


LOOKS_UP = """\
import json
import boto3
from mlops import Fail, Pipeline
sagemaker, s3 = boto3.client("sagemaker"), boto3.client("s3")
found = sagemaker.list_model_packages(ModelPackageGroupName="churn", ModelApprovalStatus="Approved")
newest = [item["ModelPackageArn"] for item in found["ModelPackageSummaryList"] if item["CreationTime"].year > 2000]
floor = json.loads(s3.get_object(Bucket="acme-ml", Key="floor.json")["Body"].read())["floor"]
with Pipeline("facts"):
    Fail("Stop", f"{newest} {floor}")
"""


def test_what_the_local_account_knows_is_looked_up_there_and_for_no_other(tmp_path: Path) -> None:
    (tmp_path / "mlops.toml").write_text(STAGING)
    (tmp_path / "pipeline.py").write_text(LOOKS_UP)
    account = LocalAccount(tmp_path / ".mlops", "us-east-1")
    account.client("s3").create_bucket(Bucket="acme-ml")
    account.client("s3").put_object(Bucket="acme-ml", Key="floor.json", Body=b'{"floor": 0.25}')
    sagemaker = account.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    image = {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1"}
    types = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
    arn = sagemaker.create_model_package(
        ModelPackageGroupName="churn",
        ModelApprovalStatus="Approved",
        InferenceSpecification={"Containers": [image], **types},
    )["ModelPackageArn"]
    (checked,) = open_targets([str(tmp_path / "pipeline.py")], "local").pipelines
    assert get(checked.definition.steps[0].arguments, "ErrorMessage") == f"['{arn}'] 0.25"
    elsewhere = open_targets([str(tmp_path / "pipeline.py")], "staging")
    assert [(item.code, item.where.line) for item in elsewhere.findings] == [("D102", 7)]
    assert "s3 GetObject acme-ml/floor.json" in elsewhere.findings[0].message
    assert "local account" not in str(elsewhere.findings[0].help)


STAGING = """
[env.staging]
account = "111122223333"
region = "us-east-1"
role = "arn:aws:iam::111122223333:role/pipelines"
bucket = "acme-ml-staging"
"""
