"""Declared monitors: whether there is something that they can look at, when, and by which limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import pairwise

from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.serving import endpoints, made
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Severity, Value
from mlops.ir.members import get

_PROGRAM = "mlops/monitor, which every declared monitor runs"


@rule("X838", "monitor-sees-nothing", Severity.WARNING, source=f"{_PROGRAM}: it reads what the endpoint captured")
def monitor_sees_nothing(subject: Subject) -> Iterator[Fault]:
    """A monitor watches an endpoint that captures nothing: each of its jobs is paid for, and has no rows.

    Bad:  Monitor("watch", endpoint=…) of an EndpointConfig without capture=
    Good: the same with capture=resources.Capture("s3://acme-ml/captured", percent=20)
    """
    serving = {endpoint.placed.pointer: endpoint for endpoint in endpoints(subject)}
    for placed, monitor in subject.of_type("Monitor"):
        step = made(subject, monitor.get("endpoint"), "Endpoint", "EndpointName")
        endpoint = serving.get(step.pointer) if step is not None else None
        if endpoint is None or endpoint.configuration is None:
            continue
        capture = endpoint.configuration.settings.get("DataCaptureConfig")
        why = None
        if capture is None:
            why = "captures nothing"
        elif get(capture, "EnableCapture") is False or get(capture, "InitialSamplingPercentage") == 0:
            why = "captures none of its requests"
        if why is not None:
            message = f"the endpoint {shown(endpoint.settings.get('EndpointName'))} {why}"
            help_text = 'give its configuration capture=resources.Capture("s3://…", percent=20)'
            yield Fault(f"{placed.pointer}/Arguments/endpoint", message, help_text, placed)


@rule("X839", "limit-of-no-metric", Severity.ERROR, source=_PROGRAM)
def limit_of_no_metric(subject: Subject) -> Iterator[Fault]:
    """A monitor has a limit of a metric that it does not measure of such a problem; or (a warning) one beyond what the
    metric can be, so that it always violates or never does.

    Bad:  ModelQuality("BinaryClassification", at_least={"rmse": 0.8})
    Good: ModelQuality("BinaryClassification", at_least={"accuracy": 0.8})
    """
    for placed, monitor in subject.of_type("Monitor"):
        from mlops.knowledge.monitor_metrics import BIAS, QUALITY, SHARES  # few definitions have monitors

        problem = get(monitor, "model_quality", "problem_type")
        known = QUALITY.get(problem) if isinstance(problem, str) else None
        for kind, names in (("model_quality", known), ("bias", BIAS)):
            for bound in ("at_least", "at_most"):
                limits = get(monitor, kind, bound)
                at = f"{placed.pointer}/Arguments/{kind}/{bound}"
                for name, value in limits.items() if names is not None and isinstance(limits, Mapping) else ():
                    if name not in (names or ()):
                        help_text = did_you_mean(name, names or ()) or f"it measures {', '.join(sorted(names or ()))}"
                        what = f"of a {problem}" if kind == "model_quality" else "of bias"
                        yield Fault(f"{at}/{name}", f"{name!r} is not measured {what}", help_text, placed)
                    elif kind == "model_quality" and name in SHARES and not _is_share(value):
                        message = f"{name} lies between 0 and 1, and the limit is {value}"
                        yield Fault(f"{at}/{name}", message, "give a share", placed, severity=Severity.WARNING)


def _is_share(value: Value) -> bool:
    return not isinstance(value, int | float) or 0 <= value <= 1


@rule("X842", "window-beside-its-schedule", Severity.WARNING, source=f"{_PROGRAM}: each run looks at one window")
def window_beside_its_schedule(subject: Subject) -> Iterator[Fault]:
    """A monitor's schedule leaves out windows, whose requests nobody looks at; or it comes more than once within a
    window, and looks at the same one again.

    Bad:  Monitor("watch", schedule="cron(20 6 * * ? *)", window="1h")
    Good: Monitor("watch", schedule="cron(20 6 * * ? *)", window="1d")
    """
    for placed, monitor in subject.of_type("Monitor"):
        schedule, window = monitor.get("schedule"), _seconds(monitor.get("window"))
        gaps = _gaps(schedule) if isinstance(schedule, str) else ()
        at = f"{placed.pointer}/Arguments/window"
        if not gaps or window is None:
            continue
        if min(gaps) > window:
            message = f"it runs each {_told(min(gaps))} and looks at the last {_told(window)}: the rest is never seen"
            yield Fault(at, message, f'give window="{_told(min(gaps))}", or let it run more often', placed)
        elif max(gaps) < window:
            message = f"it runs each {_told(max(gaps))}, and its window lasts {_told(window)}: each is looked at again"
            yield Fault(at, message, f'give window="{_told(max(gaps))}", or let it run less often', placed)


_UNITS = {"m": 60, "h": 3600, "d": 86400}
_LOOKED_AT = 4


def _seconds(window: Value) -> int | None:
    number = window[:-1] if isinstance(window, str) else ""
    return int(number) * _UNITS.get(str(window)[-1], 1) if number.isdigit() else None


def _told(seconds: int) -> str:
    for unit in ("d", "h", "m"):
        if seconds % _UNITS[unit] == 0:
            return f"{seconds // _UNITS[unit]}{unit}"
    return f"{seconds}s"


def _gaps(schedule: str) -> tuple[int, ...]:
    """Between some times of a schedule; none where it is malformed, or comes once."""
    from mlops.knowledge.eventbridge.schedule_expressions import Malformed, judge, next_time

    try:
        judge(schedule)
        if schedule.startswith("rate("):
            number, unit = schedule[len("rate(") : -1].split()
            return (int(number) * _UNITS[unit[0]],)
        times: list[datetime] = []
        here: datetime | None = datetime(2030, 1, 7)
        while here is not None and len(times) <= _LOOKED_AT:
            here = next_time(schedule, here)
            if here is not None:
                times.append(here)
                here += timedelta(minutes=1)
    except (Malformed, ValueError, KeyError):
        return ()
    return tuple(int((after - before).total_seconds()) for before, after in pairwise(times))
