"""A promotion of all at once, against an account whose endpoints answer at once: the seconds that it spends itself.

    python benchmarks/promote.py [--rounds N]

Each round is a fresh process that takes a version to a new endpoint, and the next one to the same. Registry, models
and configurations are the local account's; the endpoint is in service as soon as it is asked for. Sleeping counts as
waiting and is not done.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

WANTED = 0.5
GROUP = "churn"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


class AtOnce:
    """An account whose one endpoint is what it is asked to be."""

    def __init__(self, account: Any) -> None:
        self._account = account
        self.region = account.region
        self.events = account.events
        self.here = account.here
        self._config: str | None = None

    def client(self, service: str) -> Any:
        found = self._account.client(service)
        if service in ("sagemaker", "sagemaker-runtime"):
            return _Endpoint(self, found)
        return found

    def rest(self, execution: str, seconds: float) -> None:
        raise AssertionError("no execution is followed")


class _Endpoint:
    """The calls of an endpoint; all others are the account's."""

    def __init__(self, account: AtOnce, client: Any) -> None:
        self._account, self._client = account, client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def create_endpoint(self, *, EndpointName: str, EndpointConfigName: str, **more: Any) -> dict[str, Any]:
        self._account._config = EndpointConfigName
        return {"EndpointArn": EndpointName}

    update_endpoint = create_endpoint

    def describe_endpoint(self, *, EndpointName: str) -> dict[str, Any]:
        config = self._account._config
        if config is None:
            return dict(self._client.describe_endpoint(EndpointName=EndpointName))  # which says that there is none
        variants = self._client.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
        live = {"DesiredWeight": 1.0, "CurrentWeight": 1.0, "DesiredInstanceCount": 1, "CurrentInstanceCount": 1}
        return {
            "EndpointName": EndpointName,
            "EndpointStatus": "InService",
            "EndpointConfigName": config,
            "ProductionVariants": [{"VariantName": item["VariantName"], **live} for item in variants],
        }

    def invoke_endpoint(self, **asked: Any) -> dict[str, Any]:
        return {"Body": io.BytesIO(b"0"), "ContentType": "text/csv", "InvokedProductionVariant": "AllTraffic"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--once", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.once is not None:
        print(json.dumps(once(given.once)))
        return 0
    with tempfile.TemporaryDirectory(prefix="mlops-bench-") as name:
        register(Path(name))
        rounds = [measured(Path(name)) for _ in range(given.rounds + 1)][1:]  # the first fills the caches
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.2f}")
    for what in ("a new endpoint", "the next version"):
        for kind in ("seconds", "of CPU"):
            found = [item[what][kind] for item in rounds]
            median = statistics.median(found)
            missed = "  MISSED" if median > WANTED and kind == "seconds" else ""
            wanted = f", at most {WANTED} wanted" if kind == "seconds" else ""
            print(f"{what}: {median:.3f} {kind} ({min(found):.3f} to {max(found):.3f}){wanted}{missed}")
    waited = statistics.median(item["the next version"]["waited"] for item in rounds)
    whole = statistics.median(item["whole"] for item in rounds)
    print(f"beside {waited:.1f} s of waiting; both, with Python and boto3 loaded, took {whole:.2f} s")
    return 0


def measured(folder: Path) -> dict[str, Any]:
    began = time.perf_counter()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, __file__, "--once", str(folder)], capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return {**found, "whole": time.perf_counter() - began}


def once(folder: Path) -> dict[str, Any]:
    from mlops.account import connect
    from mlops.deploy.endpoints.promote import Target, promote
    from mlops.deploy.models.registry import version
    from mlops.deploy.shifting.settings import read
    from mlops.deploy.waiting import Clock
    from mlops.project.environments import read_project

    environment = read_project(folder).environment("local")
    account = AtOnce(connect(environment))
    account.client("sagemaker"), account.client("sagemaker-runtime"), account.client("s3")  # loaded, as they are once
    settings, found = read(environment, folder), dict[str, Any]()
    target = Target(f"door-{os.getpid()}", timeout=60)
    for number, what in enumerate(("a new endpoint", "the next version"), 1):
        waited: list[float] = []
        began, cpu = time.perf_counter(), time.process_time()
        promote(
            account,
            environment,
            version(account, GROUP, number),
            target,
            settings,
            say=lambda text: None,
            clock=Clock(sleep=waited.append),
        )
        found[what] = {
            "seconds": time.perf_counter() - began,
            "of CPU": time.process_time() - cpu,
            "waited": sum(waited),
        }
    return found


def register(folder: Path) -> None:
    """Two approved versions with a sample each."""
    from mlops.account import connect
    from mlops.project.environments import read_project

    environment = read_project(folder).environment("local")
    account = connect(environment)
    s3, sagemaker = account.client("s3"), account.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("sample.csv")
        member.size = 2
        archive.addfile(member, io.BytesIO(b"1\n"))
    s3.put_object(Bucket=environment.bucket, Key="sample.tar.gz", Body=packed.getvalue())
    for number in (1, 2):
        sagemaker.create_model_package(
            ModelPackageGroupName=GROUP,
            ModelApprovalStatus="Approved",
            SamplePayloadUrl=f"s3://{environment.bucket}/sample.tar.gz",
            InferenceSpecification={
                "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{environment.bucket}/{number}.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )


if __name__ == "__main__":
    sys.exit(main())
