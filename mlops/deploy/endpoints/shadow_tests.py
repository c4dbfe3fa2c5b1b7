"""A version of a model as the shadow of what an endpoint serves, for a time: an inference experiment of the account's.

What is there is seen, what follows is decided as data, shown or done. Whoever is cut off does the same again: an
experiment that is under way with what is wanted is gone on with, and one that is being stopped is waited for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias

from mlops.account import Account, answers, confirm_identity
from mlops.account.missing import unless_missing
from mlops.deploy.endpoints import history
from mlops.deploy.endpoints.history import Entry
from mlops.deploy.endpoints.promotion import Target, want
from mlops.deploy.made import remember
from mlops.deploy.models.registry import Version
from mlops.deploy.owners import need_no_other
from mlops.deploy.pages import items
from mlops.deploy.shifting import seeing
from mlops.deploy.shifting.lost_answers import made
from mlops.deploy.shifting.seeing import IN_SERVICE, Endpoint
from mlops.deploy.waiting import Clock, until
from mlops.ir import Refusal, UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.duration import said
from mlops.ir.saying import Say
from mlops.project.environments import Environment

Ending: TypeAlias = Literal["Remove", "Promote", "Retain"]
Operation: TypeAlias = Literal[
    "CreateModel", "CreateInferenceExperiment", "UpdateInferenceExperiment", "StopInferenceExperiment"
]
UNDER_WAY = ("Creating", "Created", "Starting", "Running", "Updating", "Stopping")
SHADOW, OTHER = "shadow", "other-shadow"
"""Names of the variant: one that was promoted keeps its name."""
TIMEOUT = 1800.0
_LONGEST = timedelta(days=30)
_PACKAGE = ":model-package/"
_TYPES = {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]}


@dataclass(frozen=True, slots=True)
class Wish:
    """``seconds`` is how long it lasts, 7 days where nothing is said. ``payloads``: what was asked and answered is
    kept."""

    share: int = 100
    seconds: float | None = None
    payloads: bool = False
    instance: str | None = None
    count: int = 1

    def __post_init__(self) -> None:
        if self.seconds is not None and not 0 < self.seconds <= _LONGEST.total_seconds():
            raise UsageError(f"a shadow test lasts {_LONGEST.days} days at the most")


@dataclass(frozen=True, slots=True)
class Call:
    """Of SageMaker, to be made where it says so."""

    operation: Operation
    request: Mapping[str, Any]
    told: str


@dataclass(frozen=True, slots=True)
class Plan:
    """``experiment`` is its name; without ``calls`` there is nothing to do but to wait for it."""

    endpoint: str
    experiment: str
    group: str
    version: int
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """As ``DescribeInferenceExperiment`` tells it."""

    name: str
    endpoint: str
    status: str
    source: str
    shadow: str
    model: str
    share: int
    reason: str | None
    start: datetime | None
    end: datetime | None
    is_promoted: bool = False


def under_way(account: Account, endpoint: str) -> Trial | None:
    """On the endpoint; there is one at the most."""
    sagemaker = account.client("sagemaker")
    with answers():
        for status in UNDER_WAY:
            for item in items(
                sagemaker, "list_inference_experiments", "InferenceExperiments", StatusEquals=status, Type="ShadowMode"
            ):
                found = _described(account, str(item["Name"]))
                if found is not None and found.endpoint == endpoint and found.status in UNDER_WAY:
                    return found
    return None


def _described(account: Account, name: str) -> Trial | None:
    sagemaker = account.client("sagemaker")
    found = unless_missing(lambda: sagemaker.describe_inference_experiment(Name=name))
    return None if found is None else _trial(found)


def plan_start(
    account: Account, environment: Environment, version: Version, endpoint: str, wish: Wish, clock: Clock | None = None
) -> Plan:
    """Raises Refusal where the endpoint cannot have it."""
    sagemaker, clock = account.client("sagemaker"), clock or Clock()
    wanted = want(environment, version, Target(endpoint))
    with answers():
        identity = confirm_identity(account, environment)
        there = seeing.see(sagemaker, endpoint)
        need_no_other(account, environment, endpoint)
        has_model = unless_missing(lambda: sagemaker.describe_model(ModelName=wanted.model)) is not None
    if f":{identity.account}:" not in version.arn:
        raise Refusal(
            f"version {version.number} of {version.group} is of another account, and is no shadow here",
            hint="register it in the account that serves it",
        )
    trial = under_way(account, endpoint)
    if trial is not None:
        return _gone_on(trial, wanted.model, version, endpoint, wish)
    served = _served(endpoint, there)
    variant = served.serving.variants[0] if served.serving is not None else None
    assert variant is not None  # noqa: S101 - it serves
    if not variant.request.get("ModelName"):
        raise Refusal(f"{endpoint} serves inference components, which have no shadow")
    if variant.request["ModelName"] == wanted.model:
        raise Refusal(f"{endpoint} serves version {version.number} of {version.group} already")
    shadow = SHADOW if variant.name != SHADOW else OTHER
    instance = wish.instance or str(variant.request.get("InstanceType"))
    name = _free_name(account, endpoint)
    request: dict[str, Any] = {
        "Name": name,
        "Type": "ShadowMode",
        "Description": f"version {version.number} of {version.group} as the shadow of {endpoint}"[:1024],
        "RoleArn": environment.role,
        "EndpointName": endpoint,
        "ModelVariants": [
            _variant(
                variant.name, str(variant.request["ModelName"]), str(variant.request["InstanceType"]), variant.count
            ),
            _variant(shadow, wanted.model, instance, wish.count),
        ],
        "ShadowModeConfig": _mode(variant.name, wish.share, shadow),
        **({"KmsKey": environment.kms_key} if environment.kms_key else {}),
    }
    if wish.payloads:
        key = {"KmsKey": environment.kms_key} if environment.kms_key else {}
        request["DataStorageConfig"] = {"Destination": environment.uri("shadows"), "ContentType": _TYPES, **key}
    if wish.seconds is not None:
        request["Schedule"] = {"EndTime": _after(datetime.fromtimestamp(clock.wall(), UTC), wish.seconds)}
    model = () if has_model else (_make_model(wanted.model, wanted.model_request),)
    lasts = said(wish.seconds) if wish.seconds is not None else "7 days"
    what = f"{endpoint} has {wanted.model} as its shadow, shown {wish.share} % of the requests, for {lasts}"
    create = Call("CreateInferenceExperiment", request, f"CreateInferenceExperiment {name}: {what}")
    return Plan(endpoint, name, version.group, version.number, (*model, create))


def plan_stop(
    account: Account, environment: Environment, endpoint: str, ending: Ending, reason: str | None = None
) -> Plan:
    """Raises Refusal where nothing is under way, nor has ended without a word in the history."""
    trial = under_way(account, endpoint) or _untold(account, environment, endpoint)
    if trial is None:
        raise Refusal(f"no shadow test is under way at {endpoint}")
    group, number = version_of(account, trial.model)
    if trial.status not in UNDER_WAY or trial.status == "Stopping":
        return Plan(endpoint, trial.name, group, number, ())
    if trial.status not in ("Created", "Running"):
        raise Refusal(f"the shadow test {trial.name} is {trial.status}", hint="run the same command again in a moment")
    actions = {trial.source: "Remove" if ending == "Promote" else "Retain", trial.shadow: ending}
    request: dict[str, Any] = {"Name": trial.name, "ModelVariantActions": actions, "DesiredState": "Completed"}
    if reason:
        request["Reason"] = reason[:1024]
    what = {"Remove": "removed", "Promote": "promoted, what served is removed", "Retain": "retained as it is"}[ending]
    stop = Call("StopInferenceExperiment", request, f"StopInferenceExperiment {trial.name}: the shadow is {what}")
    return Plan(endpoint, trial.name, group, number, (stop,))


def start(
    account: Account,
    environment: Environment,
    plan: Plan,
    *,
    by: str,
    reason: str | None = None,
    timeout: float = TIMEOUT,
    say: Say = lambda text: None,
    clock: Clock | None = None,
) -> Trial:
    """Until it runs. Raises Refusal where it does not."""
    _do(account, environment, plan.calls, say)
    entry = Entry("shadow begun", plan.group, plan.version, "", None, by, reason, plan.experiment)
    _note_once(account, environment, plan.endpoint, entry)
    trial = _waited(account, plan.experiment, ("Running", "Completed", "Cancelled"), timeout, clock or Clock(), say)
    if trial.status == "Cancelled":
        raise Refusal(f"the shadow test {trial.name} does not begin: {trial.reason}; what served goes on")
    return trial


def stop(
    account: Account,
    environment: Environment,
    plan: Plan,
    before: str | None,
    *,
    by: str,
    reason: str | None = None,
    timeout: float = TIMEOUT,
    say: Say = lambda text: None,
    clock: Clock | None = None,
) -> Trial:
    """Until it has ended. ``before`` is the configuration that served until then. Raises Refusal where the endpoint
    does not come to what was asked."""
    _do(account, environment, plan.calls, say)
    trial = _waited(account, plan.experiment, ("Running", "Completed", "Cancelled"), timeout, clock or Clock(), say)
    if trial.status == "Running":
        raise Refusal(f"the shadow test {trial.name} runs on: {trial.reason}")
    entry = Entry("shadow ended", plan.group, plan.version, "", None, by, reason, plan.experiment)
    if trial.is_promoted:
        with answers():
            there = seeing.see(account.client("sagemaker"), plan.endpoint)
        config = there.config if there is not None else ""
        was = before if before != config else None  # whoever comes again sees what came
        updated = replace(entry, verb="updated", config=config, before=was, serves=plan.version)
        _note_once(account, environment, plan.endpoint, updated)
    # The last word: without it the next that comes tells what became of it.
    _note_once(account, environment, plan.endpoint, entry)
    return trial


def version_of(account: Account, model: str) -> tuple[str, int]:
    """The group and the number of the version that a model is made of; of no version it is its name, and 0."""
    sagemaker = account.client("sagemaker")
    with answers():
        found = unless_missing(lambda: sagemaker.describe_model(ModelName=model)) or {}
    parts = (found.get("PrimaryContainer"), *(found.get("Containers") or ()))
    arn = next((str(part["ModelPackageName"]) for part in parts if part and part.get("ModelPackageName")), "")
    group, _, number = arn.partition(_PACKAGE)[2].rpartition("/")
    return (group, int(number)) if group and number.isdigit() else (model, history.DECLARED)


# Decided.


def _gone_on(trial: Trial, model: str, version: Version, endpoint: str, wish: Wish) -> Plan:
    """Of one that is under way: with what is wanted otherwise."""
    if trial.model != model:
        raise Refusal(
            f"{endpoint} has another shadow: {trial.model}, by {trial.name}, which is {trial.status}",
            hint=f"`mlops endpoints shadow-stop {endpoint}` ends it",
        )
    if trial.status == "Stopping":
        raise Refusal(f"the shadow test {trial.name} is being stopped", hint="run the same command again in a moment")
    changes: dict[str, Any] = {}
    told = []
    if trial.share != wish.share:
        changes["ShadowModeConfig"] = _mode(trial.source, wish.share, trial.shadow)
        told.append(f"it is shown {wish.share} % of the requests")
    if wish.seconds is not None and trial.start is not None:
        end = _after(trial.start, wish.seconds)
        if trial.end is None or abs((end - trial.end).total_seconds()) >= 1:
            changes["Schedule"] = {"EndTime": end}
            told.append(f"it lasts {said(wish.seconds)}")
    if not changes:
        return Plan(endpoint, trial.name, version.group, version.number, ())
    text = f"UpdateInferenceExperiment {trial.name}: {', '.join(told)}"
    update = Call("UpdateInferenceExperiment", {"Name": trial.name, **changes}, text)
    return Plan(endpoint, trial.name, version.group, version.number, (update,))


def _served(endpoint: str, there: Endpoint | None) -> Endpoint:
    if there is None:
        raise UsageError(f"there is no endpoint {endpoint!r}", hint="`mlops promote` makes one")
    if there.status != IN_SERVICE or there.serving is None:
        raise Refusal(f"{endpoint} is {there.status}; it gets a shadow when it is in service")
    if len(there.serving.variants) != 1 or there.members.get("ShadowProductionVariants"):
        raise Refusal(f"{endpoint} has several variants, or a shadow; beside a shadow there is one variant")
    if there.serving.variants[0].count is None:
        raise Refusal(f"{endpoint} is serverless, which does not go with a shadow")
    return there


def _make_model(name: str, request: Mapping[str, Any]) -> Call:
    return Call("CreateModel", {"ModelName": name, **request}, f"CreateModel {name}")


def _variant(name: str, model: str, instance: str, count: int | None) -> dict[str, Any]:
    real_time = {"InstanceType": instance, "InstanceCount": count or 1}
    infrastructure = {"InfrastructureType": "RealTimeInference", "RealTimeInferenceConfig": real_time}
    return {"ModelName": model, "VariantName": name, "InfrastructureConfig": infrastructure}


def _mode(source: str, share: int, shadow: str) -> dict[str, Any]:
    shown = {"ShadowModelVariantName": shadow, "SamplingPercentage": share}
    return {"SourceModelVariantName": source, "ShadowModelVariants": [shown]}


def _after(begun: datetime, seconds: float) -> datetime:
    return begun + timedelta(seconds=seconds)


def _free_name(account: Account, endpoint: str) -> str:
    """``<endpoint>-shadow-<n>``: the next that no experiment had."""
    prefix = f"{endpoint}-{SHADOW}-"
    with answers():
        listed = items(
            account.client("sagemaker"),
            "list_inference_experiments",
            "InferenceExperiments",
            NameContains=prefix[:63],
        )
        tails = [str(item["Name"]).removeprefix(prefix) for item in listed if str(item["Name"]).startswith(prefix)]
    return f"{prefix}{max((int(tail) for tail in tails if tail.isdigit()), default=0) + 1}"


# Done.


def _do(account: Account, environment: Environment, calls: Sequence[Call], say: Say) -> None:
    sagemaker = account.client("sagemaker")
    with answers():
        for call in calls:
            match call.operation:
                case "CreateModel":
                    _model(account, environment, call.request)
                case "CreateInferenceExperiment":
                    try:
                        sagemaker.create_inference_experiment(**call.request)
                    except Exception:
                        # It is ours where only the answer was lost.
                        found = under_way(account, call.request["EndpointName"])
                        if found is None or found.model != call.request["ModelVariants"][1]["ModelName"]:
                            raise
                case "UpdateInferenceExperiment":
                    sagemaker.update_inference_experiment(**call.request)
                case "StopInferenceExperiment":
                    sagemaker.stop_inference_experiment(**call.request)
            say(call.told)


def _model(account: Account, environment: Environment, request: Mapping[str, Any]) -> None:
    sagemaker, name = account.client("sagemaker"), request["ModelName"]
    remember(account, environment, "models", name)
    made(lambda: sagemaker.create_model(**request), lambda: sagemaker.describe_model(ModelName=name))


def _waited(account: Account, name: str, ended: Sequence[str], timeout: float, clock: Clock, say: Say) -> Trial:
    sagemaker, told = account.client("sagemaker"), list[str]()

    def look() -> Trial:
        with answers():
            found = _trial(sagemaker.describe_inference_experiment(Name=name))
        if found.status not in told:
            told.append(found.status)
            say(f"{name}: {found.status}")
        return found

    trial, over = until(look, lambda found: found.status in ended, clock, clock.now() + timeout)
    if not over:
        raise Refusal(
            f"the shadow test {name} is still {trial.status} after {timeout:g} seconds",
            hint="run the same command again to go on waiting",
        )
    return trial


def _note_once(account: Account, environment: Environment, endpoint: str, entry: Entry) -> None:
    """``how`` names the experiment, so whoever was cut off and comes again writes it no second time."""
    with answers():
        known = {(item.verb, item.how) for item in history.whole(account, environment, endpoint)}
        if (entry.verb, entry.how) not in known:
            history.append(account, environment, endpoint, entry)


def _untold(account: Account, environment: Environment, endpoint: str) -> Trial | None:
    """One that the history says was begun, and not that it ended: by its time, or whoever ended it was cut off."""
    with answers():
        entries = history.whole(account, environment, endpoint)
        begun = [item.how for item in entries if item.verb == "shadow begun"]
        ended = {item.how for item in entries if item.verb == "shadow ended"}
        if not begun or begun[-1] is None or begun[-1] in ended:
            return None
        return _described(account, begun[-1])


def _trial(described: Mapping[str, Any]) -> Trial:
    mode, schedule = described["ShadowModeConfig"], described.get("Schedule") or {}
    (shadow,) = mode["ShadowModelVariants"]
    statuses = {item["VariantName"]: item["Status"] for item in described["ModelVariants"]}
    models = {item["VariantName"]: item["ModelName"] for item in described["ModelVariants"]}
    return Trial(
        str(described["Name"]),
        str(described["EndpointMetadata"]["EndpointName"]),
        str(described["Status"]),
        str(mode["SourceModelVariantName"]),
        str(shadow["ShadowModelVariantName"]),
        str(models.get(shadow["ShadowModelVariantName"], "")),
        int(shadow["SamplingPercentage"]),
        described.get("StatusReason"),
        schedule.get("StartTime"),
        schedule.get("EndTime"),
        statuses.get(str(mode["SourceModelVariantName"])) == "Deleted",
    )
