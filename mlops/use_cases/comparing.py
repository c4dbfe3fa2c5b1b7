"""Executions side by side: what went in, what came out, and of that what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mlops.deploy.executions.following import ExecutionState, describe
from mlops.deploy.executions.recording import as_run
from mlops.emit.plots.parallel import Line, drawn
from mlops.emit.plots.scales import said_number
from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.sheet import Block
from mlops.observe.experiments import ExecutionRun
from mlops.use_cases.connecting import Connected
from mlops.use_cases.curves import curves
from mlops.use_cases.evaluations import evaluated

MOST = 20


@dataclass(frozen=True, slots=True)
class Row:
    """``values`` are in the order of the executions, None where one has nothing of that name. ``numbers`` can be
    drawn."""

    topic: str
    name: str
    values: tuple[str | None, ...]
    numbers: tuple[float | None, ...] = ()

    @property
    def differs(self) -> bool:
        return len(set(self.values)) > 1


@dataclass(frozen=True, slots=True)
class Together:
    """A metric of several executions over the same numbers, by what each is called."""

    name: str
    numbers: tuple[float, ...]
    values: Mapping[str, tuple[float | None, ...]]


@dataclass(frozen=True, slots=True)
class Compared:
    states: tuple[ExecutionState, ...]
    rows: tuple[Row, ...]
    curves: tuple[Together, ...]
    evaluation: tuple[Block, ...]
    parallel: str | None


def compared(connected: Connected, arns: Sequence[str]) -> Compared:
    """Of two to :data:`MOST`. Raises UsageError for fewer or more."""
    chosen = tuple(dict.fromkeys(arns))
    if not 2 <= len(chosen) <= MOST:
        raise UsageError(f"{len(chosen)} executions are chosen; from 2 to {MOST} can be compared")
    states = tuple(describe(connected.account, arn) for arn in chosen)
    runs = [as_run(connected.account, state) for state in states]
    rows = [
        _row("execution", "status", [state.status for state in states]),
        *_rows("parameter", [run.parameters for run in runs]),
        *_rows("step", [_outcomes(state) for state in states]),
        *_numbers("metric", [_metrics(run) for run in runs]),
    ]
    by_id = {state.id: run for state, run in zip(states, runs, strict=True)}
    return Compared(
        states, tuple(rows), tuple(_curves(connected, states)), tuple(evaluated(by_id)), _parallel(states, rows)
    )


def _parallel(states: Sequence[ExecutionState], rows: Sequence[Row]) -> str | None:
    """What differs and is a number of several of them, side by side; None where that is less than two quantities."""
    named = ((row.name, _numbers_of(row)) for row in rows if row.differs)
    measured = [(name, numbers) for name, numbers in named if sum(number is not None for number in numbers) > 1]
    if len(measured) < 2:
        return None
    lines = [Line(state.id, [numbers[at] for _, numbers in measured]) for at, state in enumerate(states)]
    return drawn("What differs, side by side", [name for name, _ in measured], lines)


def _numbers_of(row: Row) -> Sequence[float | None]:
    """Nothing where one is none."""
    if row.topic != "parameter":
        return row.numbers
    try:
        return [None if value is None else float(value) for value in row.values]
    except ValueError:
        return ()


def _curves(connected: Connected, states: Sequence[ExecutionState]) -> Iterator[Together]:
    found: dict[str, dict[str, dict[float, float | None]]] = {}
    for state in states:
        for curve in curves(connected, state):
            of = found.setdefault(f"{curve.step}: {curve.metric}", {})
            of[state.id] = dict(zip(curve.numbers, curve.values, strict=True))
    for name, by_execution in found.items():
        numbers = tuple(sorted({number for points in by_execution.values() for number in points}))
        if len(numbers) > 1:
            values = {id: tuple(map(points.get, numbers)) for id, points in by_execution.items()}
            yield Together(name, numbers, values)


def _outcomes(state: ExecutionState) -> Mapping[str, str]:
    return {step.name: f"{step.status} (cached)" if step.cached else step.status for step in state.steps}


def _metrics(run: ExecutionRun) -> Mapping[str, float]:
    return {f"{step.name}: {name}": value for step in run.steps for name, value in step.metrics.items()}


def _row(topic: str, name: str, values: Sequence[object]) -> Row:
    return Row(topic, name, tuple(None if value is None else str(value) for value in values))


def _rows(topic: str, sides: Sequence[Mapping[str, object]]) -> list[Row]:
    names = dict.fromkeys(name for side in sides for name in side)
    return [_row(topic, name, [side.get(name) for side in sides]) for name in names]


def _numbers(topic: str, sides: Sequence[Mapping[str, float]]) -> list[Row]:
    rows = []
    for name in dict.fromkeys(name for side in sides for name in side):
        numbers = tuple(side.get(name) for side in sides)
        told = tuple(None if number is None else said_number(number) for number in numbers)
        rows.append(Row(topic, name, told, numbers))
    return rows
