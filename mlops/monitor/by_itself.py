"""The job of a monitor that a schedule of an account started: nobody lists its files or tells what it found, so it does
that itself, by boto3, which SageMaker's images have. Where somebody asks for a run these things are done outside.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mlops.monitor import asking, watch
from mlops.monitor.fault import Fault

UNTIL, NAME = "MLOPS_MONITOR_UNTIL", "MLOPS_MONITOR"
_UNITS = {"m": 60, "h": 3600, "d": 86400}
_MEMBERS = (
    ("", "ModelDataQuality", "Statistics", "statistics.json"),
    ("", "ModelDataQuality", "Constraints", "constraints.json"),
    ("model_quality", "ModelQuality", "Constraints", "constraints.json"),
    ("bias", "Bias", "PostTrainingConstraints", "constraints.json"),
    ("attributions", "Explainability", "Constraints", "constraints.json"),
)
"""Of DriftCheckBaselines: the folder and the file that :mod:`~mlops.monitor.watch` looks for."""
_AT_ONCE = 100
_PAUSES = (1.0, 2.0, 4.0)
"""Seconds, before an event that was not taken is sent again."""

Client = Callable[[str], Any]


def run(environment: Mapping[str, str], opt_ml: Path, parts: list[str], client: Client | None = None) -> int | None:
    """As :func:`watch.run`. Raises :class:`Fault`."""
    try:
        told = json.loads("".join(parts))
        name, since, until = environment[NAME], *window(str(told.get("window") or "1h"), environment[UNTIL])
    except (KeyError, TypeError, ValueError) as fault:
        raise Fault(f"the schedule says no monitor: {fault!r}") from None
    at = _Place(told, name, f"{since:%Y%m%dT%H%M%SZ}-{until:%Y%m%dT%H%M%SZ}", client or _by_boto())
    if at.keys(f"{at.results}/{at.window}/run.json"):
        print(f"{since} to {until} was looked at before")
        return None
    model = asking.model_of(at.client, str(told["endpoint"])) if told.get("attributions") is not None else None
    _stage(at, opt_ml / watch.INPUT, since, until, model)
    found = asking.run(environment, opt_ml, at.client)
    at.send(opt_ml / "processing" / "baseline", at.made)
    _tell(at, opt_ml / watch.OUTPUT, until)
    at.send(opt_ml / watch.OUTPUT, f"{at.results}/{at.window}")
    return found


def window(length: str, due: str) -> tuple[datetime, datetime]:
    """The last one that has ended.

    >>> [f"{at:%H:%M}" for at in window("1h", "2026-11-29T10:20:00Z")]
    ['09:00', '10:00']
    """
    number, unit = re.fullmatch(r"(\d+)([mhd])", length).groups()  # type: ignore[union-attr]
    size = int(number) * _UNITS[unit]
    end = datetime.fromisoformat(due).timestamp() // size * size
    return datetime.fromtimestamp(end - size, UTC), datetime.fromtimestamp(end, UTC)


def _by_boto() -> Client:
    import boto3

    return lambda service: boto3.client(service)


@dataclass(slots=True)
class _Place:
    """``made`` is where what is made of training data is kept, once that is known."""

    told: Mapping[str, Any]
    name: str
    window: str
    client: Client
    made: str = ""

    @property
    def own(self) -> str:
        """The environment's folder: the program lies in ``assets`` there."""
        return str(self.told["code"]).partition("/assets/")[0].rstrip("/")

    @property
    def results(self) -> str:
        return str(self.told.get("results") or f"{self.own}/monitors/{self.name}").rstrip("/")

    def keys(self, uri: str, after: str = "") -> list[tuple[str, str]]:
        """URI and ETag of all objects that begin so, in their order."""
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        pages = self.client("s3").get_paginator("list_objects_v2")
        more = {"StartAfter": after.removeprefix("s3://").partition("/")[2]} if after else {}
        return [
            (f"s3://{bucket}/{item['Key']}", str(item["ETag"]))
            for page in pages.paginate(Bucket=bucket, Prefix=prefix, **more)
            for item in page.get("Contents") or ()
            if not item["Key"].endswith("/")
        ]

    def fetch(self, uri: str, target: Path) -> None:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        self.client("s3").download_file(bucket, key, str(target))

    def send(self, folder: Path, uri: str) -> None:
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        # What says that all is there comes last.
        files = sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.name == "run.json")
        for path in files if uri else ():
            self.client("s3").upload_file(str(path), bucket, f"{prefix}/{path.relative_to(folder).as_posix()}")


def _stage(at: _Place, inputs: Path, since: datetime, until: datetime, model: Mapping[str, str] | None) -> None:
    told = {
        **at.told,
        **({"asks": model} if model is not None else {}),
        "monitor": at.name,
        "since": f"{since:%Y-%m-%dT%H:%M:%SZ}",
        "until": f"{until:%Y-%m-%dT%H:%M:%SZ}",
    }
    (inputs / "monitor").mkdir(parents=True, exist_ok=True)
    (inputs / "monitor" / "monitor.json").write_text(json.dumps(told))
    for number, uri in enumerate(_captured(at, since, until)):
        at.fetch(uri, inputs / "captured" / f"{number:06}.jsonl")
    if at.told.get("model_quality") is not None or at.told.get("bias") is not None:
        place = f"{at.own}/outcomes/{at.told['endpoint']}/{at.told.get('label') or 'label'}/"
        after = f"{place}{since - timedelta(hours=1):%Y/%m/%d/%H}/~"
        for number, (uri, _) in enumerate(at.keys(place, after)):
            at.fetch(uri, inputs / "labels" / f"{number:06}.jsonl")
    for uri, name in _baseline(at, model):
        at.fetch(uri, inputs / "baseline" / name)


def _captured(at: _Place, since: datetime, until: datetime) -> Iterator[str]:
    sagemaker, endpoint = at.client("sagemaker"), str(at.told["endpoint"])
    found = sagemaker.describe_endpoint(EndpointName=endpoint)
    config = sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
    capture = found.get("DataCaptureConfig") or config.get("DataCaptureConfig") or {}
    if not capture.get("DestinationS3Uri"):
        raise Fault(f"{endpoint} captures nothing: its configuration has no DataCaptureConfig")
    shadows = {item["VariantName"] for item in config.get("ShadowProductionVariants") or ()}
    place = f"{str(capture['DestinationS3Uri']).rstrip('/')}/{endpoint}/"
    bucket, _, prefix = place.removeprefix("s3://").partition("/")
    pages = at.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
    folders = [item["Prefix"] for page in pages for item in page.get("CommonPrefixes") or ()]
    for folder in folders:
        if folder.removeprefix(prefix).strip("/") not in shadows:
            hour = since.replace(minute=0, second=0, microsecond=0)
            while hour < until:
                yield from (uri for uri, _ in at.keys(f"s3://{bucket}/{folder}{hour:%Y/%m/%d/%H}/"))
                hour += timedelta(hours=1)


def _baseline(at: _Place, model: Mapping[str, str] | None) -> Iterator[tuple[str, str]]:
    """URIs, and what each is called below the baseline's folder."""
    given = at.told.get("baseline")
    if given is None:
        yield from _of_version(at)
        return
    found = at.keys(str(given))
    if not found:
        raise Fault(f"there is no baseline at {given}: nothing lies there")
    listed = [[uri.removeprefix("s3://").partition("/")[2], tag] for uri, tag in found]
    if not {uri.rpartition("/")[2] for uri, _ in found} & {watch.STATISTICS, watch.CONSTRAINTS}:
        of: list[Any] = [*listed, *([model["model"]] if model is not None else [])]
        digest = hashlib.sha256(json.dumps(of).encode()).hexdigest()[:16]
        kept = at.keys(f"{at.results}/baselines/{digest}/")
        if not kept:
            at.made = f"{at.results}/baselines/{digest}"
        found = kept or found
    for number, (uri, _) in enumerate(found):
        *_, folder, name = ["", *uri.removeprefix(str(given).rstrip("/")).split("/")]
        below = f"{folder}/" if folder in ("model_quality", "bias", "attributions") else f"{number:06}/"
        yield uri, f"{below}{name}"


def _of_version(at: _Place) -> Iterator[tuple[str, str]]:
    sagemaker = at.client("sagemaker")
    config = sagemaker.describe_endpoint(EndpointName=at.told["endpoint"])["EndpointConfigName"]
    for variant in sagemaker.describe_endpoint_config(EndpointConfigName=config).get("ProductionVariants") or ():
        model = sagemaker.describe_model(ModelName=variant["ModelName"])
        for container in (model.get("PrimaryContainer") or {}, *(model.get("Containers") or ())):
            package = container.get("ModelPackageName")
            version = sagemaker.describe_model_package(ModelPackageName=package) if package else {}
            for folder, part, member, name in _MEMBERS:
                source = ((version.get("DriftCheckBaselines") or {}).get(part) or {}).get(member) or {}
                if source.get("S3Uri"):
                    yield source["S3Uri"], f"{folder or 'data_quality'}/{name}"


def _tell(at: _Place, output: Path, until: datetime) -> None:
    """Metrics, and one event."""
    metrics: dict[str, list[dict[str, Any]]] = {}
    for item in json.loads((output / "metrics.json").read_text())["metrics"]:
        metrics.setdefault(item.pop("Namespace"), []).append({**item, "Timestamp": datetime.now(UTC)})
    for namespace, data in metrics.items():
        for start in range(0, len(data), _AT_ONCE):
            at.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=data[start : start + _AT_ONCE])
    told = json.loads((output / "run.json").read_text())
    violated = [
        item
        for path in sorted(output.glob("*/constraint_violations.json"))
        for item in json.loads(path.read_text())["violations"]
    ]
    names = {str(item.get("feature_name") or item.get("facet") or item.get("metric_name")) for item in violated}
    detail = {
        **{member: told[member] for member in ("monitor", "endpoint", "since", "until")},
        "violations": len(violated),
        "kinds": {kind: found["violations"] for kind, found in told["kinds"].items()},
        "features": sorted(names)[:_AT_ONCE],
    }
    entry = {"Source": "mlops.monitor", "DetailType": "Monitor Ended", "Detail": json.dumps(detail)}
    _put(at.client("events"), entry)


def _put(events: Any, entry: Mapping[str, str]) -> None:
    """EventBridge answers well and says in its answer what it did not take. Raises :class:`Fault`."""
    for pause in (*_PAUSES, None):
        reply = events.put_events(Entries=[entry])
        if not reply.get("FailedEntryCount"):
            return
        if pause is not None:
            time.sleep(pause)
    told = reply["Entries"][0]
    raise Fault(f"the event of this run was not taken: {told.get('ErrorCode')}: {told.get('ErrorMessage')}")
