"""Where: circles on a map, by cells of a field of places. Events have none, so it is for other indices."""

from __future__ import annotations

from mlops.emit.dashboards.panel import Drawn, Panel, Visualization, aggs


def _draw(panel: Panel) -> Drawn:
    params = {
        "colorSchema": "Yellow to Red",
        "mapType": "Scaled Circle Markers",
        "isDesaturated": True,
        "addTooltip": True,
        "heatClusterSize": 1.5,
        "legendPosition": "bottomright",
        "mapZoom": 2,
        "mapCenter": [0, 0],
        "wms": {"enabled": False, "options": {"format": "image/png", "transparent": True}},
    }
    return Drawn("tile_map", params, aggs(panel))


VISUALIZATION = Visualization(_draw)
