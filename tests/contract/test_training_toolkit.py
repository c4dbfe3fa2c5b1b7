"""What a script sees from a local Training step is what the training toolkit of the framework images gives it.

Each case runs as a step in the sandbox and through ``sagemaker_training`` from PyPI, from the same three config files;
variables, arguments and working directory are compared whole. Where the two differ on purpose:

| What | Toolkit | Here | Reason |
|---|---|---|---|
| `PYTHONPATH` | `/opt/ml/code`, the toolkit's own search path | `/opt/ml/code`, the request's | there is no image |
| `PATH`, `HOME`, `LANG`, `TMPDIR` and others of the system | the image's | the sandbox's | there is no image |
| `SM_NUM_GPUS`, `SM_NUM_NEURONS` | counted with nvidia-smi and neuron-ls | 0 | one CPU machine is promised |
| `SM_FRAMEWORK_MODULE` | `SAGEMAKER_TRAINING_MODULE` of the image | empty | there is no image |
| `setup.py`, `requirements.txt` | installed | not; what is missing fails the step | nothing is installed |
| a failing script | status 1, `ExecuteUserScriptError` in `output/failure` | its status, its log's end | more useful |
| MPI, SMDDP, XLA | started over all hosts | the step fails and says so | mpirun over SSH is the images' |
| torchrun: variables for EFA, `RUN_NEURON_PARALLEL_COMPILE` | acted on | not | neither is here |
| torchrun where names do not resolve (plain folders) | `--master_addr algo-1` | 127.0.0.1 | no namespaces |
| parameter servers, MultiWorkerMirroredStrategy | by the TensorFlow image | the script alone | other code |
| waiting for the hosts' names | up to 15 minutes | not at all | they are in /etc/hosts |
| `output/success`, `output/intermediate` | written; uploaded while it runs | neither | the service reads neither |
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ports_for_tests import Account, tar_gz, training

from mlops.run.outcome import StepFailed
from mlops.run.training_toolkit import command, script_of, torchrun, variables

pytest.importorskip("sagemaker_training")
pytestmark = pytest.mark.proof("deep")

TELL = """
import json, os, sys
base = os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")
config = os.path.join(base, "input", "config")
told = {
    "arguments": sys.argv[1:],
    "cwd": os.getcwd(),
    "environment": dict(os.environ),
    "config": {name: json.load(open(os.path.join(config, name))) for name in sorted(os.listdir(config))},
}
with open(os.path.join(base, "model", "told.json"), "w") as file:
    json.dump(told, file)
"""
SHELL = '#!/bin/sh\nexec python tell.py "$@"\n'
OURS = ("SM_", "SAGEMAKER_", "TRAINING_JOB_", "CURRENT_HOST")
NOT_THE_SCRIPTS = {"SAGEMAKER_BASE_DIR", "SM_STUDIO_LOCAL_MODE"}


@dataclass(frozen=True)
class Case:
    """``channels`` are members of InputDataConfig's items by channel."""

    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    program: str = "train.py"
    files: Mapping[str, str] = field(default_factory=lambda: {"train.py": TELL})


CASES = {
    "nothing": Case(),
    "scalars": Case(
        {"epochs": "10", "lr": "0.1", "big": "1e400", "flag": "true", "off": "false", "none": "null", "minus": "-1"}
    ),
    "texts": Case(
        {
            "quoted": '"abc"',
            "raw": "abc",
            "empty": "",
            "python-bool": "True",
            "spaces": "a b  c",
            "shell": "$(id); `id` > /x & 'y'",
            "newline": "a\nb",
            "umlaut": "ü",
            "quoted-umlaut": '"日本語"',
            "looks-like-option": "--x",
        }
    ),
    "names": Case({"batch-size": "32", "k": "5", "K": "6", "dotted.name": "1", "under_score": "2", "MiXed": "3"}),
    "nested": Case(
        {
            "map": '{"b": 2, "a": {"y": null, "x": true}}',
            "list": '[1, "two", null, [3.5]]',
            "empty-map": "{}",
            "empty-list": "[]",
            "umlaut": '{"ü": "ä"}',
        }
    ),
    "broken JSON": Case({"a": "{", "b": "[1,", "c": "NaN", "d": "01", "e": "'x'", "f": " 7 "}),
    "reserved": Case(
        {
            "sagemaker_region": '"eu-west-1"',
            "sagemaker_job_name": '"a-job"',
            "sagemaker_enable_cloudwatch_metrics": "false",
            "sagemaker_parameter_server_enabled": "true",
            "sagemaker_mpi_num_of_processes_per_host": "2",
            "sagemaker_mine": '{"a": 1}',
            "_tuning_objective_metric": '"accuracy"',
            "default_user_module_name": '"x"',
            "sagemakers": "1",
        }
    ),
    "distribution flags": Case(
        {"sagemaker_multi_worker_mirrored_strategy_enabled": "true", "sagemaker_parameter_server_enabled": "1"}
    ),
    "distribution groups": Case({"sagemaker_distribution_instance_groups": '["one", "two"]'}),
    "log level": Case({"sagemaker_container_log_level": "10"}),
    "channels": Case(
        channels={
            "train": {"ContentType": "text/csv"},
            "validation": {},
            "test-2": {"RecordWrapperType": "None", "InputMode": "FastFile"},
            "A.b_c": {"shard": True},
        }
    ),
    "instance": Case(resources={"InstanceType": "ml.c5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1}),
    "instance groups": Case(
        resources={
            "InstanceGroups": [{"InstanceGroupName": "cpu", "InstanceType": "ml.m5.large", "InstanceCount": 1}],
            "VolumeSizeInGB": 1,
        }
    ),
    "shell script": Case(
        {"a b": "c d", "quote": "it's", "empty": "", "dollar": "$HOME"},
        program="bin/run.sh",
        files={"bin/run.sh": SHELL, "tell.py": TELL},
    ),
    "shell script beside setup.py": Case(
        {"x": "1"}, program="run.sh", files={"run.sh": SHELL, "tell.py": TELL, "setup.py": ""}
    ),
    "other executable": Case({"x": "1"}, program="run", files={"run": SHELL, "tell.py": TELL}),
    "script in a folder": Case(program="src/train.py", files={"src/train.py": TELL}),
    "package": Case({"x": "1"}, program="train.py", files={"train.py": TELL, "setup.py": ""}),
    "module of a package": Case(
        {"x": "1"}, program="pack.train", files={"pack/__init__.py": "", "pack/train.py": TELL, "setup.py": ""}
    ),
    "variables of the request": Case(
        environment={
            "MINE": "1",
            "SM_MODEL_DIR": "/elsewhere",
            "SM_MINE": "2",
            "SAGEMAKER_JOB_NAME": "mine",
            "SAGEMAKER_CONTAINER_LOG_LEVEL": "30",
            "CURRENT_HOST": "other",
        }
    ),
    "program from a variable": Case(
        environment={"SAGEMAKER_PROGRAM": "other.py"}, files={"train.py": "exit(1)", "other.py": TELL}
    ),
}
"""One case, one row; each runs as a step and through the toolkit."""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Ours and theirs, by case."""
    folder = tmp_path_factory.mktemp("toolkit")
    account = Account(folder)
    account.objects.write("s3://bucket/data/x.csv", "1")
    steps = [_step(account, f"S{index}", case) for index, case in enumerate(CASES.values())]
    account.run(*steps)
    ours = []
    for index, name in enumerate(CASES):
        record = account.journal.last(f"S{index}")
        assert record.status == "Succeeded", f"{name}: {record.failure}"
        ours.append(json.loads(_from_archive(account, record.response["ModelArtifacts"]["S3ModelArtifacts"])))
    orders = []
    for index, (case, told) in enumerate(zip(CASES.values(), ours, strict=True)):
        environment = {
            **case.environment,
            **{name: told["environment"][name] for name in ("TRAINING_JOB_NAME", "TRAINING_JOB_ARN")},
        }
        orders.append(_toolkit_order(folder / f"oracle-{index}" / "ml", told["config"], case.files, environment))
    return dict(zip(CASES, zip(ours, _ask_toolkit(orders), strict=True), strict=True))


def _step(account: Account, name: str, case: Case) -> Any:
    changes: dict[str, Any] = {"Environment": dict(case.environment)} if case.environment else {}
    if case.resources:
        changes["ResourceConfig"] = case.resources
    channels = []
    for channel, given in case.channels.items():
        members = {key: value for key, value in given.items() if key != "shard"}
        source = {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/data/"}
        if "shard" in given:
            source["S3DataDistributionType"] = "ShardedByS3Key"
        channels.append({"ChannelName": channel, "DataSource": {"S3DataSource": source}, **members})
    return training(
        account,
        name,
        case.files,
        program=case.program,
        hyperparameters=case.hyperparameters,
        InputDataConfig=channels,
        **changes,
    )


def _from_archive(account: Account, uri: str) -> bytes:
    import io
    import tarfile

    with tarfile.open(fileobj=io.BytesIO(account.objects.read(uri))) as tar:
        member = tar.extractfile("told.json")
        assert member is not None
        return member.read()


def _toolkit_order(
    base: Path, config: Mapping[str, Any], files: Mapping[str, str], environment: Mapping[str, str]
) -> dict[str, Any]:
    for name in ("input/config", "model", "output/data", "code"):
        (base / name).mkdir(parents=True)
    for name, content in config.items():
        (base / "input/config" / name).write_text(json.dumps(content))
    for name, content in files.items():
        target = base / "code" / name
        target.parent.mkdir(exist_ok=True)
        target.write_text(content)
    return {"base": str(base), "environment": dict(environment)}


def _ask_toolkit(orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    oracle = Path(__file__).with_name("training_oracle.py")
    asked = subprocess.run(
        [sys.executable, str(oracle)], input=json.dumps(orders), capture_output=True, text=True, check=True
    )
    answers = json.loads(asked.stdout)
    for order, answer in zip(orders, answers, strict=True):
        assert "environment" in answer, answer["log"]
        for key in ("environment", "cwd"):
            answer[key] = json.loads(json.dumps(answer[key]).replace(order["base"], "/opt/ml"))
    return list(answers)


def _told(told: Mapping[str, Any], base: str = "/opt/ml") -> dict[str, str]:
    """The variables that are to be equal; whole documents as values, their text is compared beside."""
    environment = json.loads(json.dumps(told["environment"]).replace(base, "/opt/ml"))
    return {name: value for name, value in environment.items() if name.startswith(OURS) and name not in NOT_THE_SCRIPTS}


@pytest.mark.xdist_group("toolkit")
@pytest.mark.parametrize("name", CASES)
def test_the_same_as_the_toolkit(seen: Any, name: str) -> None:
    ours, theirs = seen[name]
    base = ours["environment"].get("SAGEMAKER_BASE_DIR", "/opt/ml")
    assert ours["arguments"] == theirs["arguments"]
    assert ours["cwd"].replace(base, "/opt/ml") == theirs["cwd"]
    mine, its = _told(ours, base), _told(theirs)
    assert json.loads(mine.pop("SM_TRAINING_ENV")) == json.loads(its.pop("SM_TRAINING_ENV"))
    assert mine == its
    first = theirs["environment"]["PYTHONPATH"].split(":")[0]
    assert ours["environment"]["PYTHONPATH"].replace(base, "/opt/ml") == first == "/opt/ml/code"


HETERO = {
    "current_host": "algo-2",
    "current_instance_type": "ml.g5.xlarge",
    "current_group_name": "gpu",
    "hosts": ["algo-1", "algo-2", "algo-3"],
    "instance_groups": [
        {"instance_group_name": "gpu", "instance_type": "ml.g5.xlarge", "hosts": ["algo-2"]},
        {"instance_group_name": "cpu", "instance_type": "ml.m5.large", "hosts": ["algo-1", "algo-3"]},
    ],
    "network_interface_name": "ethwe",
}
RESOURCES: dict[str, tuple[Mapping[str, Any], Mapping[str, str]]] = {
    "least": ({"current_host": "algo-1", "hosts": ["algo-1"]}, {}),
    "least, distributed": ({"current_host": "algo-1", "hosts": ["algo-1"]}, {"sagemaker_pytorch_ddp_enabled": "true"}),
    "groups": (HETERO, {}),
    "groups, distributed": (HETERO, {"sagemaker_torch_distributed_enabled": "true"}),
    "groups, named": (HETERO, {"sagemaker_distribution_instance_groups": '["cpu"]'}),
    "topology": ({**HETERO, "topology": [{"hostName": "algo-2", "capacityUnitId": "u1"}]}, {}),
}
"""resourceconfig.json as a cluster has it; no single machine makes these, the variables are to be right."""


def test_resource_configs(tmp_path: Path) -> None:
    channels = {
        "train": {"TrainingInputMode": "Pipe", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}
    }
    orders = []
    for index, (resources, flags) in enumerate(RESOURCES.values()):
        config = {
            "hyperparameters.json": {"sagemaker_program": "train.py", **flags},
            "inputdataconfig.json": channels,
            "resourceconfig.json": resources,
        }
        given = {"TRAINING_JOB_NAME": "job"}
        orders.append(_toolkit_order(tmp_path / str(index) / "ml", config, {"train.py": TELL}, given))
    for (name, (resources, flags)), theirs in zip(RESOURCES.items(), _ask_toolkit(orders), strict=True):
        script = script_of({"sagemaker_program": "train.py", **flags}, {})
        assert script is not None
        ours = variables(script, resources=resources, channels=channels, job_name="job")
        mine, its = _told({"environment": ours}), _told(theirs)
        assert its.pop("TRAINING_JOB_NAME") == "job"
        assert json.loads(mine.pop("SM_TRAINING_ENV")) == json.loads(its.pop("SM_TRAINING_ENV")), name
        assert mine == its, name


@pytest.mark.parametrize(
    "program",
    [
        *("train.py", "bin/run.sh", "a+b-c_d.py", ".hidden.py", "a..b.py", "1.py"),
        *("-c.py", "/etc/x.py", "../x.py", "a/../x.py", "./x.py", "a b.py", "x;y.sh", "a//b.py", "a/", "ü.py", "$x.sh"),
    ],
)
def test_names_of_programs(program: str) -> None:
    """Both take the same names."""
    from sagemaker_training import errors, process

    try:
        process.validate_entry_point(program)
        theirs = True
    except errors.ClientError:
        theirs = False
    try:
        script_of({"sagemaker_program": json.dumps(program)}, {})
        ours = True
    except StepFailed:
        ours = False
    assert ours == theirs


@pytest.mark.xdist_group("toolkit")
def test_config_files(seen: Any) -> None:
    """The toolkit reads these, it does not make them; the service does."""
    config = seen["scalars"][0]["config"]
    assert sorted(config) == ["hyperparameters.json", "inputdataconfig.json", "resourceconfig.json"]
    assert all(isinstance(value, str) for value in config["hyperparameters.json"].values())
    assert config["hyperparameters.json"]["none"] == "null"
    assert config["inputdataconfig.json"] == {}
    group = {"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.large", "hosts": ["algo-1"]}
    assert config["resourceconfig.json"] == {
        "current_host": "algo-1",
        "current_instance_type": "ml.m5.large",
        "current_group_name": "homogeneousCluster",
        "hosts": ["algo-1"],
        "instance_groups": [group],
        "network_interface_name": "eth0",
    }
    plain = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}
    assert seen["channels"][0]["config"]["inputdataconfig.json"] == {
        "train": {**plain, "ContentType": "text/csv"},
        "validation": plain,
        "test-2": {**plain, "TrainingInputMode": "FastFile"},
        "A.b_c": {**plain, "S3DistributionType": "ShardedByS3Key"},
    }
    assert seen["instance groups"][0]["config"]["resourceconfig.json"]["current_group_name"] == "cpu"


def test_commands(tmp_path: Path) -> None:
    """As the toolkit writes them, but for the interpreter's path and its mark for the end of options."""
    from sagemaker_training import environment, process

    for name in ("train.py", "run.sh", "run", "pack.train"):
        for with_setup in (False, True):
            code = tmp_path / f"{name}-{with_setup}"
            code.mkdir()
            if with_setup:
                (code / "setup.py").touch()
            script = script_of({"sagemaker_program": json.dumps(name), "a b": '"c d"', "e": ""}, {})
            assert script is not None
            old, environment.code_dir = environment.code_dir, str(code)
            try:
                runner = process.ProcessRunner(name, ["--a b", "c d", "-e", ""], {}, 1)
                theirs = [word for word in runner._create_command() if word != "--"]
            finally:
                environment.code_dir = old
            ours = command(script, code)
            if theirs[0] == "/bin/sh":
                assert ours == theirs
            else:
                assert (ours[0], ours[1:]) == ("python", theirs[1:])


TORCHRUN: dict[str, tuple[Mapping[str, Any], Mapping[str, str]]] = {
    "one host": ({"current_host": "algo-1", "hosts": ["algo-1"]}, {}),
    "first of two": ({"current_host": "algo-1", "hosts": ["algo-1", "algo-2"]}, {}),
    "second of two": ({"current_host": "algo-2", "hosts": ["algo-1", "algo-2"], "network_interface_name": "lo"}, {}),
    "processes": (
        {"current_host": "algo-1", "hosts": ["algo-1", "algo-2"]},
        {"sagemaker_mpi_num_of_processes_per_host": "3"},
    ),
    "own group": (HETERO, {}),
    "named group": (
        {**HETERO, "current_host": "algo-3", "current_group_name": "cpu"},
        {"sagemaker_distribution_instance_groups": '["cpu"]'},
    ),
}


@pytest.mark.parametrize("name", TORCHRUN)
def test_torchrun(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command and the variables are those of the toolkit's own runner, for the same environment."""
    import os

    from sagemaker_training import environment, torch_distributed

    resources, flags = TORCHRUN[name]
    given = {"sagemaker_program": "train.py", "sagemaker_torch_distributed_enabled": "true", "x": "1", **flags}
    script = script_of(given, {})
    assert script is not None
    ours = torchrun(script, resources, tmp_path)
    told = json.loads(variables(script, resources=resources, channels={}, job_name="j")["SM_TRAINING_ENV"])
    assert ours is not None
    monkeypatch.setattr(environment, "code_dir", str(tmp_path))
    monkeypatch.setattr(os, "environ", {})
    processes = script.framework.get("sagemaker_mpi_num_of_processes_per_host", 1)  # as runner.py reads it
    theirs = torch_distributed.TorchDistributedRunner(
        script.program,
        ["-x", "1"],
        {},
        processes,
        told["master_hostname"],
        told["distribution_hosts"],
        told["current_host"],
        told["network_interface_name"],
        instance_type=told["current_instance_type"],
    )
    assert ours.command == theirs._create_command()
    assert ours.environment == {key: value for key, value in os.environ.items() if key.startswith("NCCL")}


def test_hosts_outside_of_the_distribution(tmp_path: Path) -> None:
    groups = {"sagemaker_distribution_instance_groups": '["cpu"]'}
    script = script_of({"sagemaker_program": "x.py", "sagemaker_torch_distributed_enabled": "true", **groups}, {})
    assert script is not None and torchrun(script, HETERO, tmp_path) is None


def test_sources_stay_apart(account: Account) -> None:
    """The archive of the code is not among what the script sees."""
    account.objects.write("s3://bucket/x.tar.gz", tar_gz({"a": "b"}))
    listing = "import os; print(sorted(os.listdir(os.environ['SM_MODEL_DIR'] + '/..')))"
    assert account.run(training(account, "T", {"train.py": listing})) == "Succeeded", account.journal.last("T").failure
    assert "['code', 'input', 'model', 'output']" in account.journal.log("T")
