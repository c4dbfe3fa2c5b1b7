"""What a metric was, at even steps, for whoever forecasts from it."""

from __future__ import annotations

from typing import Any

from mlops.account import answers
from mlops.deploy.shifting.cloudwatch import values
from mlops.ir import ConfigurationError, UsageError
from mlops.ir.duration import said
from mlops.ir.measure import Query
from mlops.observe.forecast import WITHOUT_NUMPY, has_numpy

COUNTS = ("Sum", "SampleCount")
"""Statistics of which CloudWatch has no value where nothing happened: that is 0, of all others it is not known."""


def history(cloudwatch: Any, query: Query, now: float, seconds: float, step: float) -> Any:
    """A :class:`~mlops.observe.forecast.series.Series` of the last ``seconds``, whole steps only.

    Raises:
        UsageError: a step that CloudWatch does not answer, or no value at all.
        ConfigurationError: numpy is not installed.
    """
    if not has_numpy():
        raise ConfigurationError(WITHOUT_NUMPY, hint="python -m pip install numpy")
    import numpy as np

    from mlops.observe.forecast.series import Series, evenly

    if step < 60 or step % 60:
        raise UsageError(f"values {said(step)} apart: CloudWatch has them a whole number of minutes apart")
    end = now // step * step
    with answers():
        told = [(at, value) for _, at, value in values(cloudwatch, {"m": query}, end - seconds, end, round(step))]
    if not told:
        named = ", ".join(f"{name}={value}" for name, value in query.dimensions.items())
        raise UsageError(
            f"{query.namespace} has no {query.metric} of {named or 'no dimension'} in the last {said(seconds)}",
            hint="look at the names by `aws cloudwatch list-metrics`, or look back for longer",
        )
    series: Series = evenly(told, step)
    if query.statistic not in COUNTS:
        return series
    # What was before the first is not known to be 0: perhaps the endpoint was not there.
    until = round((end - series.start) / step)
    whole = np.zeros(max(until, len(series)))
    whole[: len(series)] = np.nan_to_num(series.values)
    return Series(series.start, step, whole)
