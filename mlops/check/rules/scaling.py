"""How declared endpoints and components are scaled: between which bounds, by what, and whether what serves can be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.serving import Endpoint, Variant, endpoints
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity, Value
from mlops.ir.members import get

_INSTANCES, _CONCURRENCY = (
    "sagemaker:variant:DesiredInstanceCount",
    "sagemaker:variant:DesiredProvisionedConcurrency",
)
_UTILIZATION = "SageMakerVariantProvisionedConcurrencyUtilization"
_WHEN = re.compile(r"cron\([^()]+\)|rate\(\d+ (?:minutes?|hours?|days?)\)|at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)")
_CRON_FIELDS = 6


@rule("X990", "scaled-beyond-bounds", Severity.ERROR, source="RegisterScalableTarget and PutScheduledAction API")
def scaled_beyond_bounds(subject: Subject) -> Iterator[Fault]:
    """An endpoint or a component is scaled to at least more than to at most, by a time that is none, or the count that
    its variant is declared with lies outside: the service refuses it, or sets another count as soon as it is made.

    Bad:  scaling=resources.Scaling(least=4, most=2, invocations=600)
    Good: scaling=resources.Scaling(least=2, most=4, invocations=600)
    """
    for placed, at, scaling, _ in _declared(subject):
        for place, bounds in _bounds(scaling):
            least, most = bounds.get("MinCapacity"), bounds.get("MaxCapacity")
            if isinstance(least, int) and isinstance(most, int) and least > most:
                message = f"it is scaled to at least {least} and at most {most}"
                yield Fault(f"{at}{place}/MinCapacity", message, "give least= no more than most=", placed)
        for place, action in entries(scaling, "Scheduled"):
            when = action.get("Schedule")
            if isinstance(when, str) and not _is_time(when):
                message = f"{when!r} is no time of Application Auto Scaling"
                help_text = 'write "cron(0 8 ? * MON-FRI *)", "rate(1 day)" or "at(2027-01-01T08:00:00)"'
                yield Fault(f"{at}{place}/Schedule", message, help_text, placed)
    for endpoint, at, scaling, variant in _scaled(subject):
        count = None if variant is None else variant.settings.get("InitialInstanceCount")
        least, most = scaling.get("MinCapacity"), scaling.get("MaxCapacity")
        if (
            scaling.get("ScalableDimension") == _INSTANCES
            and isinstance(count, int)
            and isinstance(least, int)
            and isinstance(most, int)
            and least <= most
            and not least <= count <= most
        ):
            message = f"{_called(scaling)} is declared with {count} instances and scaled between {least} and {most}"
            yield Fault(f"{at}/MinCapacity", message, "let count= lie between least= and most=", endpoint.placed)


@rule("X991", "cannot-be-scaled-so", Severity.ERROR, source="guide: automatic scaling of SageMaker endpoints")
def cannot_be_scaled_so(subject: Subject) -> Iterator[Fault]:
    """What serves cannot be scaled so: a serverless variant has no instances, one of instances no provisioned
    concurrency, a variant of that name is not in the configuration, components are scaled by themselves, and only an
    asynchronous endpoint goes to 0, which has no backlog otherwise.

    Bad:  scaling=resources.Scaling(least=0, most=4, invocations=600) of an endpoint that answers at once
    Good: least=1, or asynchronous=resources.Asynchronous(…) and backlog=5
    """
    for endpoint, at, scaling, variant in _scaled(subject):
        configuration = endpoint.configuration
        if configuration is None:
            continue
        told = list(_unfit(scaling, variant, asynchronous=configuration.settings.get("AsyncInferenceConfig")))
        for member, message, help_text in told:
            yield Fault(f"{at}/{member}", f"{_called(scaling)}: {message}", help_text, endpoint.placed)


@rule("X992", "scaled-by-nothing", Severity.WARNING, source="guide: automatic scaling of SageMaker endpoints")
def scaled_by_nothing(subject: Subject) -> Iterator[Fault]:
    """An endpoint or a component is declared to be scaled, and neither a load nor a time scales it.

    Bad:  scaling=resources.Scaling(least=1, most=4)
    Good: scaling=resources.Scaling(least=1, most=4, invocations=600)
    """
    for placed, at, scaling, called in _declared(subject):
        # What only wakes a component keeps it awake.
        loads = [policy for _, policy in entries(scaling, "Policies") if policy.get("PolicyType") != "StepScaling"]
        if not loads and not scaling.get("Scheduled"):
            help_text = "give a load, as invocations= or requests=, or schedule="
            yield Fault(at, f"{called} is scaled by nothing", help_text, placed)


def _scaled(subject: Subject) -> Iterator[tuple[Endpoint, str, Mapping[str, Value], Variant | None]]:
    """Each endpoint's scaling with its place and the variant that it is of, where that is known."""
    for endpoint in endpoints(subject):
        for where, scaling in entries(endpoint.settings, "Scaling"):
            known = endpoint.configuration.production if endpoint.configuration is not None else ()
            named = (item for item in known if item.settings.get("VariantName") == scaling.get("VariantName"))
            yield endpoint, f"{endpoint.at}{where}", scaling, next(named, None)


def _declared(subject: Subject) -> Iterator[tuple[Placed, str, Mapping[str, Value], str]]:
    """All that is scaled, with its place and what it is called."""
    for endpoint, at, scaling, _ in _scaled(subject):
        yield endpoint.placed, at, scaling, _called(scaling)
    for placed, scaling in subject.of_type("ComponentScaling"):
        yield placed, f"{placed.pointer}/Arguments", scaling, f"the component {scaling.get('InferenceComponentName')}"


def _unfit(
    scaling: Mapping[str, Value], variant: Variant | None, *, asynchronous: Value
) -> Iterator[tuple[str, str, str]]:
    if variant is None:
        yield "VariantName", "the configuration has no such variant", "give scaling= by the names of its variants"
        return
    policies = [policy for _, policy in entries(scaling, "Policies")]
    metrics = {get(policy, *_TRACKED, "PredefinedMetricSpecification", "PredefinedMetricType") for policy in policies}
    backlog = any(get(policy, *_TRACKED, "CustomizedMetricSpecification") is not None for policy in policies)
    if variant.settings.get("ModelName") is None:
        yield "VariantName", "it serves components, which are scaled by themselves", "leave scaling= out"
    concurrent = scaling.get("ScalableDimension") == _CONCURRENCY
    if variant.is_serverless and not concurrent:
        yield "ScalableDimension", "it is serverless and has no instances", 'of="concurrency", with utilization='
    elif variant.is_serverless and get(variant.settings, "ServerlessConfig", "ProvisionedConcurrency") is None:
        message = "it has no provisioned concurrency, and scales by itself"
        yield "ScalableDimension", message, "give provisioned= to Serverless, or leave scaling= out"
    elif not variant.is_serverless and concurrent:
        yield "ScalableDimension", "it has instances, and no provisioned concurrency", 'leave of="concurrency" out'
    if concurrent != (_UTILIZATION in metrics) and metrics - {None}:
        message = "what it is scaled by is not of what is scaled"
        yield "Policies", message, "utilization= is of concurrency, invocations= and requests= are of instances"
    for place, bounds in _bounds(scaling) if asynchronous is None else ():
        if bounds.get("MinCapacity") == 0:
            message = "only an asynchronous endpoint goes to 0; requests that find no instance are refused"
            at = f"{place}/MinCapacity".removeprefix("/")
            yield at, message, "give least=1, or the configuration asynchronous="
    if backlog and asynchronous is None:
        yield "Policies", "only an asynchronous endpoint has a backlog", "give invocations=, or asynchronous="


_TRACKED = ("TargetTrackingScalingPolicyConfiguration",)


def _bounds(scaling: Mapping[str, Value]) -> Iterator[tuple[str, Mapping[str, Value]]]:
    yield "", scaling
    for place, action in entries(scaling, "Scheduled"):
        bounds = action.get("ScalableTargetAction")
        if isinstance(bounds, Mapping):
            yield f"{place}/ScalableTargetAction", bounds


def _is_time(when: str) -> bool:
    if _WHEN.fullmatch(when) is None:
        return False
    return not when.startswith("cron(") or len(when[5:-1].split()) == _CRON_FIELDS


def _called(scaling: Mapping[str, Value]) -> str:
    return f"the variant {scaling.get('VariantName')}"
