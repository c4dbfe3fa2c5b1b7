"""The share of requests that the model takes longer for than a limit."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.deploy.measures.latency import limit as seconds
from mlops.ir.dataclass import dataclass
from mlops.ir.measure import Answers, Judged, Measure, Query, of_variant, said_share, share


@dataclass(frozen=True, slots=True)
class Settings:
    than: str | float = "1s"


def queries(settings: Settings, judged: Judged) -> Mapping[str, Query]:
    microseconds = seconds(settings.than) * 1e6
    return {
        "quick": of_variant("ModelLatency", f"PR(:{microseconds:g})", judged),
        "timed": of_variant("ModelLatency", "SampleCount", judged),
    }


def value(settings: Settings, answers: Answers) -> float | None:
    percent = answers["quick"]
    return None if percent is None else 1 - percent / 100


def counted(settings: Settings, answers: Answers) -> tuple[float, float] | None:
    found, timed = value(settings, answers), answers["timed"]
    return None if found is None or not timed else (timed, found * timed)


MEASURE = Measure(
    "slow",
    "share of requests slower than a limit",
    Settings,
    queries,
    value,
    share,
    said_share,
    counted,
    expression="1 - quick / 100",
)
