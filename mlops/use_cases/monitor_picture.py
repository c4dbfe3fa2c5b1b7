"""What a monitor's runs measured, over time, as SVG: drift by feature, and what the model was right in."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.emit.plots.chart import TONES, Axis, Panel, Series, drawn
from mlops.use_cases.connecting import Where
from mlops.use_cases.monitors import Point, Shown, course

_DRIFT = "feature_baseline_drift_"
_QUALITY = ("accuracy", "precision", "recall", "auc", "f1", "rmse", "mae", "r2")
"""Of all that a model's quality has, what people ask for first."""


def picture(environment: Where, found: Shown) -> str | None:
    """None where there are no numbers of two runs. Of features those that are farthest off in the last run."""
    measured = course(environment, found.runs, (_DRIFT, *_QUALITY))
    drift = {name.removeprefix(_DRIFT): points for name, points in measured.items() if name.startswith(_DRIFT)}
    quality = {name: points for name, points in measured.items() if name in _QUALITY}
    panels = [
        Panel(title, _series(lines), x=Axis(kind="time"), y=Axis(low=0))
        for title, lines in (("How far each feature is from the baseline", drift), ("The model's quality", quality))
        if any(len(points) > 1 for points in lines.values())
    ]
    return drawn(f"{found.monitor.name}: what was measured", panels) if panels else None


def _series(lines: Mapping[str, tuple[Point, ...]]) -> list[Series]:
    farthest = sorted(lines, key=lambda name: (-lines[name][-1][1], name))[:TONES]
    return [Series(name, lines[name], tone=number) for number, name in enumerate(farthest)]
