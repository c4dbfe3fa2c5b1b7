"""A promotion that is killed after any of its calls, and finished by the same command: what the history and the hooks
are told is what they are told of one that nobody killed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from mlops.deploy.endpoints import begun, history
from mlops.deploy.endpoints.begun import CUT_OFF
from mlops.deploy.endpoints.gating import Gated
from mlops.deploy.endpoints.history import Entry
from mlops.deploy.endpoints.planning import going_on, planned
from mlops.deploy.endpoints.promote import Target, promote
from mlops.deploy.endpoints.promotion import want
from mlops.deploy.endpoints.telling import told
from mlops.deploy.endpoints.to_component import planned_component
from mlops.deploy.models.registry import Version
from mlops.deploy.shifting.settings import PromotionSettings, read
from mlops.ir import Refusal
from mlops.ir.hook import TOO_LATE, Facts, Hook, HookKind
from mlops.ir.shift import Serving
from mlops.project.environments import Environment

from .service import Service, refused
from .test_components import ENVIRONMENT as WITH_COMPONENT
from .test_components import Components
from .test_controller import ENVIRONMENT, Killed, Time, killing, variant

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:model-package/churn/"


def version(number: int) -> Version:
    return Version("churn", number, f"{ARN}{number}", "Approved", None, {"InferenceSpecification": {}})


WANTED = want(ENVIRONMENT, version(2), Target("churn"))
BEFORE = Serving("before", (variant("AllTraffic", "old", 4),))


@dataclass
class Whole(Service):
    """All that a promotion asks; no endpoint is there where ``made`` is false. A model in ``silly`` does not answer."""

    made: bool = True
    models: list[str] = field(default_factory=list)
    silly: frozenset[str] = frozenset()

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:
        if not self.made:
            raise refused("DescribeEndpoint", "ValidationException", "Could not find endpoint")
        return super().describe_endpoint(EndpointName)

    def describe_model(self, ModelName: str) -> dict[str, Any]:
        if ModelName not in self.models:
            raise refused("DescribeModel", "ValidationException", "Could not find model")
        return {}

    def create_model(self, ModelName: str, **request: Any) -> None:
        self._write("create_model", lambda: self.models.append(ModelName))

    def create_endpoint(self, EndpointName: str, EndpointConfigName: str) -> None:
        self._write("create_endpoint", lambda: self._create_endpoint(EndpointConfigName))

    def _create_endpoint(self, name: str) -> None:
        assert not self.made
        self._update(name, keep=False)
        self.made = True

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        if self.serving.variants[0].request["ModelName"].startswith(tuple(self.silly)):
            raise refused("InvokeEndpoint", "ModelError", "no")
        return {"Body": BytesIO(b"1"), "ContentType": "text/csv"}


Heard = list[tuple[str, str]]


def hooks(heard: Heard) -> tuple[Hook, ...]:
    def call(settings: Any, facts: Facts, around: Any) -> None:
        told = facts.moment if facts.moment != "stage" else f"stage {facts.stage}"
        if (told, facts.key) not in heard:
            heard.append((told, facts.key))

    kind = HookKind("noted", "", lambda table: None, call)
    moments = ("before", "after", "rollback")
    return tuple(Hook(moment, kind, None, "go-on" if moment in TOO_LATE else "abort") for moment in moments)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Case:
    """``promote`` is the environment's table."""

    promote: dict[str, Any]
    service: Callable[[], Service] = lambda: Whole(BEFORE)
    environment: Environment = ENVIRONMENT
    hooked: bool = True
    verbs: tuple[str, ...] = ("updated",)
    moments: tuple[str, ...] = ("before", "after")

    def settings(self, heard: Heard) -> PromotionSettings:
        environment = replace(self.environment, promote={**self.environment.promote, **self.promote})
        return replace(
            read(environment, Path("/nowhere")), rules=(), hooks=hooks(heard) if self.hooked else (), notify=None
        )


def by(engine: str, **strategy: Any) -> Case:
    return Case({"strategy": strategy or "all-at-once", **({"engine": engine} if engine else {})})


DEEP = pytest.mark.proof("shift")
CASES = {
    "it is made": Case({}, lambda: Whole(BEFORE, made=False), verbs=("created",)),
    "it is made, and nobody is called": Case(
        {}, lambda: Whole(BEFORE, made=False), hooked=False, verbs=("created",), moments=()
    ),
    "at once": Case({}, hooked=False, moments=()),
    "at once, and hooks are called": Case({}),
    "at once, and it does not answer": Case(
        {}, lambda: Whole(BEFORE, silly=frozenset({"churn-2"})), hooked=False, verbs=("taken back",), moments=()
    ),
    "at once, and the service takes it back": Case(
        {},
        lambda: Whole(BEFORE, broken=frozenset({WANTED.model})),
        verbs=("taken back",),
        moments=("before", "rollback"),
    ),
    "canary by weights": by("weights", canary={"share": 25, "bake": 1}),
    "canary by guardrails": by("guardrails", canary={"share": 25, "bake": 1}),
    "blue-green by weights": by("weights", **{"blue-green": {"bake": 1}}),
    "blue-green by guardrails": by("guardrails", **{"blue-green": {"bake": 1}}),
    "linear by weights": by("weights", linear={"step": 50, "bake": 1}),
    "linear by guardrails": by("guardrails", linear={"step": 50, "bake": 1}),
    "rolling by weights": by("weights", rolling={"batch": 25, "bake": 1}),
    "rolling by guardrails": by("guardrails", rolling={"batch": 25, "bake": 1}),
    "stepped": by("", stepped={"bake": 1}),
    "a component": Case({}, lambda: Components(BEFORE), WITH_COMPONENT),
}
QUICK = ("it is made", "at once", "at once, and", "canary", "a component")
ROWS = [pytest.param(case, id=name, marks=() if name.startswith(QUICK) else DEEP) for name, case in CASES.items()]


def promoted(service: Service, case: Case, heard: Heard, number: int = 2, **more: Any) -> str:
    account: Any = service
    name = "churn-c" if case.environment is WITH_COMPONENT else "churn"
    try:
        done = promote(
            account,
            case.environment,
            version(number),
            Target(name, timeout=60),
            case.settings(heard),
            samples={"one.csv": b"1"},
            take_over=True,
            clock=Time().clock,
            **more,
        )
    except Refusal as refusal:
        return f"refused: {refusal.message}"
    return done.action


def entries(service: Service, case: Case) -> list[Entry]:
    account: Any = service
    name = "churn-c" if case.environment is WITH_COMPONENT else "churn"
    return [replace(item, at="", id="") for item in history.read(account, case.environment, name)]


@pytest.mark.parametrize("case", ROWS)
def test_what_is_told_of_it_is_what_is_told_where_nobody_killed_it(case: Case) -> None:
    whole, heard = case.service(), Heard()
    action = promoted(whole, case, heard, reason="it is better")
    expected = entries(whole, case)
    assert (tuple(item.verb for item in expected), tuple(moment for moment, _ in heard)) == (case.verbs, case.moments)
    for number in range(1, len(whole.calls) + 1):
        service, called = case.service(), Heard()
        service.hook = killing(number, "after")
        with pytest.raises(Killed):
            promoted(service, case, called, reason="it is better")
        service.hook = lambda at, operation: None
        was_done = entries(service, case) == expected
        if case.verbs == ("taken back",) and was_done:
            continue  # all was done, and the same command tries again
        told = promoted(service, case, called, reason="it is better")
        at = f"after call {number}, {whole.calls[number - 1]}"
        if case.verbs != ("taken back",):
            assert told == action or (was_done and told == "unchanged"), at
        assert entries(service, case) == expected, at
        assert [moment for moment, _ in called] == list(case.moments), at
        if case.verbs != ("taken back",):
            assert promoted(service, case, called) == "unchanged", at
            assert entries(service, case) == expected, at
            assert [moment for moment, _ in called] == list(case.moments), at


@pytest.mark.parametrize("case", [CASES["it is made"], CASES["at once"]], ids=["made", "updated"])
def test_what_another_version_follows_before_it_was_finished_is_told_as_that(case: Case) -> None:
    service, account = case.service(), None
    account: Any = service

    def killed(at: str, operation: str) -> None:
        if at == "after" and operation in ("create_endpoint", "update_endpoint"):
            raise Killed

    service.hook = killed
    with pytest.raises(Killed):
        promoted(service, case, [])
    service.hook = lambda at, operation: None
    assert begun.read(account, case.environment, "churn") is not None
    assert promoted(service, case, [], number=3) == "updated"
    first, second = entries(service, case)
    assert (first.verb, first.version, first.how) == (*case.verbs, 2, CUT_OFF)
    assert (second.verb, second.version, second.before) == ("updated", 3, first.config)
    assert begun.cut_off([first]) and not begun.cut_off([first, second]) and not begun.cut_off([])


def test_who_begins_behind_the_look_of_another_is_not_written_over() -> None:
    account: Any = Whole(BEFORE)

    def entry(config: str) -> Entry:
        return Entry("updated", "churn", 2, config, "before", "ada", None)

    def begin(config: str, seen: Entry | None) -> Entry:
        return begun.begin(account, ENVIRONMENT, "churn", entry(config), seen)

    first = begin("a", None)
    with pytest.raises(Refusal, match="somebody else begins to change churn at this moment"):
        begin("b", None)
    assert begun.read(account, ENVIRONMENT, "churn") == first
    assert begin("a", None).id == first.id, "the same thing is gone on with"
    second = begin("b", first)
    assert begun.read(account, ENVIRONMENT, "churn") == second, "what was seen is followed"
    history.append(account, ENVIRONMENT, "churn", second)
    assert begin("c", None).config == "c", "what has ended is in nobody's way"


def test_who_stood_still_while_another_went_all_at_once_changes_nothing() -> None:
    """Before each of its calls; only the one that it was about to make, where that is UpdateEndpoint, is made."""
    whole, case = Whole(BEFORE), CASES["at once"]
    promoted(whole, case, [])
    for number in range(2, whole.calls.index("update_endpoint") + 1):
        service, left = Whole(BEFORE), [number]

        def meanwhile(at: str, operation: str, service: Whole = service, left: list[int] = left) -> None:
            left[0] -= at == "before"
            if at == "before" and left[0] == 0:
                assert promoted(service, case, [], number=3) == "updated"

        service.hook = meanwhile
        told = promoted(service, case, [])
        assert told.startswith("refused: somebody else has changed churn"), (whole.calls[number - 1], told)
        assert service.serving.variants[0].request["ModelName"].startswith("churn-3"), whole.calls[number - 1]
        assert [item.version for item in entries(service, case)] == [3]


def test_a_plan_tells_what_is_left_of_one_that_was_cut_off() -> None:
    case, service = CASES["it is made"], Whole(BEFORE, made=False)
    account: Any = service
    service.hook = killing(1, "after")

    def calls() -> list[str]:
        plan = planned(account, ENVIRONMENT, version(2), Target("churn", timeout=60), case.settings([]))
        return [line.partition(" ")[0] for action in plan.actions for line in told(action)]

    service.hook = lambda at, operation: None
    whole = calls()
    assert "CreateEndpoint" in whole

    def killed(at: str, operation: str) -> None:
        if at == "after" and operation == "create_endpoint":
            raise Killed

    service.hook = killed
    with pytest.raises(Killed):
        promoted(service, case, [])
    service.hook = lambda at, operation: None
    assert calls() == ["wait", "no", "call"]
    promoted(service, case, [])
    assert calls() == ["wait", "no"]


def test_a_gate_that_was_passed_over_stands_in_the_history_of_each_way() -> None:
    gated = (Gated("age", False, "too new", True),)
    for case in (CASES["at once"], CASES["canary by weights"], CASES["a component"]):
        service = case.service()
        promoted(service, case, [], reason="it is urgent", gated=gated)
        (entry,) = entries(service, case)
        assert (entry.reason, str(entry.how).partition(", ")[2]) == ("it is urgent", "passed over: age")


CALLS = {
    "CreateModel": "create_model",
    "CreateEndpointConfig": "create_endpoint_config",
    "CreateEndpoint": "create_endpoint",
    "UpdateEndpoint": "update_endpoint",
    "UpdateEndpointWeightsAndCapacities:": "update_weights",
    "UpdateInferenceComponent": "update_inference_component",
}
STATES = ("nothing is there", "the model is there", "the first configuration is there", "all configurations are there")


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.verbs != ("taken back",)])
@pytest.mark.parametrize("state", STATES)
def test_the_calls_that_are_printed_are_the_calls_that_are_made(name: str, state: str) -> None:
    case = CASES[name]
    before, service = case.service(), case.service()
    promoted(before, case, [])
    if state != STATES[0]:
        service.models = list(before.models)  # type: ignore[attr-defined]
    made = [name for name in before.configs if name not in service.configs]
    for name in made[: {STATES[2]: 1, STATES[3]: len(made)}.get(state, 0)]:
        service.configs[name] = before.configs[name]
    lines = printed(service, case)
    promoted(service, case, [])
    assert [CALLS[line] for line in lines if line in CALLS] == [
        call for call in service.calls if call in CALLS.values()
    ]


def printed(service: Service, case: Case) -> list[str]:
    """The first word of each line of a plan."""
    account: Any = service
    if case.environment is WITH_COMPONENT:
        target = Target("churn-c", timeout=60)
        lines = planned_component(account, case.environment, version(2), target, case.settings([])).told
    else:
        target = Target("churn", timeout=60)
        lines = going_on(account, case.environment, "churn", take_over=True) or tuple(
            line
            for action in planned(account, case.environment, version(2), target, case.settings([])).actions
            for line in told(action)
        )
    return [line.split()[0] for line in lines]


@pytest.mark.parametrize("name", ["canary by weights", "rolling by weights", "canary by guardrails"])
def test_of_a_shift_that_was_cut_off_a_plan_prints_what_is_left(name: str) -> None:
    case = CASES[name]
    whole = case.service()
    promoted(whole, case, [])
    for number in (number for number, call in enumerate(whole.calls, 1) if call in CALLS.values()):
        service = case.service()
        service.hook = killing(number, "after")
        with pytest.raises(Killed):
            promoted(service, case, [])
        service.hook = lambda at, operation: None
        lines = [CALLS[line] for line in printed(service, case) if line in CALLS]
        service.calls.clear()
        promoted(service, case, [])
        calls = [call for call in service.calls if call in CALLS.values()]
        # The call that was under way when it was cut off is printed, and not made again where it is done.
        assert calls in (lines, lines[1:]), number
