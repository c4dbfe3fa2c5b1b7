"""Promotion on the local account: real servers, real answers, and what happens when they are wrong."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from mlops.account import connect
from mlops.deploy.endpoints import history
from mlops.deploy.endpoints.diary import OVERRIDDEN, REFUSED
from mlops.deploy.endpoints.gating import APPROVAL, Gated
from mlops.deploy.endpoints.past import past_promotions
from mlops.deploy.endpoints.promote import Target, promote
from mlops.deploy.models.registry import Version, version
from mlops.deploy.shifting.settings import read
from mlops.ir import MlopsError, Refusal
from mlops.project.environments import read_project

from .conftest import World
from .test_registry import IMAGE

PLAIN = read(read_project(Path("/nowhere")).environment("local"), Path("/nowhere"))
SOUND = "def model_fn(d): return 0\ndef transform_fn(m, body, t, a): return 'version {n}', a\n"
REFUSES = "def model_fn(d): return 0\ndef transform_fn(m, body, t, a): raise ValueError('not today')\n"
BROKEN = "raise RuntimeError('cannot start')\n"


def archive(name: str, text: str) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text.encode()))
    return target.getvalue()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Three approved versions: 1 and 2 answer, 3 raises at a request, 4 does not start; 5 is pending, 6 rejected."""
    folder: Path = tmp_path_factory.mktemp("promote")
    environment = read_project(folder).environment("local")
    account = connect(environment)
    s3, sagemaker = account.client("s3"), account.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    s3.put_object(Bucket=environment.bucket, Key="sample.tar.gz", Body=archive("sample.csv", "1,2\n"))
    handlers = [SOUND.format(n=1), SOUND.format(n=2), REFUSES, BROKEN, SOUND.format(n=5), SOUND.format(n=6)]
    for number, handler in enumerate(handlers, 1):
        s3.put_object(Bucket=environment.bucket, Key=f"{number}.tar.gz", Body=archive("code/inference.py", handler))
        sagemaker.create_model_package(
            ModelPackageGroupName="churn",
            ModelApprovalStatus={5: "PendingManualApproval", 6: "Rejected"}.get(number, "Approved"),
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


def chosen(world: World, number: int) -> Version:
    return version(world.account, "churn", number)


def serving(world: World, endpoint: str) -> bytes:
    reply = world.account.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, Body=b"1,2\n", ContentType="text/csv", Accept="text/csv"
    )
    answer: bytes = reply["Body"].read()
    return answer


def test_a_version_is_promoted_updated_and_left_alone(world: World) -> None:
    target = Target("sound", timeout=60)
    first = promote(world.account, world.environment, chosen(world, 1), target, PLAIN)
    assert (first.action, first.answers[0].body) == ("created", b"version 1")
    again = promote(world.account, world.environment, chosen(world, 1), target, PLAIN)
    assert (again.action, again.config) == ("unchanged", first.config)
    second = promote(world.account, world.environment, chosen(world, 2), target, PLAIN)
    assert (second.action, second.answers[0].body) == ("updated", b"version 2")
    assert serving(world, "sound") == b"version 2"


def test_a_failed_smoke_test_takes_an_update_back(world: World) -> None:
    target = Target("taken-back", timeout=60)
    promote(world.account, world.environment, chosen(world, 1), target, PLAIN)
    with pytest.raises(Refusal, match=r"smoke test with sample\.csv failed"):
        promote(world.account, world.environment, chosen(world, 3), target, PLAIN)
    assert serving(world, "taken-back") == b"version 1"


def told(world: World, endpoint: str) -> list[tuple[str, object]]:
    """What the account's table of events says of the promotions to an endpoint."""
    assert world.account.events is not None
    found = [event for event in world.account.events.read(ids={"endpoint": endpoint}) if "promotion" in event.ids]
    return [(event.kind, event.detail.get("action") or event.detail.get("failure")) for event in found]


def test_what_promotions_do_is_in_the_table_of_events(world: World) -> None:
    target = Target("told", timeout=60)
    promote(world.account, world.environment, chosen(world, 1), target, PLAIN)
    first = told(world, "told")
    assert first[0] == ("promotion.started", None)
    assert ("promotion.acted", "CreateEndpoint") in first
    assert first[-1] == ("promotion.ended", "created")
    with pytest.raises(Refusal):
        promote(world.account, world.environment, chosen(world, 3), target, PLAIN)
    second = told(world, "told")[len(first) :]
    assert ("promotion.acted", "UpdateEndpoint") in second
    assert second[-1][0] == "promotion.failed"
    assert "smoke test with sample.csv failed" in str(second[-1][1])


def audited(world: World, endpoint: str) -> list[tuple[str, dict[str, object]]]:
    """What gates refused there and what was let over them, with who and why."""
    assert world.account.events is not None
    found = world.account.events.read(ids={"endpoint": endpoint})
    return [(it.kind, dict(it.detail)) for it in found if it.kind in (REFUSED, OVERRIDDEN)]


def test_gates_that_refuse_and_that_are_passed_over_are_told(world: World) -> None:
    target = Target("audited", timeout=60)
    for number, shut in ((5, APPROVAL), (1, "age")):
        with pytest.raises(Refusal, match="nothing was changed"):
            gated = (Gated(shut, False, "no"), Gated("freeze", True, "none"))
            promote(world.account, world.environment, chosen(world, number), target, PLAIN, gated=gated)
    over = (Gated(APPROVAL, True, "it is"), Gated("age", False, "too old", True), Gated("freeze", True, "none"))
    for _ in range(2):
        reason = "DB_PASSWORD=hunter2-hunter2 is out"
        promote(world.account, world.environment, chosen(world, 1), target, PLAIN, gated=over, reason=reason)
    (_, who), *_ = told = audited(world, "audited")
    assert told[:2] == [(REFUSED, {"by": who["by"], "what": [shut]}) for shut in (APPROVAL, "age")] and who["by"]
    passed = {"by": who["by"], "what": ["age"], "reason": "(hidden)"}
    assert told[2:] == [(OVERRIDDEN, passed)] * 2
    since = datetime.now(UTC) - timedelta(hours=1)
    past = [it for it in past_promotions(world.account, world.environment, since) if it.about == "audited"]
    assert [(it.kind, it.detail.get("what")) for it in past] == [(OVERRIDDEN, ["age"]), ("promotion.ended", None)]
    assert past[0].ids["model-package"] == "churn/1" and past[0].detail["by"] == who["by"]
    assert not [*past_promotions(world.account, world.environment, datetime.now(UTC) + timedelta(hours=1))]


def test_a_server_that_does_not_start_is_told_with_its_reason(world: World) -> None:
    with pytest.raises(Refusal, match=r"broken is Failed: [\s\S]*cannot start"):
        promote(world.account, world.environment, chosen(world, 4), Target("broken", timeout=60), PLAIN)
    done = promote(world.account, world.environment, chosen(world, 1), Target("broken", timeout=60), PLAIN)
    assert done.action == "created"


@pytest.mark.parametrize(("number", "approval"), [(5, "PendingManualApproval"), (6, "Rejected")])
def test_what_is_not_approved_is_refused(world: World, number: int, approval: str) -> None:
    with pytest.raises(Refusal, match=rf"is {approval}, only an Approved one"):
        promote(world.account, world.environment, chosen(world, number), Target("never"), PLAIN)
    names = [item["EndpointName"] for item in world.account.client("sagemaker").list_endpoints()["Endpoints"]]
    assert "never" not in names


class Killed(BaseException):
    """Nothing of ours catches it: what it leaves is what a kill leaves."""


@contextmanager
def cut_off(world: World, operation: str, error: BaseException) -> Iterator[None]:
    """``error`` after the first call of ``operation`` was answered."""
    clients = [world.account.client(name) for name in ("s3", "sagemaker", "sagemaker-runtime", "sts")]
    left = [error]

    def after(model: Any, **_: Any) -> None:
        if model.name == operation and left:
            raise left.pop()

    for client in clients:
        client.meta.events.register_last("after-call.*.*", after)
    try:
        yield
    finally:
        for client in clients:
            client.meta.events.unregister("after-call.*.*", after)


def another(world: World, number: int) -> Any:
    """An environment whose models and configurations are others than those of all before."""
    return replace(world.environment, role=f"{world.environment.role}-{number}")


READS = ["GetCallerIdentity", "GetObject", "DescribeModel", "DescribeEndpointConfig", "DescribeEndpoint"]


@pytest.mark.proof("kills")
def test_a_promotion_that_is_cut_off_after_any_of_its_calls_is_finished_by_the_next(world: World) -> None:
    target = Target("killed", timeout=60)
    sagemaker = world.account.client("sagemaker")
    creating = ["DescribeEndpoint", "CreateModel", "CreateEndpointConfig", "CreateEndpoint", "InvokeEndpoint"]
    for number, operation in enumerate([*creating, *READS, "CreateModel", "CreateEndpointConfig", "UpdateEndpoint"]):
        environment, serves = another(world, number), 1 + number % 2
        if 0 < number < len(creating):
            sagemaker.delete_endpoint(EndpointName="killed")
        with cut_off(world, operation, Killed()), pytest.raises(Killed):
            promote(world.account, environment, chosen(world, serves), target, PLAIN)
        done = promote(world.account, environment, chosen(world, serves), target, PLAIN)
        assert done.answers[0].body == f"version {serves}".encode()
        again = promote(world.account, environment, chosen(world, serves), target, PLAIN)
        assert (again.action, again.config) == ("unchanged", done.config)


def test_an_answer_that_was_lost_is_no_failure(world: World) -> None:
    target = Target("lost", timeout=60)
    lost = ["CreateModel", "CreateEndpointConfig", "CreateEndpoint", "CreateModel", "CreateEndpointConfig"]
    for number, operation in enumerate([*lost, "UpdateEndpoint"], 100):
        environment, serves = another(world, number), 1 + number % 2
        with cut_off(world, operation, ConnectionClosedError(endpoint_url="http://acme")):
            done = promote(world.account, environment, chosen(world, serves), target, PLAIN)
        assert done.answers[0].body == f"version {serves}".encode()


def test_what_somebody_else_has_begun_is_waited_for(world: World) -> None:
    target = Target("shared", timeout=60)
    first = promote(world.account, world.environment, chosen(world, 1), target, PLAIN)
    second = promote(world.account, world.environment, chosen(world, 2), target, PLAIN)
    world.account.client("sagemaker").update_endpoint(EndpointName="shared", EndpointConfigName=first.config)
    assert promote(world.account, world.environment, chosen(world, 2), target, PLAIN).config == second.config
    assert serving(world, "shared") == b"version 2"


def test_of_two_at_once_one_is_whole_and_the_other_is_told(world: World) -> None:
    target = Target("rivals", timeout=60)
    rival = connect(world.environment)
    begun: list[str] = []

    def meanwhile(**_: Any) -> None:
        if not begun:
            begun.append("once")
            promote(rival, world.environment, chosen(world, 2), target, PLAIN)

    first = connect(world.environment)
    first.client("sagemaker").meta.events.register_first("before-call.sagemaker.CreateEndpoint", meanwhile)
    with pytest.raises(MlopsError, match="rivals") as told:
        promote(first, world.environment, chosen(world, 1), target, PLAIN)
    assert begun and "exist" in told.value.message
    assert serving(world, "rivals") == b"version 2"
    assert [item.version for item in history.read(world.account, world.environment, "rivals")] == [2]


def test_an_endpoint_that_served_it_before_and_fails_its_smoke_test_is_left_and_told(world: World) -> None:
    target = Target("refusing", timeout=60)
    for told in ("", "; nothing was changed: refusing served this version before"):
        with pytest.raises(Refusal, match="smoke test with") as caught:
            promote(world.account, world.environment, chosen(world, 3), target, PLAIN)
        assert told in caught.value.message
    endpoint = world.account.client("sagemaker").describe_endpoint(EndpointName="refusing")
    assert endpoint["EndpointStatus"] == "InService"


def test_who_is_asked_for_an_approval_sees_what_would_be_done(world: World) -> None:
    guarded, said = replace(world.environment, approval=True), list[str]()

    def permit(doing: str) -> None:
        said.append(f"{doing}?")
        raise Refusal("not approved; nothing was changed")

    with pytest.raises(Refusal, match="not approved"):
        promote(
            world.account, guarded, chosen(world, 1), Target("asked", timeout=60), PLAIN, say=said.append, permit=permit
        )
    assert said[-1] == "take version 1 of churn to the endpoint asked?"
    assert any(line.startswith("CreateEndpoint asked with churn-1-") for line in said[:-1])
