"""A monitor's job: started, waited for, and told of."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import field
from datetime import UTC, datetime
from typing import Any

from mlops.account import Account, answers
from mlops.account.missing import error_code, unless_missing
from mlops.deploy import conditional_object
from mlops.deploy.monitors import inputs
from mlops.deploy.monitors.inputs import Listed, moment
from mlops.deploy.monitors.windows import Window
from mlops.deploy.outcomes.joining import need_capture
from mlops.deploy.pages import items
from mlops.deploy.resources import monitor as resource
from mlops.deploy.waiting import Clock, until
from mlops.ir import AccountError, Event, MlopsError, Refusal, UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.s3_uri import split_uri
from mlops.project.environments import Environment

KINDS = ("data_quality", "drift", "model_quality", "bias", "attributions")
VIOLATED, ENDED, FAILED = "monitor.violated", "monitor.ended", "monitor.failed"
SOURCE, DETAIL = "mlops.monitor", "Monitor Ended"
_INPUT = "/opt/ml/processing/input"
_TIMEOUT = 6 * 3600.0
_METRICS_AT_ONCE = 100
ASKED_MODEL = "MLOPS_ASKED_MODEL"
"""The variable by which the local account learns which model it has to serve beside the job."""
_MOST_FEATURES = 100


class NothingLeft(Refusal):
    """A run that is under way, or was cut off."""


@dataclass(frozen=True, slots=True)
class Monitor:
    """As an account keeps it. ``told`` is what its author declared."""

    name: str
    told: Mapping[str, Any]
    scheduled: bool

    @property
    def endpoint(self) -> str:
        return str(self.told["endpoint"])

    @property
    def window(self) -> str:
        return str(self.told.get("window") or "1h")

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(kind for kind in KINDS if self.told.get(kind) is not None)

    def results(self, environment: Environment) -> str:
        """The S3 folder of all its runs."""
        own = self.told.get("results")
        if own:
            return str(own).rstrip("/")
        return f"s3://{environment.bucket}/{conditional_object.key(environment, 'monitors', self.name)}"


@dataclass(frozen=True, slots=True)
class Run:
    """``kinds`` say for each look how many rows and violations there were, or why nothing was compared. ``violations``
    are those of all, each with its ``kind``."""

    monitor: str
    endpoint: str
    since: str
    until: str
    job: str
    place: str
    lines: int
    unreadable: int
    kinds: Mapping[str, Mapping[str, Any]]
    violations: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


def find(account: Account, name: str) -> Monitor:
    """Raises UsageError."""
    scheduler = account.client("scheduler")
    found = unless_missing(lambda: scheduler.get_schedule(Name=name, GroupName=resource.group(name)))
    if found is None:
        there = [item.name for item in listed(account)]
        raise UsageError(
            f"there is no monitor {name!r}; there are: {', '.join(there) or 'none'}",
            hint="declare it with resources.Monitor and `mlops upsert` its file",
        )
    return _monitor(name, found)


def _monitor(name: str, schedule: Mapping[str, Any]) -> Monitor:
    try:
        return Monitor(name, resource.declared_by(schedule), schedule.get("State") == "ENABLED")
    except ValueError:
        raise Refusal(f"the schedule {name} starts no monitor of ours: somebody changed it") from None


def listed(account: Account) -> list[Monitor]:
    scheduler = account.client("scheduler")
    prefix = resource.group("")
    names = [
        str(item["Name"])
        for item in items(scheduler, "list_schedules", "Schedules")
        if str(item.get("GroupName", "")) == f"{prefix}{item['Name']}"
    ]
    found = []
    for name in sorted(names):
        schedule = unless_missing(
            lambda name=name: scheduler.get_schedule(Name=name, GroupName=resource.group(name))  # type: ignore[misc]
        )
        if schedule is not None:
            found.append(_monitor(name, schedule))
    return found


def run(
    account: Account,
    environment: Environment,
    monitor: Monitor,
    window: Window,
    *,
    clock: Clock | None = None,
    say: Callable[[str], None] = lambda text: None,
    once: bool = False,
) -> Run:
    """``once``: of one window there is one job, whoever asks how often. Raises MlopsError, which is told among the
    events too."""
    try:
        with answers():
            return _run(account, environment, monitor, window, clock or Clock(), say, once)
    except MlopsError as error:
        if account.events is not None:
            ids = {"monitor": monitor.name, "endpoint": monitor.endpoint}
            told = {"since": moment(window.since), "until": moment(window.until), "reason": error.message[:500]}
            account.events.append(Event(FAILED, datetime.now(UTC), monitor.name, ids, told))
        raise


def _run(
    account: Account,
    environment: Environment,
    monitor: Monitor,
    window: Window,
    clock: Clock,
    say: Callable[[str], None],
    once: bool,
) -> Run:
    place = f"{monitor.results(environment)}/{window.key}"
    job = _start(account, environment, monitor, window, place, say, once)
    sagemaker = account.client("sagemaker")
    seen, ended = until(
        lambda: sagemaker.describe_processing_job(ProcessingJobName=job),
        lambda told: told["ProcessingJobStatus"] in ("Completed", "Failed", "Stopped"),
        clock,
        clock.now() + _TIMEOUT,
    )
    if not ended:
        raise Refusal(f"the job {job} runs longer than six hours", hint="look at its log")
    if seen["ProcessingJobStatus"] != "Completed":
        why = seen.get("FailureReason") or seen["ProcessingJobStatus"]
        raise Refusal(f"the job {job} of the monitor {monitor.name} failed: {why}")
    found = read(account, place, job)
    tell(account, monitor, window, found, clock, place)
    return found


def _start(
    account: Account,
    environment: Environment,
    monitor: Monitor,
    window: Window,
    place: str,
    say: Callable[[str], None],
    once: bool,
) -> str:
    tail = hashlib.sha256(window.key.encode()).hexdigest()[:8] if once else uuid.uuid4().hex[:8]
    name = f"{monitor.name}-{window.since:%Y%m%d%H%M}-{tail}"
    sagemaker = account.client("sagemaker")
    request = {**resource.job(monitor.name, monitor.told), "ProcessingJobName": name}
    asks = model_of(sagemaker, monitor.endpoint) if "attributions" in monitor.kinds else None
    if asks is not None:
        request["Environment"] = {**request["Environment"], ASKED_MODEL: asks["model"]}
        say(f"the model {asks['model']} is asked")
    elif "attributions" in monitor.kinds:
        say(f"no variant of {monitor.endpoint} names its model: attributions are not measured")
    given, made = _inputs(account, environment, monitor, window, place, say, asks)
    request["ProcessingInputs"] = [*request["ProcessingInputs"], *given]
    outputs = [_output("results", place, "/opt/ml/processing/output")]
    if made is not None:
        outputs.append(_output("baseline", made, "/opt/ml/processing/baseline"))
    request["ProcessingOutputConfig"] = {"Outputs": outputs}
    if environment.kms_key:
        request["ProcessingOutputConfig"]["KmsKeyId"] = environment.kms_key
    try:
        sagemaker.create_processing_job(**request)
    except Exception as error:
        if not (once and error_code(error) in ("ResourceInUse", "ResourceInUseException")):
            raise
    say(f"job {name}")
    return name


def _inputs(
    account: Account,
    environment: Environment,
    monitor: Monitor,
    window: Window,
    place: str,
    say: Callable[[str], None],
    asks: Mapping[str, str] | None,
) -> tuple[list[Mapping[str, Any]], str | None]:
    sagemaker = account.client("sagemaker")
    by_labels = {"model_quality", "bias"} & set(monitor.kinds)
    destination = need_capture(
        sagemaker, monitor.endpoint, answers=bool(by_labels), measure=f"the monitor {monitor.name}"
    )
    config = sagemaker.describe_endpoint(EndpointName=monitor.endpoint)["EndpointConfigName"]
    told = sagemaker.describe_endpoint_config(EndpointConfigName=config)
    shadows = [str(item["VariantName"]) for item in told.get("ShadowProductionVariants") or ()]
    declared = {**monitor.told, "monitor": monitor.name, "since": moment(window.since), "until": moment(window.until)}
    if asks is not None:
        declared["asks"] = dict(asks)
    given = [_object(account, f"{place}/monitor.json", json.dumps(declared), "monitor", "monitor")]
    lists = {"captured": inputs.captured(account, monitor.endpoint, destination, shadows, window)}
    if by_labels:
        label = str(monitor.told.get("label") or "label")
        lists["labels"] = inputs.outcomes(account, environment, monitor.endpoint, label, window)
    for name, found in lists.items():
        say(f"{len(found.keys)} file{'s' if len(found.keys) != 1 else ''} of {name}")
        if found.keys:
            given.append(_manifest(account, f"{place}/{name}.manifest", found, name))
    kept = f"{monitor.results(environment)}/baselines"
    if {"data_quality", "drift", "attributions"} & set(monitor.kinds) or monitor.told.get("baseline"):
        model = asks["model"] if asks is not None else None
        baseline = inputs.baseline(account, monitor.told.get("baseline"), monitor.endpoint, kept, model)
        say(f"baseline: {baseline.told}")
        return [*given, *baseline.inputs], baseline.made
    return given, None


def model_of(sagemaker: Any, endpoint: str) -> Mapping[str, str] | None:
    """The model that an endpoint serves, of several variants that with most of the traffic; None where none names its
    model, as of inference components."""
    config = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    variants = sagemaker.describe_endpoint_config(EndpointConfigName=config).get("ProductionVariants") or ()
    known = [item for item in variants if item.get("ModelName")]
    if not known:
        return None
    best = max(known, key=lambda item: float(item.get("InitialVariantWeight", 1.0)))
    return {"model": str(best["ModelName"]), "instance": str(best.get("InstanceType") or "ml.m5.large")}


def _object(account: Account, uri: str, text: str, name: str, folder: str) -> Mapping[str, Any]:
    bucket, key = split_uri(uri)
    account.client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())
    return _input(name, uri, folder, "S3Prefix")


def _manifest(account: Account, uri: str, found: Listed, name: str) -> Mapping[str, Any]:
    bucket, key = split_uri(uri)
    account.client("s3").put_object(Bucket=bucket, Key=key, Body=found.manifest().encode())
    return _input(name, uri, name, "ManifestFile")


def _input(name: str, uri: str, folder: str, kind: str) -> Mapping[str, Any]:
    return {
        "InputName": name,
        "S3Input": {"S3Uri": uri, "LocalPath": f"{_INPUT}/{folder}", "S3DataType": kind, "S3InputMode": "File"},
    }


def _output(name: str, uri: str, folder: str) -> Mapping[str, Any]:
    return {"OutputName": name, "S3Output": {"S3Uri": uri, "LocalPath": folder, "S3UploadMode": "EndOfJob"}}


def read(account: Account, place: str, job: str = "") -> Run:
    """What a run left at ``place``. Raises NothingLeft, and Refusal for what is none of ours."""
    told = _json(account, f"{place}/run.json")
    if told is None:
        raise NothingLeft(f"nothing was left at {place}: the job did not end well")
    violations: list[Mapping[str, Any]] = []
    try:
        for kind, found in told["kinds"].items():
            if found.get("violations"):
                listed = (_json(account, f"{place}/{kind}/constraint_violations.json") or {}).get("violations") or ()
                violations += [{"kind": kind, **item} for item in listed]
        datetime.fromisoformat(told["until"])
        return Run(
            str(told.get("monitor")),
            str(told.get("endpoint")),
            str(told.get("since")),
            str(told["until"]),
            job,
            place,
            int(told.get("lines") or 0),
            int(told.get("unreadable") or 0),
            told["kinds"],
            violations,
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise Refusal(f"what was left at {place} is no report of a monitor: somebody changed it") from None


def _json(account: Account, uri: str) -> dict[str, Any] | None:
    bucket, key = split_uri(uri)
    found = unless_missing(lambda: account.client("s3").get_object(Bucket=bucket, Key=key))
    if found is None:
        return None
    try:
        told = json.loads(found["Body"].read())
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise Refusal(f"{uri} is no JSON object: somebody changed it")
    return told


def measured(account: Account, place: str) -> Mapping[str, float]:
    """The metrics of a run by name, of a distribution the last value that was published."""
    try:
        told = (_json(account, f"{place}/metrics.json") or {}).get("metrics") or ()
        return {str(item["MetricName"]): float(item["Values"][-1]) for item in told if item.get("Values")}
    except (AttributeError, KeyError, TypeError, ValueError):
        raise Refusal(f"{place}/metrics.json has no metrics: somebody changed it") from None


def runs(account: Account, environment: Environment, monitor: Monitor) -> list[str]:
    """The places of all runs, the newest last."""
    bucket, key = split_uri(monitor.results(environment))
    s3 = account.client("s3")

    def asked() -> Iterator[str]:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{key}/", Delimiter="/")
        for page in pages:
            yield from (str(item["Prefix"]) for item in page.get("CommonPrefixes") or ())

    found = unless_missing(lambda: list(asked())) or []
    return [f"s3://{bucket}/{prefix.rstrip('/')}" for prefix in found if not prefix.endswith("/baselines/")]


def tell(account: Account, monitor: Monitor, window: Window, found: Run, clock: Clock, place: str) -> None:
    """Metrics and events, of one job one time: a run that was cut off here is told of by whoever follows it. Here it is
    all of it or nothing; in an account metrics come again where somebody was killed behind them."""
    with account.here.at_once() if account.here is not None else nullcontext():
        _tell(account, monitor, window, found, clock, place)


def _tell(account: Account, monitor: Monitor, window: Window, found: Run, clock: Clock, place: str) -> None:
    done = f"{place}/told-{found.job}.json"
    if _json(account, done) is not None:
        return
    now = datetime.fromtimestamp(clock.wall(), UTC)
    late = now.timestamp() - window.until.timestamp() > (window.until - window.since).total_seconds()
    at = window.until if late else now
    cloudwatch = account.client("cloudwatch")
    of_namespace: dict[str, list[dict[str, Any]]] = {}
    for metric in (_json(account, f"{place}/metrics.json") or {}).get("metrics") or ():
        datum = {name: value for name, value in metric.items() if name != "Namespace"}
        of_namespace.setdefault(str(metric["Namespace"]), []).append({**datum, "Timestamp": at})
    for namespace, data in of_namespace.items():
        for start in range(0, len(data), _METRICS_AT_ONCE):
            cloudwatch.put_metric_data(Namespace=namespace, MetricData=data[start : start + _METRICS_AT_ONCE])
    detail = {
        "monitor": monitor.name,
        "endpoint": monitor.endpoint,
        "since": found.since,
        "until": found.until,
        "job": found.job,
        "violations": len(found.violations),
        "kinds": {kind: told.get("violations") for kind, told in found.kinds.items()},
        "features": sorted({feature_of(item) for item in found.violations})[:_MOST_FEATURES],
    }
    entry = {"Source": SOURCE, "DetailType": DETAIL, "Detail": json.dumps(detail)}
    reply = account.client("events").put_events(Entries=[entry])
    if reply.get("FailedEntryCount"):
        told_of_it = reply["Entries"][0]
        raise AccountError(
            f"PutEvents: {told_of_it.get('ErrorCode')}: {told_of_it.get('ErrorMessage')}",
            hint="run the same command again: what was found is kept, and told then",
        )
    if account.events is not None:
        account.events.append(*_events(monitor, found, detail, now))
    bucket, key = split_uri(done)
    account.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(detail).encode())


def feature_of(violation: Mapping[str, Any]) -> str:
    return str(violation.get("feature_name") or violation.get("facet") or violation.get("metric_name") or "")


def _events(monitor: Monitor, found: Run, detail: Mapping[str, Any], now: datetime) -> Iterator[Event]:
    """Without descriptions: those name values that somebody sent."""
    ids = {"monitor": monitor.name, "endpoint": monitor.endpoint, "job": found.job}
    for item in found.violations:
        told = {
            "kind": item["kind"],
            "feature": feature_of(item),
            "check": str(item.get("constraint_check_type")),
            "since": found.since,
            "until": found.until,
        }
        if item.get("metric_name"):
            told["metric"] = str(item["metric_name"])
        yield Event(VIOLATED, now, monitor.name, ids, told)
    told_of_all = {key: value for key, value in detail.items() if key not in ("monitor", "endpoint", "job", "features")}
    yield Event(ENDED, now, monitor.name, ids, told_of_all)
