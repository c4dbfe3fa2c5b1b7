"""What a promotion decides, as data; and what it does when an account is slow, by a clock that is handed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops.deploy.endpoints.promote import promote
from mlops.deploy.endpoints.promotion import (
    CreateEndpoint,
    CreateEndpointConfig,
    CreateModel,
    DeleteEndpoint,
    Seen,
    Settle,
    SmokeTest,
    TakeBack,
    Target,
    UpdateEndpoint,
    Wait,
    decide,
    settled,
    want,
)
from mlops.deploy.endpoints.sampling import Samples
from mlops.deploy.models.registry import Version
from mlops.deploy.shifting.seeing import Endpoint
from mlops.deploy.shifting.settings import read
from mlops.deploy.waiting import Clock
from mlops.ir import Refusal
from mlops.ir.hook import TOO_LATE, Facts, Hook, HookFailed, HookKind, Moment
from mlops.ir.shift import Serving, Variant
from mlops.project.environments import Environment

PROD = Environment(name="prod", region="eu-west-1", role="arn:aws:iam::111122223333:role/r", bucket="acme-ml")
ARN = "arn:aws:sagemaker:eu-west-1:111122223333:model-package/churn/2"
VERSION = Version("churn", 2, ARN, "Approved", None, {"InferenceSpecification": {}})
TARGET = Target("churn", timeout=60)
WANTED = want(PROD, VERSION, TARGET)
SETTINGS = read(PROD, Path("/nowhere"))
OURS = decide(Seen(True, None), WANTED, SETTINGS).config
EARLIER = "churn-1-0123456789"
MODELS = {OURS: WANTED.model}


def State(status: str, config: str, pending: str | None = None) -> Endpoint:
    request = {"ModelName": MODELS.get(config, "another"), "InstanceType": "ml.m5.large"}
    variant = Variant("AllTraffic", request, 1.0, 1)
    return Endpoint(status, config, pending, None, Serving(config, (variant,)), {})


STAGES = [
    # bake, judge, else; whether a period can be over before the stage ends
    ("10s", {}, {}, False),
    ("1m", {}, {}, True),
    ("9s", {"errors": {"at_most": 0.01, "interval": "2s"}}, {}, True),
    ("4s", {"errors": {"at_most": 0.01, "interval": "2s"}}, {}, False),  # CloudWatch has periods of 1 and 5 seconds
    ("10s", {"errors": {"at_most": 0.01, "interval": "5s", "count": 3}}, {}, False),
    ("15s", {"errors": {"at_most": 0.01, "interval": "5s", "count": 3}}, {}, True),
    ("10s", {"errors": {"at_most": 0.01, "interval": "5s", "delay": "6s"}}, {}, False),
    ("10s", {"errors": {"at_most": 0.01, "dry_run": True}}, {}, True),
    ("10s", {"errors": {"compare": {}}}, {}, True),
    ("10s", {}, {"patience": "50s"}, True),
    ("1m", {}, {"lag": "30s"}, False),
    ("10s", {}, {"alarms": ["churn-5xx"]}, True),
    (0, {}, {}, True),
]


@pytest.mark.parametrize(("bake", "judge", "more", "can"), STAGES)
def test_a_stage_that_would_end_without_a_verdict_is_refused(
    bake: str | float, judge: Mapping[str, Any], more: Mapping[str, Any], can: bool
) -> None:
    declared = {"strategy": {"canary": {"bake": bake}}, "judge": judge, "lag": 0, "engine": "weights", **more}
    settings = read(replace(PROD, promote=declared), Path("/nowhere"))
    if can:
        assert decide(seen(State("InService", EARLIER)), WANTED, settings).verb == "updated"
        return
    with pytest.raises(Refusal, match=r"stage 1 of churn \(10 %\) would end without a verdict") as told:
        decide(seen(State("InService", EARLIER)), WANTED, settings)
    assert told.value.hint is not None and "is always enough" in told.value.hint


PROOF: tuple[type, ...] = (Wait, SmokeTest)


def seen(endpoint: Endpoint | None, **more: Any) -> Seen:
    return replace(Seen(True, endpoint, Samples({"sample": b"1"}, "text/csv", "text/csv")), **more)


@pytest.mark.parametrize(
    ("given", "verb", "actions", "back"),
    [
        (seen(None), "created", (CreateEndpointConfig, CreateEndpoint, *PROOF), None),
        (
            seen(None, has_model=False),
            "created",
            (CreateModel, CreateEndpointConfig, CreateEndpoint, *PROOF),
            None,
        ),
        (
            seen(State("Failed", EARLIER)),
            "created",
            (CreateEndpointConfig, DeleteEndpoint, CreateEndpoint, *PROOF),
            None,
        ),
        (seen(State("InService", EARLIER)), "updated", (CreateEndpointConfig, UpdateEndpoint, *PROOF), EARLIER),
        (seen(State("InService", OURS)), "unchanged", PROOF, None),
        (seen(State("InService", OURS), before=EARLIER), "unchanged", PROOF, EARLIER),
        (seen(State("Creating", OURS)), None, (Settle,), None),
        (seen(State("Updating", EARLIER, OURS), has_model=False), None, (CreateModel, Settle), None),
        (seen(State("RollingBack", EARLIER)), None, (Settle,), None),
        (seen(State("SystemUpdating", EARLIER)), None, (Settle,), None),
        (seen(State("Deleting", EARLIER)), None, (Settle,), None),
        (
            seen(State("UpdateRollbackFailed", EARLIER)),
            "updated",
            (CreateEndpointConfig, UpdateEndpoint, *PROOF),
            EARLIER,
        ),
        (seen(State("UpdateRollbackFailed", OURS)), "updated", (CreateEndpointConfig, UpdateEndpoint, *PROOF), OURS),
    ],
    ids=[
        "nothing",
        "no model",
        "it failed",
        "another configuration",
        "ours",
        "ours, and what was before it",
        "it is being made",
        "it is being updated",
        "it is rolled back",
        "the service works at it",
        "it is being deleted",
        "its way back failed",
        "its way back to ours failed",
    ],
)
def test_what_is_decided(given: Seen, verb: str | None, actions: tuple[type, ...], back: str | None) -> None:
    found = decide(given, WANTED, SETTINGS)
    assert (found.verb, tuple(type(action) for action in found.actions)) == (verb, actions)
    tests = [action for action in found.actions if isinstance(action, SmokeTest)]
    assert [test.otherwise for test in tests] == ([TakeBack("churn", back) if back else None] if tests else [])
    assert [test.unchanged for test in tests] == ([verb == "unchanged"] if tests else [])


@pytest.mark.parametrize(
    ("was", "came", "before"),
    [
        (State("Updating", EARLIER, OURS), State("InService", OURS), EARLIER),
        (State("Updating", EARLIER, OURS), State("InService", EARLIER), None),
        (State("Updating", OURS, "other"), State("InService", "other"), None),
        (State("Creating", OURS), State("InService", OURS), None),
        (State("Creating", EARLIER), State("Failed", EARLIER), None),
        (State("Deleting", OURS), None, None),
    ],
    ids=["ours followed it", "it came back", "it followed ours", "it was made", "it failed", "it is gone"],
)
def test_what_served_before_is_what_was_seen_while_the_one_followed_the_other(
    was: Endpoint, came: Endpoint | None, before: str | None
) -> None:
    found = settled(seen(was), WANTED, came)
    assert (found.endpoint, found.before, found.has_model) == (came, before, True)


def refused(operation: str, said: str) -> ClientError:
    return ClientError({"Error": {"Code": "ValidationException", "Message": said}}, operation)


@dataclass
class Scripted:
    """A service whose endpoint goes through ``states``, one with each look, and stays at the last; after a write it
    goes on with what is scripted for that write. It knows all models and configurations."""

    states: list[dict[str, Any] | None]
    after: Mapping[str, Sequence[dict[str, Any] | None]] = field(default_factory=dict)
    answers: bool = True
    writes: list[str] = field(default_factory=list)
    region: str = "eu-west-1"
    events: None = None
    here: None = None

    def client(self, service: str) -> Scripted:
        return self

    def list_tags(self, ResourceArn: str) -> dict[str, Any]:
        return {"Tags": []}

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": "111122223333", "Arn": "arn:aws:iam::111122223333:user/ada"}

    def describe_model(self, ModelName: str) -> dict[str, str]:
        return {"ModelName": ModelName}

    def describe_endpoint_config(self, EndpointConfigName: str) -> dict[str, Any]:
        variant = {"VariantName": "AllTraffic", "ModelName": MODELS.get(EndpointConfigName, "another")}
        return {"EndpointConfigName": EndpointConfigName, "ProductionVariants": [variant]}

    def create_endpoint_config(self, **request: Any) -> None:
        raise refused("CreateEndpointConfig", "it is there already")

    def get_paginator(self, operation: str) -> Scripted:
        return self

    def paginate(self, **request: Any) -> list[dict[str, Any]]:
        return []

    def put_object(self, **request: Any) -> dict[str, str]:
        return {"ETag": "1"}

    def get_object(self, **request: Any) -> None:
        raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "no journal"}}, "GetObject")

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if state is None:
            raise refused("DescribeEndpoint", f'Could not find endpoint "{EndpointName}".')
        return {"EndpointArn": f"arn:aws:sagemaker:eu-west-1:111122223333:endpoint/{EndpointName}", **state}

    def _write(self, told: str) -> None:
        self.writes.append(told)
        self.states = [*self.after.get(told.partition(" ")[0], self.states)]

    def delete_endpoint(self, EndpointName: str) -> None:
        self._write("delete")

    def create_endpoint(self, EndpointName: str, EndpointConfigName: str) -> None:
        self._write(f"create {EndpointConfigName}")

    def update_endpoint(self, EndpointName: str, EndpointConfigName: str, RetainAllVariantProperties: bool) -> None:
        assert RetainAllVariantProperties
        self._write(f"update {EndpointConfigName}")

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        if not self.answers:
            raise refused("InvokeEndpoint", "the model raised")
        return {"Body": self, "ContentType": "text/csv"}

    def read(self) -> bytes:
        return b"1"


def told(status: str, config: str = OURS, pending: str | None = None) -> dict[str, Any]:
    summary = {"PendingDeploymentSummary": {"EndpointConfigName": pending}} if pending else {}
    variants = [{"VariantName": "AllTraffic", "DesiredWeight": 1.0, "DesiredInstanceCount": 1}]
    return {"EndpointStatus": status, "EndpointConfigName": config, "ProductionVariants": variants, **summary}


class Time:
    """A clock that goes on only while somebody sleeps."""

    def __init__(self) -> None:
        self.passed = 0.0

    def sleep(self, seconds: float) -> None:
        self.passed += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.passed, self.sleep)


def run(account: Scripted, time: Time | None = None) -> Any:
    clock = (time or Time()).clock
    return promote(account, PROD, VERSION, TARGET, SETTINGS, samples={"sample": b"1"}, clock=clock)


SERVES = told("InService")


@pytest.mark.parametrize(
    ("account", "action", "writes"),
    [
        (Scripted([told("Creating"), told("Creating"), SERVES]), "unchanged", []),
        (Scripted([told("Updating", EARLIER, OURS), SERVES]), "unchanged", []),
        (
            Scripted([told("Updating", EARLIER, "other"), told("InService", "other")], {"update": [SERVES]}),
            "updated",
            [f"update {OURS}"],
        ),
        (
            Scripted([told("RollingBack", EARLIER), told("InService", EARLIER)], {"update": [SERVES]}),
            "updated",
            [f"update {OURS}"],
        ),
        (
            Scripted([told("Creating"), told("Failed")], {"delete": [told("Deleting"), None], "create": [SERVES]}),
            "created",
            ["delete", f"create {OURS}"],
        ),
        (Scripted([told("Deleting", EARLIER), None], {"create": [SERVES]}), "created", [f"create {OURS}"]),
    ],
    ids=["being made", "being updated", "by somebody else", "rolled back", "failed while being made", "being deleted"],
)
def test_what_is_under_way_is_waited_for_and_then_it_goes_on(account: Scripted, action: str, writes: list[str]) -> None:
    assert run(account).action == action
    assert account.writes == writes


@pytest.mark.parametrize(
    ("account", "status"),
    [
        (Scripted([told("Updating", EARLIER, "other")]), "Updating"),
        (Scripted([told("Creating")]), "Creating"),
        (Scripted([told("Failed")], {"delete": [told("Deleting")]}), "Deleting"),
        (Scripted([None], {"create": [told("Creating")]}), "Creating"),
        (Scripted([told("InService", EARLIER)], {"update": [told("Updating", EARLIER, OURS)]}), "Updating"),
    ],
    ids=["under way", "being made", "a deletion", "ours is made", "ours is updated"],
)
def test_every_wait_ends_with_the_timeout(account: Scripted, status: str) -> None:
    time = Time()
    with pytest.raises(Refusal, match=f"is still {status} after 60 seconds") as caught:
        run(account, time)
    assert time.passed == pytest.approx(TARGET.timeout)
    assert caught.value.hint == "run the same command again to go on waiting"


@pytest.mark.parametrize(
    ("account", "writes", "said"),
    [
        (
            Scripted([told("Updating", EARLIER, OURS), SERVES], {"update": [told("InService", EARLIER)]}, False),
            [f"update {EARLIER}"],
            "the model raised",
        ),
        (Scripted([SERVES], {}, False), [], "nothing was changed: churn served this version before"),
        (
            Scripted([told("Updating", EARLIER, OURS), SERVES], {"update": [told("Failed", EARLIER)]}, False),
            [f"update {EARLIER}"],
            f"it was taken back to {EARLIER}, and is Failed with {EARLIER}",
        ),
        (
            Scripted([told("Updating", EARLIER, OURS), SERVES], {"update": [told("Updating", EARLIER)]}, False),
            [f"update {EARLIER}"],
            f"it could not be taken back to {EARLIER}: the endpoint churn is still Updating",
        ),
    ],
    ids=["what was before is known", "it is not known", "it does not come up again", "nor in time"],
)
def test_an_unchanged_endpoint_whose_smoke_test_fails(account: Scripted, writes: list[str], said: str) -> None:
    with pytest.raises(Refusal) as caught:
        run(account)
    assert said in caught.value.message and "smoke test with sample failed" in caught.value.message
    assert account.writes == writes


Heard = list[tuple[str, Facts]]


def hooks(heard: Heard, fails: str = "") -> tuple[Hook, ...]:
    """One for each moment; that of ``fails`` does."""

    def call(settings: Any, facts: Facts, around: Any) -> None:
        heard.append((facts.moment, facts))
        if facts.moment == fails:
            raise HookFailed("not now")

    kind = HookKind("noted", "", lambda table: None, call)
    moments: tuple[Moment, ...] = ("before", "stage", "before-last", "after", "rollback")
    return tuple(Hook(moment, kind, None, "go-on" if moment in TOO_LATE else "abort") for moment in moments)


@pytest.mark.parametrize(
    ("fails", "answers", "moments", "writes"),
    [
        ("", True, ["before", "after"], [f"create {OURS}"]),
        ("after", True, ["before", "after"], [f"create {OURS}"]),
        ("before", True, ["before", "rollback"], []),
        ("", False, ["before", "rollback"], [f"create {OURS}"]),
    ],
)
def test_hooks_are_called_where_an_endpoint_is_made(
    fails: str, answers: bool, moments: list[str], writes: list[str]
) -> None:
    heard: Heard = []
    account: Any = Scripted([None], {"create": [SERVES]}, answers)
    settings = replace(SETTINGS, hooks=hooks(heard, fails))

    def made() -> Any:
        return promote(account, PROD, VERSION, TARGET, settings, samples={"sample": b"1"}, clock=Time().clock)

    if "rollback" in moments:
        with pytest.raises(Refusal) as error:
            made()
        assert heard[-1][1].reason == error.value.message
    else:
        assert made().action == "created"
    assert ([moment for moment, _ in heard], account.writes) == (moments, writes)
    assert len({facts.key for _, facts in heard}) == len(heard)
    assert {(facts.engine, facts.config, facts.before) for _, facts in heard} == {("create", OURS, None)}


def test_hooks_are_not_called_where_nothing_is_made() -> None:
    heard: Heard = []
    account: Any = Scripted([SERVES])
    settings = replace(SETTINGS, hooks=hooks(heard))
    promote(account, PROD, VERSION, TARGET, settings, samples={"sample": b"1"}, clock=Time().clock)
    assert heard == []
