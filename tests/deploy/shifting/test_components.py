"""An inference component: what of a strategy it can go by, the calls, and what serves in the end."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import validate_parameters

from mlops.deploy.endpoints import history
from mlops.deploy.endpoints.promote import Target, promote
from mlops.deploy.endpoints.to_component import planned_component
from mlops.deploy.models.registry import Version
from mlops.deploy.shifting.rolling import deployment_config
from mlops.deploy.shifting.settings import PromotionSettings, read
from mlops.deploy.strategies import strategies
from mlops.ir import Refusal, UsageError
from mlops.ir.shift import Course
from mlops.project.environments import Environment

from .service import Service, refused
from .test_controller import OLD, Killed, Time

MODEL = botocore.session.get_session().get_service_model("sagemaker")
ENVIRONMENT = Environment(
    name="prod",
    region="eu-west-1",
    role="arn:aws:iam::111122223333:role/r",
    bucket="acme-ml",
    account="111122223333",
    promote={"strategy": {"rolling": {"batch": 25, "bake": "5m"}}, "alarms": ["churn-errors"], "component": "churn-c"},
)
VERSION = Version(
    "churn",
    2,
    "arn:aws:sagemaker:eu-west-1:111122223333:model-package/churn/2",
    "Approved",
    None,
    {"InferenceSpecification": {}},
)
BEFORE = {
    "ModelName": "old",
    "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 512},
    "Container": {"DeployedImage": {"SpecifiedImage": "i"}},
}


@dataclass
class Components(Service):
    """With one inference component. A model in ``broken`` is taken back by the service, which says InService; with one
    in ``silly`` nothing answers."""

    specification: dict[str, Any] = field(default_factory=lambda: dict(BEFORE))
    silly: frozenset[str] = frozenset()
    models: list[str] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)

    def describe_inference_component(self, InferenceComponentName: str) -> dict[str, Any]:
        if InferenceComponentName != "churn-c":
            raise refused("DescribeInferenceComponent", "ValidationException", "Could not find inference component")
        return {
            "EndpointName": "shared",
            "InferenceComponentStatus": "InService",
            "Specification": self.specification,
            "FailureReason": self.failure,
        }

    def describe_model(self, ModelName: str) -> None:
        if ModelName not in self.models:
            raise refused("DescribeModel", "ValidationException", "Could not find model")

    def create_model(self, ModelName: str, **request: Any) -> None:
        self._write("create_model", lambda: self.models.append(ModelName))

    def update_inference_component(self, **request: Any) -> None:
        self._write("update_inference_component", lambda: self._replace(request))

    def _replace(self, request: dict[str, Any]) -> None:
        self.requests.append(request)
        if request["Specification"]["ModelName"].startswith(tuple(self.broken)):
            self.failure = "an alarm went off"
            return
        self.specification = {**request["Specification"], "Container": BEFORE["Container"]}

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        assert (request["EndpointName"], request["InferenceComponentName"]) == ("shared", "churn-c")
        if self.specification["ModelName"].startswith(tuple(self.silly)):
            raise refused("InvokeEndpoint", "ModelError", "no")
        return {"Body": BytesIO(b"1"), "ContentType": "text/csv"}


def settings(root: Path = Path("/nowhere"), **changes: Any) -> PromotionSettings:
    return read(replace(ENVIRONMENT, promote={**ENVIRONMENT.promote, **changes}), root)


def promoted(service: Components, **changes: Any) -> Any:
    account: Any = service
    return promote(
        account,
        ENVIRONMENT,
        VERSION,
        Target("churn-c", timeout=60),
        settings(**changes),
        samples={"one.csv": b"1"},
        clock=Time().clock,
    )


def test_its_copies_are_replaced_in_batches() -> None:
    service = Components(OLD)
    done = promoted(service)
    assert (done.action, done.config, [answer.body for answer in done.answers]) == ("updated", done.config, [b"1"])
    (request,) = service.requests
    validate_parameters(request, MODEL.operation_model("UpdateInferenceComponent").input_shape)
    assert request["Specification"] == {
        "ModelName": done.config,
        "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 512},
    }
    assert request["DeploymentConfig"]["RollingUpdatePolicy"]["MaximumBatchSize"]["Value"] == 25
    assert request["DeploymentConfig"]["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": "churn-errors"}]}
    account: Any = service
    (entry,) = history.read(account, ENVIRONMENT, "churn-c")
    assert (entry.verb, entry.version, entry.before) == ("updated", 2, "old")
    assert promoted(service).action == "unchanged" and len(service.requests) == 1


def test_what_the_service_takes_back_is_no_success() -> None:
    service = Components(OLD, broken=frozenset({"churn-2"}))
    with pytest.raises(Refusal, match="is InService with old: an alarm went off"):
        promoted(service)
    account: Any = service
    assert [item.verb for item in history.read(account, ENVIRONMENT, "churn-c")] == ["taken back"]


def test_what_does_not_answer_is_taken_back() -> None:
    service = Components(OLD, silly=frozenset({"churn-2"}))
    with pytest.raises(Refusal, match="the smoke test with") as error:
        promoted(service)
    assert error.value.message.endswith("; it was taken back to old")
    assert service.specification["ModelName"] == "old"


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_each_call_it_is_finished_by_the_next(when: str) -> None:
    whole = Components(OLD)
    promoted(whole)
    for number in range(1, len(whole.calls) + 1):
        service, left = Components(OLD), [number]

        def hook(at: str, operation: str, left: list[int] = left) -> None:
            left[0] -= at == when
            if at == when and left[0] == 0:
                raise Killed

        service.hook = hook
        with pytest.raises(Killed):
            promoted(service)
        service.hook = lambda at, operation: None
        promoted(service)
        assert service.specification["ModelName"].startswith("churn-2")


def test_a_component_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="there is no inference component 'other'"):
        promoted(Components(OLD), component="other")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"strategy": "canary"}, "churn-c cannot go by canary: an inference component goes in equal batches"),
        ({"strategy": {"rolling": {"bake": "2h"}}}, "at most 1h"),
        ({"judge": {"latency": {"at_most": "1s"}}}, "is judged by CloudWatch alarms only"),
        ({"hooks": {"stage": {"command": ["true"]}}}, "it waits for nobody between its batches"),
        ({"alarms": [f"a{number}" for number in range(11)]}, "at most 10 alarms"),
    ],
)
def test_what_it_cannot_go_by_is_refused_before_anything(changes: dict[str, Any], said: str) -> None:
    service = Components(OLD)
    with pytest.raises(Refusal, match=said):
        promoted(service, **changes)
    assert service.calls == []


def test_the_plan_says_what_would_be_done() -> None:
    account: Any = Components(OLD)
    told = planned_component(account, ENVIRONMENT, VERSION, Target("churn-c"), settings()).told
    assert [line.split(" ", 1)[0] for line in told] == ["CreateModel", "UpdateInferenceComponent"]
    assert told[1].endswith("in batches of 25 %") and account.calls == []


@pytest.mark.parametrize(
    ("broken", "moments", "kinds"),
    [(False, ["before", "after"], ["start", "end"]), (True, ["before", "rollback"], ["start", "rollback", "end"])],
)
def test_hooks_are_called_and_people_told(broken: bool, moments: list[str], kinds: list[str], tmp_path: Path) -> None:
    service, told = Components(OLD, broken=frozenset({"churn-2"} if broken else ())), tmp_path / "told"
    program = "import json, sys; open(sys.argv[1], 'a').write(json.load(sys.stdin)['moment'] + chr(10))"
    hook = {"command": [sys.executable, "-c", program, str(told)]}
    notices = tmp_path / "notices"
    with pytest.raises(Refusal) if broken else nullcontext():
        declared = {"hooks": dict.fromkeys(("before", "after", "rollback"), hook), "notify": {"file": str(notices)}}
        promoted(service, root=tmp_path, **declared)
    assert told.read_text().split() == moments
    assert [json.loads(line)["kind"] for line in notices.read_text().splitlines()] == kinds


def _course(name: str) -> Course:
    settings: Callable[[], Any] = strategies()[name].settings
    return strategies()[name].course(settings(), None)


@pytest.mark.parametrize("alarms", [(), ("a",)])
def test_each_config_fits_the_service(alarms: tuple[str, ...]) -> None:
    config = deployment_config(_course("rolling"), alarms)
    assert config is not None
    validate_parameters(config, MODEL.shape_for("InferenceComponentDeploymentConfig"))


def test_nothing_is_watched_at_once() -> None:
    course = _course("all-at-once")
    assert deployment_config(course, ()) is None
    with pytest.raises(ValueError, match="in batches of at most 50 percent"):
        deployment_config(course, ("a",))
