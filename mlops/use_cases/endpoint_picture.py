"""What an endpoint did, over time, as SVG: requests, errors and latency, a line for each variant."""

from __future__ import annotations

import math

from mlops.account import answers
from mlops.deploy.endpoints.watching import courses
from mlops.deploy.shifting import seeing
from mlops.deploy.shifting.settings import read as read_settings
from mlops.deploy.waiting import Clock
from mlops.emit.plots.chart import TONES, Axis, Panel, Series, drawn
from mlops.use_cases.connecting import Where, connect_here

_PERIODS = 120
"""So many points a line has at most."""
_TITLES = {
    "requests": ("Requests a minute", Axis(low=0)),
    "errors": ("Errors, a share of the requests", Axis(low=0, high=0.011, said=lambda value: f"{100 * value:g} %")),
    "latency": ("Latency, the 99th percentile", Axis(low=0, kind="seconds")),
}


def traffic(environment: Where, name: str, seconds: float, *, now: float | None = None) -> str | None:
    """Of the last ``seconds``; None where nothing was asked of it, or it is not there."""
    connected = connect_here(environment)
    lag = read_settings(connected.environment, connected.root).lag
    period = max(60, math.ceil(seconds / _PERIODS / 60) * 60)
    end = math.floor(((Clock().wall() if now is None else now) - lag) / period + 1) * period
    with answers():
        there = seeing.see(connected.account.client("sagemaker"), name)
    variants = [] if there is None or there.serving is None else [item.name for item in there.serving.variants]
    start = end - math.ceil(seconds / period) * period
    found = courses(connected.account, name, variants, start, end, period)
    if not any(points for course in found for points in course.variants.values()):
        return None
    panels = []
    for course in found:
        title, axis = _TITLES[course.measure]
        each = 60 / period if course.measure == "requests" else 1.0
        series = [
            Series(variant, [(at, each * value) for at, value in points], tone=number % TONES)
            for number, (variant, points) in enumerate(course.variants.items())
        ]
        panels.append(Panel(title, series, x=Axis(kind="time", low=start, high=end), y=axis))
    return drawn(f"{name}: what it was asked", panels)
