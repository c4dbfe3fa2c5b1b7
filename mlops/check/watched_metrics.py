"""What declared alarms watch, metric by metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.members import entries
from mlops.check.subject import Subject
from mlops.ir import Placed, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.members import get


@dataclass(frozen=True, slots=True)
class Watched:
    """One metric of an alarm; ``threshold`` is None where it is one of several queries."""

    at: str
    metric: Mapping[str, Value]
    statistic: Value
    threshold: Value
    placed: Placed

    @property
    def name(self) -> str:
        name = self.metric.get("MetricName")
        return name if isinstance(name, str) else ""

    @property
    def namespace(self) -> str:
        namespace = self.metric.get("Namespace")
        return namespace if isinstance(namespace, str) else ""


def watched_metrics(subject: Subject) -> Iterator[Watched]:
    for placed, alarm in subject.of_type("Alarm"):
        at = f"{placed.pointer}/Arguments"
        if alarm.get("MetricName") is not None:
            statistic = alarm.get("Statistic") or alarm.get("ExtendedStatistic")
            yield Watched(at, alarm, statistic, alarm.get("Threshold"), placed)
        queries = list(entries(alarm, "Metrics"))
        for where, query in queries:
            metric = get(query, "MetricStat", "Metric")
            if isinstance(metric, Mapping):
                threshold = alarm.get("Threshold") if len(queries) == 1 else None
                yield Watched(
                    f"{at}{where}/MetricStat/Metric", metric, get(query, "MetricStat", "Stat"), threshold, placed
                )
