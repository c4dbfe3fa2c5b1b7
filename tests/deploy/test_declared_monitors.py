"""A declared monitor is a schedule in a group of its own: planned, made, changed where it stands, removed; and run."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlops.account.local.events import KeptEvents
from mlops.deploy.declared import plan_report
from mlops.deploy.declared.destroy import destroy, plan_removal
from mlops.deploy.declared.wanting import RESOURCE
from mlops.deploy.monitors import inputs, running
from mlops.deploy.monitors.windows import Window, given
from mlops.deploy.resources.monitor import RESOURCE_TYPE, pieces
from mlops.deploy.waiting import Clock
from mlops.ir import MlopsError, Refusal, UsageError
from mlops.monitor import asking, by_itself
from mlops.monitor.asked_endpoint import asked_endpoint
from mlops.monitor.fault import Fault
from mlops.use_cases import monitors
from mlops.use_cases.approval import NOBODY

from ..monitor.test_watch import requests, training
from .conftest import World
from .test_declared import planned, upserted

MONITOR = """
from mlops import resources
resources.Monitor(
    "watch", endpoint="churn", schedule="rate({a} hours)", window="{a}h", baseline="s3://acme-ml/train/",
    label_column="churned",
    drift=resources.Drift(0.01, features={{"age": resources.FeatureDrift("psi", 0.1)}}),
    model_quality=resources.ModelQuality("Regression", at_most={{"rmse": 3}}), tags={{"team": "growth"}},
)
"""


def test_it_is_made_changed_and_removed(world: World) -> None:
    scheduler = world.account.client("scheduler")
    plan = planned(world, MONITOR, a="2")
    assert [action.label for action in plan.actions if "upload" not in action.label] == ["create the monitor watch"]
    assert "  + monitor watch\n" in plan_report.text(plan)
    upserted(world, MONITOR, a="2")
    assert not planned(world, MONITOR, a="2").actions

    (monitor,) = running.listed(world.account)
    assert (monitor.name, monitor.endpoint, monitor.kinds, monitor.scheduled) == (
        "watch",
        "churn",
        ("drift", "model_quality"),
        True,
    )
    assert monitor.told["drift"] == {
        "false_alarms": 0.01,
        "fewest": 100,
        "features": {"age": {"statistic": "psi", "least": 0.1}},
    }
    schedule = scheduler.get_schedule(Name="watch", GroupName="mlops-monitor-watch")
    job = json.loads(schedule["Target"]["Input"])
    assert schedule["Target"]["Arn"] == "arn:aws:scheduler:::aws-sdk:sagemaker:createProcessingJob"
    assert job["Environment"]["MLOPS_MONITOR_UNTIL"] == "<aws.scheduler.scheduled-time>"
    group = scheduler.get_schedule_group(Name="mlops-monitor-watch")["Arn"]
    tags = {item["Key"]: item["Value"] for item in scheduler.list_tags_for_resource(ResourceArn=group)["Tags"]}
    assert (tags[RESOURCE], tags["team"]) == ("monitor watch", "growth")

    assert "schedule: rate(2 hours) -> rate(3 hours)" in plan_report.text(planned(world, MONITOR, a="3"))
    upserted(world, MONITOR, a="3")
    assert running.find(world.account, "watch").told["schedule"] == "rate(3 hours)"

    removal = plan_removal(world.account, world.environment, "watch")
    assert removal.labels == ("monitor watch",)
    destroy(world.account, world.environment, removal)
    with pytest.raises(UsageError, match="there is no monitor 'watch'"):
        running.find(world.account, "watch")


@pytest.mark.parametrize("world", ["local"], indirect=True)
def test_what_the_account_refuses_of_a_run_is_told_among_the_events(world: World) -> None:
    """Without it the clock would try again for a day."""
    upserted(world, MONITOR, a="2")
    monitor = running.find(world.account, "watch")
    with pytest.raises(MlopsError):  # there is no such endpoint
        running.run(world.account, world.environment, monitor, given(None, NOW, "1h", NOW))
    assert world.account.events is not None
    (event,) = world.account.events.read(kinds=("monitor.failed",))
    assert event.detail["since"] == "2026-11-29T09:20:00Z"


class Killed(BaseException):
    """Nothing of ours catches it: what it leaves is what a kill leaves."""


@pytest.mark.parametrize("world", ["local"], indirect=True)
def test_what_was_found_is_told_one_time_whenever_who_tells_it_dies(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    upserted(world, MONITOR, a="2")
    monitor, place = running.find(world.account, "watch"), f"s3://{world.environment.bucket}/found"
    about = {"Namespace": "watched", "MetricName": "distance", "Dimensions": [], "Values": [0.5], "Counts": [1.0]}
    document = json.dumps({"metrics": [about]}).encode()
    world.account.client("s3").put_object(Bucket=world.environment.bucket, Key="found/metrics.json", Body=document)
    violation = {"kind": "drift", "feature_name": "age", "constraint_check_type": "baseline_drift_check"}
    found = running.Run("watch", "churn", "a", "b", "job", place, 1, 0, {"drift": {"violations": 1}}, (violation,))
    window = given(None, NOW, "1h", NOW)
    for behind in (KeptEvents.append, running._events, None):

        def killed(*_: Any) -> Any:
            raise Killed

        with monkeypatch.context() as patched:
            if behind is None:
                running.tell(world.account, monitor, window, found, Clock(wall=NOW.timestamp), place)
                running.tell(world.account, monitor, window, found, Clock(wall=NOW.timestamp), place)
                break
            patched.setattr(KeptEvents if behind is KeptEvents.append else running, behind.__name__, killed)
            with pytest.raises(Killed):
                running.tell(world.account, monitor, window, found, Clock(wall=NOW.timestamp), place)
    cloudwatch = world.account.client("cloudwatch")
    day = {"StartTime": NOW - timedelta(days=1), "EndTime": NOW + timedelta(days=1), "Period": 86400}
    (point,) = cloudwatch.get_metric_statistics(
        Namespace="watched", MetricName="distance", Statistics=["SampleCount"], **day
    )["Datapoints"]
    assert point["SampleCount"] == 1
    assert world.account.events is not None
    assert len(world.account.events.read(kinds=("monitor.ended",))) == 1


@pytest.mark.parametrize("world", ["moto"], indirect=True)
def test_the_baselines_of_the_version_that_serves_are_taken_where_none_is_given(world: World) -> None:
    """By whoever starts the job, and by the job of a schedule: both find the same files."""
    s3, sagemaker, bucket = world.account.client("s3"), world.account.client("sagemaker"), world.environment.bucket
    for name in ("statistics", "constraints", "quality", "bias", "shap"):
        s3.put_object(Bucket=bucket, Key=f"checks/{name}.json", Body=b"{}")
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")

    def serve(name: str, **more: Any) -> None:
        package = sagemaker.create_model_package(ModelPackageGroupName="churn", ModelApprovalStatus="Approved", **more)
        container = {"ModelPackageName": package["ModelPackageArn"]}
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=world.environment.role, PrimaryContainer=container)
        variant = {"VariantName": "A", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    def at(name: str) -> dict[str, str]:
        return {"ContentType": "application/json", "S3Uri": f"s3://{bucket}/checks/{name}.json"}

    serve("none")
    with pytest.raises(Refusal, match="registered with DriftCheckBaselines"):
        inputs.baseline(world.account, None, "none", f"s3://{bucket}/kept")
    serve(
        "some",
        DriftCheckBaselines={
            "ModelDataQuality": {"Statistics": at("statistics"), "Constraints": at("constraints")},
            "ModelQuality": {"Constraints": at("quality")},
            "Bias": {"PostTrainingConstraints": at("bias")},
            "Explainability": {"Constraints": at("shap")},
        },
    )
    found = inputs.baseline(world.account, None, "some", f"s3://{bucket}/kept")
    assert found.made is None
    folders = {
        item["S3Input"]["S3Uri"].rpartition("/")[2]: item["S3Input"]["LocalPath"].removeprefix(inputs.BASELINE)
        for item in found.inputs
    }
    assert folders == {
        "statistics.json": "/statistics",
        "constraints.json": "/constraints",
        "quality.json": "/model_quality/constraints",
        "bias.json": "/bias/posttrainingconstraints",
        "shap.json": "/attributions/constraints",
    }
    place = by_itself._Place({"endpoint": "some", "code": f"s3://{bucket}/assets/1"}, "w", "x", world.account.client)
    assert {(uri.rpartition("/")[2], name) for uri, name in by_itself._of_version(place)} == {
        ("statistics.json", "data_quality/statistics.json"),
        ("constraints.json", "data_quality/constraints.json"),
        ("quality.json", "model_quality/constraints.json"),
        ("bias.json", "bias/constraints.json"),
        ("shap.json", "attributions/constraints.json"),
    }


@pytest.mark.parametrize("world", ["moto"], indirect=True)
def test_whom_attributions_are_asked_of_is_there_for_that_time_alone(world: World) -> None:
    """Also where a job that was killed has left one behind, and where asking fails."""
    sagemaker = world.account.client("sagemaker")
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=world.environment.role, PrimaryContainer={"Image": "x"})
    variant = {"VariantName": "A", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.xlarge"}
    for name in ("churn", "watch-asked"):
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    asks = asking.model_of(world.account.client, "churn")
    assert asks == running.model_of(sagemaker, "churn") == {"model": "m", "instance": "ml.m5.xlarge"}
    assert asks is not None

    def there() -> set[str]:
        return {item["EndpointName"] for item in sagemaker.list_endpoints()["Endpoints"]}

    with pytest.raises(Fault, match="it did"):
        with asked_endpoint(sagemaker, "watch", asks["model"], asks["instance"], lambda seconds: None) as name:
            assert there() == {"churn", name}
            raise Fault("it did not answer")
    assert there() == {"churn"}
    configs = sagemaker.list_endpoint_configs()["EndpointConfigs"]
    assert [item["EndpointConfigName"] for item in configs] == ["churn"]


def test_an_endpoint_that_is_not_removed_is_told() -> None:
    """It costs; what is missing is all right."""

    class Refused(Exception):
        pass

    def refuses(why: str) -> Any:
        def call(**_: str) -> None:
            raise Refused(why)

        return call

    sagemaker = SimpleNamespace(
        exceptions=SimpleNamespace(ClientError=Refused),
        delete_endpoint=refuses('Could not find endpoint "x".'),
        delete_endpoint_config=refuses('Could not find endpoint configuration "x".'),
        create_endpoint_config=lambda **_: None,
        create_endpoint=lambda **_: None,
        describe_endpoint=lambda **_: {"EndpointStatus": "InService"},
    )
    with asked_endpoint(sagemaker, "watch", "m", "ml.m5.large", lambda seconds: None):
        pass
    with pytest.raises(Fault, match=r"watch-asked, .* is not removed, and costs until it is: AccessDenied"):
        with asked_endpoint(sagemaker, "watch", "m", "ml.m5.large", lambda seconds: None):
            sagemaker.delete_endpoint = refuses("AccessDeniedException")


def test_where_no_variant_names_its_model_nobody_is_asked() -> None:
    """As of inference components: the other looks are looked at all the same."""
    sagemaker = SimpleNamespace(
        describe_endpoint=lambda **_: {"EndpointConfigName": "c"},
        describe_endpoint_config=lambda **_: {"ProductionVariants": [{"VariantName": "A"}]},
    )
    assert running.model_of(sagemaker, "churn") is None
    assert asking.model_of(lambda service: sagemaker, "churn") is None


def test_in_a_template_it_is_a_schedule_by_its_name() -> None:
    told = RESOURCE_TYPE.in_template(
        "watch", {"endpoint": "churn", "code": "s3://b/assets/1", "schedule": "rate(1 hour)"}
    )
    assert told.keys() == {"Name", "GroupName", "ScheduleExpression", "State", "FlexibleTimeWindow", "Target"}
    assert (told["Name"], told["State"]) == ("watch", "ENABLED")


def test_what_is_too_long_to_be_kept_is_told() -> None:
    assert len(pieces({"features": ["x" * 300]})) == 2
    with pytest.raises(UsageError, match="can be kept"):
        pieces({"features": ["x" * 30_000]})


def test_files_of_a_window_are_those_of_its_hours_and_of_no_shadow(world: World) -> None:
    s3 = world.account.client("s3")
    if world.environment.is_local:
        world.account.ensure_bucket("acme-ml")  # type: ignore[attr-defined]
    for key in (
        "A/2026/11/29/09/a",
        "B/2026/11/29/10/b",
        "S/2026/11/29/09/s",
        "A/2026/11/29/11/c",
        "A/2026/11/29/08/d",
    ):
        s3.put_object(Bucket="acme-ml", Key=f"kept/churn/{key}.jsonl", Body=b"{}")
    window = Window(datetime(2026, 11, 29, 9, 30, tzinfo=UTC), datetime(2026, 11, 29, 10, 30, tzinfo=UTC))
    found = inputs.captured(world.account, "churn", "s3://acme-ml/kept", ["S"], window)
    assert json.loads(found.manifest()) == [
        {"prefix": "s3://acme-ml/kept/churn/"},
        "A/2026/11/29/09/a.jsonl",
        "B/2026/11/29/10/b.jsonl",
    ]
    assert inputs.captured(world.account, "nobody", "s3://acme-ml/kept", [], window).keys == []
    label = "outcomes/churn/label/2026/11/29"
    front = f"{world.environment.prefix}/" if world.environment.prefix else ""
    for hour in ("08", "09", "23"):
        s3.put_object(Bucket=world.environment.bucket, Key=f"{front}{label}/{hour}/00-00-000-a.jsonl", Body=b"{}")
    told = inputs.outcomes(world.account, world.environment, "churn", "label", window)
    assert [key.split("/")[-2] for key in told.keys] == ["09", "23"]


def test_a_baseline_of_data_is_read_one_time_and_one_that_is_not_there_is_told(world: World) -> None:
    s3 = world.account.client("s3")
    bucket = world.environment.bucket
    with pytest.raises(Refusal, match="nothing lies there"):
        inputs.baseline(world.account, f"s3://{bucket}/train/", "churn", f"s3://{bucket}/kept")
    s3.put_object(Bucket=bucket, Key="train/a.csv", Body=b"a\n1\n")
    first = inputs.baseline(world.account, f"s3://{bucket}/train/", "churn", f"s3://{bucket}/kept")
    assert first.made is not None
    s3.put_object(Bucket=bucket, Key=f"{first.made.split('/', 3)[3]}/statistics.json", Body=b"{}")
    second = inputs.baseline(world.account, f"s3://{bucket}/train/", "churn", f"s3://{bucket}/kept")
    assert (second.made, second.inputs[0]["S3Input"]["S3Uri"]) == (None, f"{first.made}/")
    s3.put_object(Bucket=bucket, Key="train/a.csv", Body=b"a\n2\n")
    assert inputs.baseline(world.account, f"s3://{bucket}/train/", "churn", f"s3://{bucket}/kept").made != first.made


NOW = datetime(2026, 11, 29, 10, 20, tzinfo=UTC)
WINDOWS: list[tuple[Any, Any, str]] = [
    (None, None, "20261129T090000Z-20261129T100000Z"),
    (datetime(2026, 11, 29, 7, tzinfo=UTC), None, "20261129T070000Z-20261129T080000Z"),
    (datetime(2026, 11, 29, 10, tzinfo=UTC), None, "20261129T100000Z-20261129T102000Z"),
    (None, datetime(2026, 11, 29, 8, tzinfo=UTC), "20261129T070000Z-20261129T080000Z"),
]


@pytest.mark.parametrize(("since", "until", "key"), WINDOWS)
def test_a_window_is_the_last_one_or_what_is_asked_for(since: Any, until: Any, key: str) -> None:
    assert given(since, until, "1h", NOW).key == key


@pytest.mark.parametrize("since", ["now", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z"])
def test_a_time_that_is_none_is_told(since: str) -> None:
    with pytest.raises(UsageError, match="--since"):
        monitors.run("local", "watch", since, None, NOBODY, lambda event: None)


def test_a_window_that_ends_before_it_begins_is_told() -> None:
    with pytest.raises(UsageError, match="is not before"):
        given(NOW, NOW, "1h", NOW)


@pytest.mark.parametrize("world", ["moto"], indirect=True)
def test_a_job_that_a_schedule_started_brings_and_tells_all_by_itself(world: World, tmp_path: Path) -> None:
    """In an account: by the program that goes with the job, and clients of its own."""
    s3, sagemaker, bucket = world.account.client("s3"), world.account.client("sagemaker"), world.environment.bucket
    s3.put_object(Bucket=bucket, Key="train/a.csv", Body=training().encode())
    body = "\n".join(requests(1, moved=8.0)).encode()
    s3.put_object(Bucket=bucket, Key="kept/churn/A/2026/11/29/09/a.jsonl", Body=body)
    s3.put_object(Bucket=bucket, Key="kept/churn/A/2026/11/29/10/a.jsonl", Body=b"{}")
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=world.environment.role, PrimaryContainer={"Image": "x"})
    variant = {"VariantName": "A", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    capture = {
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{bucket}/kept",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant], DataCaptureConfig=capture)
    sagemaker.create_endpoint(EndpointName="churn", EndpointConfigName="c")
    hourly = MONITOR.replace("rate({a} hours)", "rate(1 hour)").replace("{a}h", "1h")
    upserted(world, hourly.replace("s3://acme-ml/train/", f"s3://{bucket}/train/"))
    schedule = world.account.client("scheduler").get_schedule(Name="watch", GroupName="mlops-monitor-watch")
    job = json.loads(schedule["Target"]["Input"].replace("<aws.scheduler.scheduled-time>", "2026-11-29T10:20:00Z"))
    words = job["AppSpecification"]["ContainerArguments"][1:]
    assert by_itself.run(job["Environment"], tmp_path / "one", words, world.account.client) == 2
    monitor = running.find(world.account, "watch")
    (place,) = running.runs(world.account, world.environment, monitor)
    found = running.read(world.account, place)
    assert (found.since, found.lines, {item["feature_name"] for item in found.violations}) == (
        "2026-11-29T09:00:00Z",
        400,
        {"age", "All features together"},
    )
    metrics = world.account.client("cloudwatch").list_metrics(Namespace="/aws/sagemaker/Endpoints/data-metrics")
    assert "feature_baseline_drift_age" in {metric["MetricName"] for metric in metrics["Metrics"]}
    assert by_itself.run(job["Environment"], tmp_path / "two", words, world.account.client) is None  # never twice
    later = {**job["Environment"], "MLOPS_MONITOR_UNTIL": "2026-11-29T11:20:00Z"}
    by_itself.run(later, tmp_path / "three", words, world.account.client)
    assert (tmp_path / "three" / "processing" / "input" / "baseline" / "000002" / "statistics.json").exists()


class Refusing:
    """EventBridge that does not take an entry so many times, and says so in a reply that is well."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.asked = 0

    def put_events(self, *, Entries: list[dict[str, str]]) -> dict[str, Any]:
        self.asked += 1
        failed = self.asked <= self.times
        told = {"ErrorCode": "InternalFailure", "ErrorMessage": "try later"} if failed else {"EventId": "1"}
        return {"FailedEntryCount": int(failed), "Entries": [told]}


@pytest.mark.parametrize(("times", "asked"), [(0, 1), (2, 3), (9, 4)])
def test_an_event_that_is_not_taken_is_sent_again_and_missed(
    times: int, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_itself, "_PAUSES", (0.0, 0.0, 0.0))
    events = Refusing(times)
    if times < 4:
        by_itself._put(events, {"Source": "mlops.monitor"})
    else:
        with pytest.raises(Fault, match="was not taken: InternalFailure: try later"):
            by_itself._put(events, {"Source": "mlops.monitor"})
    assert events.asked == asked
