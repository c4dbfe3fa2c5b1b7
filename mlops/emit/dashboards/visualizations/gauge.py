"""One number, and whether that is much."""

from __future__ import annotations

from itertools import pairwise

from mlops.emit.dashboards.panel import Drawn, Panel, Visualization, aggs


def _draw(panel: Panel) -> Drawn:
    params = {
        "type": "gauge",
        "addTooltip": True,
        "addLegend": True,
        "isDisplayWarning": False,
        "gauge": {
            "alignment": "automatic",
            "extendRange": True,
            "percentageMode": False,
            "gaugeType": "Arc",
            "gaugeStyle": "Full",
            "backStyle": "Full",
            "orientation": "vertical",
            "colorSchema": "Green to Red",
            "gaugeColorMode": "Labels",
            "colorsRange": [{"from": low, "to": high} for low, high in pairwise(panel.ranges)],
            "invertColors": False,
            "labels": {"show": True, "color": "black"},
            "scale": {"show": True, "labels": False, "color": "rgba(105,112,125,0.2)"},
            "type": "meter",
            "style": {
                "bgWidth": 0.9,
                "width": 0.9,
                "mask": False,
                "bgMask": False,
                "maskBars": 50,
                "bgFill": "rgba(105,112,125,0.2)",
                "bgColor": True,
                "subText": "",
                "fontSize": 60,
            },
        },
    }
    return Drawn("gauge", params, aggs(panel, along="group"))


VISUALIZATION = Visualization(_draw)
