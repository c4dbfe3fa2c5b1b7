"""What a search is for."""

from __future__ import annotations

from collections.abc import Callable

from mlops.declare.records import record
from mlops.declare.references import Poison, lower
from mlops.declare.steps.shared_arguments import Text
from mlops.ir import Unknown, Value
from mlops.ir.fields import TEXT, Given, Made, Said, Spoken

__all__ = ["Maximize", "Minimize"]


@record
class Maximize:
    """The metric that should become as large as possible."""

    metric: Text


@record
class Minimize:
    """The metric that should become as small as possible."""

    metric: Text


def lowered(given: Maximize | Minimize | None) -> Value:
    if isinstance(given, Poison):
        return Unknown()
    return None if given is None else {"Type": type(given).__name__, "MetricName": lower(given.metric)}


def said_objective(path: str) -> Callable[[Given], Spoken | None]:
    def said(given: Given) -> Spoken | None:
        match given.at(path):
            case {"Type": "Maximize" | "Minimize" as kind, "MetricName": metric}:
                return Made(kind, [Said(metric, TEXT.accepts)])
        return None

    return said
