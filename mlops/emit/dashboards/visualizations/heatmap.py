"""How much of what, when: colours in cells."""

from __future__ import annotations

from mlops.emit.dashboards.panel import Drawn, Panel, Visualization, aggs


def _draw(panel: Panel) -> Drawn:
    params = {
        "type": "heatmap",
        "addTooltip": True,
        "addLegend": True,
        "enableHover": True,
        "legendPosition": "right",
        "times": [],
        "colorsNumber": 6,
        "colorSchema": "Blues",
        "setColorRange": False,
        "colorsRange": [],
        "invertColors": False,
        "percentageMode": False,
        "valueAxes": [
            {
                "show": False,
                "id": "ValueAxis-1",
                "type": "value",
                "scale": {"type": "linear", "defaultYExtents": False},
                "labels": {"show": False, "rotate": 0, "overwriteColor": False, "color": "black"},
            }
        ],
    }
    return Drawn("heatmap", params, aggs(panel))


VISUALIZATION = Visualization(_draw)
