"""Words as large as they are frequent."""

from __future__ import annotations

from mlops.emit.dashboards.panel import Drawn, Panel, Visualization, aggs


def _draw(panel: Panel) -> Drawn:
    params = {
        "scale": "linear",
        "orientation": "single",
        "minFontSize": 14,
        "maxFontSize": 48,
        "showLabel": True,
    }
    return Drawn("tagcloud", params, aggs(panel))


VISUALIZATION = Visualization(_draw)
