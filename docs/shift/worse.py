"""New versions that are worse than what serves, each promoted by a canary under constant load: each is taken back by
itself, for its reason, and what the old version could serve is lost only within the canary's share.

    python docs/shift/worse.py [--folder DIR]

Ends with 1 where one stays, is taken back for another reason, or loses more.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from load import Load
from split import interval
from timeline import Timeline, read
from walk import ROOT, address, mlops

from mlops.account import connect
from mlops.account.local.process.serving.usage import machine_memory
from mlops.project.environments import read_project

GROUP = "churn"
SHARE = 10
GUARDRAIL_SECONDS = 60
"""The shortest period of an alarm on a metric of an endpoint: SageMaker publishes them by the minute."""
SLOW_SECONDS = 0.08
MOST_MEMORY = round(100 * (150 << 20) / machine_memory(), 2)
TOML = f"""
[env.local.promote]
strategy = {{ canary = {{ share = {SHARE}, bake = "45s" }} }}

[env.local.promote.judge]
errors = {{ at_most = "1%", interval = "1s" }}
latency = {{ at_most = "{1000 * SLOW_SECONDS:g}ms", percentile = 50, interval = "1s" }}
memory = {{ at_most = {MOST_MEMORY}, interval = "1s" }}
"""
_SOUND = """
import time
kept = []
def model_fn(folder):
    {loading}
def transform_fn(model, body, content_type, accept):
    time.sleep(0.02)
    {answering}
    return "1", "text/csv"
"""
_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


@dataclass(frozen=True, slots=True)
class Case:
    """``reason`` is what has to be told."""

    what: str
    reason: str
    loading: str = "return 0"
    answering: str = "pass"

    @property
    def handler(self) -> str:
        return _SOUND.format(loading=self.loading, answering=self.answering)


CASES = (
    Case("raises on 5 % of inputs", "errors: ", answering="1 / (int(body) % 20)"),
    Case("5 times slower", "latency: ", answering="time.sleep(0.08)"),
    Case("does not start", "of another model", loading="raise ValueError('the weights are of another model')"),
    Case("leaks memory", "memory: ", answering="kept.append(b'x' * (2 << 20))"),
)


@dataclass(frozen=True, slots=True)
class Result:
    """``seconds`` from the first bad answer until all traffic was back; None where there was no bad answer."""

    case: Case
    reason: str
    asked: int
    lost: int
    most: int
    seconds: float | None

    @property
    def good(self) -> bool:
        return self.case.reason in self.reason and self.lost <= self.most


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "worse", help="is made anew")
    folder: Path = parser.parse_args().folder
    if (folder / ".mlops").exists():
        _delete(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "mlops.toml").write_text(TOML, encoding="utf-8")
    register(folder)
    try:
        mlops(folder, "promote", GROUP, "--to", "local", "--version", "1")
        url = address(folder, GROUP)
        results = [tried(folder, url, number, case) for number, case in enumerate(CASES, 2)]
    finally:
        _delete(folder)
    tell(results)
    return 0 if all(result.good for result in results) else 1


def tried(folder: Path, url: str, number: int, case: Case) -> Result:
    began = time.time()
    with Load(url, None, pause=30):
        time.sleep(2)
        mlops(folder, "promote", GROUP, "--to", "local", "--version", str(number), expect=1)
        time.sleep(1)
    time.sleep(2)  # requests are recorded each second
    mlops(folder, "endpoints", "history", GROUP, "--limit", "1")
    found = read(folder, GROUP, began, time.time())
    canary = list(found.stages(found.new))
    inside = sum(len(found.within(stage)) for stage in canary)
    lost = [item for item in found.asked if not item.good]
    return Result(
        case,
        reason(folder),
        len(found.asked),
        len(lost),
        interval(inside, SHARE / 100)[1] if inside else 0,
        _way_back(found),
    )


def reason(folder: Path) -> str:
    """As the endpoint's history has it."""
    from mlops.deploy.endpoints import history

    environment = read_project(folder).environment("local")
    return history.read(connect(environment), environment, GROUP)[-1].reason or ""


def _way_back(found: Timeline) -> float | None:
    """From the first request of the canary that was lost, or took too long, or, where there is none, from the first
    that the new version answered."""
    stage = next(found.stages(found.new), None)
    mine = [item for item in found.asked if item.variant == found.new and stage and item.at >= stage.start]
    if not mine:
        return None
    bad = [item for item in mine if not item.good or item.seconds > SLOW_SECONDS]
    first = (bad or mine)[0]
    back = [
        state.at
        for state in found.states
        if state.at > first.at and state.status == "in service" and not state.weights.get(found.new)
    ]
    return back[0] - (first.at + first.seconds) if back else None


def tell(results: list[Result]) -> None:
    print("\n| A new version that | Taken back after | Because | Requests lost | The canary's share |")
    print("|---|---|---|---|---|")
    for result in results:
        after = "no request reached it" if result.seconds is None else f"{result.seconds:.1f} s"
        told = _short(result.reason)
        print(f"| {result.case.what} | {after} | {told} | {result.lost} of {result.asked} | at most {result.most} |")
    print(f"\nA guardrail judges by alarms, whose shortest period is {GUARDRAIL_SECONDS} s.")
    for result in results:
        if not result.good:
            print(f"NOT as it should be: {result}")


def _short(reason: str) -> str:
    """A traceback's last line stands for it."""
    first, *more = reason.splitlines()
    return f"{first.partition(':')[0]}: … {more[-1]}" if more else first


def register(folder: Path) -> None:
    """Version 1 is sound; the others follow in the order of the cases."""
    environment = read_project(folder).environment("local")
    account = connect(environment)
    s3, sagemaker = account.client("s3"), account.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    s3.put_object(Bucket=environment.bucket, Key="sample.tar.gz", Body=_archive("sample.csv", "1"))
    for number, case in enumerate((Case("is sound", ""), *CASES), 1):
        key = f"{number}.tar.gz"
        s3.put_object(Bucket=environment.bucket, Key=key, Body=_archive("code/inference.py", case.handler))
        container: dict[str, Any] = {
            "Image": _IMAGE,
            "ModelDataUrl": f"s3://{environment.bucket}/{key}",
            "Environment": {"SAGEMAKER_GUNICORN_THREADS": "8"},
        }
        sagemaker.create_model_package(
            ModelPackageGroupName=GROUP,
            ModelApprovalStatus="Approved",
            SamplePayloadUrl=f"s3://{environment.bucket}/sample.tar.gz",
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )


def _archive(name: str, text: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(text.encode())
        archive.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


def _delete(folder: Path) -> None:
    environment = read_project(folder).environment("local")
    sagemaker = connect(environment).client("sagemaker")
    for endpoint in sagemaker.list_endpoints()["Endpoints"]:
        sagemaker.delete_endpoint(EndpointName=endpoint["EndpointName"])


if __name__ == "__main__":
    sys.exit(main())
