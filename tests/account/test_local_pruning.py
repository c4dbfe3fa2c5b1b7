"""Bounded disk use: what goes, and above all what stays."""

from __future__ import annotations

import os
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from account_definitions import IMAGE, ROLE, document, fail, processing
from store_invariants import violations

from mlops.account import RunOptions
from mlops.account.local import LocalAccount, kept_values
from mlops.account.local.state import moment
from mlops.account.local.upkeep.pruning import Pruning, plan, prune

BUCKET = "mlops-tests"


def writing(name: str, place: Any) -> dict[str, Any]:
    """A step that writes ``x`` to ``place``."""
    step = processing(name, "echo $0 > /opt/ml/processing/output/x")
    output = {"S3Uri": place, "LocalPath": "/opt/ml/processing/output", "S3UploadMode": "EndOfJob"}
    step["Arguments"]["ProcessingOutputConfig"] = {"Outputs": [{"OutputName": "out", "S3Output": output}]}
    return step


def of_the_execution(*rest: str) -> dict[str, Any]:
    values = [f"s3://{BUCKET}/runs", {"Get": "Execution.PipelineExecutionId"}, *rest]
    return {"Std:Join": {"On": "/", "Values": values}}


def registering(name: str, place: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": "RegisterModel",
        "DependsOn": ["Write"],
        "Arguments": {
            "ModelPackageGroupName": "churn",
            "InferenceSpecification": {
                "Containers": [{"Image": IMAGE, "ModelDataUrl": place}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        },
    }


class Runs:
    def __init__(self, account: LocalAccount) -> None:
        self.account = account
        # A step that is taken from an older execution keeps that one.
        self.options = RunOptions(use_cache=False)
        self.sagemaker = account.client("sagemaker")

    def define(self, *steps: dict[str, Any]) -> None:
        self.sagemaker.create_pipeline(PipelineName="p", PipelineDefinition=document([*steps]), RoleArn=ROLE)

    def update(self, *steps: dict[str, Any]) -> None:
        self.sagemaker.update_pipeline(PipelineName="p", PipelineDefinition=document([*steps]))

    def run(self, **more: Any) -> str:
        request = {"PipelineName": "p", "ClientRequestToken": uuid.uuid4().hex, **more}
        arn = str(self.account.start(request, self.options)["PipelineExecutionArn"])
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            found = self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
            if found["PipelineExecutionStatus"] != "Executing":
                assert found["PipelineExecutionStatus"] == "Succeeded", found
                return arn.rpartition("/")[2]
            time.sleep(0.02)
        raise AssertionError(f"{arn} does not end")

    def left(self) -> set[str]:
        listed = self.sagemaker.list_pipeline_executions(PipelineName="p")["PipelineExecutionSummaries"]
        return {item["PipelineExecutionArn"].rpartition("/")[2] for item in listed}

    def keys(self) -> set[str]:
        listed = self.account.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {item["Key"] for item in listed}

    def prune(self, keep: int, older_than: timedelta | None = None) -> Pruning:
        planned = plan(self.account.state, keep=keep, older_than=older_than)
        before = self.keys()
        done = prune(self.account.state, planned)
        assert done.bytes == planned.bytes
        gone = {item.key for old in done.executions for item in old.objects} | {item.key for item in done.assets}
        assert self.keys() == before - gone
        assert violations(self.account.state.folder) == []
        assert plan(self.account.state, keep=keep, older_than=older_than).bytes == 0
        return done


@pytest.fixture
def runs(local: LocalAccount) -> Runs:
    return Runs(local)


def test_old_executions_go_with_what_is_theirs(runs: Runs) -> None:
    runs.define(writing("Write", of_the_execution("out")))
    runs.account.client("s3").put_object(Bucket=BUCKET, Key="runs/of-somebody-else", Body=b"mine")
    old, middle, new = runs.run(), runs.run(), runs.run()
    assert plan(runs.account.state, keep=3).bytes == 0
    assert plan(runs.account.state, keep=1, older_than=timedelta(days=1)).bytes == 0
    planned = plan(runs.account.state, keep=2)
    assert [item.id for item in planned.executions] == [old]
    assert runs.left() == {old, middle, new}, "a plan changes nothing"
    done = runs.prune(keep=2, older_than=timedelta(0))
    assert done.bytes > 0
    assert runs.left() == {middle, new}
    assert runs.keys() == {"runs/of-somebody-else", f"runs/{middle}/out/x", f"runs/{new}/out/x"}
    assert not runs.account.state.execution_folder(old).exists()
    assert [item["ProcessingJobName"] for item in runs.sagemaker.list_processing_jobs()["ProcessingJobSummaries"]]
    runs.prune(keep=0)
    assert runs.keys() == {"runs/of-somebody-else"}
    assert runs.run() in runs.left()


def test_a_place_that_is_no_executions_own_is_not_touched(runs: Runs) -> None:
    runs.define(writing("Write", f"s3://{BUCKET}/fixed"))
    runs.run()
    runs.prune(keep=0)
    assert runs.keys() == {"fixed/x"}


def test_a_registered_version_keeps_its_artefact(runs: Runs) -> None:
    place = of_the_execution("out", "x")
    runs.define(writing("Write", of_the_execution("out")), registering("Register", place))
    first = runs.run()
    runs.prune(keep=0)
    assert runs.left() == set()
    assert runs.keys() == {f"runs/{first}/out/x"}


def test_a_model_goes_unless_an_endpoint_configuration_uses_it(runs: Runs) -> None:
    model = {
        "Name": "Model",
        "Type": "Model",
        "DependsOn": ["Write"],
        "Arguments": {
            "ExecutionRoleArn": ROLE,
            "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": of_the_execution("out", "x")},
        },
    }
    runs.define(writing("Write", of_the_execution("out")), model)
    used, free = runs.run(), runs.run()
    names = {
        item["ModelName"]: runs.sagemaker.describe_model(ModelName=item["ModelName"])["PrimaryContainer"]
        for item in runs.sagemaker.list_models()["Models"]
    }
    (serving,) = [name for name, container in names.items() if used in container["ModelDataUrl"]]
    variant = {"VariantName": "A", "ModelName": serving, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    runs.sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    done = runs.prune(keep=0)
    assert {item.id for item in done.executions} == {used, free}
    assert [item["ModelName"] for item in runs.sagemaker.list_models()["Models"]] == [serving]
    assert runs.keys() == {f"runs/{used}/out/x"}


def test_what_a_kept_execution_builds_on_stays(runs: Runs) -> None:
    runs.define(writing("Write", of_the_execution("out")), processing("Then", "true", then=["Write"]))
    source = runs.run()
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:pipeline/p/execution/{source}"
    config = {"SourcePipelineExecutionArn": arn, "SelectedSteps": [{"StepName": "Then"}]}
    selective = runs.run(SelectiveExecutionConfig=config)
    assert runs.prune(keep=1).executions == ()
    assert runs.left() == {source, selective}


def test_one_whose_results_were_taken_over_stays(runs: Runs) -> None:
    runs.define(writing("Write", of_the_execution("out")))
    source = runs.run()
    runs.options = RunOptions()
    later = runs.run()
    assert runs.prune(keep=1).executions == ()
    assert runs.left() == {source, later}


def test_a_running_execution_stays(runs: Runs) -> None:
    runs.define(processing("Sleep", "exec sleep 60"))
    arn = runs.sagemaker.start_pipeline_execution(PipelineName="p")["PipelineExecutionArn"]
    assert runs.prune(keep=0).executions == ()
    runs.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)


def test_one_that_is_retried_between_plan_and_deed_stays(runs: Runs) -> None:
    runs.define(processing("Fails", "test -e /nowhere || exec sleep 3; false"))
    arn = runs.sagemaker.start_pipeline_execution(PipelineName="p")["PipelineExecutionArn"]
    runs.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    while runs.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"] != "Stopped":
        time.sleep(0.02)
    planned = plan(runs.account.state, keep=0)
    assert len(planned.executions) == 1
    runs.sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    assert prune(runs.account.state, planned).executions == ()
    runs.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)


def test_uploads_and_definitions_that_nothing_names_go_after_a_day(runs: Runs, local: LocalAccount) -> None:
    keys = [f"mlops/assets/{letter * 64}/step.py" for letter in "abc"]
    brought = [f"mlops/data/{'d' * 64}/raw.csv", f"mlops/given/Train/model/{'e' * 64}/model.tar.gz"]
    for key in (*keys, *brought):
        local.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"print()")

    def using(key: str) -> dict[str, Any]:
        step = processing("A", "true")
        step["Arguments"]["Environment"] = {"CODE": f"s3://{BUCKET}/{key}"}
        return step

    runs.define(using(keys[0]))
    old = runs.run()
    runs.update(using(keys[1]))
    runs.run()
    assert runs.prune(keep=1).assets == (), "somebody may be about to use it"
    assert old not in runs.left()
    for key in (*keys, *brought):
        path = local.state.folder / "objects" / BUCKET / key
        os.utime(path, (0, 0))
        assert local.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"print()"
    runs.prune(keep=1)
    assert runs.keys() == {keys[1]}
    versions = runs.sagemaker.list_pipeline_versions(PipelineName="p")["PipelineVersionSummaries"]
    assert [item["PipelineVersionId"] for item in versions] == [2]


def test_what_killed_processes_left_goes(runs: Runs, local: LocalAccount) -> None:
    folder = local.state.execution_folder("abcdefghijkl")
    (folder / "A" / "1").mkdir(parents=True)
    (folder / "A" / "1" / "log.txt").write_text("who am I?")
    writing_folder = local.state.folder / "objects" / ".writing"
    writing_folder.mkdir(parents=True, exist_ok=True)
    (writing_folder / "new").write_bytes(b"new")
    (writing_folder / "old").write_bytes(b"old")
    os.utime(writing_folder / "old", (0, 0))
    planned = plan(local.state, keep=0)
    assert {Path(path).name for path in planned.left_over} == {"abcdefghijkl", "old"}
    prune(local.state, planned)
    assert not folder.exists()
    assert [path.name for path in writing_folder.iterdir()] == ["new"]


def test_what_nobody_went_on_with_goes_and_what_somebody_may_stays(local: LocalAccount) -> None:
    s3 = local.client("s3")
    local.ensure_bucket(BUCKET)
    old, young, active = (
        s3.create_multipart_upload(Bucket=BUCKET, Key=name)["UploadId"] for name in ("old", "young", "active")
    )
    for upload, name in ((old, "old"), (active, "active")):
        s3.upload_part(Bucket=BUCKET, Key=name, UploadId=upload, PartNumber=1, Body=b"part")
    store, before = local.state.store, "2020-01-01T00:00:00.000000+00:00"
    store.write("UPDATE upload SET created = ? WHERE key IN ('old', 'active')", before)
    store.write("UPDATE part SET modified = ? WHERE upload = ?", before, old)
    local.client("sagemaker").create_pipeline(
        PipelineName="p", PipelineDefinition=fail(), RoleArn=ROLE, ClientRequestToken="t" * 32
    )
    store.write("INSERT INTO token SELECT operation, 'old', request, reply, ? FROM token", before)
    unknown = local.state.folder / "uploads" / "unknown"
    unknown.mkdir()
    os.utime(unknown, (0, 0))
    found = plan(local.state, keep=0)
    assert {path.name for path in found.left_over} == {old, "unknown"}
    assert found.bytes == 4
    assert prune(local.state, found).left_over == found.left_over
    assert {row["id"] for row in store.all("SELECT id FROM upload")} == {young, active}
    assert [row["upload"] for row in store.all("SELECT upload FROM part")] == [active]
    assert [row["token"] for row in store.all("SELECT token FROM token")] == ["t" * 32]
    assert {path.name for path in (local.state.folder / "uploads").iterdir()} == {active}


def filled(local: LocalAccount, count: int) -> None:
    """Executions of one step each, with a job and an event, as if they had run."""
    time_ = "2026-01-01T00:00:00.000000+00:00"
    ids = [f"{number:012d}" for number in range(count)]
    with local.state.store.transaction() as connection:
        connection.executemany(
            "INSERT INTO execution VALUES (?, 'p', 1, 'Succeeded', 0, ?, ?, NULL, '{\"Parameters\": {}}')",
            [(name, time_, time_) for name in ids],
        )
        connection.executemany(
            "INSERT INTO step (execution, name, attempt, type, status, started, ended, job, metadata, response) "
            "VALUES (?, 'One', 1, 'Processing', 'Succeeded', ?, ?, ?, '{}', '{}')",
            [(name, time_, time_, f"ProcessingJob/job-{name}") for name in ids],
        )
        connection.executemany(
            "INSERT INTO resource VALUES ('ProcessingJob', ?, ?, ?, 'Completed', '{}')",
            [(f"job-{name}", time_, time_) for name in ids],
        )
        connection.executemany(
            "INSERT INTO event (time, kind, about, ids, detail) VALUES (?, 'execution.ended', '', ?, '{}')",
            [(time_, f'{{"execution": "{name}"}}') for name in ids],
        )
        connection.execute(
            "INSERT INTO event_id SELECT 'execution', json_extract(ids, '$.execution'), sequence FROM event"
        )


def work(local: LocalAccount, count: int) -> int:
    """Of planning and pruning so many: what SQLite did, in thousands of its steps."""
    filled(local, count)
    connection = local.state.store._connection()
    statements: list[str] = []
    done = 0

    def counted() -> int:
        nonlocal done
        done += 1
        return 0

    connection.set_progress_handler(counted, 1000)
    connection.set_trace_callback(statements.append)
    planned = plan(local.state, keep=0)
    assert "BEGIN IMMEDIATE" not in statements, "who plans keeps nobody from writing"
    assert len(prune(local.state, planned).executions) == count
    connection.set_progress_handler(None, 0)
    connection.set_trace_callback(None)
    assert statements.count("BEGIN IMMEDIATE") >= count // 100
    assert local.state.store.all("SELECT 1 FROM event UNION SELECT 1 FROM event_id UNION SELECT 1 FROM resource") == []
    return done


MANY = int(os.environ.get("MLOPS_EXECUTIONS", "5000"))


@pytest.mark.proof("deep")
@pytest.mark.slow
@pytest.mark.deeper("large")
def test_thousands_of_executions_go_in_small_steps_and_linear_time(tmp_path: Path) -> None:
    """Counted and not timed: ten times as many are about ten times the work, a hundred in one step."""
    few = work(LocalAccount(tmp_path / "few", "us-east-1"), MANY // 10)
    assert work(LocalAccount(tmp_path / "many", "us-east-1"), MANY) < 12 * few


def test_what_created_jobs_leave_goes_but_for_their_logs(local: LocalAccount) -> None:
    old, young = (datetime.now(UTC) - timedelta(days=days) for days in (2, 0))
    for name, status, when in (
        ("ended", "Completed", old),
        ("just-ended", "Completed", young),
        ("lost", "InProgress", old),
        ("deleted", "", old),
    ):
        folder = local.state.job_folder("training-job", name) / "job" / "1"
        (folder / "ml").mkdir(parents=True)
        (folder / "log.txt").write_text("printed")
        if status:
            local.state.store.write(
                "INSERT INTO resource VALUES ('TrainingJob', ?, ?, ?, ?, '{}')",
                name,
                moment(when),
                moment(when),
                status,
            )
    found = prune(local.state, plan(local.state, keep=0)).left_over
    assert sorted(str(path.relative_to(local.state.folder)) for path in found) == [
        "jobs/training-job/deleted",
        "jobs/training-job/ended/job/1/ml",
    ]
    assert (local.state.job_folder("training-job", "ended") / "job" / "1" / "log.txt").is_file()


def test_a_value_whose_secret_was_never_told_of_goes_after_a_day(local: LocalAccount) -> None:
    local.client("secretsmanager").create_secret(Name="db", SecretString="one")
    local.client("ssm").put_parameter(Name="word", Value="two", Type="SecureString")
    lost, young = (kept_values.keep(local.state, "three") for _ in range(2))
    folder = local.state.folder / "values"
    for file in folder.iterdir():
        if file.name != young:
            os.utime(file, (0, 0))
    assert prune(local.state, plan(local.state, keep=0)).left_over == (folder / lost,)
    assert len([*folder.iterdir()]) == 3
