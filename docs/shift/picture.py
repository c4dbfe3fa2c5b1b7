"""A shift of traffic as a picture: who answered how much, how fast, and what the endpoint was, second by second."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from timeline import Asked, State, Timeline

from mlops.emit.plots.chart import Axis, Band, Panel, Series, drawn

_BEFORE_SECONDS = 10
"""What is shown of the time before anything was changed."""
_SHOWN_SECONDS = 1.0
"""Of a state; weights are changed in less, which leaves room for the name of what comes of it."""


def draw(found: Timeline) -> str:
    old, new = found.old, found.new
    start = max(min(item.at for item in found.asked), found.states[1].at - _BEFORE_SECONDS)
    end = max(item.at for item in found.asked)
    windows = _windows([item for item in found.asked if item.at >= start], start)
    shares, speeds = [], []
    for tone, name in enumerate((old, new)):
        part = [(at, 100 * sum(item.variant == name for item in items) / len(items)) for at, items in windows]
        shares.append(Series(name, part, tone))
        for told, percentile in (("half are faster", 0.5), ("99 % are faster", 0.99)):
            times = [(at, _seconds(item for item in items if item.variant == name)) for at, items in windows]
            points = [(at, 1000 * _percentile(ordered, percentile)) for at, ordered in times if ordered]
            speeds.append(Series(f"{name}: {told}", points, tone, dashed=percentile > 0.5))
    asked_for = [(max(state.at, start) - start, state.weights.get(new, 0.0)) for state in found.states]
    asked_for.append((end - start, asked_for[-1][1]))
    shares.append(Series(f"{new}: asked for", asked_for, 1, "step", dashed=True))
    bands = [
        Band(_said(state), max(state.at, start) - start, until - start)
        for state, until in zip(found.states, [*(state.at for state in found.states[1:]), end], strict=True)
        if until - max(state.at, start) >= _SHOWN_SECONDS
    ]
    seconds = Axis(kind="seconds", low=0.0, high=end - start)
    slow = 1000 * _percentile(_seconds(found.asked), 0.995) * 1.2
    failed = sum(not item.good for item in found.asked)
    return drawn(
        f"{len(found.asked)} requests, {failed} failed, while traffic goes from {old} to {new}",
        [
            Panel("Share of the requests in %", shares, bands=bands, x=seconds, y=Axis(low=0.0, high=100.0)),
            Panel("Milliseconds until the answer", _below(speeds, slow), bands=bands, x=seconds, y=Axis(low=0.0)),
        ],
        860,
    )


def _said(state: State) -> str:
    if state.status == "in service" and len(state.weights) > 1:
        return " : ".join(f"{weight:g}" for _, weight in sorted(state.weights.items()))
    return state.status


def _below(series: Sequence[Series], most: float) -> list[Series]:
    """A second in which one answer took very long would leave no room for all others."""
    return [
        Series(one.name, [(at, min(value, most)) for at, value in one.points], one.tone, dashed=one.dashed)
        for one in series
    ]


def _windows(asked: Sequence[Asked], start: float) -> list[tuple[float, list[Asked]]]:
    """Requests of each second, with its middle."""
    found: dict[int, list[Asked]] = {}
    for item in asked:
        found.setdefault(int(item.at - start), []).append(item)
    return [(second + 0.5, found[second]) for second in sorted(found)]


def _seconds(asked: Iterable[Asked]) -> list[float]:
    return sorted(item.seconds for item in asked)


def _percentile(ordered: Sequence[float], part: float) -> float:
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)]
