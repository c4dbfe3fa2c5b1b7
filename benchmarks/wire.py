"""The local account behind HTTP beside moto's server: one client's thirty calls, in the same rounds.

    python benchmarks/wire.py [--rounds N]

What boto3 sends for `CALLS` is written down once for each round, and then played to one server and to the other, every
other round the other way round, over one connection that is kept: boto3's own work, which takes longer than a call and
is the same for both, is not in the figures.
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

AT_LEAST = 3.0
ROLE = "arn:aws:iam::123456789012:role/pipelines"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
DEFINITION = '{"Version": "2020-12-01", "Steps": [{"Name": "No", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}]}'
CONTAINER = {"Image": IMAGE, "ModelDataUrl": "s3://bench-{n}/m.tar.gz"}
INFERENCE = {
    "Containers": [CONTAINER],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}
VARIANT = {"VariantName": "A", "ModelName": "m-{n}", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
CONFIG = {"EndpointConfigName": "c-{n}"}
PIPELINE = {"PipelineName": "p-{n}"}
GROUP = {"ModelPackageGroupName": "g-{n}"}
BUCKET = {"Bucket": "bench-{n}"}
KEY = {**BUCKET, "Key": "some/key"}
METRIC = {"Namespace": "bench", "MetricName": "orders"}
ALARM = {
    **METRIC, "AlarmName": "a-{n}", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 5.0,
    "ComparisonOperator": "GreaterThanThreshold",
}  # fmt: skip
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("sts", "get_caller_identity", {}),
    ("s3", "create_bucket", BUCKET),
    ("s3", "put_object", {**KEY, "Body": b"0123456789" * 1000}),
    ("s3", "head_object", KEY),
    ("s3", "get_object", KEY),
    ("s3", "list_objects_v2", BUCKET),
    ("s3", "copy_object", {**BUCKET, "Key": "copy", "CopySource": "bench-{n}/some/key"}),
    ("sagemaker", "create_pipeline", {**PIPELINE, "PipelineDefinition": DEFINITION, "RoleArn": ROLE}),
    ("sagemaker", "describe_pipeline", PIPELINE),
    ("sagemaker", "update_pipeline", {**PIPELINE, "PipelineDisplayName": "other"}),
    ("sagemaker", "list_pipelines", {}),
    ("sagemaker", "create_model_package_group", GROUP),
    ("sagemaker", "create_model_package", {**GROUP, "InferenceSpecification": INFERENCE}),
    ("sagemaker", "list_model_packages", GROUP),
    ("sagemaker", "describe_model_package_group", GROUP),
    ("sagemaker", "create_model", {"ModelName": "m-{n}", "PrimaryContainer": CONTAINER, "ExecutionRoleArn": ROLE}),
    ("sagemaker", "describe_model", {"ModelName": "m-{n}"}),
    ("sagemaker", "list_models", {}),
    ("sagemaker", "create_endpoint_config", {**CONFIG, "ProductionVariants": [VARIANT]}),
    ("sagemaker", "describe_endpoint_config", CONFIG),
    ("sagemaker", "list_endpoint_configs", {}),
    ("cloudwatch", "put_metric_data", {"Namespace": "bench", "MetricData": [{"MetricName": "orders", "Value": 1.0}]}),
    ("cloudwatch", "put_metric_alarm", ALARM),
    ("cloudwatch", "describe_alarms", {"AlarmNames": ["a-{n}"]}),
    ("cloudwatch", "delete_alarms", {"AlarmNames": ["a-{n}"]}),
    ("sagemaker", "delete_endpoint_config", CONFIG),
    ("sagemaker", "delete_model", {"ModelName": "m-{n}"}),
    ("sagemaker", "delete_pipeline", {**PIPELINE, "ClientRequestToken": "t" * 32 + "{n}"}),
    ("s3", "delete_objects", {**BUCKET, "Delete": {"Objects": [{"Key": "some/key"}, {"Key": "copy"}]}}),
    ("s3", "delete_bucket", BUCKET),
]


def of_round(value: Any, number: int) -> Any:
    match value:
        case str():
            return value.replace("{n}", str(number))
        case dict():
            return {name: of_round(item, number) for name, item in value.items()}
        case list():
            return [of_round(item, number) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class Sent:
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Client:
    def __init__(self, url: str) -> None:
        self._url = url
        keys = {"aws_access_key_id": "bench", "aws_secret_access_key": "bench", "region_name": "us-east-1"}
        make: Any = boto3.client
        names = {service for service, _, _ in CALLS}
        self._clients = {name: make(name, endpoint_url=url, **keys) for name in names}
        self._sent: list[Sent] = []
        for client in self._clients.values():
            client.meta.events.register("before-send", self._note)
        self._connection = http.client.HTTPConnection(url.removeprefix("http://"))

    def _note(self, request: Any, **_: Any) -> None:
        headers = {
            name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()
        }
        headers.pop("Expect", None)
        body = request.body.read() if hasattr(request.body, "read") else request.body or b""
        if headers.pop("Transfer-Encoding", None):
            headers["Content-Length"] = str(len(body))
        self._sent.append(Sent(request.method, request.url.removeprefix(self._url), headers, body))
        raise Noted

    def written(self, number: int) -> list[Sent]:
        self._sent = []
        for service, method, request in CALLS:
            with suppress(Noted):
                getattr(self._clients[service], method)(**of_round(request, number))
        return self._sent

    def played(self, sent: Sequence[Sent]) -> list[float]:
        seconds = []
        for item in sent:
            began = time.perf_counter()
            self._connection.request(item.method, item.target, item.body, dict(item.headers))
            reply = self._connection.getresponse()
            said = reply.read()
            seconds.append(time.perf_counter() - began)
            if reply.status >= 300:
                raise SystemExit(
                    f"{item.method} {item.target} {item.headers.get('X-Amz-Target')}: {reply.status} {said!r}"
                )
        return seconds


class Noted(Exception):
    """What was to be sent is known."""


@contextmanager
def ours() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "mlops.toml").write_text("")
        command = [sys.executable, "-m", "mlops", "local", "serve", "--port", "0"]
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
            process.terminate()


@contextmanager
def motos() -> Iterator[str]:
    command = [sys.executable, "-m", "moto.server", "-p", "4599"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        url = "http://127.0.0.1:4599"
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{url}/moto-api/").close()
                break
            except OSError:
                time.sleep(0.1)
        yield url
        process.terminate()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    rounds = parser.parse_args().rounds
    with ours() as here, motos() as there:
        clients = {"ours": Client(here), "moto": Client(there)}
        seconds: dict[str, list[list[float]]] = {name: [] for name in clients}
        for number in range(rounds + 1):
            written = {name: client.written(number) for name, client in clients.items()}
            for name in clients if number % 2 else reversed(clients):
                seconds[name].append(clients[name].played(written[name]))
    for found in seconds.values():
        del found[0]  # what is loaded once
    for place, (service, method, _) in enumerate(CALLS):
        mine, other = (statistics.median(one[place] for one in seconds[name]) for name in clients)
        print(f"{service:<12} {method:<30} {1000 * mine:7.2f} ms {1000 * other:7.2f} ms {other / mine:6.2f}")
    medians = {name: [statistics.median(one) for one in found] for name, found in seconds.items()}
    mine, other = (statistics.median(found) for found in medians.values())
    ratios = sorted(b / a for a, b in zip(*medians.values(), strict=True))
    ratio = statistics.median(ratios)
    print(f"a call at the median: {1000 * mine:.2f} ms, moto {1000 * other:.2f} ms")
    print(f"moto / ours: {ratio:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}), wanted at least {AT_LEAST}")
    return 0 if ratio >= AT_LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
