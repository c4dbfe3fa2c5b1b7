"""Jobs on their own: created by any client, watched, stopped, deleted; and what is told when their process dies."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from account_definitions import IMAGE, ROLE
from account_parts import runner_with
from botocore.exceptions import ClientError

from mlops.account.local import LocalAccount, ownership
from mlops.account.local.process import runner
from mlops.account.local.process.ports import LocalJobJournal
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.settling import settle_job
from mlops.ir import ConfigurationError

WAITS = "echo begun; trap 'exit 0' TERM; while :; do sleep 0.05; done"
LOGS = "/aws/sagemaker/TrainingJobs"
LATER = {"Delay": 1, "MaxAttempts": 60}


@pytest.fixture
def sagemaker(local: LocalAccount) -> Any:
    return local.client("sagemaker")


def training(name: str, command: str, **members: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/sh", "-c", command],
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        },
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://mlops-tests/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        **members,
    }


TRANSFORM = {
    "TransformJobName": "never",
    "ModelName": "absent",
    "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://mlops-tests/in"}}},
    "TransformOutput": {"S3OutputPath": "s3://mlops-tests/out"},
    "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    "MaxPayloadInMB": 60,
    "MaxConcurrentTransforms": 2,
}
CHANNEL = {"ChannelName": "train", "DataSource": TRANSFORM["TransformInput"]["DataSource"]}  # type: ignore[index]


def ended(describe: Callable[[], dict[str, Any]], member: str) -> dict[str, Any]:
    while (found := describe())[member] in ("InProgress", "Stopping"):
        time.sleep(0.02)
    return found


def lines(local: LocalAccount, job: str) -> list[str]:
    found = local.client("logs").filter_log_events(logGroupName=LOGS, logStreamNamePrefix=f"{job}/")
    return [event["message"] for event in found["events"]]


def happened(local: LocalAccount) -> list[tuple[str, Any]]:
    found = local.events.read(kinds=("job.started", "job.stopping", "job.ended"))
    return [(event.kind, event.detail["status"]) for event in found]


def test_a_training_job_from_its_creation_to_its_deletion(local: LocalAccount, sagemaker: Any) -> None:
    asked = training("one", "echo loss=3; cp /bin/true /opt/ml/model/m", Tags=[{"Key": "team", "Value": "a"}])
    arn = sagemaker.create_training_job(**asked)["TrainingJobArn"]
    assert arn == "arn:aws:sagemaker:us-east-1:000000000000:training-job/one"
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "a"}]
    told = ended(lambda: sagemaker.describe_training_job(TrainingJobName="one"), "TrainingJobStatus")
    assert (told["TrainingJobStatus"], told["SecondaryStatus"]) == ("Completed", "Completed")
    assert told["FinalMetricDataList"][0]["Value"] == 3.0
    assert told["BillableTimeInSeconds"] == told["TrainingTimeInSeconds"]
    model = "models/one/output/model.tar.gz"
    assert told["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://mlops-tests/{model}"
    assert local.client("s3").head_object(Bucket="mlops-tests", Key=model)["ContentLength"] > 0
    assert lines(local, "one")[0] == "loss=3"
    assert happened(local) == [("job.started", "InProgress"), ("job.ended", "Completed")]
    assert all(step["StatusMessage"] for step in told["SecondaryStatusTransitions"])  # the SDK reads them
    span = {"StartTime": told["TrainingStartTime"], "EndTime": told["TrainingEndTime"], "Period": 60}
    metric = {"Dimensions": [{"Name": "TrainingJobName", "Value": "one"}], "Statistics": ["Average"]}
    values = local.client("cloudwatch").get_metric_statistics(Namespace=LOGS, MetricName="loss", **span, **metric)
    assert [point["Average"] for point in values["Datapoints"]] == [3.0]
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName="one", WaiterConfig=LATER)
    with pytest.raises(ClientError, match=r"\(ResourceInUse\).*must be unique"):
        sagemaker.create_training_job(**asked)
    with pytest.raises(ClientError, match=r"\(ValidationException\).*in status Completed"):
        sagemaker.stop_training_job(TrainingJobName="one")
    assert [item["TrainingJobName"] for item in sagemaker.list_training_jobs()["TrainingJobSummaries"]] == ["one"]
    sagemaker.delete_training_job(TrainingJobName="one")
    with pytest.raises(ClientError, match="not found"):
        sagemaker.describe_training_job(TrainingJobName="one")
    sagemaker.create_training_job(**training("one", "echo another"))
    ended(lambda: sagemaker.describe_training_job(TrainingJobName="one"), "TrainingJobStatus")
    assert lines(local, "one")[0] == "another"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"}}, "give a script"),
        ({"OutputDataConfig": {"S3OutputPath": "https://acme.example/models"}}, "not an s3:// URI"),
        ({"OutputDataConfig": {"S3OutputPath": "s3://nowhere/models"}}, "there is no bucket nowhere; create it"),
        (
            {"InputDataConfig": [CHANNEL]},
            'No S3 objects found under S3 URL "s3://mlops-tests/in".*`mlops local put FILE',
        ),
        (
            {"AlgorithmSpecification": {"AlgorithmName": "mine", "TrainingInputMode": "File"}},
            "the algorithm mine lies in",
        ),
    ],
    ids=["no script", "no place", "no bucket", "no data", "an algorithm of an account"],
)
def test_what_cannot_run_here_is_refused_with_its_reason(sagemaker: Any, change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ClientError, match=rf"\(ValidationException\).*{reason}"):
        sagemaker.create_training_job(**training("never", "true", **change))
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []


UPSIDE_DOWN = {"IntegerParameterRanges": [{"Name": "rate", "MinValue": "9", "MaxValue": "1"}]}


@pytest.mark.parametrize(
    ("operation", "request_", "texts"),
    [
        ("create_training_job", training("never", "true", InputDataConfig=[CHANNEL, CHANNEL]), ["stands twice"]),
        ("create_hyper_parameter_tuning_job", "ranges", [r"IntegerParameterRanges\[0\].MinValue: .* is above"]),
        ("create_hyper_parameter_tuning_job", "metrics", ["2 validation errors", "nothing finds the one"]),
        ("create_transform_job", TRANSFORM, ["2 times 60 MB"]),
    ],
    ids=["two channels of a name", "ranges upside down", "no metric and too many at once", "a payload too large"],
)
def test_what_check_finds_in_a_step_is_refused_of_a_client(
    sagemaker: Any, operation: str, request_: Any, texts: list[str]
) -> None:
    if isinstance(request_, str):
        request_ = _spoilt(request_)
    with pytest.raises(ClientError, match=r"\(ValidationException\).*validation error") as told:
        getattr(sagemaker, operation)(**request_)
    assert all(re.search(text, str(told.value)) for text in texts), str(told.value)


def _spoilt(what: str) -> dict[str, Any]:
    request = tuning("never", "true")
    if what == "ranges":
        request["HyperParameterTuningJobConfig"]["ParameterRanges"] = UPSIDE_DOWN
    else:
        del request["TrainingJobDefinition"]["AlgorithmSpecification"]["MetricDefinitions"]
        request["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxParallelTrainingJobs"] = 90
    return request


def test_a_job_whose_process_is_killed_says_so(local: LocalAccount, sagemaker: Any) -> None:
    sagemaker.create_training_job(**training("lost", WAITS))
    while not lines(local, "lost"):
        time.sleep(0.02)
    os.kill(runner_with(str(local.state.folder)), signal.SIGKILL)
    told = ended(lambda: sagemaker.describe_training_job(TrainingJobName="lost"), "TrainingJobStatus")
    assert (told["TrainingJobStatus"], told["SecondaryStatus"]) == ("Failed", "Failed")
    assert told["FailureReason"] == "the process that ran it is gone"
    assert happened(local) == [("job.started", "InProgress"), ("job.ended", "Failed")]


def test_what_a_job_started_ends_with_it_and_with_no_other_of_its_name(local: LocalAccount, sagemaker: Any) -> None:
    """Nobody runs any of these; ``said`` has said its last word itself, without its jobs."""
    rows = [
        ("TrainingJob", "said-001", "said", "InProgress"),
        ("TrainingJob", "said", "", "InProgress"),
        ("HyperParameterTuningJob", "said", "", "Failed"),
        ("TrainingJob", "runs-001", "runs", "InProgress"),
        ("TrainingJob", "runs", "", "InProgress"),
        ("HyperParameterTuningJob", "runs", "", "InProgress"),
    ]
    for kind, name, parent, status in rows:
        member = f"{kind}Status"
        local.state.store.write(
            "INSERT INTO resource VALUES (?, ?, '', '', ?, ?)", kind, name, status, json.dumps({member: status})
        )
        local.state.store.write(
            "INSERT INTO job (kind, name, execution, parent, body) VALUES (?, ?, '', ?, '{}')", kind, name, parent
        )
    running = ownership.take(local.state.job_folder("hyper-parameter-tuning-job", "runs"))
    assert running is not None
    told = {name: settled(local, name) for _, name, _, _ in rows}
    assert told == {"said-001": "Failed", "said": "Failed", "runs-001": "InProgress", "runs": "Failed"}
    os.close(running)
    assert settled(local, "runs-001") == "Failed"


def settled(local: LocalAccount, name: str) -> str:
    settle_job(local.state, "TrainingJob", name)
    body = resources.find(local.state, "TrainingJob", name)
    assert body is not None
    return str(body["TrainingJobStatus"])


def test_a_job_says_that_the_disk_was_full_as_soon_as_there_is_place(
    local: LocalAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"TrainingJobStatus": "InProgress"}
    local.state.store.write(
        "INSERT INTO resource VALUES ('TrainingJob', 'one', '', '', 'InProgress', ?)", json.dumps(body)
    )
    asked = json.dumps(training("one", "true"))
    local.state.store.write(
        "INSERT INTO job (kind, name, execution, parent, body) VALUES ('TrainingJob', 'one', '', '', ?)", asked
    )
    folder = local.state.job_folder("training-job", "one")
    folder.mkdir(parents=True)
    written, tries = LocalJobJournal.execution, iter((ConfigurationError("the disk is full"), None))

    def execution(journal: LocalJobJournal, *told: Any) -> None:
        if (error := next(tries)) is not None:
            assert not (folder / "reserve").exists(), "that is given back first"
            raise error
        written(journal, *told)

    def execute(*given: Any) -> str:
        assert (folder / "reserve").exists()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(LocalJobJournal, "execution", execution)
    monkeypatch.setattr("mlops.run.execute.execute", execute)
    monkeypatch.setattr(runner, "_LAST_SECONDS", 0.0)
    runner.run_job(local.state, "training-job/one", folder)
    found = resources.find(local.state, "TrainingJob", "one")
    assert found is not None and found["TrainingJobStatus"] == "Failed"
    assert found["FailureReason"].startswith(f"the disk of {folder} is full")
    assert happened(local) == [("job.ended", "Failed")]


def tuning(name: str, script_command: str, jobs: int = 2) -> dict[str, Any]:
    job = training("", script_command)
    del job["TrainingJobName"]
    job["AlgorithmSpecification"].pop("ContainerEntrypoint")
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": 1},
            "ParameterRanges": {"IntegerParameterRanges": [{"Name": "rate", "MinValue": "1", "MaxValue": "9"}]},
        },
        "TrainingJobDefinition": {
            **job,
            "StaticHyperParameters": {
                "sagemaker_program": "run.sh",
                "sagemaker_submit_directory": "s3://mlops-tests/source.tar.gz",
            },
        },
    }


def put_script(local: LocalAccount, text: str) -> None:
    from io import BytesIO
    from tarfile import TarInfo, open

    packed = BytesIO()
    with open(fileobj=packed, mode="w:gz") as archive:
        member = TarInfo("run.sh")
        member.size, member.mode = len(text), 0o755
        archive.addfile(member, BytesIO(text.encode()))
    local.client("s3").put_object(Bucket="mlops-tests", Key="source.tar.gz", Body=packed.getvalue())


@pytest.mark.proof("kills")
def test_a_tuning_job_is_stopped_and_one_of_its_training_jobs_before(local: LocalAccount, sagemaker: Any) -> None:
    put_script(local, f"echo loss=1; {WAITS}")
    sagemaker.create_hyper_parameter_tuning_job(**tuning("search", WAITS, 9))

    def children() -> list[dict[str, Any]]:
        found = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName="search")
        return list(found["TrainingJobSummaries"])

    while not children() or not lines(local, first := children()[0]["TrainingJobName"]):
        time.sleep(0.02)
    sagemaker.stop_training_job(TrainingJobName=first)
    told = ended(lambda: sagemaker.describe_training_job(TrainingJobName=first), "TrainingJobStatus")
    assert told["TrainingJobStatus"] == "Stopped" and told["TuningJobArn"].endswith("/search")
    while len(children()) < 2:
        time.sleep(0.02)
    name = {"HyperParameterTuningJobName": "search"}
    sagemaker.stop_hyper_parameter_tuning_job(**name)
    told = ended(lambda: sagemaker.describe_hyper_parameter_tuning_job(**name), "HyperParameterTuningJobStatus")
    assert told["HyperParameterTuningJobStatus"] == "Stopped"
    assert [kind for kind, _ in happened(local)] == ["job.started", "job.stopping", "job.ended"]
    assert {item["TrainingJobStatus"] for item in children()} == {"Stopped"}
    assert sagemaker.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"][0]["Strategy"] == "Random"
    sagemaker.delete_hyper_parameter_tuning_job(**name)
    assert len(sagemaker.list_training_jobs()["TrainingJobSummaries"]) >= 2


@pytest.mark.parametrize(
    ("service", "operation", "told"),
    [
        ("emr", "list_clusters", "EMR cluster, and there is none here; .*`mlops run --stub STEP=FILE`"),
        ("sagemaker", "list_auto_ml_jobs", "Autopilot .*--stub STEP=FILE"),
        ("sagemaker", "list_hubs", "JumpStart.*name it as ModelDataUrl"),
    ],
)
def test_what_nobody_here_answers_says_why_and_what_to_do(
    local: LocalAccount, service: str, operation: str, told: str
) -> None:
    with pytest.raises(ClientError, match=rf"\(UnknownOperationException\).*{told}"):
        getattr(local.client(service), operation)()
