"""Shifts on the local account: real servers under load, real verdicts, and the way back."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops.account import Account, connect
from mlops.cli import main
from mlops.deploy.endpoints import history
from mlops.deploy.endpoints.history import Entry, Verb
from mlops.deploy.endpoints.promote import Promoted, Target, promote
from mlops.deploy.models.registry import version
from mlops.deploy.shifting import journal as journals
from mlops.deploy.shifting.journal import Journal
from mlops.deploy.shifting.settings import read
from mlops.ir import Refusal
from mlops.ir.shift import Serving
from mlops.project.environments import read_project

from ..conftest import World
from ..test_promote import archive
from ..test_registry import IMAGE

SOUND = "def model_fn(d): return 0\ndef transform_fn(m, body, t, a): return 'version {n}', a\n"
FLAKY = """
import itertools
count = itertools.count()
def model_fn(d): return 0
def transform_fn(m, body, t, a):
    if next(count) % 5 == 4:
        raise ValueError('now and then')
    return 'version 3', a
"""
SLOW = """
import time
def model_fn(d): return 0
def transform_fn(m, body, t, a):
    time.sleep(1.5)
    return 'slow', a
"""
TOML = """
[env.local.promote]
strategy = { stepped = { shares = [5, 25, 50, 100], bake = "2s" } }
patience = "20s"

[env.local.promote.judge]
errors = { at_most = "1%", interval = "1s" }
latency = { at_most = "1s", interval = "1s" }
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Approved versions: 1 and 2 answer, 3 fails at every fifth request, 4 is slow."""
    yield from registered(tmp_path_factory.mktemp("shift"), TOML, SOUND.format(n=1), SOUND.format(n=2), FLAKY, SLOW)


def registered(folder: Path, toml: str, *handlers: str) -> Iterator[World]:
    """A project with approved versions of a model, in their order; what serves is removed in the end."""
    (folder / "mlops.toml").write_text(toml)
    environment = read_project(folder).environment("local")
    account = connect(environment)
    s3, sagemaker = account.client("s3"), account.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    s3.put_object(Bucket=environment.bucket, Key="sample.tar.gz", Body=archive("sample.csv", "1,2\n"))
    for number, handler in enumerate(handlers, 1):
        s3.put_object(Bucket=environment.bucket, Key=f"{number}.tar.gz", Body=archive("code/inference.py", handler))
        sagemaker.create_model_package(
            ModelPackageGroupName="churn",
            ModelApprovalStatus="Approved",
            SamplePayloadUrl=f"s3://{environment.bucket}/sample.tar.gz",
            InferenceSpecification={
                "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{environment.bucket}/{number}.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )
    yield World(folder, environment, account)
    for endpoint in sagemaker.list_endpoints()["Endpoints"]:
        sagemaker.delete_endpoint(EndpointName=endpoint["EndpointName"])


class Load:
    """Requests one after another from several threads, until it is over."""

    def __init__(self, account: Account, endpoint: str) -> None:
        self._runtime = account.client("sagemaker-runtime")
        self._endpoint = endpoint
        self.over = threading.Event()
        self.answers: list[tuple[float, str, str]] = []

    def run(self) -> None:
        while not self.over.wait(0.01):
            try:
                reply = self._runtime.invoke_endpoint(
                    EndpointName=self._endpoint, Body=b"1,2\n", ContentType="text/csv", Accept="text/csv"
                )
                told = reply["Body"].read().decode()
                self.answers.append((time.time(), reply["InvokedProductionVariant"], told))
            except Exception as error:
                self.answers.append((time.time(), "", f"failed: {error}"))

    @property
    def failed(self) -> list[str]:
        return [told for _, _, told in self.answers if told.startswith("failed")]


@contextmanager
def load(world: World, endpoint: str) -> Iterator[Load]:
    found = Load(world.account, endpoint)
    threads = [threading.Thread(target=found.run) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        found.over.set()
        for thread in threads:
            thread.join()


def promoted(world: World, number: int, endpoint: str, said: list[str] | None = None, **more: Any) -> Promoted:
    settings = read(world.environment, world.folder)
    chosen = version(world.account, "churn", number)
    heard = [] if said is None else said
    target = more.pop("target", Target(endpoint, timeout=60))
    return promote(world.account, world.environment, chosen, target, settings, say=heard.append, **more)


def live(world: World, endpoint: str) -> dict[str, Any]:
    found: dict[str, Any] = world.account.client("sagemaker").describe_endpoint(EndpointName=endpoint)
    return found


def scale(world: World, endpoint: str) -> None:
    """As somebody else set it up."""
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling = world.account.client("application-autoscaling")
    scaling.register_scalable_target(**target, MinCapacity=2, MaxCapacity=5)
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    scaling.put_scaling_policy(
        **target,
        PolicyName="track",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 70.0, "PredefinedMetricSpecification": metric},
    )


def scaled(world: World, endpoint: str) -> list[tuple[str, int, int, bool, float]]:
    """What is, its bounds, whether anything of it is suspended, and its policy's target."""
    scaling = world.account.client("application-autoscaling")
    found = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    mine = [item for item in found if item["ResourceId"].startswith(f"endpoint/{endpoint}/")]
    policies = {
        item["ResourceId"]: item["TargetTrackingScalingPolicyConfiguration"]["TargetValue"]
        for item in scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    }
    return [
        (
            item["ResourceId"],
            item["MinCapacity"],
            item["MaxCapacity"],
            any(item["SuspendedState"].values()),
            policies[item["ResourceId"]],
        )
        for item in mine
    ]


def test_traffic_goes_over_in_steps_and_nothing_is_lost(world: World) -> None:
    assert promoted(world, 1, "steps", target=Target("steps", count=3, timeout=60)).action == "created"
    scale(world, "steps")
    said: list[str] = []
    with load(world, "steps") as under:
        done = promoted(world, 2, "steps", said)
    assert done.action == "updated" and under.failed == []
    found = live(world, "steps")
    assert found["EndpointConfigName"] == done.config
    assert [(item["VariantName"], item["CurrentInstanceCount"]) for item in found["ProductionVariants"]] == [
        ("blue", 3)
    ]
    assert {told for _, _, told in under.answers} == {"version 1", "version 2"}, [a for a in under.answers if not a[2]][
        :20
    ]
    assert [line for line in said if "looked at" in line] == [
        f"stage {number}: {share} % of the traffic, looked at for 2s"
        for number, share in enumerate((5, 25, 50, 100), 1)
    ]
    stored = journals.read(world.account, world.environment, "steps")
    assert stored is not None and stored.journal.phase == "shifted"
    assert promoted(world, 2, "steps").action == "unchanged"
    assert scaled(world, "steps") == [("endpoint/steps/variant/blue", 2, 5, False, 70.0)]


@pytest.mark.proof("shift")
def test_the_next_shift_goes_to_the_other_name(world: World) -> None:
    assert promoted(world, 1, "there").action == "created"
    for number, name in ((2, "blue"), (1, "green")):
        with load(world, "there") as under:
            assert promoted(world, number, "there").action == "updated"
        assert under.failed == []
        assert [item["VariantName"] for item in live(world, "there")["ProductionVariants"]] == [name]


@pytest.mark.parametrize(
    ("number", "why"), [(3, "errors: "), pytest.param(4, "latency: ", marks=pytest.mark.proof("shift"))]
)
def test_a_version_that_is_worse_goes_back_by_itself(world: World, number: int, why: str) -> None:
    name = f"worse-{number}"
    promoted(world, 1, name)
    grown = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}]
    world.account.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=grown
    )
    before = live(world, name)["EndpointConfigName"]
    with load(world, name) as under, pytest.raises(Refusal) as told:
        promoted(world, number, name)
    assert "serves what it served before" in told.value.message and why in told.value.message
    after = live(world, name)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", before)
    assert [item["DesiredInstanceCount"] for item in after["ProductionVariants"]] == [2]
    assert len(under.failed) < 0.05 * len(under.answers)
    stored = journals.read(world.account, world.environment, name)
    assert stored is not None and stored.journal.phase == "taken back"
    if number == 3:
        reason = str(history.read(world.account, world.environment, name)[-1].reason)
        for told_of in (told.value.message, reason):
            assert re.search(r" % \(\d+ of \d+ requests?\), and at most 1 % is wanted; it raised ValueError: ", told_of)
            assert f"now and then; its log: .mlops/endpoints/{name}/logs/blue/" in told_of
        assert list((world.folder / ".mlops" / "endpoints" / name / "logs" / "blue").glob("*.txt"))


def test_an_endpoint_that_is_declared_with_capture_keeps_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As docs/outcomes.md shows it."""
    text = (Path(__file__).parents[3] / "docs" / "outcomes.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```python\n(from mlops import resources\n.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (world.folder / "churn_endpoint.py").write_text(shown)
    monkeypatch.chdir(world.folder)
    assert main(["upsert", "churn_endpoint.py"]) == 0
    at_once = World(world.folder, replace(world.environment, promote={}), world.account)
    before = live(world, "churn")
    assert promoted(at_once, 2, "churn").action == "updated"
    after = live(world, "churn")
    assert before["EndpointConfigName"] != after["EndpointConfigName"]
    captured = ("Started", "s3://acme-ml/captured")
    for told in (before, after):
        found = told["DataCaptureConfig"]
        assert (found["CaptureStatus"], found["DestinationS3Uri"]) == captured


@pytest.mark.proof("shift")
def test_no_traffic_is_not_green(world: World) -> None:
    promoted(world, 1, "quiet")
    scale(world, "quiet")
    quiet = replace(world.environment, promote={**world.environment.promote, "patience": "1s"})
    with pytest.raises(
        Refusal, match=r"has no verdict: errors: 0 of 1 periods were good.*without traffic there is none"
    ):
        promoted(World(world.folder, quiet, world.account), 2, "quiet")
    assert [item["VariantName"] for item in live(world, "quiet")["ProductionVariants"]] == ["AllTraffic"]
    assert scaled(world, "quiet") == [("endpoint/quiet/variant/AllTraffic", 2, 5, False, 70.0)]


def test_gates_and_what_would_be_done_are_told_before(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """By the command, in a project whose environment has a gate that refuses."""

    def promote_(*more: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(("promote", "churn", "--to", "local", "--endpoint", "gated", "--version", "1", *more))
        return code, *capfd.readouterr()

    (world.folder / "mlops.toml").write_text('[env.local.promote]\ncomponent = "churn-c"\n')
    monkeypatch.chdir(world.folder)
    for more in ((), ("--plan",)):
        code, _, err = promote_(*more)
        assert code == 2 and "there is no inference component 'churn-c'" in err
    (world.folder / "mlops.toml").write_text(f"{TOML}\n[env.local.promote.gates]\nage = {{ at_least = '1d' }}\n")
    monkeypatch.chdir(world.folder)
    code, _, err = promote_()
    assert code == 1 and "gate age refuses: it is" in err
    endpoints = world.account.client("sagemaker").list_endpoints()["Endpoints"]
    assert "gated" not in [item["EndpointName"] for item in endpoints]
    code, out, _ = promote_("--plan")
    assert code == 1 and "gate approval passes: it is Approved" in out and "Create" not in out
    passed = ("--override", "age", "--reason", "it is urgent")
    code, out, _ = promote_("--plan", *passed)
    assert code == 0 and "gate age passed over" in out and "CreateEndpoint gated with churn-1-" in out
    code, _, err = promote_("--override", "age")
    assert code == 2 and "needs a reason" in err
    assert promote_(*passed)[0] == 0
    (entry,) = history.read(world.account, world.environment, "gated")
    assert (entry.verb, entry.version, entry.reason) == ("created", 1, "it is urgent")
    assert entry.how == "at once, passed over: age"


def test_newer_versions_that_are_passed_over_are_told(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    became: dict[int, Verb] = {3: "taken back", 4: "aborted"}
    for number, verb in became.items():
        history.append(world.account, world.environment, "passed", Entry(verb, "churn", number, "c", None, "ada"))
    (world.folder / "mlops.toml").write_text(TOML)
    monkeypatch.chdir(world.folder)
    plan = ("promote", "churn", "--to", "local", "--endpoint", "passed", "--plan")
    assert main(plan) == 0
    assert "version 2 of churn to local\n  passed over: 4 was aborted; 3 was taken back\n" in capfd.readouterr().out
    assert main((*plan, "--version", "2")) == 0
    assert "passed over" not in capfd.readouterr().out


def test_what_is_under_way_is_shown(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    promoted(world, 1, "shown")
    monkeypatch.chdir(world.folder)
    assert main(("endpoints", "show", "shown")) == 0
    assert "is shifting" not in capfd.readouterr().out
    begun = Journal("shown", "churn", 2, "weights", Serving("c", ()), (), 1, "token", "ada", "")
    journals.write(world.account, world.environment, begun, None)
    assert main(("endpoints", "show", "shown")) == 0
    assert "a promotion of version 2 of churn by ada is shifting, 0 of 0 moves done" in capfd.readouterr().out
    (left,) = (item for item in [journals.read(world.account, world.environment, "shown")] if item is not None)
    journals.write(world.account, world.environment, replace(begun, environment="production"), left.etag)
    assert main(("endpoints", "show", "shown")) == 0
    assert "of churn by ada with the environment production is shifting" in capfd.readouterr().out
