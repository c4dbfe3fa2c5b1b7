"""Expressions of metric math over series: numbers by the second at which their period begins.

What the guide says of missing values: an operation on two series has a value where both have one; a statistic across
several is of those that have one at the time.
"""

from __future__ import annotations

import math
import operator
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from itertools import pairwise
from typing import TypeAlias

from mlops.ir.dataclass import dataclass
from mlops.knowledge.cloudwatch.metric_math import (
    Call,
    Id,
    Malformed,
    Many,
    Negated,
    Node,
    Number,
    Operation,
    Text,
    Word,
    parse,
)

Series: TypeAlias = Mapping[int, float]
Result: TypeAlias = float | Series | Sequence[Series]
"""A number, a series, or several."""
Band: TypeAlias = Callable[[str, float], tuple[Series, Series]]
"""The lower and the upper end for the query of an id and so many deviations."""


@dataclass(frozen=True, slots=True)
class Span:
    """From ``start`` to before ``end``, in steps of ``period`` seconds."""

    start: int
    end: int
    period: int

    @property
    def times(self) -> range:
        return range(self.start, self.end, self.period)


@dataclass(slots=True)
class Asked:
    """``results`` are those of the queries that were worked out before, in their order; ``metrics`` the ids of those
    that are no expressions."""

    span: Span
    results: dict[str, Result]
    metrics: Sequence[str]
    band: Band
    periods: Mapping[str, int] = field(default_factory=dict)


def evaluate(text: str, asked: Asked) -> Result:
    """Raises Malformed for what is of the wrong kind."""
    return _of(parse(text), asked)


def as_series(result: Result, span: Span) -> Sequence[Series]:
    """What is returned of a query: a number stands at every time."""
    if isinstance(result, float):
        return [dict.fromkeys(span.times, result)]
    return [result] if isinstance(result, Mapping) else result


def _of(node: Node, asked: Asked) -> Result:
    match node:
        case Number(value):
            return value
        case Id(name):
            return asked.results[name]
        case Many(items):
            found = [_of(item, asked) for item in items]
            return [series for item in found for series in as_series(item, asked.span)]
        case Negated(operand):
            return _each(lambda value: -value, _of(operand, asked))
        case Operation(sign, left, right):
            return _combined(_OPERATIONS[sign], _of(left, asked), _of(right, asked))
        case Call(name, arguments):
            return _FUNCTIONS[name](arguments, asked)
        case Text(value) | Word(value):
            raise Malformed(f"{value} is no value")


def _each(act: Callable[[float], float | None], result: Result) -> Result:
    if isinstance(result, float):
        value = act(result)
        return math.nan if value is None else value
    if isinstance(result, Mapping):
        return {at: new for at, value in result.items() if (new := act(value)) is not None}
    return [series for item in result if isinstance(series := _each(act, item), Mapping)]


_Act: TypeAlias = Callable[[float, float], float | None]


def _combined(act: _Act, left: Result, right: Result) -> Result:
    if isinstance(left, float) and isinstance(right, float):
        value = act(left, right)
        return math.nan if value is None else value
    if isinstance(left, float):
        return _each(lambda value: act(left, value), right)
    if isinstance(right, float):
        return _each(lambda value: act(value, right), left)
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        shared = sorted(left.keys() & right.keys())
        return {at: new for at in shared if (new := act(left[at], right[at])) is not None}
    if isinstance(left, Mapping):
        return [_series(_combined(act, left, item)) for item in _several(right)]
    if isinstance(right, Mapping):
        return [_series(_combined(act, item, right)) for item in left]
    if len(left) != len(right):
        raise Malformed(f"{len(left)} series cannot be combined with {len(right)}")
    return [_series(_combined(act, one, other)) for one, other in zip(left, right, strict=True)]


def _divided(left: float, right: float) -> float | None:
    return left / right if right else None


def _power(left: float, right: float) -> float | None:
    try:
        found = left**right
    except (OverflowError, ZeroDivisionError):
        return None
    return found if isinstance(found, float) and math.isfinite(found) else None


def _truth(test: Callable[[float, float], bool]) -> _Act:
    return lambda left, right: 1.0 if test(left, right) else 0.0


_OPERATIONS: Mapping[str, _Act] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "^": _power,
    "==": _truth(operator.eq),
    "!=": _truth(operator.ne),
    "<": _truth(operator.lt),
    "<=": _truth(operator.le),
    ">": _truth(operator.gt),
    ">=": _truth(operator.ge),
    "AND": _truth(lambda left, right: bool(left) and bool(right)),
    "OR": _truth(lambda left, right: bool(left) or bool(right)),
}

_Function: TypeAlias = Callable[[Sequence[Node], Asked], Result]


def _statistic(act: Callable[[Sequence[float]], float]) -> _Function:
    """Of one series a number, of several a series across them."""

    def call(arguments: Sequence[Node], asked: Asked) -> Result:
        given = _of(arguments[0], asked)
        if isinstance(given, float):
            return given
        if isinstance(given, Mapping):
            return act([*given.values()]) if given else math.nan
        times = sorted({at for series in given for at in series})
        return {at: act([series[at] for series in given if at in series]) for at in times}

    return call


def _mapped(act: Callable[[float], float | None]) -> _Function:
    return lambda arguments, asked: _each(act, _of(arguments[0], asked))


def _of_each_series(act: Callable[[Series, Asked], Series]) -> _Function:
    def call(arguments: Sequence[Node], asked: Asked) -> Result:
        given = _of(arguments[0], asked)
        if isinstance(given, Mapping):
            return act(given, asked)
        if isinstance(given, float):
            raise Malformed("a series is wanted, not a number")
        return [act(series, asked) for series in given]

    return call


def _steps(act: Callable[[float, int], float]) -> Callable[[Series, Asked], Series]:
    """Of the difference to the value before, and the seconds since."""

    def changed(series: Series, asked: Asked) -> Series:
        times = sorted(series)
        return {at: act(series[at] - series[last], at - last) for last, at in pairwise(times)}

    return changed


def _running(series: Series, asked: Asked) -> Series:
    total, found = 0.0, {}
    for at in sorted(series):
        total += series[at]
        found[at] = total
    return found


def _part(read: Callable[[datetime], int]) -> Callable[[Series, Asked], Series]:
    return lambda series, asked: {at: float(read(datetime.fromtimestamp(at, UTC))) for at in series}


def _if(arguments: Sequence[Node], asked: Asked) -> Result:
    condition, true = _of(arguments[0], asked), _of(arguments[1], asked)
    false = _of(arguments[2], asked) if len(arguments) > 2 else None
    if isinstance(condition, float):
        chosen = true if condition else false
        return {} if chosen is None else chosen
    if not isinstance(condition, Mapping):
        return [_chosen(each, true, false) for each in condition]
    return _chosen(condition, true, false)


def _chosen(condition: Series, true: Result, false: Result | None) -> Series:
    found: dict[int, float] = {}
    for at, holds in condition.items():
        side = true if holds else false
        if side is None:
            continue
        if isinstance(side, float):
            found[at] = side
        elif at in (series := _series(side)):
            found[at] = series[at]
    return found


def _fill(arguments: Sequence[Node], asked: Asked) -> Result:
    given, how = _of(arguments[0], asked), arguments[1]
    if isinstance(given, float):
        return given
    filled = [_filled(series, how, asked) for series in as_series(given, asked.span)]
    return filled[0] if isinstance(given, Mapping) else filled


def _filled(series: Series, how: Node, asked: Asked) -> Series:
    if how == Word("REPEAT"):
        return _repeated(series, asked.span)
    if how == Word("LINEAR"):
        return _joined(series, asked.span)
    with_ = _of(how, asked)
    other = dict.fromkeys(asked.span.times, with_) if isinstance(with_, float) else _series(with_)
    return {at: series.get(at, other.get(at, math.nan)) for at in asked.span.times if at in series or at in other}


def _repeated(series: Series, span: Span) -> Series:
    found: dict[int, float] = {}
    last = None
    for at in span.times:
        last = series.get(at, last)
        if last is not None:
            found[at] = last
    return found


def _joined(series: Series, span: Span) -> Series:
    """On the line between the values before and behind; beyond the first and the last there is none."""
    known, found = sorted(series), dict(series)
    for last, coming in pairwise(known):
        slope = (series[coming] - series[last]) / (coming - last)
        for at in range(last + span.period, coming, span.period):
            found[at] = series[last] + slope * (at - last)
    return {at: found[at] for at in sorted(found)}


def _metrics(arguments: Sequence[Node], asked: Asked) -> Result:
    wanted = ""
    if arguments:
        if not isinstance(arguments[0], Text):
            raise Malformed('METRICS takes a part of an id, as in METRICS("errors")')
        wanted = arguments[0].value
    return [series for name in asked.metrics if wanted in name for series in as_series(asked.results[name], asked.span)]


def _at(place: int) -> _Function:
    def call(arguments: Sequence[Node], asked: Asked) -> Result:
        given = as_series(_of(arguments[0], asked), asked.span)
        return given[place] if given else {}

    return call


def _count(arguments: Sequence[Node], asked: Asked) -> Result:
    given = _of(arguments[0], asked)
    if isinstance(given, Mapping):
        return float(len(given))
    times = sorted({at for series in _several(given) for at in series})
    return {at: float(sum(at in series for series in _several(given))) for at in times}


def _slice(arguments: Sequence[Node], asked: Asked) -> Result:
    given = _several(_of(arguments[0], asked))
    first = _whole(arguments[1], asked)
    return given[first : _whole(arguments[2], asked)] if len(arguments) > 2 else given[first:]


def _sort(arguments: Sequence[Node], asked: Asked) -> Result:
    given = [series for series in _several(_of(arguments[0], asked)) if series]
    by, way = arguments[1], arguments[2]
    act = _BY.get(by.name) if isinstance(by, Word) else None
    if act is None or way not in (Word("ASC"), Word("DESC")):
        raise Malformed("SORT takes series, one of AVG, MIN, MAX, SUM and STDDEV, and ASC or DESC")
    found = sorted(given, key=lambda series: act([*series.values()]), reverse=way == Word("DESC"))
    return found[: _whole(arguments[3], asked)] if len(arguments) > 3 else found


def _whole(node: Node, asked: Asked) -> int:
    value = _of(node, asked)
    if not isinstance(value, float) or not value.is_integer():
        raise Malformed("a whole number is wanted")
    return int(value)


def _period(arguments: Sequence[Node], asked: Asked) -> Result:
    node = arguments[0]
    return float(asked.periods.get(node.name, asked.span.period) if isinstance(node, Id) else asked.span.period)


def _band(arguments: Sequence[Node], asked: Asked) -> Result:
    node = arguments[0]
    if not isinstance(node, Id):
        raise Malformed("ANOMALY_DETECTION_BAND takes the id of a query")
    deviations = _of(arguments[1], asked) if len(arguments) > 1 else 2.0
    if not isinstance(deviations, float) or deviations <= 0:
        raise Malformed("the second argument of ANOMALY_DETECTION_BAND is a number above 0")
    return list(asked.band(node.name, deviations))


def _several(result: Result) -> Sequence[Series]:
    if isinstance(result, float):
        raise Malformed("series are wanted, not a number")
    return [result] if isinstance(result, Mapping) else result


def _series(result: Result) -> Series:
    if not isinstance(result, Mapping):
        raise Malformed("one series is wanted")
    return result


def _whole_number(act: Callable[[float], int], value: float) -> float:
    """Of nothing at all, and of what is infinite, there is no other."""
    return float(act(value)) if math.isfinite(value) else value


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


_BY: Mapping[str, Callable[[Sequence[float]], float]] = {
    "AVG": _mean,
    "MAX": max,
    "MIN": min,
    "STDDEV": statistics.pstdev,
    "SUM": math.fsum,
}
_FUNCTIONS: Mapping[str, _Function] = {
    **{name: _statistic(act) for name, act in _BY.items()},
    "ABS": _mapped(abs),
    "ANOMALY_DETECTION_BAND": _band,
    "CEIL": _mapped(lambda value: _whole_number(math.ceil, value)),
    "DATAPOINT_COUNT": _count,
    "DATE": _of_each_series(_part(lambda moment: moment.day)),
    "DAY": _of_each_series(_part(lambda moment: moment.isoweekday())),
    "DIFF": _of_each_series(_steps(lambda change, seconds: change)),
    "DIFF_TIME": _of_each_series(_steps(lambda change, seconds: float(seconds))),
    "EPOCH": _of_each_series(lambda series, asked: {at: float(at) for at in series}),
    "FILL": _fill,
    "FIRST": _at(0),
    "FLOOR": _mapped(lambda value: _whole_number(math.floor, value)),
    "HOUR": _of_each_series(_part(lambda moment: moment.hour)),
    "IF": _if,
    "LAST": _at(-1),
    "LOG": _mapped(lambda value: math.log(value) if value > 0 else None),
    "LOG10": _mapped(lambda value: math.log10(value) if value > 0 else None),
    "METRICS": _metrics,
    "METRIC_COUNT": lambda arguments, asked: float(len(_several(_of(arguments[0], asked)))),
    "MINUTE": _of_each_series(_part(lambda moment: moment.minute)),
    "MONTH": _of_each_series(_part(lambda moment: moment.month)),
    "PERIOD": _period,
    "RATE": _of_each_series(_steps(lambda change, seconds: change / seconds)),
    "REMOVE_EMPTY": lambda arguments, asked: [series for series in _several(_of(arguments[0], asked)) if series],
    "RUNNING_SUM": _of_each_series(_running),
    "SLICE": _slice,
    "SORT": _sort,
    "TIME_SERIES": _at(0),
    "YEAR": _of_each_series(_part(lambda moment: moment.year)),
}
