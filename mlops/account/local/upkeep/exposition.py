"""What Prometheus reads of an account, in its text format 0.0.4.

Metrics of CloudWatch have the names that its exporters give them (``aws_sagemaker_invocations_sum``), with the values
of the last whole minute, so that a board fits an account that is exported as well. What only this account knows begins
with ``mlops_``. Names and numbers alone: nothing that a request or a log holds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import field
from datetime import UTC, datetime, timedelta

from mlops.account.local import ownership
from mlops.account.local.process.router import records
from mlops.account.local.services.cloudwatch import alarm_bodies, sources
from mlops.account.local.services.cloudwatch.evaluating import evaluated
from mlops.account.local.services.cloudwatch.series import series
from mlops.account.local.services.cloudwatch.sources import Metric
from mlops.account.local.services.sagemaker import endpoints
from mlops.account.local.state import State, moment
from mlops.ir.dataclass import dataclass
from mlops.knowledge.cloudwatch import exported_names

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_MINUTE = timedelta(minutes=1)
_STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")
_APART = "cloudwatch_metric"
"""The label by which metrics are told apart whose names become one: ``a.b`` and ``a_b``."""


@dataclass(frozen=True, slots=True)
class Family:
    """All values of one name. ``samples`` are by their labels, sorted pairs."""

    name: str
    type: str
    help: str
    samples: dict[tuple[tuple[str, str], ...], float] = field(default_factory=dict)

    def add(self, value: float, **labels: str) -> None:
        """The first of several with the same labels stands: two would be no exposition."""
        self.samples.setdefault(tuple(sorted(labels.items())), value)


def exposition(state: State, now: datetime) -> str:
    """By name, so that the same account gives the same text."""
    found = {family.name: family for family in _of_the_account(state, now)}
    for family in _of_cloudwatch(state, now):
        found.setdefault(family.name, family)
    return "".join(line for name in sorted(found) for line in _lines(found[name]))


def _lines(family: Family) -> Iterator[str]:
    if not family.samples:
        return
    yield f"# HELP {family.name} {_escaped(family.help)}\n# TYPE {family.name} {family.type}\n"
    for labels in sorted(family.samples):
        told = ",".join(f'{name}="{_escaped(value, quoted=True)}"' for name, value in labels)
        yield f"{family.name}{f'{{{told}}}' if told else ''} {_number(family.samples[labels])}\n"


def _escaped(text: str, *, quoted: bool = False) -> str:
    found = text.replace("\\", "\\\\").replace("\n", "\\n")
    return found.replace('"', '\\"') if quoted else found


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _of_the_account(state: State, now: datetime) -> Iterable[Family]:
    executions = Family("mlops_executions", "gauge", "Executions of a pipeline that are known, by their status.")
    for row in state.store.all("SELECT pipeline, status, count(*) AS n FROM execution GROUP BY pipeline, status"):
        executions.add(row["n"], pipeline=row["pipeline"], status=row["status"])
    last = Family("mlops_execution_last_seconds", "gauge", "How long the last execution took that has ended.")
    at = Family("mlops_execution_last_end_timestamp_seconds", "gauge", "When it ended, in seconds since 1970.")
    for row in state.store.all(
        "SELECT pipeline, status, created, max(modified) AS modified FROM execution "
        "WHERE status NOT IN ('Executing', 'Stopping') GROUP BY pipeline"
    ):
        began, ended = datetime.fromisoformat(row["created"]), datetime.fromisoformat(row["modified"])
        last.add((ended - began).total_seconds(), pipeline=row["pipeline"])
        at.add(ended.timestamp(), pipeline=row["pipeline"], status=row["status"])
    steps = Family("mlops_steps", "gauge", "Attempts of the steps of a pipeline, by their status.")
    for row in state.store.all(
        "SELECT pipeline, name, step.status AS status, count(*) AS n "
        "FROM step JOIN execution ON execution.id = execution GROUP BY pipeline, name, step.status"
    ):
        steps.add(row["n"], pipeline=row["pipeline"], step=row["name"], status=row["status"])
    packages = Family("mlops_model_packages", "gauge", "Versions of a model, by their approval.")
    for row in state.store.all("SELECT name, approval, count(*) AS n FROM package GROUP BY name, approval"):
        packages.add(row["n"], group=row["name"], approval=row["approval"])
    serving = Family("mlops_endpoint_status", "gauge", "1 for the status that an endpoint has.")
    for row in state.store.all("SELECT name, status FROM resource WHERE kind = ?", endpoints.KIND):
        serving.add(1, endpoint=row["name"], status=row["status"])
    alarms = Family("mlops_alarm_state", "gauge", "1 for the state in which an alarm is, 0 for the others.")
    for name, body in alarm_bodies.every(state):
        standing = (evaluated(state, name, now) or body)["StateValue"]
        for value in _STATES:
            alarms.add(float(value == standing), alarm=name, type=alarm_bodies.type_of(body), state=value)
    happened = Family("mlops_events_total", "counter", "Events of the account, by their kind.")
    for row in state.store.all("SELECT kind, count(*) AS n FROM event GROUP BY kind"):
        happened.add(row["n"], kind=row["kind"])
    waiting = Family("mlops_deliveries_waiting", "gauge", "What the clock has to deliver to targets.")
    for row in state.store.all("SELECT count(*) AS n FROM delivery"):
        waiting.add(row["n"])
    clock = Family("mlops_clock_up", "gauge", "Whether the account's clock runs.")
    clock.add(float(ownership.owned(state.clock_folder)))
    return executions, last, at, steps, packages, serving, alarms, happened, waiting, clock


def _of_cloudwatch(state: State, now: datetime) -> Iterable[Family]:
    end = datetime.fromtimestamp(int(now.timestamp()) // 60 * 60, UTC)
    found: dict[str, Family] = {}
    whose: dict[tuple[str, tuple[tuple[str, str], ...]], Metric] = {}
    # In an order of their own: which of several that are exported by one name has it alone is no matter of luck.
    for metric in sorted(_spoken(state, end - _MINUTE, end), key=lambda item: (item.namespace, item.name, item.kept)):
        labels = exported_names.labels(metric.dimensions)
        for statistic in exported_names.STATISTICS:
            name = exported_names.series(metric.namespace, metric.name, statistic)
            told = f"{metric.namespace} {metric.name}, {statistic} of the last whole minute."
            family = found.setdefault(name, Family(name, "gauge", told))
            first = whose.setdefault((name, tuple(sorted(labels.items()))), metric)
            apart = {} if first == metric else {_APART: _called(metric)}
            for _, value in series(state, metric, statistic, 60, end - _MINUTE, end):
                family.add(value, **labels, **apart)
    return found.values()


def _called(metric: Metric) -> str:
    return " ".join((metric.namespace, metric.name, *(f"{name}={value}" for name, value in metric.dimensions)))


def _spoken(state: State, start: datetime, end: datetime) -> Iterator[Metric]:
    """Those that have values between the two, without reading what is older."""
    for row in state.store.all(
        "SELECT DISTINCT namespace, name, dimensions FROM metric WHERE time >= ? AND time < ?",
        moment(start),
        moment(end),
    ):
        yield sources.kept_metric(row)
    for row in state.store.all("SELECT name FROM resource WHERE kind = ? ORDER BY name", endpoints.KIND):
        folder = state.endpoint_folder(row["name"]) / records.FOLDER
        rows = records.rows_between(folder, start.timestamp(), end.timestamp())
        for variant in sorted({found[2] for found in rows if found[2]}):
            yield from sources.of_variant(row["name"], variant)
