"""Take an approved version of a model to an endpoint of an environment, by the strategy that is declared for it: see,
decide, do and tell.

What was cut off, at whatever moment, is finished by running it again; what is under way at the endpoint is waited for.
A shift of traffic has a journal in the account, which another machine can go on with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

from mlops.account import Account, answers, confirm_identity
from mlops.account.answers import Refused
from mlops.account.missing import unless_missing
from mlops.deploy.endpoints import begun, components, history
from mlops.deploy.endpoints.as_declared import as_declared
from mlops.deploy.endpoints.components import Component, ComponentPlan, Replacing
from mlops.deploy.endpoints.conductor import Conductor, need_left, unfinished
from mlops.deploy.endpoints.conductor import told as what_goes
from mlops.deploy.endpoints.crossing import Crossing, need_all
from mlops.deploy.endpoints.diary import Diary
from mlops.deploy.endpoints.gating import APPROVAL, Gated, need_open
from mlops.deploy.endpoints.history import Entry
from mlops.deploy.endpoints.people import People
from mlops.deploy.endpoints.promotion import (
    AT_ONCE,
    Action,
    CreateEndpointConfig,
    Promotion,
    Seen,
    Shift,
    Target,
    Wanted,
    decide,
    settled,
    want,
)
from mlops.deploy.endpoints.sampling import Answer, Samples, samples_of, types_of
from mlops.deploy.endpoints.shadow_tests import under_way
from mlops.deploy.endpoints.telling import told, told_move
from mlops.deploy.endpoints.writer import Say, Writer
from mlops.deploy.models.registry import APPROVED, Version
from mlops.deploy.shifting import cloudwatch, scaling, seeing
from mlops.deploy.shifting.controller import Happened
from mlops.deploy.shifting.seeing import Endpoint
from mlops.deploy.shifting.settings import PromotionSettings
from mlops.deploy.waiting import Clock
from mlops.ir import MlopsError, Refusal, UsageError
from mlops.ir.hiding import hide_text
from mlops.ir.hook import Coming
from mlops.ir.placeholders import placeholders
from mlops.ir.s3_uri import split_uri
from mlops.ir.shift import MakeConfig, Scaling
from mlops.project.environments import Environment

__all__ = ["Answer", "Promoted", "Target", "promote"]

_ENDPOINT = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


@dataclass(frozen=True, slots=True)
class Promoted:
    """``action`` is unchanged where the endpoint served this version before; ``answers`` are the smoke test's."""

    endpoint: str
    environment: str
    version: Version
    action: Literal["created", "updated", "unchanged"]
    config: str
    answers: tuple[Answer, ...]


def promote(
    account: Account,
    environment: Environment,
    version: Version,
    target: Target,
    settings: PromotionSettings,
    *,
    registry: Account | None = None,
    crossing: Crossing | None = None,
    samples: Mapping[str, bytes] | None = None,
    further: Samples | None = None,
    gated: Sequence[Gated] = (),
    reason: str | None = None,
    take_over: bool = False,
    asks: bool = False,
    say: Say = lambda text: None,
    permit: Say = lambda doing: None,
    clock: Clock | None = None,
) -> Promoted:
    """``registry`` is the account that holds the version and its sample, where that is another one, and ``crossing``
    how it comes from there; ``further`` are samples of the version that serves. ``take_over``: a shift that is under
    way is gone on with whoever else may be at it. ``gated`` is what the gates found, and ``reason`` why one of them is
    passed over. ``permit`` hears, in words, what is about to be done before anything is, and may raise; ``asks``: it
    asks somebody though the environment wants none.

    Raises Refusal where the version is not approved, the endpoint does not come up, the smoke test fails or a verdict
    is red; then it is taken back to what served before, where that is known.
    """
    need_open(gated or (Gated(APPROVAL, version.approval == APPROVED, version.approval),), version)
    if not _ENDPOINT.fullmatch(target.endpoint):
        raise UsageError(
            f"{target.endpoint!r} is no name for an endpoint", hint="use up to 63 letters, digits and dashes"
        )
    components.need_components(environment, settings.component)
    if crossing is not None:
        need_all(crossing, version, environment)
    wanted = want(environment, version, target, crossing)
    over = tuple(item.gate for item in gated if item.overridden)
    with answers():
        identity = confirm_identity(account, environment)
        _need_own(environment, identity.account, version, wanted)
        own = None if samples is None else Samples(samples, *types_of(version))
    clock = clock or Clock()
    conductor = Conductor(account, environment, settings, by=identity.arn, timeout=target.timeout, say=say, clock=clock)
    if settings.component is not None:
        if crossing is not None:
            raise Refusal(
                f"version {version.number} of {version.group} is of another account or region, and goes to no "
                "inference component from there",
                hint="register it in the account that serves it",
            )
        return _to_component(
            account,
            environment,
            version,
            wanted,
            settings,
            own or samples_of(registry or account, version),
            replacing=Replacing(account, environment, timeout=target.timeout, say=say, clock=clock),
            conductor=conductor,
            reason=reason,
            passed_over=over,
            say=say,
            permit=permit,
            asks=asks or environment.approval,
        )
    with answers():
        seen = see(account, environment, wanted, _all_samples(own or samples_of(registry or account, version), further))
        wanted, seen = as_declared(account, wanted, version, seen)
    writer = Writer(
        account,
        environment,
        registry or account,
        version,
        seen.samples,
        conductor,
        timeout=target.timeout,
        say=say,
        clock=clock,
        reason=reason,
        passed_over=over,
    )
    left = None if seen.endpoint is None else unfinished(account, environment, target.endpoint)
    if left is not None:
        need_left(left, environment, take_over=take_over)
    first = _decided(account, seen, wanted, settings)
    if left is not None or first.writes:
        if asks or environment.approval:
            # Who is asked sees what would be done.
            for action in first.actions:
                for line in told(action):
                    say(line)
        permit(f"take version {version.number} of {version.group} to the endpoint {target.endpoint}")
    diary = Diary(account, wanted, version)
    people = People(account, environment, settings.notify, settings.root)
    with diary.kept():
        if left is not None:
            conductor.go_on(left, seen.samples)
            with answers():
                seen = see(account, environment, wanted, seen.samples)
        while True:
            promotion = _decided(account, seen, wanted, settings)
            with answers():
                entry = _begun(
                    account, environment, target.endpoint, promotion, seen, version, identity.arn, reason, over
                )
            writer.doing = entry.id if entry is not None else ""
            with _told_of(promotion, version, people, target.endpoint, identity.arn, say):
                try:
                    for action in promotion.actions:
                        writer.do(action)
                        diary.acted(action)
                except MlopsError as error:
                    writer.note_if_taken_back(target.endpoint, entry, error)
                    writer.hear_of_failure(promotion, error)
                    raise
            if promotion.verb is not None:
                # Of a shift that was cut off, and has come here now, the end is told.
                verb = "updated" if promotion.verb == "unchanged" and left is not None else promotion.verb
                diary.ended(verb, promotion.config)
                if entry is not None:
                    with answers():
                        history.append(account, environment, target.endpoint, entry)
                return Promoted(
                    target.endpoint, environment.name, version, verb, promotion.config, tuple(writer.answers)
                )
            seen = settled(seen, wanted, writer.state)
            with answers():
                seen = replace(seen, scaling=_scaling(account, wanted, seen.endpoint))


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


def _decided(account: Account, seen: Seen, wanted: Wanted, settings: PromotionSettings) -> Promotion:
    _need_no_trial(account, seen, wanted.endpoint)
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


def _to_component(
    account: Account,
    environment: Environment,
    version: Version,
    wanted: Wanted,
    settings: PromotionSettings,
    samples: Samples,
    *,
    replacing: Replacing,
    conductor: Conductor,
    reason: str | None,
    passed_over: tuple[str, ...],
    say: Say,
    permit: Say,
    asks: bool,
) -> Promoted:
    component, what, by = str(settings.component), f"version {version.number} of {version.group}", conductor.by
    there = replacing.settled(component)
    with answers():
        left = begun.read(account, environment, component)
    plan = _component_plan(account, there, wanted, settings, left)
    if plan.told:
        if asks:
            for line in plan.told:
                say(line)
        permit(f"take {what} to the inference component {component}")
    way = history.how("in batches", passed_over)
    if plan.came and left is not None:
        entry = replace(left, by=by, reason=reason or left.reason)
    else:
        entry = Entry(
            "updated",
            version.group,
            version.number,
            wanted.model,
            there.model,
            by,
            reason,
            way,
            version.number,
            version.arn,
        )
        if plan.update is not None:
            with answers():
                entry = begun.begin(account, environment, component, entry, left)
    engine = "update" if settings.course(None) == AT_ONCE else "rolling"
    coming = Coming(component, version.group, version.number, wanted.model, entry.before, engine, by)
    people = People(account, environment, settings.notify, settings.root)
    try:
        with _around(plan, coming, entry.id, conductor, people, say):
            verb, answered = replacing.do(plan, samples)
    except Refusal as refusal:
        taken = replace(
            entry,
            verb="taken back",
            config=entry.before or "",
            before=None,
            reason=hide_text(refusal.message),
            serves=None,
        )
        with answers():
            history.append(account, environment, component, taken)
        raise
    if verb == "updated":
        with answers():
            history.append(account, environment, component, entry)
    return Promoted(component, environment.name, version, verb, wanted.model, tuple(answered))


@contextmanager
def _around(
    plan: ComponentPlan, coming: Coming, of: str, conductor: Conductor, people: People, say: Say
) -> Iterator[None]:
    """Hooks are called and people told where something is replaced."""
    if plan.update is None:
        yield
        return
    what = history.what(coming.group, coming.version)
    key = f"{coming.before}-{coming.config}"
    about = {"group": coming.group, "version": coming.version, "by": coming.by}

    def tell(happened: Happened, text: str) -> None:
        people.tell_of(coming.endpoint, happened, text, {**about, "key": f"{key}-{happened}"})

    tell("start", f"the promotion of {what} begins, by {coming.by}")
    try:
        if not plan.came:
            conductor.call_hooks("before", coming, of=of)
        yield
        conductor.call_hooks("after", coming, of=of)
        tell("end", f"serves {what}")
    except MlopsError as error:
        conductor.call_hooks("rollback", coming, hide_text(error.message), of=of)
        tell("rollback", f"{what} does not serve: {error.message}")
        tell("end", f"does not serve {what}: {error.message}")
        raise
    finally:
        people.close(say)


def _component_plan(
    account: Account, there: Component, wanted: Wanted, settings: PromotionSettings, left: Entry | None
) -> ComponentPlan:
    sagemaker = account.client("sagemaker")
    with answers():
        has_model = unless_missing(lambda: sagemaker.describe_model(ModelName=wanted.model)) is not None
    return components.decide(there, has_model, wanted, settings, left)


def planned_component(
    account: Account, environment: Environment, version: Version, target: Target, settings: PromotionSettings
) -> ComponentPlan:
    """What would be done to the environment's inference component, by what is seen now."""
    components.need_components(environment, settings.component)
    wanted = want(environment, version, target)
    with answers():
        identity = confirm_identity(account, environment)
        _need_own(environment, identity.account, version, wanted)
        there = components.see(account.client("sagemaker"), str(settings.component))
        left = begun.read(account, environment, str(settings.component))
    if there is None:
        raise UsageError(f"there is no inference component {settings.component!r}")
    return _component_plan(account, there, wanted, settings, left)


@contextmanager
def _told_of(
    promotion: Promotion, version: Version, people: People, endpoint: str, by: str, say: Say
) -> Iterator[None]:
    """A shift tells of itself; what makes an endpoint is told here."""
    if promotion.verb != "created":
        yield
        return
    what = f"version {version.number} of {version.group}"
    about = {"group": version.group, "version": version.number, "by": by}

    def tell(happened: Happened, text: str) -> None:
        people.tell_of(endpoint, happened, text, {**about, "key": f"{promotion.config}-{happened}"})

    tell("start", f"is made, with {what}")
    try:
        yield
        tell("end", f"serves {what}")
    except MlopsError as error:
        tell("end", f"does not serve {what}: {error.message}")
        raise
    finally:
        people.close(say)


def _need_own(environment: Environment, number: str, version: Version, wanted: Wanted) -> None:
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


def _begun(
    account: Account,
    environment: Environment,
    name: str,
    promotion: Promotion,
    seen: Seen,
    version: Version,
    by: str,
    reason: str | None,
    passed_over: tuple[str, ...],
) -> Entry | None:
    """The end of what is begun now or gone on with, for the endpoint's history; None where nothing is changed, and for
    a shift, which writes its own."""
    if promotion.verb not in ("created", "updated"):
        return None
    done = promotion.finishes
    if done is not None:
        return replace(done, by=by, reason=reason or done.reason)
    there = seen.endpoint
    if promotion.verb == "updated" and there is not None:
        begun.overtake(account, environment, name, seen.begun, there.config)
    if any(isinstance(item, Shift) for item in promotion.actions):
        return None
    entry = Entry(
        promotion.verb,
        version.group,
        version.number,
        promotion.config,
        there.config if there is not None and promotion.verb == "updated" else None,
        by,
        reason,
        history.how("at once", passed_over),
        version.number,
        version.arn,
    )
    return begun.begin(account, environment, name, entry, seen.begun)


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
        _need_own(environment, identity.account, version, wanted)
        seen = see(account, environment, wanted, _all_samples(samples_of(registry or account, version), further))
        wanted, seen = as_declared(account, wanted, version, seen)
        return _decided(account, seen, wanted, settings)


def _all_samples(own: Samples, further: Samples | None) -> Samples:
    return own if further is None or not further.count else replace(own, also=(further,))


def see(account: Account, environment: Environment, wanted: Wanted, samples: Samples) -> Seen:
    sagemaker = account.client("sagemaker")
    endpoint = seeing.see(sagemaker, wanted.endpoint)
    return Seen(
        has_model=unless_missing(lambda: sagemaker.describe_model(ModelName=wanted.model)) is not None,
        endpoint=endpoint,
        samples=samples,
        scaling=_scaling(account, wanted, endpoint),
        copied=frozenset(copy.target for copy in wanted.copies if _is_there(account, copy.target)),
        begun=begun.read(account, environment, wanted.endpoint),
    )


def _is_there(account: Account, uri: str) -> bool:
    bucket, key = split_uri(uri)
    return unless_missing(lambda: account.client("s3").head_object(Bucket=bucket, Key=key)) is not None


def _scaling(account: Account, wanted: Wanted, endpoint: Endpoint | None) -> tuple[Scaling, ...]:
    if endpoint is None or endpoint.serving is None:
        return ()
    return scaling.see(account, wanted.endpoint, endpoint.serving.names)
