"""What scales an endpoint before a shift scales it after, on whatever way it came there, and wherever its controller
was killed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.session import Session
from botocore.validate import validate_parameters

from mlops.deploy.endpoints import history
from mlops.deploy.endpoints.control import Steering
from mlops.deploy.endpoints.history import Entry
from mlops.deploy.endpoints.planning import noted
from mlops.deploy.endpoints.promotion import Promotion, Shift
from mlops.deploy.endpoints.telling import told_move
from mlops.deploy.shifting import journal as journals
from mlops.deploy.shifting import scaling as autoscaling
from mlops.deploy.shifting.engines import Engine
from mlops.deploy.shifting.guardrails import deployment_config
from mlops.deploy.shifting.journal import Journal
from mlops.deploy.shifting.moves import at_once, by_guardrails, way_back
from mlops.deploy.shifting.scaled_moves import CONCURRENCY, COUNT, in_the_end, lost, named, restored, with_scaling
from mlops.deploy.strategies import strategies
from mlops.ir import Refusal
from mlops.ir.shift import (
    Move,
    RemoveScaling,
    RestoreScaling,
    Scaling,
    Serving,
    SuspendScaling,
    Variant,
    after_all,
)

from .service import Service
from .test_control import SETTINGS
from .test_controller import ENVIRONMENT, OLD, Judge, Killed, Time, controller, killing, models, moves_of, variant

TRACKING = {
    "TargetValue": 70.0,
    "CustomizedMetricSpecification": {
        "MetricName": "Invocations",
        "Namespace": "AWS/SageMaker",
        "Dimensions": [
            {"Name": "EndpointName", "Value": "churn"},
            {"Name": "VariantName", "Value": "AllTraffic"},
        ],
        "Statistic": "Average",
    },
}
POLICY = {
    "PolicyName": "track",
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": TRACKING,
}
NIGHT = {
    "ScheduledActionName": "night",
    "Schedule": "cron(0 22 * * ? *)",
    "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 2},
}
AS_IT_WAS = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": True,
}
SCALING = Scaling("AllTraffic", COUNT, 2, 6, AS_IT_WAS, (POLICY,), (NIGHT,))


def scaled(hook: Any = lambda when, operation: None) -> Service:
    service = Service(OLD)
    service.scaled["AllTraffic"] = {
        "ScalableDimension": COUNT,
        "MinCapacity": 2,
        "MaxCapacity": 6,
        "SuspendedState": dict(AS_IT_WAS),
        "policies": {"track": dict(POLICY)},
        "actions": {"night": dict(NIGHT)},
    }
    service.hook = hook
    return service


def seen(service: Service) -> tuple[Scaling, ...]:
    account: Any = service
    return autoscaling.see(account, "churn", service.serving.names)


def retyped() -> tuple[Move, ...]:
    """All at once, to another type of instance."""
    new = Variant("AllTraffic", {**variant("AllTraffic", "new").request, "InstanceType": "ml.c5.large"}, 1.0, 3)
    request = {"ProductionVariants": [new.as_request()]}
    return at_once(Serving("after", (new,)), request)


def guarded() -> tuple[Move, ...]:
    course = strategies()["canary"].course(strategies()["canary"].settings(), 10)
    return by_guardrails(variant("AllTraffic", "new"), {}, deployment_config(course, 10), prefix="churn-2")


WAYS: dict[str, Callable[[], tuple[Move, ...]]] = {
    "stepped": lambda: moves_of("stepped"),
    "rolling": lambda: moves_of("rolling"),
    "guardrails": guarded,
    "another type at once": retyped,
}


def journal(way: str) -> Journal:
    moves = with_scaling(WAYS[way](), OLD, (SCALING,))
    return Journal("churn", "churn", 2, "weights", OLD, moves, 1, "a", "ada", "", scaling=(SCALING,))


def expected(way: str) -> tuple[Scaling, ...]:
    return (named(SCALING, after_all(OLD, WAYS[way]()).names[0]),)


def calls(way: str, judge: Judge | None = None) -> list[int]:
    """Those to be killed at: of what writes the journal and shifts, other tests tell."""
    service = scaled()
    controller(service, judge).go(journal(way), None)
    elsewhere = () if os.environ.get("MLOPS_KILLS") else ("put_object", "update_weights", "create_endpoint_config")
    return [number for number, name in enumerate(service.calls, 1) if name not in elsewhere]


def gone_on_with(service: Service, way: str, judge: Judge | None = None) -> str:
    account: Any = service
    stored = journals.read(account, ENVIRONMENT, "churn")
    if stored is None:
        return controller(service, judge).go(journal(way), None).verb
    if stored.journal.is_over:
        return {"shifted": "shifted", "taken back": "taken back"}[stored.journal.phase]
    ours = replace(stored.journal, writer="b", fence=stored.journal.fence + 1)
    return controller(service, judge).go(ours, stored.etag).verb


@pytest.mark.parametrize("way", WAYS)
def test_what_scaled_the_old_variant_scales_the_new_one(way: str) -> None:
    suspended: list[bool] = []

    def hook(when: str, operation: str) -> None:
        if operation in ("update_weights", "update_endpoint") and when == "before":
            suspended.extend(all(target["SuspendedState"].values()) for target in service.scaled.values())

    service = scaled(hook)
    assert controller(service).go(journal(way), None).verb == "shifted"
    assert seen(service) == expected(way) and models(service) == [("new", 3)]
    assert all(suspended)


@pytest.mark.deeper("kills")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("way", WAYS)
def test_killed_at_each_call_it_is_finished_or_taken_back(way: str, when: str) -> None:
    for number in calls(way):
        service = scaled(killing(number, when))
        with pytest.raises(Killed):
            controller(service).go(journal(way), None)
        service.hook = lambda when, operation: None
        kept = (service.serving, dict(service.objects), {name: dict(item) for name, item in service.scaled.items()})
        assert gone_on_with(service, way) == "shifted", number
        assert seen(service) == expected(way) and models(service) == [("new", 3)], number
        service.serving, service.objects, service.scaled = kept
        account: Any = service
        stored = journals.read(account, ENVIRONMENT, "churn")
        if stored is not None:
            ours = replace(stored.journal, writer="b", fence=stored.journal.fence + 1)
            assert controller(service).back(ours, stored.etag, "it was aborted").verb == "taken back"
        assert seen(service) == (SCALING,) and models(service) == [("old", 3)], number
        assert service.serving.config == "before"


@pytest.mark.deeper("kills")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("way", ["stepped", "rolling"])
def test_killed_on_the_way_back_it_is_scaled_as_before(way: str, when: str) -> None:
    red = Judge(frozenset({2}))
    for number in calls(way, red):
        service = scaled(killing(number, when))
        with pytest.raises(Killed):
            controller(service, red).go(journal(way), None)
        service.hook = lambda when, operation: None
        assert gone_on_with(service, way, red) == "taken back"
        assert seen(service) == (SCALING,) and models(service) == [("old", 3)], number


@pytest.mark.parametrize("number", range(1, 4))
def test_who_was_superseded_gives_back_what_it_suspended(number: int) -> None:
    """Its call comes when its successor has taken the shift back."""
    service = scaled()
    account: Any = service
    left = [number]

    def hook(when: str, operation: str) -> None:
        if when == "before" and operation in ("register_scalable_target", "deregister_scalable_target"):
            left[0] -= 1
            if left[0] == 0:
                service.hook = lambda when, operation: None
                stored = journals.read(account, ENVIRONMENT, "churn")
                assert stored is not None
                ours = replace(stored.journal, writer="b", fence=stored.journal.fence + 1)
                assert controller(service).back(ours, stored.etag, "it hangs").verb == "taken back"

    service.hook = hook
    assert controller(service).go(journal("stepped"), None).verb == "taken over"
    assert seen(service) == (SCALING,) and models(service) == [("old", 3)]


def test_the_way_back_from_the_very_end_has_all_its_instances_before_its_traffic() -> None:
    """Its configuration was made with one, and it was scaled to three since."""
    service = scaled()
    service.configs["before"]["ProductionVariants"][0]["InitialInstanceCount"] = 1
    controller(service).go(journal("stepped"), None)
    shares: list[tuple[int, float]] = []

    def hook(when: str, operation: str) -> None:
        if when == "after" and "AllTraffic" in service.serving.names:
            (old,) = (item for item in service.serving.variants if item.name == "AllTraffic")
            shares.append((old.count or 0, service.serving.share("AllTraffic")))

    service.hook = hook
    account: Any = service
    stored = journals.read(account, ENVIRONMENT, "churn")
    assert stored is not None
    ours = replace(stored.journal, phase="shifting", writer="b", fence=2)
    assert controller(service).back(ours, stored.etag, "it was aborted").verb == "taken back"
    assert shares and all(count == 3 for count, _ in shares)
    assert models(service) == [("old", 3)]


def test_a_rollback_to_another_name_moves_what_scales_and_is_finished_after_a_kill() -> None:
    def served() -> Service:
        service = scaled()
        account: Any = service
        for version, name in ((1, "blue"), (2, "AllTraffic")):
            config = f"config-{version}"
            service.configs[config] = {"ProductionVariants": [variant(name, f"m{version}", 1).as_request()]}
            entry = Entry("updated", "churn", version, config, None, "ada", serves=version)
            history.append(account, ENVIRONMENT, "churn", entry)
        service.update_endpoint("churn", "config-2", RetainAllVariantProperties=True)
        service.calls.clear()
        return service

    def rolled(service: Service) -> None:
        account: Any = service
        Steering(account, ENVIRONMENT, "churn", SETTINGS, clock=Time().clock, timeout=60).rollback(reason="slow")

    whole = served()
    rolled(whole)
    assert models(whole) == [("m1", 3)] and seen(whole) == (named(SCALING, "blue"),)
    for number in range(1, len(whole.calls) + 1):
        for when in ("before", "after"):
            service = served()
            service.hook = killing(number, when)
            with pytest.raises(Killed):
                rolled(service)
            service.hook = lambda when, operation: None
            account: Any = service
            stored = journals.read(account, ENVIRONMENT, "churn")
            if stored is None or stored.journal.is_over:
                continue
            journals.write(account, ENVIRONMENT, replace(stored.journal, wish="pause"), stored.etag)
            steering = Steering(account, ENVIRONMENT, "churn", SETTINGS, clock=Time().clock, timeout=60)
            steering.resume()
            assert models(service) == [("m1", 3)] and seen(service) == (named(SCALING, "blue"),), (number, when)
            last = history.read(account, ENVIRONMENT, "churn")[-1]
            assert (last.verb, last.version, last.serves, last.reason) == ("rolled back", 2, 1, "slow")


def test_where_scaling_may_not_be_asked_nothing_is_begun() -> None:
    class Denied(Service):
        def _targets(self, ServiceNamespace: str, ResourceIds: list[str]) -> dict[str, Any]:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeScalableTargets")

    account: Any = Denied(OLD)
    with pytest.raises(Refusal, match="whether churn is scaled may not be asked"):
        autoscaling.see(account, "churn", ("AllTraffic",))


TWO = Serving("two", (variant("a", "old"), variant("b", "old")))


@pytest.mark.parametrize(
    ("scalings", "serving", "bounds"),
    [
        ([SCALING], OLD, [("AllTraffic", 2, 6)]),
        ([SCALING], Serving("c", (variant("blue", "new"),)), [("blue", 2, 6)]),
        ([named(SCALING, "a"), named(SCALING, "b")], OLD, [("AllTraffic", 4, 12)]),
        ([SCALING], TWO, [("a", 2, 6)]),
        ([named(SCALING, "a")], TWO, [("a", 2, 6)]),
        ([replace(SCALING, dimension=CONCURRENCY)], Serving("c", (variant("blue", "new"),)), []),
        ([], OLD, []),
    ],
)
def test_who_is_scaled_in_the_end(
    scalings: list[Scaling], serving: Serving, bounds: list[tuple[str, int, int]]
) -> None:
    found = in_the_end(scalings, serving)
    assert [(item.variant, item.minimum, item.maximum) for item in found] == bounds
    assert bool(lost(scalings, serving)) == (bool(scalings) and not bounds)


def test_what_stands_is_not_restored() -> None:
    assert restored((SCALING,), (replace(SCALING, minimum=1, maximum=9),)) == ()
    assert restored((SCALING,), (replace(SCALING, policies=()),)) == (RestoreScaling(SCALING),)
    assert restored((SCALING,), ()) == (RestoreScaling(SCALING),)


def test_the_way_back_takes_off_what_would_be_in_its_way() -> None:
    alone = Serving("new", (variant("blue", "new"),))
    both = Serving("both", (*OLD.variants, variant("blue", "new")))
    moves = way_back(alone, OLD, both=both, live=(named(SCALING, "blue"),), scalings=(SCALING,))
    assert [type(move).__name__ for move in moves] == ["PointTo", "Weigh", "RemoveScaling", "PointTo", "RestoreScaling"]


def test_every_call_fits_the_service() -> None:
    model = Session().get_service_model("application-autoscaling")
    asked: list[tuple[str, dict[str, Any]]] = []

    class Recording(Service):
        def _write(self, operation: str, write: Callable[[], None]) -> None:
            super()._write(operation, write)

        def register_scalable_target(self, ResourceId: str, **request: Any) -> None:
            asked.append(("RegisterScalableTarget", {"ResourceId": ResourceId, **request}))
            super().register_scalable_target(ResourceId, **request)

        def deregister_scalable_target(self, ResourceId: str, **request: Any) -> dict[str, Any]:
            asked.append(("DeregisterScalableTarget", {"ResourceId": ResourceId, **request}))
            return super().deregister_scalable_target(ResourceId, **request)

        def put_scaling_policy(self, ResourceId: str, PolicyName: str, **request: Any) -> None:
            asked.append(("PutScalingPolicy", {"ResourceId": ResourceId, "PolicyName": PolicyName, **request}))
            super().put_scaling_policy(ResourceId, PolicyName, **request)

        def put_scheduled_action(self, ResourceId: str, ScheduledActionName: str, **request: Any) -> None:
            given = {"ResourceId": ResourceId, "ScheduledActionName": ScheduledActionName, **request}
            asked.append(("PutScheduledAction", given))
            super().put_scheduled_action(ResourceId, ScheduledActionName, **request)

    service = Recording(OLD, scaled=scaled().scaled)
    assert controller(service).go(journal("stepped"), None).verb == "shifted"
    assert {name for name, _ in asked} == {
        "RegisterScalableTarget",
        "DeregisterScalableTarget",
        "PutScalingPolicy",
        "PutScheduledAction",
    }
    for name, request in asked:
        validate_parameters(request, model.operation_model(name).input_shape)


def test_it_is_told_what_becomes_of_what_scales() -> None:
    assert [
        told_move(move)
        for move in (SuspendScaling("blue", COUNT), RemoveScaling("blue", COUNT), RestoreScaling(SCALING))
    ] == [
        "RegisterScalableTarget: scaling of blue suspended",
        "DeregisterScalableTarget: blue",
        "RegisterScalableTarget: AllTraffic from 2 to 6, with 2 policies",
    ]


@pytest.mark.parametrize(
    ("state", "watches", "notes"),
    [
        ("OK", ("AllTraffic",), ("the alarm slow watches AllTraffic, and says nothing of blue, which comes",)),
        ("OK", ("AllTraffic", "blue"), ()),
        ("OK", (), ()),
        ("ALARM", (), ("the alarm slow is in ALARM already, and takes back whatever comes",)),
    ],
)
def test_what_alarms_cannot_say_of_what_comes_is_told(
    state: str, watches: tuple[str, ...], notes: tuple[str, ...]
) -> None:
    account: Any = Service(OLD, alarms={"slow": state}, watched={"slow": watches})
    shift = Shift("churn", Engine.WEIGHTS, "a test", OLD, moves_of("canary"), "blue")
    (found,) = noted(account, Promotion("updated", (shift,), "c"), ("slow", "gone")).actions
    assert isinstance(found, Shift) and found.notes == notes
    assert noted(account, Promotion("updated", (shift,), "c"), ()).actions == (shift,)
