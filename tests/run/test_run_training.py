"""Training steps: the toolkit's contract, results, failures."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from ports_for_tests import Account, step, tar_gz, training

from mlops.run.archive import merged, pack, unpack
from mlops.run.beneath import Folder
from mlops.run.execute import STEP_FAILURE
from mlops.run.outcome import StepFailed
from mlops.run.requirements import unjudged, unmet

TELL = """
import json, os, sys
print("TOLD" + json.dumps({"arguments": sys.argv[1:], "environment": dict(os.environ), "cwd": os.getcwd()}))
"""

PATHS = ["-r other.txt", "./local", "sub/local"]


def told(account: Account, name: str = "Train") -> Any:
    line = next(line for line in account.journal.log(name).splitlines() if line.startswith("TOLD"))
    return json.loads(line.removeprefix("TOLD"))


def test_environment_and_arguments(account: Account, sandbox_mode: str) -> None:
    account.objects.write("s3://bucket/train/x.csv", "1")
    train = training(
        account,
        "Train",
        {"train.py": TELL},
        channels={"train": "s3://bucket/train", "test-2": "s3://bucket/train"},
        hyperparameters={
            "learning-rate": "0.1",
            "name": '"quoted"',
            "flag": "True",
            "depth": {"Get": "Parameters.Depth"},
            "k": "[1,2]",
            "map": '{"b":2,"a":1}',
            "sagemaker_region": '"eu-west-1"',
            "sagemaker_container_log_level": "10",
            "sagemaker_parameter_server_enabled": "true",
        },
        Environment={"MINE": {"Get": "Parameters.Depth"}},
    )
    assert account.run(train, parameters={"Depth": 5}) == "Succeeded", account.journal.log("Train")
    seen = told(account)
    user = {"learning-rate": 0.1, "name": "quoted", "flag": "True", "depth": 5, "k": [1, 2], "map": {"a": 1, "b": 2}}
    arguments = ["--depth", "5", "--flag", "True", "-k", "[1, 2]", "--learning-rate", "0.1"]
    arguments += ["--map", "a=1,b=2", "--name", "quoted"]
    assert seen["arguments"] == arguments
    environment = seen["environment"]
    ml = environment.get("SAGEMAKER_BASE_DIR", "/opt/ml")
    assert seen["cwd"] == f"{ml}/code"
    job = account.journal.last("Train").response["TrainingJobName"]
    group = {"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.large", "hosts": ["algo-1"]}
    plain = {
        "SM_CURRENT_HOST": "algo-1",
        "SM_NETWORK_INTERFACE_NAME": "eth0",
        "SM_CURRENT_INSTANCE_TYPE": "ml.m5.large",
        "SM_CURRENT_INSTANCE_GROUP": "homogeneousCluster",
        "SM_IS_HETERO": "false",
        "SM_HP_LEARNING-RATE": "0.1",
        "SM_HP_NAME": "quoted",
        "SM_HP_MAP": '{"a":1,"b":2}',
        "SM_USER_ENTRY_POINT": "train.py",
        "SM_MODULE_NAME": "train",
        "SM_MODULE_DIR": "s3://bucket/code/Train/sourcedir.tar.gz",
        "SM_FRAMEWORK_MODULE": "",
        "SM_INPUT_DIR": f"{ml}/input",
        "SM_INPUT_CONFIG_DIR": f"{ml}/input/config",
        "SM_OUTPUT_DIR": f"{ml}/output",
        "SM_OUTPUT_DATA_DIR": f"{ml}/output/data",
        "SM_OUTPUT_INTERMEDIATE_DIR": f"{ml}/output/intermediate",
        "SM_MODEL_DIR": f"{ml}/model",
        "SM_CHANNEL_TRAIN": f"{ml}/input/data/train",
        "SM_CHANNEL_TEST-2": f"{ml}/input/data/test-2",
        "SM_NUM_GPUS": "0",
        "SM_NUM_NEURONS": "0",
        "SM_LOG_LEVEL": "10",
        "PYTHONPATH": f"{ml}/code",
        "CURRENT_HOST": "algo-1",
        "SAGEMAKER_REGION": "eu-west-1",
        "SAGEMAKER_JOB_NAME": "",
        "TRAINING_JOB_NAME": job,
        "MINE": "5",
    }
    assert {name: environment.get(name) for name in plain} == plain
    assert environment["TRAINING_JOB_ARN"].endswith(f":training-job/{job}")
    as_json = {
        "SM_HOSTS": ["algo-1"],
        "SM_CURRENT_INSTANCE_GROUP_HOSTS": ["algo-1"],
        "SM_INSTANCE_GROUPS": ["homogeneousCluster"],
        "SM_INSTANCE_GROUPS_DICT": {"homogeneousCluster": group},
        "SM_DISTRIBUTION_INSTANCE_GROUPS": ["homogeneousCluster"],
        "SM_HPS": user,
        "SM_USER_ARGS": arguments,
        "SM_FRAMEWORK_PARAMS": {"sagemaker_parameter_server_enabled": True},
        "SM_CHANNELS": ["test-2", "train"],
    }
    assert {name: json.loads(environment[name]) for name in as_json} == as_json
    assert json.loads(environment["SM_RESOURCE_CONFIG"])["current_host"] == "algo-1"
    assert json.loads(environment["SM_INPUT_DATA_CONFIG"])["train"] == {
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
    }
    assert json.loads(environment["SM_TRAINING_ENV"])["hyperparameters"] == user
    assert int(environment["SM_NUM_CPUS"]) >= 1
    assert "SM_TOPOLOGY" not in environment


FIT = """
import argparse, os, pickle, sys
import numpy
parser = argparse.ArgumentParser()
parser.add_argument("--fit-intercept")
parser.parse_args()
data = numpy.loadtxt(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "x.csv"), delimiter=",")
slope, intercept = numpy.polyfit(data[:, 0], data[:, 1], 1)
print(f"rmse=9.5; rmse={abs(intercept):.3f};")
with open(os.path.join(os.environ["SM_MODEL_DIR"], "model.pkl"), "wb") as file:
    pickle.dump(slope, file)
with open(os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], "note.txt"), "w") as file:
    file.write("done")
"""


def test_a_real_model(account: Account, sandbox_mode: str) -> None:
    account.objects.write("s3://bucket/train/x.csv", "1,2\n2,4\n3,6\n")
    metrics = [{"Name": "rmse", "Regex": "rmse=([0-9.]+)"}, {"Name": "never", "Regex": "never=(.*)"}]
    train = training(
        account,
        "Train",
        {"train.py": FIT, "requirements.txt": "numpy\n# nothing else\n"},
        channels={"train": "s3://bucket/train/x.csv"},
        hyperparameters={"fit-intercept": "yes"},
        algorithm={"MetricDefinitions": metrics},
    )
    behind = step("Fail", "Behind", {"ErrorMessage": {"Get": "Steps.Train.FinalMetricDataList['rmse'].MetricName"}})
    assert account.run(train, behind) == "Failed"
    assert account.journal.statuses[-1] == ("Failed", f"{STEP_FAILURE}: rmse"), account.journal.last("Train").failure
    record = account.journal.last("Train")
    uri = record.response["ModelArtifacts"]["S3ModelArtifacts"]
    assert uri == f"s3://bucket/models/{record.response['TrainingJobName']}/output/model.tar.gz"
    with tarfile.open(fileobj=io.BytesIO(account.objects.read(uri))) as tar:
        assert tar.getnames() == ["model.pkl"]
    with tarfile.open(fileobj=io.BytesIO(account.objects.read(uri.replace("/model.", "/output.")))) as tar:
        assert tar.getnames() == ["note.txt"]
    (metric,) = record.response["FinalMetricDataList"]
    assert (metric["MetricName"], metric["Value"]) == ("rmse", 0.0)
    assert record.response["TrainingJobStatus"] == "Completed"
    assert record.metadata == {"TrainingJob": {"Arn": record.response["TrainingJobArn"]}}
    assert account.registry.history == [("TrainingJob", status) for status in ("InProgress", "InProgress", "Completed")]


WRITE_FAILURE = """
import os, sys
with open(os.path.join(os.environ["SM_OUTPUT_DIR"], "failure"), "w") as file:
    file.write("no data" + "!" * 2000)
sys.exit(3)
"""


@pytest.mark.parametrize(
    ("files", "changes", "reason"),
    [
        ({"train.py": WRITE_FAILURE}, {}, "no data" + "!" * 1017),
        ({"train.py": "print('so far'); raise ValueError('oh')"}, {}, "exit code 1: so far\nTraceback"),
        ({"other.py": ""}, {}, "sagemaker_program is 'train.py', but the code holds: other.py"),
        ({"train.py": ""}, {"program": "../train.py"}, "sagemaker_program is '../train.py'; the training"),
        (
            {"train.py": "", "requirements.txt": "no-such-thing-at-all>=1\n"},
            {},
            "requirements.txt asks for no-such-thing-at-all>=1 (missing); the container would install it, here "
            "nothing is installed: python -m pip install 'no-such-thing-at-all>=1' into the environment that runs",
        ),
        (
            {"train.py": ""},
            {"algorithm": {"MetricDefinitions": [{"Name": "m", "Regex": "("}]}},
            "metric m: '(' is no regex",
        ),
        ({"train.py": ""}, {"channels": {"a": "s3://bucket/none"}}, "channel a: no object is stored under"),
        ({"train.py": ""}, {"OutputDataConfig": {"S3OutputPath": "/x"}}, "OutputDataConfig.S3OutputPath is '/x'"),
        (
            {"train.py": "import time; time.sleep(60)"},
            {"StoppingCondition": {"MaxRuntimeInSeconds": 1}},
            "it ran longer than MaxRuntimeInSeconds = 1",
        ),
    ],
)
def test_failures(account: Account, files: Any, changes: Any, reason: str) -> None:
    assert account.run(training(account, "Train", files, **changes)) == "Failed"
    failure = account.journal.last("Train").failure
    assert failure is not None and failure.startswith(reason)
    assert len(failure) <= 1024


def test_a_description_tells_of_debugger_and_profiler_what_the_service_does(account: Account) -> None:
    rule = {"RuleConfigurationName": "LossNotDecreasing", "RuleEvaluatorImage": "image"}
    asked = {"DebugRuleConfigurations": [rule], "ProfilerConfig": {"S3OutputPath": "s3://bucket/profiles"}}
    assert account.run(training(account, "Train", {"train.py": ""}, **asked)) == "Succeeded"
    (found,) = account.registry.jobs.values()
    assert found["DebugRuleConfigurations"] == [{**rule, "VolumeSizeInGB": 0}]
    assert (found["ProfilerConfig"]["ProfilingIntervalInMilliseconds"], found["ProfilingStatus"]) == (500, "Enabled")


XGBOOST = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1"


@pytest.mark.parametrize(("image", "ends"), [(XGBOOST, "Succeeded"), ("image", "Failed")])
def test_the_image_of_xgboost_starts_a_script_by_the_name_of_its_module(
    account: Account, image: str, ends: str
) -> None:
    """`python -m train`; the other toolkit looks for a program of that name."""
    asked = {"program": "train", "algorithm": {"TrainingImage": image}}
    assert account.run(training(account, "Train", {"train.py": ""}, **asked)) == ends


def test_an_image_with_its_own_algorithm(account: Account) -> None:
    train = step("Training", "Train", {"AlgorithmSpecification": {"TrainingImage": "xgboost:1.7-1"}})
    assert account.run(train) == "Failed"
    failure = account.journal.last("Train").failure
    assert failure is not None and failure.startswith(
        "the image xgboost:1.7-1 brings its own algorithm, which cannot run"
    )


def test_entrypoint(account: Account, sandbox_mode: str) -> None:
    account.objects.write("s3://bucket/code/go.py", TELL)
    train = training(
        account,
        "Train",
        {},
        channels={"code": "s3://bucket/code/go.py"},
        hyperparameters={"depth": "5"},
        algorithm={
            "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/go.py"],
            "ContainerArguments": ["--model", "/opt/ml/model"],
        },
    )
    assert account.run(train) == "Succeeded", account.journal.log("Train")
    seen = told(account)
    ml = seen["environment"].get("SAGEMAKER_BASE_DIR", "/opt/ml")
    assert seen["arguments"] == ["--model", f"{ml}/model"]
    assert not any(name.startswith("SM_") for name in seen["environment"])
    assert account.objects.read(account.journal.last("Train").response["ModelArtifacts"]["S3ModelArtifacts"])


@pytest.mark.parametrize("program", ["run.sh", "package/main.py"])
def test_other_programs(account: Account, program: str) -> None:
    files = {
        "run.sh": '#!/bin/sh\necho "TOLD\\"$2\\""\n',
        "package/main.py": "import sys; print(f'TOLD\"{sys.argv[2]}\"')",
    }
    train = training(account, "Train", files, program=program, hyperparameters={"a b": "it's"})
    assert account.run(train) == "Succeeded", account.journal.log("Train")
    assert told(account) == "it's"


def test_checkpoints_come_and_go(account: Account) -> None:
    account.objects.write("s3://bucket/points/one", "1")
    script = """
import os, pathlib
folder = pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")) / "checkpoints"
(folder / "two").write_text((folder / "one").read_text() + "2")
raise SystemExit(1)
"""
    train = training(account, "Train", {"train.py": script}, CheckpointConfig={"S3Uri": "s3://bucket/points"})
    assert account.run(train) == "Failed"
    assert account.objects.read("s3://bucket/points/two") == b"12"


def test_stopped_training(account: Account) -> None:
    account.journal.stop_when = lambda: account.journal.ended().get("Train") == "Executing"
    assert account.run(training(account, "Train", {"train.py": "import time; time.sleep(60)"})) == "Stopped"
    assert account.journal.last("Train").response["TrainingJobStatus"] == "Stopped"


def test_packing_is_deterministic(tmp_path: Path) -> None:
    for name in ("one", "two"):
        folder = tmp_path / name
        (folder / "sub").mkdir(parents=True)
        (folder / "sub" / "b").write_text("b")
        (folder / "a").write_text("a")
        with Folder.at(folder) as left:
            pack(merged([left]), tmp_path / f"{name}.tar.gz")
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "two.tar.gz").read_bytes()
    unpack(tmp_path / "one.tar.gz", tmp_path / "back", "it")
    assert (tmp_path / "back" / "sub" / "b").read_text() == "b"


@pytest.mark.parametrize(
    "content",
    [b"no archive", tar_gz({"../evil": "x"}), tar_gz({"a": "x" * 5000})[:60]],
    ids=["no archive", "outside", "cut"],
)
def test_unpacking_is_safe(tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    # As in Python 3.11.2, which is Debian's.
    for name in ("OutsideDestinationError", "LinkOutsideDestinationError", "SpecialFileError", "FilterError"):
        monkeypatch.delattr(tarfile, name, raising=False)
    (tmp_path / "a.tar.gz").write_bytes(content)
    with pytest.raises(StepFailed, match=r"it cannot be unpacked as \.tar\.gz"):
        unpack(tmp_path / "a.tar.gz", tmp_path / "inside" / "folder", "it")
    assert not (tmp_path / "inside" / "evil").exists()


@pytest.mark.parametrize(
    ("text", "missing", "passed_over"),
    [
        ("pytest\n", {}, []),
        ("pytest[extra]>=1 # why\n\n# all\n", {}, []),
        ("pytest>=1\n--index-url https://x\n-r other.txt\n./local\nsub/local\n", {}, ["--index-url https://x", *PATHS]),
        ("pytest>=9999\n", {"pytest>=9999": f"found {pytest.__version__}"}, []),
        ("pytest==0.1 \\\n  --hash=sha256:00\n", {"pytest==0.1": f"found {pytest.__version__}"}, []),
        ("nothing-like-this==1; python_version < '3'\n", {}, []),
        ("nothing-like-this==1\n", {"nothing-like-this==1": "missing"}, []),
        ("a; os_name ~= 'x'\n", {"a; os_name ~= 'x'": "a marker that pip cannot compare"}, []),
        ("pytest=1\n", {"pytest=1": "no requirement that pip can read"}, []),
        ("nothing @ https://example.org/x.whl\n", {}, ["nothing @ https://example.org/x.whl"]),
        ("\ufeffpytest\r\n", {}, ["\ufeffpytest"]),
    ],
)
def test_requirements(text: str, missing: dict[str, str], passed_over: list[str]) -> None:
    assert unmet(text) == missing
    assert unjudged(text) == passed_over
