"""The share of requests that the variant failed at: answered 5xx, or not at all. What callers did wrong (4xx) is not
counted."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.ir.dataclass import dataclass
from mlops.ir.measure import Answers, Judged, Measure, Query, of_variant, said_share, share


@dataclass(frozen=True, slots=True)
class Settings:
    pass


def queries(settings: Settings, judged: Judged) -> Mapping[str, Query]:
    return {
        "requests": of_variant("Invocations", "Sum", judged),
        "failed": of_variant("InvocationModelErrors", "Sum", judged),
        "refused": of_variant("Invocation4XXErrors", "Sum", judged),
    }


def counted(settings: Settings, answers: Answers) -> tuple[float, float] | None:
    requests = answers["requests"]
    if not requests:
        return None
    # InvocationModelErrors counts all that is not 2xx.
    return requests, max(0.0, (answers["failed"] or 0.0) - (answers["refused"] or 0.0))


def value(settings: Settings, answers: Answers) -> float | None:
    found = counted(settings, answers)
    return None if found is None else found[1] / found[0]


MEASURE = Measure(
    "errors",
    "share of failed requests",
    Settings,
    queries,
    value,
    share,
    said_share,
    counted,
    of_the_server=True,
    # A period without requests has no value: CloudWatch divides by nothing.
    expression="(FILL(failed, 0) - FILL(refused, 0)) / requests",
)
