"""Declared alarms: whether what they watch is there, and whether their threshold is in its unit."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.check.watched_metrics import watched_metrics
from mlops.ir import Severity
from mlops.ir.choices import near

_GUIDE = "AWS docs: monitoring-cloudwatch"


@rule("X835", "no-such-metric", Severity.WARNING, source=_GUIDE)
def no_such_metric(subject: Subject) -> Iterator[Fault]:
    """An alarm watches a metric of SageMaker that is not in that namespace, or is a letter beside one that is: it has
    never a value, and never goes off.

    Bad:  resources.Metric("AWS/SageMaker", "Invocations5XXErrors", {...})
    Good: resources.Metric("AWS/SageMaker", "Invocation5XXErrors", {...})
    """
    for watched in watched_metrics(subject):
        from mlops.knowledge.cloudwatch.sagemaker_metrics import METRICS  # few definitions have alarms

        known = METRICS.get(watched.namespace)
        if known is None:
            space = next((item for item in METRICS if item.lower() == watched.namespace.lower()), None)
            if space is not None:
                message = f"there is no namespace {shown(watched.namespace)}"
                yield Fault(f"{watched.at}/Namespace", message, f"write {space}", watched.placed)
            continue
        if watched.name in known or not watched.name:
            continue
        elsewhere = next((space for space, names in METRICS.items() if watched.name in names), None)
        guess = near(watched.name, known)
        if elsewhere is not None:
            message = f"{watched.name} is in the namespace {elsewhere}, not in {watched.namespace}"
            yield Fault(f"{watched.at}/Namespace", message, f"write {elsewhere}", watched.placed)
        elif guess is not None:
            message = f"{watched.namespace} has no metric {watched.name!r}"
            yield Fault(f"{watched.at}/MetricName", message, f"did you mean {guess!r}?", watched.placed)


@rule("X836", "watches-nothing", Severity.WARNING, source="CloudWatch: a metric of other dimensions is another metric")
def watches_nothing(subject: Subject) -> Iterator[Fault]:
    """An alarm watches an endpoint, a monitor or, by its rule, an alarm that is not declared, while one of nearly that
    name is; so does a monitor an endpoint, and a notebook instance take its lifecycle configuration; or an alarm of
    alarms hangs on itself.

    Bad:  CompositeAlarm("churn", rule="ALARM(churn-eror)"), where churn-errors is declared
    Good: CompositeAlarm("churn", rule="ALARM(churn-errors)")
    """
    dimensions = {
        "EndpointName": _named(subject, "EndpointName", "Endpoint"),
        "Endpoint": _named(subject, "EndpointName", "Endpoint"),
        "MonitoringSchedule": _named(subject, "monitor", "Monitor"),
    }
    for watched in watched_metrics(subject):
        for where, dimension in entries(watched.metric, "Dimensions"):
            kind, value = dimension.get("Name"), dimension.get("Value")
            known = dimensions.get(kind, []) if isinstance(kind, str) else []
            guess = near(value, known) if isinstance(value, str) and known and value not in known else None
            if guess is not None:
                message = f"nothing that is declared is called {shown(value)}"
                yield Fault(f"{watched.at}{where}/Value", message, f"did you mean {guess!r}?", watched.placed)
    yield from _of_alarms(subject)
    for taker, member, maker, naming in _TAKEN:
        known = _named(subject, naming, maker)
        for placed, arguments in subject.of_type(taker) if known else ():
            name = arguments.get(member)
            guess = near(name, known) if isinstance(name, str) and name not in known else None
            if guess is not None:
                message = f"nothing that is declared is called {shown(name)}"
                yield Fault(f"{placed.pointer}/Arguments/{member}", message, f"did you mean {guess!r}?", placed)


_TAKEN = (
    ("Monitor", "endpoint", "Endpoint", "EndpointName"),
    (
        "NotebookInstance",
        "LifecycleConfigName",
        "NotebookInstanceLifecycleConfig",
        "NotebookInstanceLifecycleConfigName",
    ),
)
"""Who takes what by its name alone, and who makes such things under which member."""


def _of_alarms(subject: Subject) -> Iterator[Fault]:
    composites = list(subject.of_type("CompositeAlarm"))
    if not composites:
        return
    from mlops.knowledge.cloudwatch.alarm_rules import Malformed, alarms, parse

    known = _named(subject, "AlarmName", "Alarm", "CompositeAlarm")
    for placed, alarm in composites:
        at, own, text = f"{placed.pointer}/Arguments", alarm.get("AlarmName"), alarm.get("AlarmRule")
        try:
            named = [(f"{at}/AlarmRule", name) for name in alarms(parse(text))] if isinstance(text, str) else []
        except Malformed:
            named = []  # the declaration tells it
        suppressor = alarm.get("ActionsSuppressor")
        if isinstance(suppressor, str):
            named.append((f"{at}/ActionsSuppressor", suppressor))
        for where, name in named:
            guess = near(name, known) if name not in known and not name.startswith("arn:") else None
            if name == own:
                yield Fault(where, "the alarm hangs on itself", "name another one", placed)
            elif guess is not None:
                message = f"no alarm {name!r} is declared here"
                yield Fault(where, message, f"did you mean {guess!r}?", placed)


def _named(subject: Subject, member: str, *types: str) -> list[str]:
    found = (arguments.get(member) for _, arguments in subject.of_type(*types))
    return [name for name in found if isinstance(name, str)]


_LEAST_LATENCY = 1000
"""Microseconds: what is below a millisecond was meant in milliseconds or seconds."""


@rule("X837", "threshold-in-another-unit", Severity.WARNING, source=_GUIDE)
def threshold_in_another_unit(subject: Subject) -> Iterator[Fault]:
    """An alarm holds microseconds against seconds or milliseconds, or percent against a share: it always goes off. Or
    it asks for a statistic that is the same whatever happens.

    Bad:  ModelLatency with threshold=0.25
    Good: ModelLatency with threshold=250_000
    """
    for watched in watched_metrics(subject):
        from mlops.knowledge.cloudwatch.sagemaker_metrics import ALWAYS_ONE, METRICS, MICROSECONDS, PERCENT

        if watched.namespace not in METRICS:
            continue
        threshold, at = watched.threshold, f"{watched.placed.pointer}/Arguments/Threshold"
        is_number = isinstance(threshold, int | float) and not isinstance(threshold, bool)
        counts = watched.statistic in ("Sum", "SampleCount")
        if watched.name in ALWAYS_ONE and not counts and watched.statistic is not None:
            message = f"{watched.name} is 1 for each request, so that its {watched.statistic} is never another"
            yield Fault(f"{watched.at}/MetricName", message, 'take statistic="Sum"', watched.placed)
        if not isinstance(threshold, int | float) or not is_number or counts:
            continue
        if watched.name in MICROSECONDS and 0 < threshold < _LEAST_LATENCY:
            message = f"{watched.name} is in microseconds, and the threshold is {threshold:g}"
            yield Fault(at, message, "250 milliseconds are 250000", watched.placed)
        elif watched.name in PERCENT and 0 < threshold <= 1:
            message = f"{watched.name} is in percent, and the threshold is {threshold:g}"
            yield Fault(at, message, f"write {100 * threshold:g}", watched.placed)
