"""A version of a model to an inference component: its copies are replaced in batches by the service, which takes them
back where an alarm says so. It says nothing of that: what serves in the end is looked at.

What was cut off is finished by running it again: the model is named by what is in it, and what is under way is waited
for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from mlops.account import Account, answers
from mlops.account.missing import unless_missing
from mlops.deploy.endpoints.history import Entry
from mlops.deploy.endpoints.promotion import CreateModel, Wanted
from mlops.deploy.endpoints.sampling import Answer, Samples
from mlops.deploy.made import remember
from mlops.deploy.model_reasons import start_reason
from mlops.deploy.shifting.lost_answers import made
from mlops.deploy.shifting.rolling import deployment_config, specification
from mlops.deploy.shifting.settings import PromotionSettings
from mlops.deploy.waiting import Clock, until
from mlops.ir import Refusal, UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.hook import Moment
from mlops.project.environments import Environment

_SETTLED = ("InService", "Failed")


@dataclass(frozen=True, slots=True)
class Component:
    """``model`` that it serves; None where it has a container of its own."""

    name: str
    endpoint: str
    status: str
    failure: str | None
    model: str | None
    specification: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class UpdateComponent:
    """UpdateInferenceComponent, waited for; ``back`` is what it served before."""

    name: str
    endpoint: str
    request: Mapping[str, Any]
    back: Mapping[str, Any]

    @property
    def told(self) -> str:
        policy = (self.request.get("DeploymentConfig") or {}).get("RollingUpdatePolicy")
        by = "at once" if policy is None else f"in batches of {policy['MaximumBatchSize']['Value']} %"
        return f"UpdateInferenceComponent {self.name} to {self.request['Specification']['ModelName']} {by}"


@dataclass(frozen=True, slots=True)
class ComponentPlan:
    """``update`` is None where it serves the version already. ``came``: it was made, and cut off before it was looked
    at."""

    model: CreateModel | None
    update: UpdateComponent | None
    moments: frozenset[Moment] = frozenset()
    """At which hooks are called around the update."""
    came: bool = False

    @property
    def told(self) -> tuple[str, ...]:
        before, after = (
            (f"call the hooks of {moment}",) if moment in self.moments else () for moment in ("before", "after")
        )
        if self.update is not None and self.came:
            return (f"ask {self.update.name} the samples", *after)
        made = (f"CreateModel {self.model.name}",) if self.model is not None else ()
        return made if self.update is None else (*before, *made, self.update.told, *after)


def see(sagemaker: Any, name: str) -> Component | None:
    found = unless_missing(lambda: sagemaker.describe_inference_component(InferenceComponentName=name))
    if found is None:
        return None
    described = found.get("Specification") or {}
    return Component(
        name,
        str(found["EndpointName"]),
        str(found["InferenceComponentStatus"]),
        start_reason(found.get("FailureReason") or "") or None,
        described.get("ModelName"),
        described,
    )


def decide(
    there: Component, has_model: bool, wanted: Wanted, settings: PromotionSettings, begun: Entry | None = None
) -> ComponentPlan:
    """``begun`` is the end of what was begun and cut off. Raises Refusal where it cannot go as is declared."""
    model = None if has_model else CreateModel(wanted.model, wanted.model_request)
    if there.model == wanted.model and there.status == "InService":
        if begun is None or begun.config != wanted.model or begun.before is None:
            return ComponentPlan(model, None)
        made, back = (_request(there, name) for name in (wanted.model, begun.before))
        return ComponentPlan(model, UpdateComponent(there.name, there.endpoint, made, back), settings.moments, True)
    if there.model is None:
        raise Refusal(f"the inference component {there.name} has a container of its own, and names no model")
    if settings.judge:
        raise Refusal(
            f"the inference component {there.name} is judged by CloudWatch alarms only, and more is declared",
            hint="write the measures as alarms, and list them in `alarms`",
        )
    try:
        config = deployment_config(settings.course(None), settings.alarms)
    except ValueError as error:
        raise Refusal(f"{there.name} cannot go by {settings.strategy.name}: {error}") from error
    new, back = _request(there, wanted.model), _request(there, there.model)
    within = sorted(settings.moments & {"stage", "before-last"})
    if config is not None and within:
        raise Refusal(
            f"the inference component {there.name} is replaced by the service, and hooks of {' and '.join(within)} are "
            "declared: it waits for nobody between its batches",
            hint="call them `before` or `after`",
        )
    request = new if config is None else {**new, "DeploymentConfig": config}
    return ComponentPlan(model, UpdateComponent(there.name, there.endpoint, request, back), settings.moments)


def _request(there: Component, model: str) -> dict[str, Any]:
    return {"InferenceComponentName": there.name, "Specification": specification(there.specification, model)}


class Replacing:
    def __init__(
        self, account: Account, environment: Environment, *, timeout: float, say: Callable[[str], None], clock: Clock
    ) -> None:
        self._account = account
        self._environment = environment
        self._sagemaker: Any = account.client("sagemaker")
        self._timeout = timeout
        self._say = say
        self._clock = clock

    def settled(self, name: str, more: float = 0.0) -> Component:
        """Raises UsageError where there is none, Refusal after the time-out."""
        deadline = self._clock.now() + self._timeout + more
        with answers():
            found, ended = until(
                lambda: see(self._sagemaker, name),
                lambda state: state is None or state.status in _SETTLED,
                self._clock,
                deadline,
            )
        if found is None:
            raise UsageError(f"there is no inference component {name!r}")
        if not ended:
            raise Refusal(
                f"the inference component {name} is still {found.status} after {self._timeout:g} seconds",
                hint="run the same command again to go on waiting",
            )
        return found

    def do(self, plan: ComponentPlan, samples: Samples) -> tuple[Literal["updated", "unchanged"], list[Answer]]:
        """Raises Refusal where another version serves in the end."""
        if plan.model is not None:
            model = plan.model
            with answers():
                remember(self._account, self._environment, "models", model.name)
                made(
                    lambda: self._sagemaker.create_model(ModelName=model.name, **model.request),
                    lambda: self._sagemaker.describe_model(ModelName=model.name),
                )
            self._say(f"model {model.name}")
        update = plan.update
        if update is None:
            return "unchanged", []
        if not plan.came:
            self._update(update.name, update.request)
        try:
            found = samples.ask(self._account, update.endpoint, component=update.name)
        except Refusal as failure:
            self._update(update.name, update.back)
            failure.message += f"; it was taken back to {update.back['Specification']['ModelName']}"
            raise
        for answer in found:
            self._say(f"smoke test {answer.sample}: ok")
        return "updated", found

    def _update(self, name: str, request: Mapping[str, Any]) -> None:
        wanted = request["Specification"]["ModelName"]
        self._say(f"{name} goes to {wanted}")
        with answers():
            self._sagemaker.update_inference_component(**request)
        policy = (request.get("DeploymentConfig") or {}).get("RollingUpdatePolicy") or {}
        came = self.settled(name, float(policy.get("MaximumExecutionTimeoutInSeconds", 0)))
        if (came.status, came.model) != ("InService", wanted):
            told = f": {came.failure}" if came.failure else ""
            raise Refusal(f"{name} did not come to {wanted}, and is {came.status} with {came.model}{told}")
