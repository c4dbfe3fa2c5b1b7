"""What a promotion would do to an endpoint, by what is seen now. Nothing here is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlops.account import Account, answers, confirm_identity
from mlops.account.answers import Refused
from mlops.account.missing import unless_missing
from mlops.deploy.endpoints import begun
from mlops.deploy.endpoints.as_declared import as_declared
from mlops.deploy.endpoints.conductor import need_left, unfinished
from mlops.deploy.endpoints.conductor import told as what_goes
from mlops.deploy.endpoints.crossing import Crossing
from mlops.deploy.endpoints.promotion import (
    Action,
    CreateEndpointConfig,
    Promotion,
    Seen,
    Shift,
    Target,
    Wanted,
    decide,
    want,
)
from mlops.deploy.endpoints.sampling import Samples, samples_of
from mlops.deploy.endpoints.shadow_tests import under_way
from mlops.deploy.endpoints.telling import told_move
from mlops.deploy.models.registry import Version
from mlops.deploy.owners import need_no_other
from mlops.deploy.shifting import cloudwatch, scaling, seeing
from mlops.deploy.shifting.seeing import Endpoint
from mlops.deploy.shifting.settings import PromotionSettings
from mlops.ir import Refusal
from mlops.ir.placeholders import placeholders
from mlops.ir.s3_uri import split_uri
from mlops.ir.shift import MakeConfig, Scaling
from mlops.project.environments import Environment


def going_on(account: Account, environment: Environment, endpoint: str, *, take_over: bool = False) -> tuple[str, ...]:
    """What a promotion would do first of a shift that was begun and has not ended, line by line; empty where there is
    none. Raises Refusal where somebody is at it, or it was paused, as the promotion does."""
    with answers():
        left = unfinished(account, environment, endpoint)
        if left is None or seeing.see(account.client("sagemaker"), endpoint) is None:
            return ()
    need_left(left, environment, take_over=take_over)
    journal = left.journal
    if journal.phase != "shifting":
        return (f"go on taking back {what_goes(journal)}", _THEN)
    moves = (f"  {told_move(move)}" for move in journal.moves[journal.done :])
    return (f"go on with {what_goes(journal)}, which {journal.by} began", *moves, _THEN)


_THEN = "decide then what else is to be done"


def planned(
    account: Account,
    environment: Environment,
    version: Version,
    target: Target,
    settings: PromotionSettings,
    *,
    registry: Account | None = None,
    crossing: Crossing | None = None,
    further: Samples | None = None,
) -> Promotion:
    """What would be done, by what is seen now; nothing is written."""
    wanted = want(environment, version, target, crossing)
    with answers():
        identity = confirm_identity(account, environment)
        need_own(environment, identity.account, version, wanted)
        seen = see(account, environment, wanted, all_samples(samples_of(registry or account, version), further))
        wanted, seen = as_declared(account, wanted, version, seen)
        return decided(account, environment, seen, wanted, settings)


def all_samples(own: Samples, further: Samples | None) -> Samples:
    return own if further is None or not further.count else replace(own, also=(further,))


def see(account: Account, environment: Environment, wanted: Wanted, samples: Samples) -> Seen:
    sagemaker = account.client("sagemaker")
    endpoint = seeing.see(sagemaker, wanted.endpoint)
    return Seen(
        has_model=unless_missing(lambda: sagemaker.describe_model(ModelName=wanted.model)) is not None,
        endpoint=endpoint,
        samples=samples,
        scaling=scaling_of(account, wanted, endpoint),
        copied=frozenset(copy.target for copy in wanted.copies if _is_there(account, copy.target)),
        begun=begun.read(account, environment, wanted.endpoint),
    )


def _is_there(account: Account, uri: str) -> bool:
    bucket, key = split_uri(uri)
    return unless_missing(lambda: account.client("s3").head_object(Bucket=bucket, Key=key)) is not None


def scaling_of(account: Account, wanted: Wanted, endpoint: Endpoint | None) -> tuple[Scaling, ...]:
    if endpoint is None or endpoint.serving is None:
        return ()
    return scaling.see(account, wanted.endpoint, endpoint.serving.names)


def _need_no_trial(account: Account, seen: Seen, endpoint: str) -> None:
    """Raises Refusal while a shadow test is under way: what is promoted then would keep its shadow, and end it."""
    if seen.endpoint is None or not seen.endpoint.members.get("ShadowProductionVariants"):
        return
    try:
        trial = under_way(account, endpoint)
    except Refused:
        return  # whoever may not list experiments can have begun none
    if trial is not None:
        raise Refusal(
            f"{endpoint} has a shadow test, {trial.name}, which is {trial.status}; nothing was changed",
            hint=f"`mlops endpoints shadow-stop {endpoint}` ends it, and --promote takes its shadow",
        )


def decided(
    account: Account, environment: Environment, seen: Seen, wanted: Wanted, settings: PromotionSettings
) -> Promotion:
    _need_no_trial(account, seen, wanted.endpoint)
    if seen.endpoint is not None:
        need_no_other(account, environment, wanted.endpoint)
    return unmade(account, noted(account, decide(seen, wanted, settings), settings.alarms))


def unmade(account: Account, promotion: Promotion) -> Promotion:
    """Without making what is there, of an earlier promotion or of one that was cut off."""
    sagemaker = account.client("sagemaker")

    def is_there(name: str) -> bool:
        return unless_missing(lambda: sagemaker.describe_endpoint_config(EndpointConfigName=name)) is not None

    actions: list[Action] = []
    with answers():
        for action in promotion.actions:
            match action:
                case CreateEndpointConfig(name):
                    if not is_there(name):
                        actions.append(action)
                case Shift():
                    made = {move.config for move in action.moves if isinstance(move, MakeConfig)}
                    actions.append(replace(action, there=frozenset(filter(is_there, sorted(made)))))
                case _:
                    actions.append(action)
    return replace(promotion, actions=tuple(actions))


def noted(account: Account, promotion: Promotion, alarms: Sequence[str]) -> Promotion:
    """With what a shift's alarms cannot say of what comes: one that names another variant is quiet whatever happens,
    and one that rings already takes back whatever comes, also what would mend it."""
    if not alarms or not any(isinstance(action, Shift) for action in promotion.actions):
        return promotion
    with answers():
        told = cloudwatch.alarms(account.client("cloudwatch"), alarms)
    found = [told[name] for name in sorted(told)]
    return replace(
        promotion,
        actions=tuple(
            replace(action, notes=(*action.notes, *_of_alarms(found, action.variant)))
            if isinstance(action, Shift)
            else action
            for action in promotion.actions
        ),
    )


def _of_alarms(alarms: Sequence[Mapping[str, Any]], variant: str) -> Iterator[str]:
    for alarm in alarms:
        metrics = [alarm, *(query.get("MetricStat", {}).get("Metric", {}) for query in alarm.get("Metrics") or ())]
        dimensions = [dimension for metric in metrics for dimension in metric.get("Dimensions") or ()]
        names = sorted({str(item["Value"]) for item in dimensions if item["Name"] == "VariantName"})
        if names and variant not in names:
            yield (
                f"the alarm {alarm['AlarmName']} watches {', '.join(names)}, and says nothing of {variant}, which comes"
            )
        if alarm["StateValue"] == "ALARM":
            yield f"the alarm {alarm['AlarmName']} is in ALARM already, and takes back whatever comes"


def need_own(environment: Environment, number: str, version: Version, wanted: Wanted) -> None:
    """Raises Refusal for what is of the local account and would name nothing in this one, or the other way round."""
    what = f"version {version.number} of {version.group}"
    if environment.is_local:
        if f":{number}:" not in version.arn:
            raise Refusal(
                f"{what} is {version.arn}, and an endpoint of the local account serves what is registered here",
                hint="run the pipeline here, approve its version and promote that",
            )
        return
    names = [wanted.model_request, version.details.get("InferenceSpecification") or {}]
    found = next(placeholders(names, account=number, bucket=environment.bucket), None)
    if found is not None:
        raise Refusal(
            f"{what} names {found}, which is of the local account and nothing in {number}; nothing was made",
            hint=f"upsert the pipeline to {environment.name}, start it there, and promote what that registers",
        )
